"""Bench plan of a request: which bench carries out which runs, and when, around what the lab has promised to others.

A plan is made from the bookings as they are, and booked. If somebody else booked one of its benches meanwhile, it is
made again around that. Runs that need a real unit under test go to one bench in one go, since the unit is there only
once; those that a model may answer go wherever the lab's rule says (:mod:`twinbench.core.bench_choice`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from twinbench.core.battery.procedure import Procedure
from twinbench.core.booking import BookingState
from twinbench.core.catalogue import Bench
from twinbench.core.errors import InfeasibleError
from twinbench.core.planning.assignments import assignments
from twinbench.core.planning.calendars import minutes_after
from twinbench.core.planning.document import demands_from_document
from twinbench.core.planning.plan import Plan
from twinbench.core.planning.problem import Bench as PlannedBench
from twinbench.core.planning.problem import Demand, Job, Mode, Problem, Resource
from twinbench.core.planning.solve import solve
from twinbench.core.request import RequestState, TestRequest
from twinbench.workflow.cancelled import give_back_if_cancelled
from twinbench.workflow.design import DESIGN, read_settings, run_folder
from twinbench.workflow.lab import Area, Document, Lab
from twinbench.workflow.lab_occupancy import booked_around_others, closed_windows, resources_left, what_it_waits_for
from twinbench.workflow.results import read_summary

__all__ = ["PLAN", "physical_assignments", "plan_benches", "virtual_assignments"]

PLAN = "schedule-output/plan.json"

# A virtual bench simulates about this much faster than real time; the plan counts whole minutes anyway.
VIRTUAL_SPEED = 600.0

_UNIT = "the unit under test"
_WAIT_MIN = 7 * 24 * 60  # a test that is over waits so long for its teardown at most


def plan_benches(lab: Lab, request_uuid: str) -> dict[str, Any]:
    """Give every run of the newest round a bench and an interval not before the preferred date, and book them.

    What earlier rounds have planned stays in the plan, with the same origin; a round that is planned stays so once all
    its runs have results.

    Raises:
        InfeasibleError: If no bench of the lab may carry out a run; says why for each bench.
        BenchTakenError: If others were faster time and again.
    """
    area = lab.area(request_uuid)
    design = area.read_json(DESIGN)
    number = design.get("round", 1)
    runs = [int(run["run"]) for run in design["runs"] if run.get("round", 1) == number]
    planned = _planned(area)
    if number > 1 and planned.get("round") == number and all(read_summary(area, run) for run in runs):
        return _told(planned)
    for earlier in range(1, number):  # their runs have results
        lab.bookings.set_state(request_uuid, earlier, None, BookingState.DONE, at=lab.now())

    def plan_and_book() -> Document:
        document = _plan(lab, request_uuid, runs, number, planned)
        lab.bookings.book(request_uuid, _bookings(document, number), at=lab.now())
        give_back_if_cancelled(lab, request_uuid)
        return document

    document = booked_around_others(lab, plan_and_book)
    lab.bookings.set_state(request_uuid, number, None, BookingState.PROMISED, at=lab.now())
    area.write_json(PLAN, document)
    lab.requests.set_status(request_uuid, RequestState.PLANNED, at=lab.now())
    return _told(document)


def _plan(lab: Lab, request_uuid: str, runs: Sequence[int], number: int, planned: Document) -> Document:
    request, area = lab.request(request_uuid), lab.area(request_uuid)
    now = lab.now()
    origin = datetime.fromisoformat(planned["origin"]) if number > 1 else now.replace(second=0, microsecond=0)
    begin = max(request.preferred_date, now) if number > 1 or request.preferred_date > now else origin
    asked = _Asked(lab, request, area, max(0, minutes_after(origin, begin)))
    jobs = tuple(asked.jobs(runs))
    problem = Problem(
        jobs,
        tuple(
            PlannedBench(bench.name, bench.kind, closed_windows(lab, bench.name, origin, excluding=request_uuid))
            for bench in asked.benches
        ),
        (*resources_left(lab, origin, excluding=request_uuid), Resource(_UNIT)),
        objective=(lab.catalogue.choice.weights(),) if request.test_bench == "Any" else ({"makespan": 1},),
    )
    plan = solve(problem, seed=request.seed)
    document = assignments(
        plan,
        origin,
        kinds={bench.name: bench.kind for bench in asked.benches},
        runs={part.job: asked.minutes(part.job, part.bench) for part in plan.intervals},
        reasons=asked.reasons(plan),
    )
    for part in document["assignments"]:
        part["alternatives"] = asked.alternatives(part["runs"], part["kind"])
        held_from = datetime.fromisoformat(part["held_from"])
        part["waits_for"] = what_it_waits_for(lab, part["bench"], held_from, begin, excluding=request_uuid)
        demands = lab.catalogue.bench(part["bench"]).demands
        part["resources"] = {demand["resource"]: demand.get("amount", 1) for demand in demands}
    if number > 1:
        earlier = [part for part in planned["assignments"] if part.get("round", 1) < number]
        new = [{**part, "round": number} for part in document["assignments"]]
        document |= {"round": number, "assignments": [*earlier, *new]}
    return document


class _Asked:
    """What a request asks of the benches: which may take which runs, for how long, and why not the others."""

    def __init__(self, lab: Lab, request: TestRequest, area: Area, release_min: int) -> None:
        self.request, self.area, self.release_min = request, area, release_min
        self.catalogue = lab.catalogue
        self.level = lab.catalogue.uut(request.uut).level
        self.test = None if request.custom_profile else lab.catalogue.test(request.standard, request.test_name)
        self.benches = [
            bench for bench in lab.catalogue.benches if request.test_bench in ("Any", bench.kind.capitalize())
        ]
        self._procedures: dict[int, Procedure] = {}
        self._jobs: dict[str, tuple[int, ...]] = {}
        self._excluded: dict[int, dict[str, str]] = {}
        self._able: dict[int, list[Bench]] = {}

    def jobs(self, runs: Sequence[int]) -> list[Job]:
        """One job for all runs that need a real unit, one for each of the others.

        Raises:
            InfeasibleError: If a run can be done nowhere.
        """
        self._able = able = {run: self._able_benches(run) for run in runs}
        real = [run for run in runs if all(bench.kind == "physical" for bench in able[run])]
        together = [bench for bench in self.benches if real and all(bench in able[run] for run in real)]
        groups = [tuple(real)] if together else [(run,) for run in real]
        groups += [(run,) for run in runs if run not in real]
        return [self._job(group, together if len(group) > 1 else able[group[0]]) for group in groups if group]

    def _job(self, runs: tuple[int, ...], benches: Sequence[Bench]) -> Job:
        name = f"run-{runs[0]}" if len(runs) == 1 else f"runs-{runs[0]}-to-{runs[-1]}"
        self._jobs[name] = runs
        modes = tuple(self._mode(name, bench) for bench in benches)
        return Job(name, modes, release_min=self.release_min, wait_min=_WAIT_MIN)

    def _mode(self, job: str, bench: Bench) -> Mode:
        duration = sum(minutes for _, minutes in self.minutes(job, bench.name))
        demands = demands_from_document(bench.demands, f"Bench {bench.name}")
        if bench.kind == "physical":
            demands = (*demands, Demand(_UNIT))
        return Mode(bench.name, duration, bench.setup_min, bench.teardown_min, demands, self._cost(job, bench))

    def _cost(self, job: str, bench: Bench) -> int:
        duration = sum(minutes for _, minutes in self.minutes(job, bench.name))
        return self.catalogue.choice.cost(bench.kind, bench.setup_min + duration + bench.teardown_min)

    def minutes(self, job: str, bench: str) -> list[tuple[int, int]]:
        """The runs of a job, and how many minutes each takes on a bench."""
        kind = self.catalogue.bench(bench).kind
        return [(run, self._minutes(run, kind)) for run in self._jobs[job]]

    def _minutes(self, run: int, kind: str) -> int:
        speed = VIRTUAL_SPEED if kind == "virtual" else 1.0
        return max(1, math.ceil(self._procedure(run).duration_s / speed / 60))

    def _procedure(self, run: int) -> Procedure:
        if run not in self._procedures:
            document = self.area.read_json(f"{run_folder(run)}/procedure.json")
            self._procedures[run] = Procedure.from_document(document)
        return self._procedures[run]

    def _able_benches(self, run: int) -> list[Bench]:
        """The benches that may carry out a run; remembers why the other kinds may not."""
        settings, procedure = read_settings(self.area, run), self._procedure(run)
        obstacles = {}
        for bench in self.benches:
            found = bench.obstacles(
                level=self.level, current_A=procedure.current_range_A, ambient_degC=procedure.ambient_range_degC
            )
            if settings and bench.kind == "physical":
                found += (f"it has no model to set {next(iter(settings))} of",)
            untrue = (
                self.catalogue.choice.true_enough(bench.kind, self.test) if self.request.test_bench == "Any" else ""
            )
            obstacles[bench.name] = (*found, untrue) if untrue else found
            if obstacles[bench.name]:
                self._excluded.setdefault(run, {})[bench.kind] = obstacles[bench.name][-1]
        able = [bench for bench in self.benches if not obstacles[bench.name]]
        for bench in able:
            self._excluded.get(run, {}).pop(bench.kind, None)
        if not able:
            reasons = "; ".join(f"{name}: {', '.join(why)}" for name, why in obstacles.items()) or "the lab has none"
            raise InfeasibleError(
                f"No bench that was asked for can take run {run} ({reasons}). Change the request or a bench."
            )
        return able

    def alternatives(self, runs: Sequence[int], kind: str) -> list[dict[str, Any]]:
        """The benches of a kind on which these runs could be done in one go, for when the lab plans again."""
        benches = [bench for bench in self.benches if all(bench in self._able[run] for run in runs)]
        return [
            {
                "bench": bench.name,
                "setup_min": bench.setup_min,
                "minutes": [self._minutes(run, bench.kind) for run in runs],
                "teardown_min": bench.teardown_min,
                "demands": list(bench.demands),
            }
            for bench in benches
            if bench.kind == kind
        ]

    def reasons(self, plan: Plan) -> dict[str, str]:
        """Why each job is done on its kind of bench."""
        found = {}
        for part in plan.intervals:
            runs, chosen = self._jobs[part.job], self.catalogue.bench(part.bench)
            other = "physical" if chosen.kind == "virtual" else "virtual"
            costs, excluded = {chosen.kind: self._cost(part.job, chosen)}, {}
            able = [bench for bench in self._able[runs[0]] if bench.kind == other]
            if able:
                costs[other] = min(self._cost(part.job, bench) for bench in able)
            else:
                excluded[other] = self._excluded.get(runs[0], {}).get(other, f"the lab has no {other} bench")
            found[part.job] = self.catalogue.choice.reason(chosen.kind, costs, excluded, asked=self.request.test_bench)
        return found


def _bookings(document: Document, number: int) -> list[dict[str, Any]]:
    figures = {key: document[key] for key in ("status", "objective", "bound", "gap", "solver", "seed")}
    return [
        {
            "bench": part["bench"],
            "start": datetime.fromisoformat(part["held_from"]),
            "end": datetime.fromisoformat(part["held_until"]),
            "round": number,
            "document": {**part, "plan": figures},
        }
        for part in _newest(document)
    ]


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
