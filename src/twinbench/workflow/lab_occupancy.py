"""What of the lab's time is gone: benches and operators that other requests have booked, benches out of service.

Whoever plans does so from how this is at the moment; if it has changed when the plan is booked, the plan is made again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from twinbench.core.booking import Booking, Closure
from twinbench.core.errors import BenchTakenError
from twinbench.core.planning.calendars import minutes_after
from twinbench.core.planning.document import demands_from_document, resources_from_document
from twinbench.core.planning.plan import Interval, pieces_of
from twinbench.core.planning.problem import Resource
from twinbench.workflow.lab import Lab

__all__ = [
    "booked_around_others",
    "closed_window",
    "closed_windows",
    "interval_of",
    "lab_resources",
    "resources_left",
    "what_it_waits_for",
]

_Result = TypeVar("_Result")

_AT_ONCE = timedelta(minutes=2)
_TIMES = 5  # that a plan is made again because a bench was taken meanwhile
_FURTHER_NOTICE_min = 366 * 24 * 60  # until when a bench is away that is out of service until further notice


def booked_around_others(lab: Lab, plan_and_book: Callable[[], _Result]) -> _Result:
    """Plan and book, again if somebody else has booked one of the benches meanwhile.

    Raises:
        BenchTakenError: If others were faster time and again.
    """
    for attempt in range(1, _TIMES):
        try:
            return plan_and_book()
        except BenchTakenError as taken:
            lab.say(f"{taken} (attempt {attempt})")
    return plan_and_book()


def closed_windows(lab: Lab, bench: str, origin: datetime, *, excluding: str) -> tuple[tuple[int, int], ...]:
    """When a bench is held by others or out of service, in minutes after the origin.

    Args:
        lab: The lab.
        bench: Its name.
        origin: Minute 0.
        excluding: The request that plans: what it has not begun is planned anew.
    """
    now = lab.now()
    since = min(now, origin)  # a plan may begin with the minute that runs, part of which is gone
    windows = [
        (_minute(origin, one.start), minutes_after(origin, _end(one, now)))
        for one in lab.bookings.active(after=since, excluding=excluding)
        if one.bench == bench
    ]
    windows += [closed_window(one, origin) for one in lab.bookings.closures(after=since) if one.bench == bench]
    return tuple(window for window in windows if window[1] > window[0])


def closed_window(closure: Closure, origin: datetime) -> tuple[int, int]:
    """The minutes after the origin of which a closure takes at least a part."""
    end_min = _FURTHER_NOTICE_min if closure.end is None else minutes_after(origin, closure.end)
    return _minute(origin, closure.start), end_min


def what_it_waits_for(lab: Lab, bench: str, start: datetime, wanted: datetime, *, excluding: str) -> str:
    """Why an assignment begins later than it was wanted: who has its bench until then; empty if it does not."""
    if start - wanted < _AT_ONCE:
        return ""
    now = lab.now()
    for one in lab.bookings.active(after=now, excluding=excluding):
        if one.bench == bench and abs(_end(one, now) - start) < _AT_ONCE:
            return f"Waits, since {one}."
    for closure in lab.bookings.closures(after=now):
        if closure.bench == bench and closure.end is not None and abs(closure.end - start) < _AT_ONCE:
            return f"Waits, since {closure}."
    return "Waits for those who set it up, or for other runs of the request."


def lab_resources(lab: Lab, origin: datetime) -> tuple[Resource, ...]:
    """What benches share: operators, chambers, power."""
    described: Mapping[str, Any] = lab.catalogue.resources
    return resources_from_document({**described, "origin": origin.isoformat()}) if described else ()


def resources_left(lab: Lab, origin: datetime, *, excluding: str) -> tuple[Resource, ...]:
    """What benches share, less what the bookings of others take of it."""
    taken = [
        entry
        for one in lab.bookings.active(after=min(lab.now(), origin), excluding=excluding)
        for entry in _taken(one, origin, one.document.get("alternatives", ()))
    ]
    return tuple(
        replace(one, closed=(*one.closed, *(window for name, window in taken if name == one.name)))
        for one in lab_resources(lab, origin)
    )


def _taken(
    one: Booking, origin: datetime, ways: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """What a booking takes of resources: name, and from when until when how much."""
    way = next((way for way in ways if way["bench"] == one.bench), None)
    if way is None:
        return
    part = interval_of(one, way, origin)
    for demand in demands_from_document(way["demands"], f"Bench {one.bench}"):
        for start, end in pieces_of(part, demand):
            yield demand.resource, (start, end, demand.amount)


def interval_of(one: Booking, way: Mapping[str, Any], origin: datetime) -> Interval:
    """When a booking is set up, tested and torn down.

    Args:
        one: The booking.
        way: How it is done on its bench: ``{setup_min, minutes, teardown_min}``.
        origin: Minute 0.
    """
    begin, free = _minute(origin, one.start), minutes_after(origin, one.end)
    start = begin + way["setup_min"]
    end = start + sum(way["minutes"])
    teardown = max(free - way["teardown_min"], end)
    return Interval(str(one.id), 0, one.bench, begin, start, end, teardown, max(free, teardown))


def _end(one: Booking, now: datetime) -> datetime:
    """When a bench is free again; a test that runs longer than planned has it a little longer."""
    return max(one.end, now + timedelta(minutes=1)) if one.state.begun else one.end


def _minute(origin: datetime, moment: datetime) -> int:
    """The minute in which a moment lies."""
    return math.floor((moment - origin).total_seconds() / 60)
