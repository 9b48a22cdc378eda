"""Bench plan of a request: which bench carries out which runs, and when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from twinbench.core.battery.procedure import Procedure
from twinbench.core.catalogue import Bench
from twinbench.core.errors import InfeasibleError
from twinbench.core.planning.model import Job, Mode, Resource
from twinbench.core.planning.solve import assignments, solve
from twinbench.core.request import RequestState
from twinbench.workflow.design import DESIGN, read_settings, run_folder
from twinbench.workflow.lab import Area, Document, Lab
from twinbench.workflow.results import read_summary

__all__ = ["physical_assignments", "plan_benches", "virtual_assignments"]

PLAN = "schedule-output/plan.json"

# A virtual bench simulates about this much faster than real time; the plan counts whole minutes anyway.
VIRTUAL_SPEED = 600.0


def plan_benches(lab: Lab, request_uuid: str) -> dict[str, Any]:
    """Give every run of the newest round a bench and an interval not before the preferred date.

    What earlier rounds have planned stays in the plan, with the same origin; a round that is planned stays so once all
    its runs have results.

    Raises:
        InfeasibleError: If no bench of the lab may carry out a run; says why for each bench.
    """
    request, area = lab.request(request_uuid), lab.area(request_uuid)
    benches = [bench for bench in lab.catalogue.benches if request.test_bench in ("Any", bench.kind.capitalize())]
    level = lab.catalogue.uut(request.uut).level
    design = area.read_json(DESIGN)
    number = design.get("round", 1)
    runs = [int(run["run"]) for run in design["runs"] if run.get("round", 1) == number]
    planned = _planned(area)
    if number > 1 and planned.get("round") == number and all(read_summary(area, run) for run in runs):
        return _told(planned)
    now = lab.now()
    origin = datetime.fromisoformat(planned["origin"]) if number > 1 else now.replace(second=0, microsecond=0)
    begin = max(request.preferred_date, now) if number > 1 or request.preferred_date > now else origin
    release_min = math.ceil((begin - origin).total_seconds() / 60)
    jobs = [_job(area, run, benches, level, release_min) for run in runs]
    resources = [Resource(bench.name, bench.setup_min, bench.teardown_min) for bench in benches]
    plan = solve(jobs, resources=resources, seed=request.seed)
    document = assignments(plan, origin, kinds={bench.name: bench.kind for bench in benches})
    if number > 1:
        earlier = [part for part in planned["assignments"] if part.get("round", 1) < number]
        new = [{**part, "round": number} for part in document["assignments"]]
        document |= {"round": number, "assignments": [*earlier, *new]}
    area.write_json(PLAN, document)
    lab.requests.set_status(request_uuid, RequestState.PLANNED, at=lab.now())
    return _told(document)


def _planned(area: Area) -> Document:
    return dict(area.read_json(PLAN)) if area.exists(PLAN) else {}


def _told(document: Document) -> Document:
    return {
        "status": document["status"],
        "makespan_min": document["makespan_min"],
        "benches": [part["bench"] for part in _newest(document)],
    }


def virtual_assignments(lab: Lab, request_uuid: str) -> list[dict[str, Any]]:
    """What the plan has virtual benches do: per bench its runs and their start."""
    return _assignments(lab, request_uuid, "virtual")


def physical_assignments(lab: Lab, request_uuid: str) -> list[dict[str, Any]]:
    """What the plan has physical benches do: per bench its runs and their start."""
    return _assignments(lab, request_uuid, "physical")


def _assignments(lab: Lab, request_uuid: str, kind: str) -> list[dict[str, Any]]:
    planned = _newest(lab.area(request_uuid).read_json(PLAN))
    return [
        {key: assignment[key] for key in ("bench", "kind", "runs", "start")}
        for assignment in planned
        if assignment["kind"] == kind
    ]


def _newest(plan: Document) -> list[Document]:
    """Assignments of the newest round."""
    return [part for part in plan["assignments"] if part.get("round", 1) == plan.get("round", 1)]


def _job(area: Area, run: int, benches: Sequence[Bench], level: str, release_min: int) -> Job:
    procedure = Procedure.from_document(area.read_json(f"{run_folder(run)}/procedure.json"))
    settings = read_settings(area, run)
    obstacles = {
        bench.name: bench.obstacles(
            level=level, current_A=procedure.current_range_A, ambient_degC=procedure.ambient_range_degC
        )
        + ((f"it has no model to set {next(iter(settings))} of",) if settings and bench.kind == "physical" else ())
        for bench in benches
    }
    if all(obstacles.values()):
        reasons = "; ".join(f"{name}: {', '.join(why)}" for name, why in obstacles.items()) or "the lab has none"
        raise InfeasibleError(
            f"No bench that was asked for can take run {run} ({reasons}). Change the request or a bench."
        )
    modes = [Mode(bench.name, _duration_min(procedure, bench)) for bench in benches if not obstacles[bench.name]]
    return Job(f"run-{run}", tuple(modes), release_min=release_min)


def _duration_min(procedure: Procedure, bench: Bench) -> int:
    speed = VIRTUAL_SPEED if bench.kind == "virtual" else 1.0
    return max(1, math.ceil(procedure.duration_s / speed / 60))
