"""Bench bookings of the whole lab: PostgreSQL sees to it that no two of them hold one bench at one time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from psycopg2.errors import ExclusionViolation, ForeignKeyViolation

from twinbench.adapters.postgres.connection import Database
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

__all__ = ["CLOSED", "CLOSURE", "SELECT", "Bookings", "booking_of", "closure_of"]

SELECT = """
    SELECT b.id, b.bench, lower(b.during) AS start, upper(b.during) AS end, b.request_uuid, r.request_number, b.round,
           b.state, b.document, b.began_at, b.ended_at
    FROM bench_bookings b JOIN test_requests r ON r.uuid = b.request_uuid
"""
_HOLDS = "b.state IN ('planned', 'promised', 'running')"  # as in the constraint, whose index then serves
CLOSED = "tstzrange(lower(c.during), least(upper(c.during), c.ended_at))"
CLOSURE = f"c.id, c.bench, lower({CLOSED}) AS start, upper({CLOSED}) AS end, c.reason, c.made_by AS by"
_WANTED = """jsonb_to_recordset(%(wanted)s) AS w
    (id bigint, bench text, first timestamptz, past timestamptz, round integer, document jsonb)"""
_BOOK = """
    INSERT INTO bench_bookings (bench, during, request_uuid, state, round, document, booked_at, updated_at)
