"""The port of bench bookings: what planning, running and people may ask of the lab's one list of bookings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from twinbench.core.booking import Booking, Change, Closure

__all__ = ["BookingStore"]


class BookingStore(Protocol):
    """Bookings of all requests, and when benches are out of service.

    Each change is made whole or not at all. One that would hold a bench twice, or while it is out of service, raises
    :class:`~twinbench.core.errors.BenchTakenError`; times without a zone are refused with :class:`ValueError`.
    """

    def book(self, request_uuid: str, bookings: Sequence[Mapping[str, Any]], *, at: datetime) -> None:
        """Book benches instead of what the request had planned for the same rounds and not begun.

        Args:
            request_uuid: For whom.
            bookings: Each with ``bench``, ``start``, ``end``, ``round`` and ``document``.
            at: The time now.
        """

    def move(self, changes: Sequence[Change], *, at: datetime) -> None:
        """Give bookings another bench, start, end and document, all at once: they may swap places.

        What runs keeps its bench and start; it may end at another time.
        """

    def set_state(
        self, request_uuid: str, round: int, bench: str | None, state: str, *, at: datetime, only: int | None = None
    ) -> int:
        """Let a request's bookings of a round go on to a state (None: on all benches); returns how many did.

        A booking never goes back. What is done holds its bench until now and no longer. *Only* is the number of one of
        them.
        """

    def release(self, request_uuid: str, *, at: datetime) -> int:
        """Give back whatever the request still holds; returns how many bookings. What was running ends now."""

    def active(self, *, after: datetime, excluding: str | None = None) -> list[Booking]:
        """What holds benches after a time, by start; a running booking does until it is over, however late.

        Args:
            after: What ends by then is left out.
            excluding: A request that is about to plan: what it has not begun is left out, since it is planned anew.
        """

    def of_request(self, request_uuid: str) -> list[Booking]:
        """All bookings of a request by round and start, those that were released among them."""

    def close(
        self, bench: str, start: datetime, end: datetime | None, *, reason: str, by: str, at: datetime
    ) -> list[Booking]:
        """Take a bench out of service; returns the bookings this is laid over. Saying it again changes nothing."""

    def reopen(self, bench: str, *, at: datetime, only: int | None = None) -> list[Closure]:
        """Put a bench back into service: ends the closures of this moment, or the one with the number *only*."""

    def closures(self, *, after: datetime) -> list[Closure]:
        """What is out of service after a time, by start."""
