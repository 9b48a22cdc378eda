"""Watches a physical bench while it carries out an order, until there is an outcome.

Its telemetry is stored, acknowledged to it, and passed on to the digital twin as metrics. The outcome is the bench's
own last event (``finished``, ``failed``, ``refused``), or what the watch made of its silence:

    silent      the bench has not answered
    lost        it went offline and did not come back
    incomplete  it has finished, but part of its telemetry did not arrive
    busy        it refused, since it had taken up other work a moment before

After the first three the bench may still go on: another watch of the same order takes it up where this one left it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from twinbench.core.findings import blocking
from twinbench.core.request import validate_document
from twinbench.core.telemetry import METRIC_SIGNALS, SequenceTracker, metrics_message
from twinbench.workflow.lab import BenchLine, Courier, Document, Lab
from twinbench.workflow.physical_bench import labels_of, order_name, stamped
from twinbench.workflow.results import FLUSH_TIMEOUT_S

__all__ = ["BenchWatch"]

ANSWER_PATIENCE = timedelta(seconds=60)
OFFLINE_PATIENCE = timedelta(seconds=120)
TELEMETRY_PATIENCE = timedelta(seconds=90)

_ENDINGS = ("finished", "failed", "refused")


class BenchWatch:
    """A watch of one order, a context manager. What the bench says is handled on a thread of the line.

    The command is sent as soon as the bench is idle; at once if it was sent before, since the bench then answers with
    what became of it.

    Args:
        lab: The lab.
        request_uuid: The request.
        bench: The bench.
        on_outcome: Called once when there is an outcome, from any thread.

    Attributes:
        outcome: ``{event, reason, runs}`` once there is one; runs as in the bench's event.
    """

    def __init__(self, lab: Lab, request_uuid: str, bench: str, *, on_outcome: Callable[[], None]) -> None:
        self.outcome: Document | None = None
        self._lab, self._bench, self._on_outcome = lab, bench, on_outcome
        self._area, self._name = lab.area(request_uuid), order_name(bench)
        self._order: Document = self._area.read_json(self._name)
        self._labels = labels_of(lab, request_uuid, self._order)
        self._upto = {run_uuid: self._stored(run_uuid) for run_uuid in self._labels}
        self._ending: Document | None = None
        self._quiet_since, self._state, self._is_answered = lab.now(), "", False
        self._lock, self._stack = threading.RLock(), ExitStack()
        self._line: BenchLine
        self._courier: Courier

    def _stored(self, run_uuid: str) -> int:
        tracker = SequenceTracker()
        for message in self._lab.telemetry.messages(run_uuid):
            tracker.add(message["seq"])
        return tracker.upto

    def __enter__(self) -> BenchWatch:
        with self._lock, ExitStack() as stack:  # what the bench says meanwhile waits for the lock
            self._courier = stack.enter_context(self._lab.wire.courier(list(self._labels)))
            self._line = stack.enter_context(
                self._lab.wire.bench(
                    self._bench,
                    on_status=self._checked("bench_status", self._heard_status),
                    on_event=self._checked("bench_event", self._heard_event),
                    on_telemetry=self._checked("bench_telemetry", self._heard_telemetry),
                    on_reconnected=self._reconnected,
                )
            )
            if "issued_at" in self._order["command"]:
                self._send()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._stack:
            if self.outcome:
                self._courier.flush(FLUSH_TIMEOUT_S)

    def look(self) -> None:
        """Find an outcome in the bench's silence, if it has lasted too long."""
        with self._lock:
            quiet = self._lab.now() - self._quiet_since
            if self._ending:
                if quiet > TELEMETRY_PATIENCE:
                    self._end_incomplete(self._ending)
            elif self._state == "offline" and quiet > OFFLINE_PATIENCE:
                self._end("lost", "it went offline and has not come back. See that its agent runs")
            elif not self._state and quiet > ANSWER_PATIENCE:
                self._end("silent", "it has never said anything. Start `twinbench bench-agent` beside it")
            elif self._state == "idle" and not self._is_answered and quiet > ANSWER_PATIENCE:
                self._end("silent", "it is idle but does not answer to its command. See the log of its agent")

    def _checked(self, schema: str, handle: Callable[[Document], None]) -> Callable[[Document], None]:
        """A handler of what keeps to its schema; anything else is told and ignored."""

        def check(document: Document) -> None:
            findings = blocking(validate_document(document, self._lab.schemas[schema]))
            if findings:
                self._lab.say(f"{self._bench} sent a malformed {schema}, ignored: {findings[0]}")
                return
            with self._lock:
                handle(document)

        return check

    def _heard_status(self, status: Document) -> None:
        if status["state"] != self._state:
            self._lab.say(f"{self._bench} is {status['state']}")
            self._state, self._quiet_since = status["state"], self._lab.now()
        if self._state == "idle" and "issued_at" not in self._order["command"]:
            self._send()

    def _reconnected(self) -> None:
        with self._lock:
            if "issued_at" in self._order["command"]:
                self._line.send(self._order["command"])

    def _send(self) -> None:
        command = self._order["command"]
        if "issued_at" not in command:
            self._order["command"] = command = stamped(command, self._lab.now())
            self._area.write_json(self._name, self._order)
        self._quiet_since = self._lab.now()
        self._line.send(command)

    def _heard_event(self, event: Document) -> None:
        if event["command_id"] != self._order["command"]["command_id"]:
            return
        self._is_answered = True
        self._note(event)
        if event["event"] not in _ENDINGS:
            runs = ", ".join(f"run {run['run']} ({run['stop_reason']})" for run in event.get("runs", ()))
            self._lab.say(f"{self._bench}: {event['event']} {runs}".rstrip())
        elif not self._ending:
            self._ending, self._quiet_since = event, self._lab.now()
            self._end_if_complete()

    def _note(self, event: Document) -> None:
        """Keep when it was, by the bench's clock: from this one tells when each run began and ended."""
        kept = {"event": event["event"], "at": event["at"], "runs": [run["run"] for run in event.get("runs", ())]}
        if kept not in (known := self._order.get("events", [])):
            self._order["events"] = [*known, kept]
            self._area.write_json(self._name, self._order)

    def _heard_telemetry(self, message: Document) -> None:
        label = self._labels.get(message["run_uuid"])
        width = len(message["columns"])
        if label is None or any(len(row) != width for row in message["rows"]):
            return
        seq, columns = message["seq"], list(zip(*message["rows"], strict=True)) or [()] * width
        signals: dict[str, Any] = dict(zip(message["columns"], columns, strict=True))
        time_s = signals.pop("time_s")
        known = {name: values for name, values in signals.items() if name in METRIC_SIGNALS}
        metrics = metrics_message(label, seq, time_s, known, final=message["final"])
        self._courier.send(label.run_uuid, seq, self._lab.wire.metrics_topic, metrics)
        upto = self._lab.telemetry.store(label.run_uuid, seq, message)
        self._upto[label.run_uuid] = upto
        self._line.send({"verb": "acknowledge", "run_uuid": label.run_uuid, "upto": upto})
        self._end_if_complete()

    def _end_if_complete(self) -> None:
        if self._ending and not self._missing(self._ending):
            is_busy = self._ending["event"] == "refused" and self._state == "running"
            event = "busy" if is_busy else self._ending["event"]
            self._end(event, self._ending.get("reason", ""), self._ending.get("runs", []))

    def _missing(self, ending: Document) -> list[str]:
        """Runs whose telemetry is not all there."""
        return [
            f"run {run['run']} up to {self._upto.get(run['run_uuid'], -1)} of {run['last_seq']}"
            for run in ending.get("runs", ())
            if self._upto.get(run["run_uuid"], run["last_seq"]) < run["last_seq"]
        ]

    def _end_incomplete(self, ending: Document) -> None:
        if ending["event"] == "finished":
            self._end("incomplete", f"telemetry is missing: {', '.join(self._missing(ending))}. Its agent still has it")
        else:
            whole = [run for run in ending.get("runs", ()) if self._upto.get(run["run_uuid"], -1) >= run["last_seq"]]
            self._end(ending["event"], ending.get("reason", ""), whole)

    def _end(self, event: str, reason: str, runs: list[Document] | None = None) -> None:
        if self.outcome is None:
            known = [run for run in runs or () if run["run_uuid"] in self._labels]
            self.outcome = {"event": event, "reason": reason, "runs": known}
            self._lab.say(f"{self._bench}: {event} {reason}".rstrip())
            self._on_outcome()
