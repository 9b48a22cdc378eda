"""Design of experiment of a request: from the test's factors to numbered runs, each with its procedure and stimuli."""

from __future__ import annotations

from typing import Any

from twinbench.core.battery.procedure import input_csv
from twinbench.core.battery.procedures import procedure_for
from twinbench.core.doe.designs import make_design, recommended_kind
from twinbench.core.doe.factors import DesignSpec
from twinbench.core.request import RequestState
from twinbench.workflow.lab import Lab

__all__ = ["design_runs", "run_folder"]


def run_folder(run: int) -> str:
    """Where a run's stimuli lie in the request's area."""
    return f"doe-output/run-{run:04d}"


def design_runs(lab: Lab, request_uuid: str) -> dict[str, Any]:
    """Make the design of a request and write every run's procedure and ``input.csv``.

    Raises:
        DesignError: If no design can be made of the test's factors.
        RequestError: If the test has no procedure yet.
    """
    request, area = lab.request(request_uuid), lab.area(request_uuid)
    test = lab.catalogue.test(request.standard, request.test_name)
    factors = [] if request.custom_profile else [factor.as_document() for factor in test.factors]
    kind = recommended_kind(test.factors, request.runs) if factors else "fixed"
    spec = {"factors": factors, "runs": request.runs, "seed": request.seed, "kind": kind}
    area.write_json("doe-input/spec.json", spec)
    design = make_design(DesignSpec.from_document(spec))
    area.write_json("doe-output/design.json", design.as_document())
    area.write("doe-output/runs.csv", design.runs_csv())
    uut = lab.catalogue.uut(request.uut)
    for run in design.runs:
        procedure = procedure_for(test, run.levels, uut, custom_profile=request.custom_profile)
        area.write_json(f"{run_folder(run.run)}/procedure.json", procedure.as_document())
        area.write(f"{run_folder(run.run)}/input.csv", input_csv(procedure))
    lab.requests.set_status(request_uuid, RequestState.DESIGNED, at=lab.now())
    return {"runs": len(design.runs), "kind": design.kind, "quality": dict(design.quality)}