"""


class Bookings:
    """The tables of bookings and closures.

    That no bench is held twice is up to the constraint of the table. Changes also wait for one another, since two
    transactions that meet in the constraint would wait for each other, and their words be out of date when they fail.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def book(self, request_uuid: str, bookings: Sequence[Mapping[str, Any]], *, at: datetime) -> None:
        """Book benches instead of what the request had planned for the same rounds and not begun.

        Raises:
            BenchTakenError: If a bench is taken or out of service then; nothing has changed.
            RequestError: If the request is unknown.
        """
        wanted = [_wanted(**each) for each in bookings]
        values = {"request": request_uuid, "at": in_utc(at), "rounds": sorted({row["round"] for row in wanted})}
        of_rounds = "request_uuid = %(request)s AND round = ANY(%(rounds)s)"
        with self._changes() as cursor:
            cursor.execute(f"DELETE FROM bench_bookings WHERE {of_rounds} AND state = 'planned'", values)
            cursor.execute(
                f"UPDATE bench_bookings SET state = 'released', updated_at = %(at)s "
                f"WHERE {of_rounds} AND state = 'promised'",
                values,
            )
            placing = f"""{_BOOK} SELECT w.bench, tstzrange(w.first, w.past), %(request)s, 'planned', w.round,
                              w.document, %(at)s, %(at)s FROM {_WANTED}"""
            try:
                self._place(cursor, placing, values, wanted)
            except ForeignKeyViolation as error:
                raise RequestError(f"Request {request_uuid} is unknown: see `twinbench request list`.") from error
            self._check_service(cursor, wanted)

    def move(self, changes: Sequence[Change], *, at: datetime) -> None:
        """Give bookings another bench, start, end and document, all at once: they may swap places.

        Raises:
            BenchTakenError: If a bench is taken or out of service then, or a booking is over, or has begun and would
                have to begin otherwise; nothing has changed.
        """
        wanted = [_wanted(*change[1:], id=change[0]) for change in changes]
        values = {"at": in_utc(at), "wanted": json.dumps(wanted)}
        with self._changes() as cursor:
            ids = [row["id"] for row in wanted]
            running = check_movable(_bookings(cursor, "b.id = ANY(%(ids)s)", {"ids": ids}), changes)
            cursor.execute(  # what was promised stays on record
                f"""{_BOOK} SELECT b.bench, b.during, b.request_uuid, 'released', b.round, b.document, b.booked_at,
                        %(at)s FROM bench_bookings b JOIN {_WANTED} USING (id)
                    WHERE b.state = 'promised' AND (b.bench, b.during) <> (w.bench, tstzrange(w.first, w.past))""",
                values,
            )
            placing = f"""UPDATE bench_bookings b SET bench = w.bench, during = tstzrange(w.first, w.past),
                              document = w.document, updated_at = %(at)s FROM {_WANTED} WHERE b.id = w.id"""
            self._place(cursor, placing, values, wanted)
            self._check_service(cursor, [row for row in wanted if row["id"] not in running])

    def set_state(
        self, request_uuid: str, round: int, bench: str | None, state: str, *, at: datetime, only: int | None = None
    ) -> int:
        """Let a request's bookings of a round go on to a state; returns how many did."""
        return self._go_on(request_uuid, BookingState(state), at, round, bench, only)

    def release(self, request_uuid: str, *, at: datetime) -> int:
        """Give back whatever the request still holds; returns how many bookings."""
        return self._go_on(request_uuid, BookingState.RELEASED, at)

    def active(self, *, after: datetime, excluding: str | None = None) -> list[Booking]:
        """What holds benches after a time, by start; without what a request that plans anew has not begun."""
        condition = f"""{_HOLDS} AND (b.during && tstzrange(%(after)s, NULL) OR b.state = 'running')
            AND (b.state = 'running' OR b.request_uuid IS DISTINCT FROM %(excluding)s::uuid)"""
        with self._database.transaction() as cursor:
            return _bookings(cursor, condition, {"after": in_utc(after), "excluding": excluding})

    def of_request(self, request_uuid: str) -> list[Booking]:
        """All bookings of a request by round and start, those that were released among them."""
        with self._database.transaction() as cursor:
            found = _bookings(cursor, "b.request_uuid = %(request)s", {"request": request_uuid})
        return sorted(found, key=lambda booking: booking.round)

    def close(
        self, bench: str, start: datetime, end: datetime | None, *, reason: str, by: str, at: datetime
    ) -> list[Booking]:
        """Take a bench out of service; returns the bookings this is laid over. Saying it again changes nothing.

        Raises:
            RequestError: If no reason is given.
        """
        start, end = checked_interval(start, end)
        if not reason.strip():
            raise RequestError(f"Bench {bench} is taken out of service for no reason: say one.")
        values = {"bench": bench, "start": start, "end": end, "reason": reason, "by": by, "at": in_utc(at)}
        with self._changes() as cursor:
            cursor.execute(
                """INSERT INTO bench_closures (bench, during, reason, made_by, made_at)
                   VALUES (%(bench)s, tstzrange(%(start)s, %(end)s), %(reason)s, %(by)s, %(at)s)
                   ON CONFLICT DO NOTHING""",
                values,
            )
            overlaid = f"{_HOLDS} AND b.bench = %(bench)s AND b.during && tstzrange(%(start)s, %(end)s)"
            return _bookings(cursor, overlaid, values)

    def reopen(self, bench: str, *, at: datetime, only: int | None = None) -> list[Closure]:
        """Put a bench back into service: ends the closures of this moment, or the one with the number *only*."""
        which = f"{CLOSED} @> %(at)s" if only is None else "c.id = %(only)s AND c.ended_at IS NULL"
        with self._changes() as cursor:
            cursor.execute(
                f"""WITH before AS (SELECT {CLOSURE} FROM bench_closures c WHERE c.bench = %(bench)s AND {which})
                    UPDATE bench_closures c SET ended_at = greatest(%(at)s, before.start)
                    FROM before WHERE c.id = before.id RETURNING before.*""",
                {"bench": bench, "at": in_utc(at), "only": only},
            )
            return _closures(cursor)

    def closures(self, *, after: datetime) -> list[Closure]:
        """What is out of service after a time, by start."""
        with self._database.transaction() as cursor:
            cursor.execute(
                f"SELECT {CLOSURE} FROM bench_closures c WHERE {CLOSED} && tstzrange(%s, NULL)", (in_utc(after),)
            )
            return _closures(cursor)

    @contextmanager
    def _changes(self) -> Iterator[Any]:
        with self._database.transaction() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock('bench_bookings'::regclass::oid::bigint)")
            yield cursor

    def _go_on(
        self,
        request_uuid: str,
        state: BookingState,
        at: datetime,
        round: int | None = None,
        bench: str | None = None,
        only: int | None = None,
    ) -> int:
        values = {"request": request_uuid, "state": state, "at": in_utc(at), "round": round, "bench": bench, "id": only}
        with self._changes() as cursor:
            cursor.execute(
                """UPDATE bench_bookings SET state = %(state)s, updated_at = %(at)s,
                       began_at = CASE WHEN %(state)s = 'running' THEN %(at)s ELSE began_at END,
                       ended_at = CASE WHEN state = 'running' THEN %(at)s END,
                       during = CASE WHEN (state = 'running' OR %(state)s = 'done') AND %(at)s > lower(during)
                                     THEN tstzrange(lower(during), least(upper(during), %(at)s)) ELSE during END
                   WHERE request_uuid = %(request)s AND state = ANY(%(before)s)
                     AND round = coalesce(%(round)s, round) AND bench = coalesce(%(bench)s, bench)
                     AND id = coalesce(%(id)s, id)""",
                {**values, "before": [str(before) for before in states_before(state)]},
            )
            return int(cursor.rowcount)

    @staticmethod
    def _place(cursor: Any, placing: str, values: Mapping[str, Any], wanted: Sequence[Mapping[str, Any]]) -> None:
        values = {**values, "wanted": json.dumps(wanted), "placed": [row.get("id") for row in wanted]}
        cursor.execute("SAVEPOINT unplaced")
        try:
            cursor.execute(placing, values)
        except ExclusionViolation as error:
            cursor.execute("ROLLBACK TO SAVEPOINT unplaced")
            overlapping = f"""{_HOLDS} AND (b.id = ANY(%(placed)s)) IS NOT TRUE AND EXISTS (
                SELECT FROM {_WANTED} WHERE w.bench = b.bench AND tstzrange(first, past) && b.during)"""
            in_the_way = _bookings(cursor, overlapping, values)
            if not in_the_way:
                raise PlanError(f"A plan holds a bench twice at one time: {error.diag.message_detail}") from error
            raise BenchTakenError(told_taken(in_the_way)) from error

    @staticmethod
    def _check_service(cursor: Any, wanted: Sequence[Mapping[str, Any]]) -> None:
        cursor.execute(
            f"""SELECT {CLOSURE} FROM bench_closures c WHERE EXISTS (
                    SELECT FROM {_WANTED} WHERE w.bench = c.bench AND tstzrange(first, past) && {CLOSED})""",
            {"wanted": json.dumps(wanted)},
        )
        if in_the_way := _closures(cursor):
            raise BenchTakenError(told_taken(in_the_way))


def _wanted(bench: str, start: datetime, end: datetime, document: Mapping[str, Any], **more: int) -> dict[str, Any]:
    first, past = checked_interval(start, end)
    return {"bench": bench, "first": str(first), "past": str(past), "document": document, **more}


def _bookings(cursor: Any, condition: str, values: Mapping[str, Any]) -> list[Booking]:
    cursor.execute(f"{SELECT} WHERE {condition} ORDER BY lower(b.during), b.bench, b.id", values)
    return [booking_of(row) for row in cursor.fetchall()]


def _closures(cursor: Any) -> list[Closure]:
    return sorted(map(closure_of, cursor.fetchall()), key=lambda each: (each.start, each.id))


def booking_of(row: Mapping[str, Any]) -> Booking:
    """A row of :data:`SELECT`."""
    return Booking(**{**_in_utc(row), "state": BookingState(row["state"])})


def closure_of(row: Mapping[str, Any]) -> Closure:
    """A row of :data:`CLOSURE`."""
    return Closure(**_in_utc(row))


def _in_utc(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: in_utc(value) if isinstance(value, datetime) else value for key, value in row.items()}
