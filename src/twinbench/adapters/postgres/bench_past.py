"""What benches have done and when they were out of service, from the tables of bookings and closures."""

from __future__ import annotations

from twinbench.adapters.postgres.bookings import CLOSED, CLOSURE, SELECT, booking_of, closure_of
from twinbench.adapters.postgres.connection import Database
from twinbench.core.booking import Booking, Closure

__all__ = ["BenchPast"]

_OVER = """
    WHERE b.bench = %s AND b.state IN ('done', 'released') AND (b.state = 'done' OR b.began_at IS NOT NULL)
    ORDER BY coalesce(b.ended_at, b.updated_at) DESC LIMIT %s
"""


class BenchPast:
    """The past of benches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def bookings(self, bench: str, *, limit: int = 50) -> list[Booking]:
        """What is over and was begun, the newest first; what was only planned and given up is left out."""
        with self._database.transaction() as cursor:
            cursor.execute(f"{SELECT} {_OVER}", (bench, limit))
            return [booking_of(row) for row in cursor.fetchall()]

    def closures(self, bench: str, *, limit: int = 50) -> list[Closure]:
        """When it was, is or will be out of service, the newest first."""
        with self._database.transaction() as cursor:
            cursor.execute(
                f"""SELECT {CLOSURE} FROM bench_closures c WHERE c.bench = %s AND NOT isempty({CLOSED})
                    ORDER BY lower(c.during) DESC, c.id DESC LIMIT %s""",
                (bench, limit),
            )
            return [closure_of(row) for row in cursor.fetchall()]
