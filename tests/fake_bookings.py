"""Bench bookings in memory; the tests of the real ones run on them too (tests/adapters/test_bookings.py)."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from twinbench.core.booking import (
    Booking,
    BookingState,
    Change,
    Closure,
    check_movable,
    checked_interval,
    in_utc,
    states_before,
    told_taken,
)
from twinbench.core.errors import BenchTakenError, PlanError, RequestError

NOT_BEGUN = (BookingState.PLANNED, BookingState.PROMISED)


class FakeBookings:
    """Bookings and closures, in dictionaries by number.

    Args:
        requests: The register's rows: UUID -> a row with ``request_number``.
    """

    def __init__(self, requests: Mapping[str, Mapping[str, Any]]) -> None:
        self.requests = requests
        self.rows: dict[int, Booking] = {}
        self.closed: dict[int, Closure] = {}
        self.reopened: set[int] = set()
        self._numbers = itertools.count(1)

    def book(self, request_uuid: str, bookings: Sequence[Mapping[str, Any]], *, at: datetime) -> None:
        in_utc(at)
        rounds = {each["round"] for each in bookings}
        intervals = [checked_interval(each["start"], each["end"]) for each in bookings]
        with self._changes():
            for row in self.of_request(request_uuid):
                if row.round in rounds and row.state is BookingState.PLANNED:
                    del self.rows[row.id]
                elif row.round in rounds and row.state is BookingState.PROMISED:
                    self.rows[row.id] = replace(row, state=BookingState.RELEASED)
            placed = set()
            for each, (start, end) in zip(bookings, intervals, strict=True):
                if request_uuid not in self.requests:
                    raise RequestError(f"Request {request_uuid} is unknown.")
                number, document = next(self._numbers), json.loads(json.dumps(each["document"]))
                name = str(self.requests[request_uuid]["request_number"])
                placed.add(number)
                self.rows[number] = Booking(
                    number, each["bench"], start, end, request_uuid, name, each["round"], NOT_BEGUN[0], document
                )
            self._check_overlap(placed)
            self._check_service(placed)

    def move(self, changes: Sequence[Change], *, at: datetime) -> None:
        in_utc(at)
        intervals = [checked_interval(start, end) for _, _, start, end, _ in changes]
        placed = {change[0] for change in changes}
        with self._changes():
            running = check_movable([row for row in self.rows.values() if row.id in placed], changes)
            for (number, bench, _, _, document), (start, end) in zip(changes, intervals, strict=True):
                old = self.rows[number]
                if old.state is BookingState.PROMISED and (old.bench, old.start, old.end) != (bench, start, end):
                    kept = next(self._numbers)
                    self.rows[kept] = replace(old, id=kept, state=BookingState.RELEASED)
                self.rows[number] = replace(old, bench=bench, start=start, end=end, document=document)
            self._check_overlap(placed)
            self._check_service(placed - running)

    def set_state(
        self, request_uuid: str, round: int, bench: str | None, state: str, *, at: datetime, only: int | None = None
    ) -> int:
        return self._go_on(request_uuid, BookingState(state), at, round, bench, only)

    def release(self, request_uuid: str, *, at: datetime) -> int:
        return self._go_on(request_uuid, BookingState.RELEASED, at)

    def active(self, *, after: datetime, excluding: str | None = None) -> list[Booking]:
        after = in_utc(after)
        return [
            row
            for row in self._sorted()
            if row.state is BookingState.RUNNING
            or (row.state in NOT_BEGUN and row.end > after and row.request_uuid != excluding)
        ]

    def of_request(self, request_uuid: str) -> list[Booking]:
        rows = [row for row in self._sorted() if row.request_uuid == request_uuid]
        return sorted(rows, key=lambda row: row.round)

    def close(
        self, bench: str, start: datetime, end: datetime | None, *, reason: str, by: str, at: datetime
    ) -> list[Booking]:
        in_utc(at)
        start, end = checked_interval(start, end)
        if not reason.strip():
            raise RequestError(f"Bench {bench} is taken out of service for no reason: say one.")
        said = {replace(each, id=0) for number, each in self.closed.items() if number not in self.reopened}
        if Closure(0, bench, start, end, reason, by) not in said:
            number = next(self._numbers)
            self.closed[number] = Closure(number, bench, start, end, reason, by)
        return [row for row in self._sorted() if row.state.holds and row.bench == bench and row.overlaps(start, end)]

    def reopen(self, bench: str, *, at: datetime, only: int | None = None) -> list[Closure]:
        at, ended = in_utc(at), []
        for number, each in list(self.closed.items()):
            now = each.start <= at and (each.end is None or at < each.end)
            if each.bench == bench and (now if only is None else number == only and number not in self.reopened):
                ended.append(each)
                self.reopened.add(number)
                if at > each.start:
                    self.closed[number] = replace(each, end=min(at, each.end or at))
                else:
                    del self.closed[number]
        return sorted(ended, key=lambda each: (each.start, each.id))

    def closures(self, *, after: datetime) -> list[Closure]:
        after = in_utc(after)
        found = [each for each in self.closed.values() if each.end is None or each.end > after]
        return sorted(found, key=lambda each: (each.start, each.id))

    @contextmanager
    def _changes(self) -> Iterator[None]:
        before = copy.copy(self.rows)
        try:
            yield
        except Exception:
            self.rows = before
            raise

    def _sorted(self) -> list[Booking]:
        return sorted(self.rows.values(), key=lambda row: (row.start, row.bench, row.id))

    def _go_on(
        self,
        request_uuid: str,
        state: BookingState,
        at: datetime,
        round: int | None = None,
        bench: str | None = None,
        only: int | None = None,
    ) -> int:
        at = in_utc(at)
        going = [
            row
            for row in self.of_request(request_uuid)
            if row.state in states_before(state) and round in (None, row.round) and bench in (None, row.bench)
            if only in (None, row.id)
        ]
        for row in going:
            over = (row.state is BookingState.RUNNING or state is BookingState.DONE) and at > row.start
            ended = min(row.end, at) if over and not state.holds else row.end
            began_at = at if state is BookingState.RUNNING else row.began_at
            ended_at = at if row.state is BookingState.RUNNING else None
            self.rows[row.id] = replace(row, state=state, end=ended, began_at=began_at, ended_at=ended_at)
        return len(going)

    def _check_overlap(self, placed: set[int]) -> None:
        holding = [row for row in self._sorted() if row.state.holds]
        pairs = [
            (one, other)
            for one in holding
            for other in holding
            if one.id in placed
            and one is not other
            and one.bench == other.bench
            and one.overlaps(other.start, other.end)
        ]
        others = {other.id: other for _, other in pairs if other.id not in placed}
        if others:
            raise BenchTakenError(told_taken(sorted(others.values(), key=lambda row: (row.start, row.bench, row.id))))
        if pairs:
            raise PlanError(f"A plan holds a bench twice at one time: {pairs[0][0]}")

    def _check_service(self, placed: set[int]) -> None:
        wanted = [self.rows[number] for number in placed]
        closed = [
            each
            for each in sorted(self.closed.values(), key=lambda each: (each.start, each.id))
            if any(row.bench == each.bench and each.overlaps(row.start, row.end) for row in wanted)
        ]
        if closed:
            raise BenchTakenError(told_taken(closed))
