"""Design of experiment of a request: from the test's factors to numbered runs, each with its procedure and stimuli.

The factors are the test's own, of the catalogue, unless the request's ``design`` narrows them, adds others that the
procedure knows, or adds variables of the models (``variable``). A design with ``sequential`` is made round by round:
the first round here, the others by :mod:`twinbench.workflow.rounds`.

    doe-input/spec.json            what is asked of the design
    doe-output/design.json         runs, quality, library versions; of all rounds so far
    doe-output/runs.csv            the same as a table
    doe-output/run-0001/           ``procedure.json``, ``input.csv``, and ``settings.json`` with the models' variables
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twinbench.core.battery.procedure import input_csv
from twinbench.core.battery.procedures import level_names, procedure_for
from twinbench.core.catalogue import Catalogue
from twinbench.core.doe.designs import Design, make_design
from twinbench.core.doe.factors import Factor
from twinbench.core.doe.learning.sequential_plan import SequentialPlan
from twinbench.core.doe.recommendation import recommend
from twinbench.core.doe.request_factors import chosen_factors
from twinbench.core.doe.spec import DesignSpec, Kind
from twinbench.core.doe.variables import check_variables
from twinbench.core.errors import DesignError
from twinbench.core.request import RequestState, TestRequest
from twinbench.workflow.lab import Area, Document, Lab

__all__ = ["design_runs", "read_settings", "run_folder", "specify", "write_runs"]

MOST_RUNS = 200
"""Of a request; its schema has the same."""

DESIGN = "doe-output/design.json"
ROUNDS = "doe-output/rounds.json"

_SIZED = [kind.value for kind in Kind if kind.needs_runs]


def run_folder(run: int) -> str:
    """Where a run's stimuli lie in the request's area."""
    return f"doe-output/run-{run:04d}"


def specify(request: TestRequest, catalogue: Catalogue) -> Document:
    """What is asked of the request's design: the test's factors, what the request says of them, and a kind.

    Raises:
        DesignError: If it asks for what cannot be, naming the value and what to do.
    """
    test, uut = catalogue.test(request.standard, request.test_name), catalogue.uut(request.uut)
    asked = dict(request.design or {})
    known = level_names(test, uut, request.custom_profile)
    factors = chosen_factors(asked.pop("factors", []), test.factors if not request.custom_profile else (), known)
    spec = {"factors": [factor.as_document() for factor in factors], "seed": request.seed, **asked}
    if "sequential" in spec:
        plan = SequentialPlan.from_document(spec["sequential"])
        spec |= {"runs": plan.initial, "kind": Kind.LATIN_HYPERCUBE.value}
        _check_total(plan.budget)
    elif spec.get("kind") is None and spec.get("aim") is None:
        recommended = recommend(
            factors, None, spec.get("runs", request.runs), constrained=bool(spec.get("constraints"))
        )
        spec |= {"kind": recommended.kind, "runs": spec.get("runs", request.runs)}
    elif "runs" not in spec and spec.get("kind") in _SIZED:
        spec["runs"] = request.runs
    DesignSpec.from_document(spec)
    return spec


def _check_total(runs: int) -> None:
    if runs > MOST_RUNS:
        raise DesignError(f"The design has {runs} runs, more than the {MOST_RUNS} of a request: ask for fewer.")


def design_runs(lab: Lab, request_uuid: str) -> dict[str, Any]:
    """Make the design of a request and write every run's procedure and ``input.csv``.

    Raises:
        DesignError: If no design can be made of the test's factors, or the models lack a variable that is varied.
        RequestError: If the test has no procedure yet.
    """
    request, area = lab.request(request_uuid), lab.area(request_uuid)
    spec = specify(request, lab.catalogue)
    area.write_json("doe-input/spec.json", spec)
    read = DesignSpec.from_document(spec)
    _check_models(lab, area, request, read.factors)
    design = make_design(read)
    _check_total(len(design.runs))
    document = {**design.as_document(), **_round_one(spec, design)}
    write_runs(lab, request_uuid, document, document["runs"])
    area.write("doe-output/runs.csv", design.runs_csv())
    area.write_json(DESIGN, document)
    lab.requests.set_status(request_uuid, RequestState.DESIGNED, at=lab.now())
    figures = {name: value for name, value in design.quality.items() if isinstance(value, float)}
    return {"runs": len(design.runs), "kind": design.kind, "quality": figures}


def _round_one(spec: Document, design: Design) -> Document:
    """A sequential design's runs know their round."""
    if "sequential" not in spec:
        return {}
    runs = [{**run.as_document(), "round": 1} for run in design.runs]
    return {"runs": runs, "round": 1, "sequential": SequentialPlan.from_document(spec["sequential"]).as_document()}


def write_runs(lab: Lab, request_uuid: str, design: Document, runs: Sequence[Document]) -> None:
    """Write the procedure, the stimuli and the models' settings of runs."""
    request, area = lab.request(request_uuid), lab.area(request_uuid)
    test, uut = lab.catalogue.test(request.standard, request.test_name), lab.catalogue.uut(request.uut)
    variables = {factor["name"]: factor["variable"] for factor in design["factors"] if factor.get("variable")}
    for run in runs:
        levels = {name: level for name, level in run["levels"].items() if name not in variables}
        procedure = procedure_for(test, levels, uut, custom_profile=request.custom_profile)
        folder = run_folder(run["run"])
        area.write_json(f"{folder}/procedure.json", procedure.as_document())
        area.write(f"{folder}/input.csv", input_csv(procedure))
        if variables:
            settings = {variable: run["levels"][name] for name, variable in variables.items()}
            area.write_json(f"{folder}/settings.json", settings)


def read_settings(area: Area, run: int) -> Mapping[str, Any]:
    """``FMU.variable`` -> value of a run; empty if its design varies no variable of the models."""
    name = f"{run_folder(run)}/settings.json"
    return dict(area.read_json(name)) if area.exists(name) else {}


def _check_models(lab: Lab, area: Area, request: TestRequest, factors: Sequence[Factor]) -> None:
    """Variables that are varied must be there, in the same unit; a physical bench has none."""
    varied = [factor for factor in factors if factor.variable]
    if not varied:
        return
    if request.test_bench == "Physical":
        raise DesignError(
            f"Factor {varied[0].name} sets {varied[0].variable} of a model, and a physical bench has no models: ask "
            "for a virtual bench, or leave the factor out."
        )
    with tempfile.TemporaryDirectory(prefix="twinbench-") as scratch:
        area.fetch("fastest-models", Path(scratch))
        with lab.models.open_bundle(Path(scratch)) as bundle:
            check_variables(varied, bundle.check.models)
