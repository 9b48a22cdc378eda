"""A lab to be planned as a document (``include/schemas/lab_plan.schema.json``).

Times are minutes after the plan's origin. A document that names its origin may give moments instead
(``due`` for ``due_min`` and so on), and calendars with weekdays and hours, which need a time zone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from twinbench.core.errors import PlanError
from twinbench.core.planning.calendars import Hours, joined, minutes_after, open_windows
from twinbench.core.planning.document_fields import (
    a_day,
    a_list,
    a_moment,
    a_name,
    a_text,
    a_whole,
    optional_list,
    refuse_unknown,
)
from twinbench.core.planning.problem import PHASES, Bench, Demand, Job, Mode, Precedence, Problem, Resource

__all__ = [
    "demands_from_document",
    "problem_from_document",
    "resources_from_document",
    "usual_objective",
]

_MOMENTS = ("release", "due", "deadline", "preferred", "planned")
_DAYS, _MOST_DAYS = 366, 3660
_YEARS = (1900, 9000)
_KINDS = ("physical", "virtual")


def _dates(*names: str) -> tuple[str, ...]:
    return (*names, *(f"{name}_min" for name in names))


_LAB = (
    *("origin", "timezone", "holidays", "calendar_days"),
    *("jobs", "benches", "resources", "changeovers", "objective"),
)
_JOB = (
    *("name", "modes", "priority", "unit", "project", "family", "wait_min", "after", "locked"),
    *_dates(*_MOMENTS),
)
_MODE = ("bench", "duration_min", "setup_min", "teardown_min", "demands", "cost", "reason")
_BENCH = ("name", "kind", "setup_min", "teardown_min", "closed", "family", "changeovers")
_RESOURCE = ("name", "capacity", "person", "open", "hours", "holidays", "closed")
_WINDOW = _dates("start", "end")


def problem_from_document(document: Any) -> Problem:
    """Read ``{jobs: [{name, modes: [{bench, duration_min}]}], benches?, resources?, changeovers?, objective?}``.

    Benches that are not described are there all the time. Without an objective: tardiness, then distance from preferred
    dates, then cost, then makespan, then changeovers, as far as the jobs have such things.

    Raises:
        PlanError: If a field is missing or is not what it should be, naming its owner.
    """
    reader = _Reader(document)
    jobs = tuple(reader.job(entry, number) for number, entry in enumerate(a_list(document, "jobs", "The lab"), 1))
    if not jobs:
        raise PlanError("The lab has no jobs: there is nothing to plan, give at least one.")
    benches = tuple(reader.bench(entry, number) for number, entry in enumerate(reader.entries("benches"), 1))
    described = {bench.name for bench in benches}
    others = dict.fromkeys(mode.bench for job in jobs for mode in job.modes if mode.bench not in described)
    resources = tuple(reader.resource(entry, number) for number, entry in enumerate(reader.entries("resources"), 1))
    problem = Problem(jobs, (*benches, *map(Bench, others)), resources, reader.changeovers())
    tiers = document.get("objective")
    if tiers is None:
        return Problem(jobs, problem.benches, resources, problem.changeovers, usual_objective(problem))
    if not isinstance(tiers, list) or not all(isinstance(tier, Mapping) for tier in tiers):
        raise PlanError(f"The lab has objective {tiers!r}: give a list of tiers such as [{{'tardiness': 1}}].")
    objective = tuple({name: a_whole(tier, name, "The objective") for name in tier} for tier in tiers)
    return Problem(jobs, problem.benches, resources, problem.changeovers, objective)


def resources_from_document(document: Any) -> tuple[Resource, ...]:
    """Read the resources of a lab alone: ``{origin, timezone?, holidays?, resources: [...]}``."""
    reader = _Reader(document)
    return tuple(reader.resource(entry, number) for number, entry in enumerate(reader.entries("resources"), 1))


def demands_from_document(entries: Any, owner: str) -> tuple[Demand, ...]:
    """Read a list of demands: ``[{resource, amount?, during?}]``."""
    return tuple(_demand(entry, owner) for entry in entries)


def usual_objective(problem: Problem) -> tuple[Mapping[str, int], ...]:
    """What a lab wants in this order, as far as its jobs have such things: dates kept, little cost, done early."""
    jobs = problem.jobs
    tiers = [
        ("tardiness", any(job.due_min is not None for job in jobs)),
        ("moved", any(job.planned_min is not None for job in jobs)),
        ("preferred", any(job.preferred_min is not None for job in jobs)),
        ("cost", any(mode.cost for job in jobs for mode in job.modes)),
        ("makespan", True),
        ("changeovers", len({job.family for job in jobs}) > 1),
    ]
    return tuple({name: 1} for name, wanted in tiers if wanted)


class _Reader:
    """Reads a lab's document; knows its origin and set-up times."""

    def __init__(self, document: Any) -> None:
        self.document = document if isinstance(document, Mapping) else {}
        refuse_unknown(self.document, _LAB, "The lab")
        self.origin = self._origin()
        self.zone = self._zone()
        self.times = {
            a_name(entry, f"Bench {number}"): tuple(
                a_whole(entry, key, f"Bench {a_name(entry, '')}", default=0) for key in ("setup_min", "teardown_min")
            )
            for number, entry in enumerate(self.entries("benches"), 1)
        }

    def entries(self, key: str) -> list[Any]:
        """A list that may be left out."""
        return optional_list(self.document, key, "The lab")

    def _origin(self) -> datetime | None:
        if "origin" not in self.document:
            return None
        origin = a_moment(self.document["origin"], "The lab's origin")
        if not _YEARS[0] <= origin.year <= _YEARS[1]:  # there has to be a calendar before and after it
            raise PlanError(f"The lab's origin is in the year {origin.year}: give one from {_YEARS[0]} to {_YEARS[1]}.")
        return origin

    def _zone(self) -> ZoneInfo:
        name = self.document.get("timezone", "UTC")
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            raise PlanError(f"The lab has timezone {name!r}: give a name such as Europe/Berlin.") from None

    def job(self, entry: Any, number: int) -> Job:
        name = a_name(entry, f"Job {number}")
        owner = f"Job {name}"
        refuse_unknown(entry, _JOB, owner)
        times = {key: self._minute(entry, key, owner) for key in _MOMENTS}
        return Job(
            name,
            tuple(self._mode(mode, owner) for mode in a_list(entry, "modes", owner)),
            release_min=times["release"] or 0,
            due_min=times["due"],
            deadline_min=times["deadline"],
            preferred_min=times["preferred"],
            planned_min=times["planned"],
            priority=a_whole(entry, "priority", owner, default=1),
            unit=a_text(entry, "unit", owner),
            project=a_text(entry, "project", owner),
            family=a_text(entry, "family", owner),
            wait_min=a_whole(entry, "wait_min", owner, default=0),
            after=tuple(_precedence(link, owner) for link in optional_list(entry, "after", owner)),
            locked=None if entry.get("locked") is None else self._lock(entry["locked"], owner),
        )

    def _lock(self, lock: Any, owner: str) -> tuple[str, int]:
        bench = a_name(lock, f"{owner}, locked,", "bench")
        refuse_unknown(lock, ("bench", *_dates("begin")), f"{owner}, locked,")
        minute = self._minute(lock, "begin", f"{owner}, locked,")
        if minute is None:
            raise PlanError(f"{owner} is locked without begin_min: give the minute at which it begins.")
        return bench, minute

    def _minute(self, entry: Mapping[str, Any], key: str, owner: str) -> int | None:
        if key not in entry:
            return a_whole(entry, f"{key}_min", owner) if entry.get(f"{key}_min") is not None else None
        if f"{key}_min" in entry:
            raise PlanError(f"{owner} has {key} and {key}_min: give one of them.")
        if self.origin is None:
            raise PlanError(f"{owner} has {key} {entry[key]!r}, but the lab has no origin: add one or give {key}_min.")
        return minutes_after(self.origin, a_moment(entry[key], f"{owner}: {key}"))

    def _mode(self, entry: Any, owner: str) -> Mode:
        bench = a_name(entry, f"A mode of {owner[0].lower()}{owner[1:]}", "bench")
        refuse_unknown(entry, _MODE, f"{owner} on {bench}")
        setup, teardown = self.times.get(bench, (0, 0))
        return Mode(
            bench,
            a_whole(entry, "duration_min", owner),
            a_whole(entry, "setup_min", owner, default=setup),
            a_whole(entry, "teardown_min", owner, default=teardown),
            demands_from_document(optional_list(entry, "demands", owner), owner),
            a_whole(entry, "cost", owner, default=0),
            a_text(entry, "reason", owner),
        )

    def bench(self, entry: Any, number: int) -> Bench:
        name = a_name(entry, f"Bench {number}")
        owner = f"Bench {name}"
        refuse_unknown(entry, _BENCH, owner)
        closed = tuple(self._window(window, owner, "closed") for window in optional_list(entry, "closed", owner))
        kind = entry.get("kind", "physical")
        if kind not in _KINDS:
            raise PlanError(f"{owner} has kind {kind!r}: give {' or '.join(_KINDS)}.")
        return Bench(name, kind, closed, a_text(entry, "family", owner), a_text(entry, "changeovers", owner))

    def _window(self, entry: Any, owner: str, what: str, *, more: Collection[str] = ()) -> tuple[int, int]:
        if not isinstance(entry, Mapping):
            raise PlanError(f"{owner} is {what} {entry!r}: give {{start_min, end_min}}.")
        refuse_unknown(entry, (*_WINDOW, *more), f"{owner}, {what},")
        start, end = (self._minute(entry, key, f"{owner}, {what},") for key in ("start", "end"))
        if start is None or end is None:
            raise PlanError(f"{owner} is {what} without start_min or end_min: give both.")
        if start >= end:
            raise PlanError(f"{owner} is {what} from minute {start} to {end}: give an end after the start.")
        return start, end

    def resource(self, entry: Any, number: int) -> Resource:
        name = a_name(entry, f"Resource {number}")
        owner = f"Resource {name}"
        refuse_unknown(entry, _RESOURCE, owner)
        capacity = a_whole(entry, "capacity", owner, default=1)
        closed = tuple(
            (
                *self._window(window, owner, "closed", more=("missing",)),
                a_whole(window, "missing", owner, default=capacity),
            )
            for window in optional_list(entry, "closed", owner)
        )
        person = entry.get("person", False)
        if not isinstance(person, bool):
            raise PlanError(f"{owner} has person {person!r}: give true or false.")
        return Resource(name, capacity, person, self._open(entry, owner), closed)

    def _open(self, entry: Mapping[str, Any], owner: str) -> tuple[tuple[int, int], ...] | None:
        if "open" in entry and "hours" in entry:
            raise PlanError(f"{owner} has open and hours: give one of them.")
        if "open" in entry:
            return joined(self._window(window, owner, "open") for window in a_list(entry, "open", owner))
        if "hours" not in entry:
            return None
        if self.origin is None:
            raise PlanError(f"{owner} has hours, but the lab has no origin: add one, with a time zone.")
        hours = [_hours(line, owner) for line in a_list(entry, "hours", owner)]
        days_off = [*optional_list(self.document, "holidays", "The lab"), *optional_list(entry, "holidays", owner)]
        holidays = {a_day(day, owner) for day in days_off}
        days = a_whole(self.document, "calendar_days", "The lab", default=_DAYS)
        if not 1 <= days <= _MOST_DAYS:
            raise PlanError(f"The lab has calendar_days {days}: give 1 to {_MOST_DAYS}.")
        return open_windows(hours, origin=self.origin, days=days, zone=self.zone, holidays=holidays)

    def changeovers(self) -> dict[str, dict[tuple[str, str], int]]:
        tables = self.document.get("changeovers", {})
        if not isinstance(tables, Mapping):
            raise PlanError(f"The lab has changeovers {tables!r}: give {{table: [{{from, to, min}}]}}.")
        return {
            name: dict(_changeover(line, name) for line in a_list(tables, name, "The changeovers")) for name in tables
        }


