"""Bench plan of a request: which bench carries out which runs, and when."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from twinbench.core.battery.procedure import Procedure
from twinbench.core.catalogue import Bench
from twinbench.core.planning.model import Job, Mode
from twinbench.core.planning.solve import assignments, solve
from twinbench.core.request import RequestState, TestRequest
from twinbench.workflow.design import run_folder
from twinbench.workflow.lab import Area, Lab

__all__ = ["plan_benches"]

# A virtual bench simulates about this much faster than real time; the plan counts whole minutes anyway.
VIRTUAL_SPEED = 600.0


def plan_benches(lab: Lab, request_uuid: str) -> dict[str, Any]:
    """Give every run a bench and an interval not before the preferred date.

    Returns:
        The assignments by kind of bench, each with its runs and planned start.

    Raises:
        InfeasibleError: If no bench of the lab may carry out a run.
    """
    request, area = lab.request(request_uuid), lab.area(request_uuid)
    benches = [bench for bench in lab.catalogue.benches if request.test_bench in ("Any", bench.kind.capitalize())]
    origin = lab.now().replace(second=0, microsecond=0)
    jobs = [_job(area, int(run["run"]), benches, _release_min(request, origin)) for run in _runs(area)]
    plan = solve(jobs, seed=request.seed)
    document = assignments(plan, origin, kinds={bench.name: bench.kind for bench in benches})
    area.write_json("schedule-output/plan.json", document)
    lab.requests.set_status(request_uuid, RequestState.PLANNED, at=lab.now())
    chosen = [_brief(assignment) for assignment in document["assignments"]]
    return {
        "status": document["status"],
        "makespan_min": document["makespan_min"],
        "virtual": [assignment for assignment in chosen if assignment["kind"] == "virtual"],
        "physical": [assignment for assignment in chosen if assignment["kind"] == "physical"],
    }


def _runs(area: Area) -> list[dict[str, Any]]:
    return list(area.read_json("doe-output/design.json")["runs"])


def _release_min(request: TestRequest, origin: datetime) -> int:
    return max(0, math.ceil((request.preferred_date - origin).total_seconds() / 60))


def _job(area: Area, run: int, benches: list[Bench], release_min: int) -> Job:
    procedure = Procedure.from_document(area.read_json(f"{run_folder(run)}/procedure.json"))
    modes = tuple(Mode(bench.name, _duration_min(procedure, bench)) for bench in benches)
    return Job(f"run-{run}", modes, release_min=release_min)


def _duration_min(procedure: Procedure, bench: Bench) -> int:
    speed = VIRTUAL_SPEED if bench.kind == "virtual" else 1.0
    return max(1, math.ceil(procedure.duration_s / speed / 60)) + bench.setup_min + bench.teardown_min


def _brief(assignment: dict[str, Any]) -> dict[str, Any]:
    return {key: assignment[key] for key in ("bench", "kind", "runs", "start")}
