"""Plans the whole lab again when a bench fails or a test takes longer, moving as little as possible.

Only bookings that a closure or an overrun touches move, and none is brought forward: whoever waits for a start would
not hear of it. What has begun stays. Each move is written into the plan of its request, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from twinbench.core.booking import Booking
from twinbench.core.errors import RequestError
from twinbench.core.planning.assignments import run_intervals
from twinbench.core.planning.document import demands_from_document
from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import Bench, Job, Mode, Problem
from twinbench.core.planning.replan import Disturbance, disturbed
from twinbench.core.planning.solve import solve
from twinbench.core.suggestion import did_you_mean
from twinbench.workflow.lab import Document, Lab
from twinbench.workflow.lab_occupancy import booked_around_others, closed_window, interval_of, lab_resources
from twinbench.workflow.planning import PLAN

__all__ = ["close_and_replan", "replan_lab", "take_out_of_service"]

_TIME_LIMIT_S = 4.0
_LONGER = 0.1  # of its planned time, that a test which has overrun is expected to go on
_LEAST_LONGER = timedelta(minutes=15)


def close_and_replan(lab: Lab, parameters: Mapping[str, Any]) -> Document:
    """Plan the lab again; if the parameters name a ``bench``, take it out of service first.

    Args:
        lab: The lab.
        parameters: ``bench``, ``reason`` and ``until``, each of which may be empty.
    """
    if parameters.get("bench"):
        return take_out_of_service(
            lab, parameters["bench"], reason=parameters.get("reason") or "", until=parameters.get("until")
        )
    return replan_lab(lab)


def take_out_of_service(lab: Lab, bench: str, *, reason: str, until: str | None = None, by: str = "") -> Document:
    """Close a bench from now on and plan the lab again.

    Args:
        lab: The lab.
        bench: Its name.
        reason: Why, for whoever looks at the plan.
        until: A moment in ISO 8601 with time zone; until further notice if left out.
        by: Who says so.

    Raises:
        RequestError: If there is no such bench, or the moment cannot be read.
    """
    names = [one.name for one in lab.catalogue.benches]
    if bench not in names:
        raise RequestError(f"There is no bench {bench!r}: {did_you_mean(bench, names)}")
    try:
        end = datetime.fromisoformat(until) if until else None
        lab.bookings.close(bench, lab.now(), end, reason=reason, by=by or "an operator", at=lab.now())
    except ValueError as error:
        raise RequestError(f"Bench {bench} cannot be out of service until {until!r}: {error}") from error
    return replan_lab(lab)


def replan_lab(lab: Lab) -> Document:
    """Move the bookings that are in the way of closures and overruns.

    Returns:
        ``moved``: what was moved, from where to where and why; ``stuck``: what waits for a bench that is out of service
        until further notice; ``wall_s`` of the solver.

    Raises:
        BenchTakenError: If others book faster than this plans.
    """
    return booked_around_others(lab, lambda: _Moves(lab).carry_out())


class _Moves:
    """What has to move, worked out from the bookings as they are now."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.now = lab, lab.now()
        self.origin = self.now.replace(second=0, microsecond=0)
        found = lab.bookings.active(after=self.now)
        self.closures = lab.bookings.closures(after=self.origin)
        closed = {one.bench for one in self.closures if one.start <= self.now and one.lasts_beyond(self.now)}
        self.running = [one for one in found if one.state.begun and one.bench not in closed]
        waiting = [one for one in found if not one.state.begun]
        gone = {one.bench for one in self.closures if one.end is None}
        self.stuck = [one for one in waiting if one.bench in gone and not _other_benches(one) - gone]
        self.waiting = {str(one.id): one for one in waiting if one not in self.stuck}

    def carry_out(self) -> Document:
        """Plan again and book it, if something is in the way."""
        problem, affected = self._problem()
        stuck = [self._told_stuck(one) for one in self.stuck]
        if not affected:
            return {"moved": [], "stuck": stuck, "wall_s": 0.0}
        plan = solve(problem, time_limit_s=_TIME_LIMIT_S, workers=2)
        moved = [part for part in plan.intervals if part.job in self.waiting and self._differs(part)]
        documents = {part.job: self._document(part) for part in moved}
        changes = [
            (
                self.waiting[part.job].id,
                part.bench,
                self._moment(part.begin_min),
                self._moment(part.free_min),
                documents[part.job],
            )
            for part in moved
        ]
        self.lab.bookings.move(changes, at=self.now)
        for part in moved:
            self._write(self.waiting[part.job], documents[part.job])
        told = [self._told(part) for part in moved]
        for line in told:
            self.lab.say(f"{line['request']}: {line['because']} Now on {line['bench']} at {line['start']}.")
        return {"moved": told, "stuck": stuck, "wall_s": round(plan.wall_s, 3)}

    def _problem(self) -> tuple[Problem, set[str]]:
        ends = {f"running {one.id}": self._expected_end(one) for one in self.running if one.end <= self.now}
        parts, jobs = [], []
        for name, one in {**{f"running {one.id}": one for one in self.running}, **self.waiting}.items():
            job, part = self._job(name, one)
            jobs.append(job)
            parts.append(part)
        names = dict.fromkeys([mode.bench for job in jobs for mode in job.modes])
        resources = lab_resources(self.lab, self.origin)
        problem = Problem(tuple(jobs), tuple(map(Bench, names)), resources, objective=({"makespan": 1},))
        closures = [(one.bench, *closed_window(one, self.origin)) for one in self.closures]
        what = Disturbance(0, closures=closures, ends=ends)
        return disturbed(problem, parts, what, forward=False)

    def _job(self, name: str, one: Booking) -> tuple[Job, Interval]:
        """A booking as a job and its interval; the bench it has is its first mode."""
        ways = sorted(one.document.get("alternatives", ()), key=lambda way: way["bench"] != one.bench)
        if name.startswith("running") or not ways or ways[0]["bench"] != one.bench:
            held_min = max(1, self._minute(one.end) - self._minute(one.start))
            ways = [{"bench": one.bench, "setup_min": 0, "minutes": [held_min], "teardown_min": 0, "demands": ()}]
        unit = one.request_uuid if one.document.get("kind") == "physical" else ""
        part = replace(interval_of(one, ways[0], self.origin), job=name)
        return Job(name, tuple(map(_mode, ways)), unit=unit, wait_min=7 * 24 * 60), part

    def _expected_end(self, one: Booking) -> int:
        longer = max(_LEAST_LONGER, _LONGER * (one.end - one.start))
        return self._minute(self.now + longer)

    def _minute(self, moment: datetime) -> int:
        return round((moment - self.origin).total_seconds() / 60)

    def _moment(self, minute: int) -> datetime:
        return self.origin + timedelta(minutes=minute)

    def _differs(self, part: Interval) -> bool:
        one = self.waiting[part.job]
        return (part.bench, part.begin_min) != (one.bench, self._minute(one.start))

    def _document(self, part: Interval) -> Document:
        """The assignment of a booking, moved."""
        one = self.waiting[part.job]
        before = one.document["intervals"]
        lengths = [entry["end_min"] - entry["start_min"] for entry in before]
        for way in one.document.get("alternatives", ()):
            if way["bench"] == part.bench:
                lengths = way["minutes"]
        start = self._moment(part.start_min)
        later = start - datetime.fromisoformat(one.document["start"])
        start_min = before[0]["start_min"] + round(later.total_seconds() / 60)  # after the origin of its own plan
        return {
            **one.document,
            "bench": part.bench,
            "start": start.isoformat(),
            "end": self._moment(part.end_min).isoformat(),
            "held_from": self._moment(part.begin_min).isoformat(),
            "held_until": self._moment(part.free_min).isoformat(),
            "intervals": run_intervals(start_min, zip(one.document["runs"], lengths, strict=True)),
            "moved": [*one.document.get("moved", ()), self._told(part)],
        }

    def _told(self, part: Interval) -> Document:
        one = self.waiting[part.job]
        return {
            "request": one.request_number,
            "runs": list(one.document.get("runs", ())),
            "from_bench": one.bench,
            "from_start": one.start.isoformat(),
            "bench": part.bench,
            "start": self._moment(part.begin_min).isoformat(),
            "because": self._reason(one),
        }

    def _told_stuck(self, one: Booking) -> Document:
        because = f"{self._reason(one)} No other bench can take it: it waits until that one is back."
        self.lab.say(f"{one.request_number}: {because}")
        runs = list(one.document.get("runs", ()))
        return {"request": one.request_number, "runs": runs, "bench": one.bench, "because": because}

    def _reason(self, one: Booking) -> str:
        for closure in self.closures:
            if closure.bench == one.bench and one.overlaps(closure.start, closure.end):
                return f"Bench {one.bench} is out of service: {closure.reason}."
        for other in self.running:
            if other.bench == one.bench and other.end <= self.now:
                return f"{other.request_number} takes longer than planned on bench {one.bench}."
        return "It made room for others that had to move."

    def _write(self, one: Booking, document: Document) -> None:
        """Put a move into the plan of its request."""
        area = self.lab.area(one.request_uuid)
        plan = dict(area.read_json(PLAN))
        entry = {key: value for key, value in document.items() if key != "plan"}
        plan["assignments"] = [
            entry if list(other["runs"]) == list(entry["runs"]) else other for other in plan["assignments"]
        ]
        area.write_json(PLAN, plan)


def _other_benches(one: Booking) -> set[str]:
    return {way["bench"] for way in one.document.get("alternatives", ())} - {one.bench}


def _mode(way: Mapping[str, Any]) -> Mode:
    minutes: Sequence[int] = way["minutes"]
    demands = demands_from_document(way["demands"], f"Bench {way['bench']}")
    return Mode(way["bench"], sum(minutes), way["setup_min"], way["teardown_min"], demands)
