"""One start command being carried out: run after run, each streamed to the LIMS while it goes on."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from twinbench.bench.drivers import Driver
from twinbench.bench.state import AgentState
from twinbench.core.battery.procedure import Procedure
from twinbench.core.errors import LabError
from twinbench.core.telemetry import INVALID, message_id

__all__ = ["Job", "Telemetry"]

log = logging.getLogger(__name__)

Document = dict[str, Any]

_FLUSH_EVERY_S = 1.0
_MOST_ROWS = 500


class Telemetry(Protocol):
    """Where telemetry goes: a courier."""

    def send(self, stream: str, seq: int, topic: str, payload: Document) -> None:
        """Keep a message, then send it."""

    def discard(self, stream: str) -> None:
        """Forget what is left of an earlier attempt."""

    def flush(self, timeout_s: float, streams: Collection[str]) -> int:
        """Wait until these streams are acknowledged; returns how many messages are not."""


class Announce(Protocol):
    """Tells the LIMS what became of a command."""

    def __call__(self, command_id: str, event: str, *, reason: str = "", runs: Sequence[Document] = ()) -> None:
        """Tell it."""


class Job:
    """A start command, carried out on a thread of its own.

    ``run-finished`` follows each run; ``finished`` follows when the LIMS has acknowledged all telemetry, or has had
    *patience_s* to do so: the bench is not held up by a LIMS that is away, and its telemetry waits in the outbox.

    Args:
        bench: Name of the bench.
        command: The command, which keeps to its schema.
        topic: Topic of the telemetry.
        on_end: Called when all is done and told.
    """

    def __init__(
        self,
        bench: str,
        command: Document,
        driver: Driver,
        *,
        telemetry: Telemetry,
        topic: str,
        state: AgentState,
        announce: Announce,
        on_end: Callable[[], None],
        patience_s: float = 60.0,
    ) -> None:
        self.command_id, self.request_uuid = str(command["command_id"]), str(command["request_uuid"])
        self._orders = [(order, Procedure.from_document(order["procedure"])) for order in command["runs"]]
        self._bench, self._driver, self._telemetry, self._topic = bench, driver, telemetry, topic
        self._state, self._announce, self._on_end = state, announce, on_end
        self._patience_s = patience_s
        self._cut_short = ""
        self._thread = threading.Thread(target=self._run, name=f"job-{self.command_id}", daemon=True)

    def start(self) -> None:
        """Begin."""
        for order, _ in self._orders:
            self._telemetry.discard(order["run_uuid"])
        self._thread.start()

    def cut_short(self, reason: str) -> None:
        """End as soon as possible; the command has then failed for that reason."""
        self._cut_short = reason
        self._driver.stop()

    def join(self, timeout_s: float) -> None:
        """Wait for the end."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        failure = ""
        try:
            for order, procedure in self._orders:
                if not self._cut_short:
                    self._measure(order, procedure)
        except LabError as error:
            failure = str(error)
        except Exception as error:
            log.exception("command=%s failed", self.command_id)
            failure = f"The driver failed: {error!r}; see the agent's log."
        try:
            self._tell_end(self._cut_short or failure)
        finally:
            self._on_end()

    def _tell_end(self, failure: str) -> None:
        left = self._patiently() if not failure else 0
        failure = failure or self._cut_short
        if left:
            log.warning("command=%s messages=%d are not acknowledged; they wait in the outbox", self.command_id, left)
        runs = self._state.measured(self.command_id)
        self._announce(self.command_id, "failed" if failure else "finished", reason=failure, runs=runs)

    def _patiently(self) -> int:
        streams = [order["run_uuid"] for order, _ in self._orders]
        deadline, left = time.monotonic() + self._patience_s, 1
        while left and not self._cut_short and time.monotonic() < deadline:
            left = self._telemetry.flush(min(1.0, self._patience_s), streams)
        return left

    def _measure(self, order: Document, procedure: Procedure) -> None:
        stream = _Stream(self, order)
        reason = ""
        try:
            for sample in self._driver.start(procedure, seed=order["run_uuid"]):
                stream.add(sample.time_s, sample.values)
                reason = sample.stop_reason
                if self._cut_short:
                    self._driver.stop()  # again: it may have been told before it began
        finally:
            stream.end(reason)
        if reason == "cancelled":
            self._cut_short = self._cut_short or "the driver was stopped"
            return
        measured = [run for run in self._state.measured(self.command_id) if run["run_uuid"] == order["run_uuid"]]
        self._announce(self.command_id, "run-finished", runs=measured)


class _Stream:
    """The telemetry of one run, in messages of about a second."""

    def __init__(self, job: Job, order: Document) -> None:
        self._job, self._order = job, order
        self._seq = self._rows_sent = 0
        self._rows: list[list[float]] = []
        self._sent_s = time.monotonic()

    def add(self, time_s: float, values: Sequence[float]) -> None:
        self._rows.append([time_s, *(value if math.isfinite(value) else INVALID for value in values)])
        if len(self._rows) >= _MOST_ROWS or time.monotonic() - self._sent_s >= _FLUSH_EVERY_S:
            self._send(final=False)

    def end(self, stop_reason: str) -> None:
        self._send(final=True, stop_reason=stop_reason)

    def _send(self, *, final: bool, stop_reason: str = "") -> None:
        job, run_uuid = self._job, self._order["run_uuid"]
        message = {
            "message_id": message_id(run_uuid, self._seq),
            "seq": self._seq,
            "run_uuid": run_uuid,
            "run": self._order["run"],
            "command_id": job.command_id,
            "bench": job._bench,
            "final": final,
            "columns": ["time_s", *job._driver.columns],
            "rows": self._rows,
        }
        job._telemetry.send(run_uuid, self._seq, job._topic, message)
        self._rows_sent += len(self._rows)
        job._state.note_measured(
            job.command_id,
            run=self._order["run"],
            run_uuid=run_uuid,
            last_seq=self._seq,
            rows=self._rows_sent,
            stop_reason=stop_reason,
        )
        self._rows, self._seq, self._sent_s = [], self._seq + 1, time.monotonic()
