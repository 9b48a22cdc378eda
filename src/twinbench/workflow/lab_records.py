"""Ports of what the lab remembers: what benches have done, and what passed between it and its digital twins."""

from __future__ import annotations

from typing import Any, Protocol

from twinbench.core.access import RequestScope
from twinbench.core.booking import Booking, Closure

__all__ = ["BenchPast", "TwinBooks"]

Document = dict[str, Any]


class BenchPast(Protocol):
    """What a bench has done."""

    def bookings(self, bench: str, *, limit: int = 50) -> list[Booking]:
        """What is over and was begun, the newest first."""

    def closures(self, bench: str, *, limit: int = 50) -> list[Closure]:
        """When it was, is or will be out of service, the newest first; each with the end that it really had."""


class TwinBooks(Protocol):
    """The lab's account of what its digital twins were asked, have sent, and were sent."""

    def bundles(self, scope: RequestScope, *, limit: int = 25) -> list[Document]:
        """Requests that a twin has taken on, the newest first.

        ``{request_number, uuid, twin, status, simulation_folder, forwarded_at, fmu_ready_at}``.
        """

    def waiting(self, scope: RequestScope) -> list[Document]:
        """Metrics messages that a twin has not acknowledged, by request, the longest waiting first.

        ``{request_number, uuid, twin, status, messages, since, newest}``; *since* is when the first of them was sent,
        *newest* when the last was.
        """

    def deliveries(self, scope: RequestScope) -> list[Document]:
        """What each twin has acknowledged: ``{twin, request_number, messages, stored_at, acknowledged_at}``.

        One line per twin, that of its last acknowledgement; *stored_at* is when the message it was for had been sent.
        """

    def last_bundles(self, scope: RequestScope) -> list[Document]:
        """The last bundle of each twin that passed its check: ``{twin, request_number, fmu_ready_at}``."""
