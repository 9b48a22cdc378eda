"""What became of a request's bench plan: each go of a bench as it is planned, and as it was.

    go       what a bench does of the request in one go: an assignment of the plan
    attempt  a time at which the go was begun; one that was cut short is followed by another, maybe on another bench

Begin and end are those of the bookings (:mod:`twinbench.core.booking`), so they are there while nothing has ended yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from twinbench.core.booking import Booking, BookingState
from twinbench.workflow.lab import Document, Lab
from twinbench.workflow.request_file import RequestFile

__all__ = ["Attempt", "Go", "Planned", "as_document", "goes_of", "others_beside"]


@dataclass(frozen=True)
class Planned:
    """When one run is planned."""

    run: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Attempt:
    """A time at which it was begun.

    Attributes:
        ended_at: None while it goes on.
        state: ``running``, ``done`` or ``cut short``.
    """

    bench: str
    began_at: datetime
    ended_at: datetime | None
    state: str


@dataclass(frozen=True)
class Go:
    """What a bench does of the request in one go.

    Attributes:
        start: When its first run is planned to begin; end likewise.
        why: Why it is done there and then, sentence by sentence: the choice, what it waits for, what moved it.
        attempts: What became of it, in order.
    """

    bench: str
    kind: str
    round: int
    runs: Sequence[Planned]
    start: datetime
    end: datetime
    why: Sequence[str]
    attempts: Sequence[Attempt]

    @property
    def last(self) -> Attempt | None:
        """The newest attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def state(self) -> str:
        """``planned``, ``running``, ``done`` or ``cut short``."""
        return self.last.state if self.last else "planned"

    def late(self, now: datetime) -> timedelta | None:
        """How much later than planned it ended, or will at least; negative if it was earlier, None if it is to come."""
        if self.last is None:
            return max(timedelta(), now - self.start) or None
        if self.last.ended_at is None:
            return max(timedelta(), now - self.end) or None
        return self.last.ended_at - self.end


def goes_of(lab: Lab, file: RequestFile) -> list[Go]:
    """All goes of a request, by round and start; empty while nothing is planned."""
    parts = file.plan.get("assignments", [])
    if not parts:
        return []
    origin = datetime.fromisoformat(file.plan["origin"])
    bookings = lab.bookings.of_request(str(file.row["uuid"]))
    found = [_go(part, origin, [one for one in bookings if _is_of(one, part)]) for part in parts]
    return sorted(found, key=lambda go: (go.round, go.start, go.bench))


def _is_of(one: Booking, part: Mapping[str, Any]) -> bool:
    return list(one.document.get("runs", ())) == list(part["runs"])


def _go(part: Mapping[str, Any], origin: datetime, bookings: Sequence[Booking]) -> Go:
    def moment(minutes: int) -> datetime:
        return origin + timedelta(minutes=minutes)

    runs = [Planned(one["run"], moment(one["start_min"]), moment(one["end_min"])) for one in part["intervals"]]
    moves = [f"Moved from {one['from_bench']}: {one['because']}" for one in part.get("moved", ())]
    return Go(
        bench=part["bench"],
        kind=part["kind"],
        round=int(part.get("round", 1)),
        runs=runs,
        start=datetime.fromisoformat(part["start"]),
        end=datetime.fromisoformat(part["end"]),
        why=[sentence for sentence in (_sentence(part.get("reason")), part.get("waits_for"), *moves) if sentence],
        attempts=sorted(
            (_attempt(one, one.began_at) for one in bookings if one.began_at), key=lambda one: one.began_at
        ),
    )


def _began_at(one: Attempt) -> datetime:
    return one.began_at


def _sentence(text: str | None) -> str:
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""


def _attempt(one: Booking, began_at: datetime) -> Attempt:
    state = {BookingState.DONE: "done", BookingState.RELEASED: "cut short"}.get(one.state, "running")
    return Attempt(one.bench, began_at, one.ended_at, state)


def others_beside(lab: Lab, file: RequestFile, goes: Sequence[Go]) -> list[Booking]:
    """What others have booked on the same benches until this request is to be over: by start."""
    if file.is_over or not goes:
        return []
    benches, last, own = {go.bench for go in goes}, max(go.end for go in goes), str(file.row["uuid"])
    return [
        one
        for one in lab.bookings.active(after=lab.now())
        if one.bench in benches and one.request_uuid != own and one.start < last
    ]


def as_document(go: Go) -> Document:
    """For programs: the plan's facts aside, what became of it."""
    return {
        "state": go.state,
        "attempts": [
            {"bench": one.bench, "began_at": one.began_at, "ended_at": one.ended_at, "state": one.state}
            for one in go.attempts
        ],
    }
