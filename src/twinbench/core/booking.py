"""Bookings of benches: who holds which bench, and when.

Vocabulary:

    booking   a request holds a bench for the half-open time ``[start, end)``; bookings of a bench may touch
    holding   planned, promised or running: no two such bookings of a bench overlap, in the whole lab
    promised  people were told the time: a booking that is changed from here on leaves its old time behind as released
    closure   a bench is out of service; it may be laid over bookings, which are then planned again

All times are in UTC and know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from twinbench.core.errors import BenchTakenError

__all__ = [
    "Booking",
    "BookingState",
    "Change",
    "Closure",
    "check_movable",
    "checked_interval",
    "in_utc",
    "states_before",
    "told_taken",
]

Change = tuple[int, str, datetime, datetime, Mapping[str, Any]]
"""What becomes of the booking with a number: its bench, start, end and document."""


class BookingState(StrEnum):
    """How far a booking has come; what is done or released stays so, and holds its bench no longer."""

    PLANNED = "planned"
    PROMISED = "promised"
    RUNNING = "running"
    DONE = "done"
    RELEASED = "released"

    @property
    def holds(self) -> bool:
        """Whether the bench is kept from others."""
        return self in _HOLDING

    @property
    def begun(self) -> bool:
        """Whether it can no longer be planned otherwise."""
        return self not in _HOLDING[:2]


_HOLDING = (BookingState.PLANNED, BookingState.PROMISED, BookingState.RUNNING)


def states_before(state: BookingState) -> tuple[BookingState, ...]:
    """The states from which a booking may come to this one: it only goes on, never back."""
    return _HOLDING[: _HOLDING.index(state)] if state in _HOLDING else _HOLDING


@dataclass(frozen=True)
class Booking:
    """A bench is held for a request.

    Attributes:
        request_number: The request's name among people.
        round: Round of the request's design.
        document: What the plan says of it: its runs, their intervals, figures of the plan.
        began_at: When it was begun indeed; None if it was not, or nobody has noted it.
        ended_at: When what had begun ended indeed.
    """

    id: int
    bench: str
    start: datetime
    end: datetime
    request_uuid: str
    request_number: str
    round: int
    state: BookingState
    document: Mapping[str, Any] = field(hash=False)
    began_at: datetime | None = None
    ended_at: datetime | None = None

    def __post_init__(self) -> None:
        checked_interval(self.start, self.end)

    def overlaps(self, start: datetime, end: datetime | None) -> bool:
        """Whether it has a moment in common with ``[start, end)``; None: for ever."""
        return start < self.end and (end is None or self.start < end)

    def __str__(self) -> str:
        who = f"{self.request_number} (round {self.round}, {self.state})"
        return f"bench {self.bench} is taken {_told_interval(self.start, self.end)} by {who}"


@dataclass(frozen=True)
class Closure:
    """A bench is out of service.

    Attributes:
        end: None until somebody reopens it.
        reason: Why, in words.
        by: Who said so.
    """

    id: int
    bench: str
    start: datetime
    end: datetime | None
    reason: str
    by: str

    def __post_init__(self) -> None:
        checked_interval(self.start, self.end)

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether it has a moment in common with ``[start, end)``."""
        return self.start < end and self.lasts_beyond(start)

    def lasts_beyond(self, moment: datetime) -> bool:
        """Whether it is not over by then."""
        return self.end is None or moment < self.end

    def __str__(self) -> str:
        when = _told_interval(self.start, self.end)
        return f"bench {self.bench} is out of service {when} ({self.reason}; said {self.by})"


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC.

    Raises:
        ValueError: If it does not say its time zone.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone: bookings are kept in UTC.")
    return moment.astimezone(UTC)


def checked_interval(start: datetime, end: datetime | None) -> tuple[datetime, datetime | None]:
    """Both ends in UTC.

    Raises:
        ValueError: If one has no time zone, or nothing lies between them.
    """
    start, end = in_utc(start), end and in_utc(end)
    if end is not None and end <= start:
        raise ValueError(f"Nothing lies between {start} and {end}: a bench is held for some time.")
    return start, end


def check_movable(bookings: Sequence[Booking], changes: Sequence[Change]) -> set[int]:
    """The numbers of the *bookings* that run; each may be changed, but what runs keeps its bench and start.

    Raises:
        BenchTakenError: If one of the changes comes too late.
        ValueError: If a booking is unknown, or is to be changed twice.
    """
    known = {booking.id: booking for booking in bookings}
    if sorted(known) != sorted(change[0] for change in changes):
        raise ValueError(f"Of the bookings {[change[0] for change in changes]} some are unknown or named twice.")
    for number, bench, start, _, _ in changes:
        booking = known[number]
        if not booking.state.holds or (booking.state.begun and (bench, start) != (booking.bench, booking.start)):
            raise BenchTakenError(
                f"The booking of {booking.bench} by {booking.request_number} (round {booking.round}) cannot be moved, "
                f"it is {booking.state}: plan again around it."
            )
    return {booking.id for booking in bookings if booking.state.begun}


def told_taken(in_the_way: Sequence[Booking | Closure], *, shown: int = 3) -> str:
    """What is in the way of a plan, as a sentence for people."""
    parts = [str(occupant) for occupant in in_the_way[:shown]]
    if len(in_the_way) > shown:
        parts.append(f"and {len(in_the_way) - shown} more")
    told = "; ".join(parts)
    return f"{told[0].upper()}{told[1:]}: plan again around it."


def _told_interval(start: datetime, end: datetime | None) -> str:
    until = f"to {end:%Y-%m-%d %H:%M} UTC" if end else "until it is reopened"
    return f"from {start:%Y-%m-%d %H:%M} {until}"