def _changeover(line: Any, table: str) -> tuple[tuple[str, str], int]:
    owner = f"Table {table}"
    if not isinstance(line, Mapping):
        raise PlanError(f"{owner} has a line {line!r}: give {{from, to, min}}.")
    refuse_unknown(line, ("from", "to", "min"), owner)
    return (a_name(line, owner, "from"), a_name(line, owner, "to")), a_whole(line, "min", owner)


def _precedence(entry: Any, owner: str) -> Precedence:
    if isinstance(entry, str):
        return Precedence(entry)
    name = a_name(entry, f"{owner}, after,", "job")
    refuse_unknown(entry, ("job", "min_lag_min", "max_lag_min"), f"{owner}, after {name},")
    longest = None if entry.get("max_lag_min") is None else a_whole(entry, "max_lag_min", owner)
    return Precedence(name, a_whole(entry, "min_lag_min", owner, default=0), longest)


def _demand(entry: Any, owner: str) -> Demand:
    name = a_name(entry, f"A demand of {owner[0].lower()}{owner[1:]}", "resource")
    refuse_unknown(entry, ("resource", "amount", "during"), f"{owner}, {name},")
    during = entry.get("during", PHASES)
    if not isinstance(during, (list, tuple)) or not all(phase in PHASES for phase in during):
        raise PlanError(f"{owner} demands {name} during {during!r}: give some of {', '.join(PHASES)}.")
    return Demand(name, a_whole(entry, "amount", owner, default=1), tuple(during))


def _hours(entry: Any, owner: str) -> Hours:
    try:
        refuse_unknown(entry, ("days", "from", "to"), f"{owner}, hours,")
        start, end = (datetime.strptime(entry[key], "%H:%M").time() for key in ("from", "to"))  # noqa: DTZ007 of any day
        return Hours(tuple(entry["days"]), start, end)
    except (KeyError, TypeError, ValueError):
        raise PlanError(
            f"{owner} has hours {entry!r}: give {{'days': ['Mon', ...], 'from': '08:00', 'to': '18:00'}}."
        ) from None
