"""What the lab remembers, read from the other fakes: what benches did, what passed between it and its digital twins."""

from __future__ import annotations

from typing import Any

from tests.fake_bookings import FakeBookings
from tests.fake_register import FakeRegister
from twinbench.core.access import RequestScope
from twinbench.core.booking import Booking, BookingState, Closure

Document = dict[str, Any]


class FakeBenchPast:
    """The past of benches."""

    def __init__(self, bookings: FakeBookings) -> None:
        self._bookings = bookings

    def bookings(self, bench: str, *, limit: int = 50) -> list[Booking]:
        rows = [one for one in self._bookings.rows.values() if one.bench == bench and not one.state.holds]
        over = [one for one in rows if one.state is BookingState.DONE or one.began_at]
        return sorted(over, key=lambda one: (one.ended_at or one.end, one.id), reverse=True)[:limit]

    def closures(self, bench: str, *, limit: int = 50) -> list[Closure]:
        found = [one for one in self._bookings.closed.values() if one.bench == bench]
        return sorted(found, key=lambda one: (one.start, one.id), reverse=True)[:limit]


class FakeTwinBooks:
    """The account of the digital twins.

    Attributes:
        queued: Messages that wait: request UUID -> ``{messages, since, newest}``.
        delivered: What was acknowledged: request UUID -> ``{messages, stored_at, acknowledged_at}``.
    """

    def __init__(self, register: FakeRegister) -> None:
        self._register = register
        self.queued: dict[str, Document] = {}
        self.delivered: dict[str, Document] = {}

    def bundles(self, scope: RequestScope, *, limit: int = 25) -> list[Document]:
        found = []
        for uuid, row in self._seen(scope):
            taken = [entry["at"] for entry in self._register.history(uuid) if entry["status"] == "forwarded"]
            if taken:
                more = {name: row[name] for name in ("simulation_folder", "fmu_ready_at")}
                found.append({**self._of(row), "forwarded_at": taken[-1], **more})
        return sorted(found, key=lambda one: one["forwarded_at"], reverse=True)[:limit]

    def waiting(self, scope: RequestScope) -> list[Document]:
        found = [{**self._of(row), **self.queued[uuid]} for uuid, row in self._seen(scope) if uuid in self.queued]
        return sorted(found, key=lambda one: one["since"])

    def deliveries(self, scope: RequestScope) -> list[Document]:
        found = [
            {"twin": row["twin"], "request_number": row["request_number"], **self.delivered[uuid]}
            for uuid, row in self._seen(scope)
            if uuid in self.delivered
        ]
        return _newest(found, "acknowledged_at")

    def last_bundles(self, scope: RequestScope) -> list[Document]:
        found = [
            {name: row[name] for name in ("twin", "request_number", "fmu_ready_at")}
            for _, row in self._seen(scope)
            if row["fmu_ready_at"]
        ]
        return _newest(found, "fmu_ready_at")

    def _seen(self, scope: RequestScope) -> list[tuple[str, Document]]:
        return [(uuid, row) for uuid, row in self._register.rows.items() if scope.covers(row)]

    @staticmethod
    def _of(row: Document) -> Document:
        return {name: row[name] for name in ("request_number", "uuid", "twin", "status")}


def _newest(found: list[Document], at: str) -> list[Document]:
    """The newest line of each twin."""
    return [line for _, line in sorted({one["twin"]: one for one in sorted(found, key=lambda one: one[at])}.items())]
