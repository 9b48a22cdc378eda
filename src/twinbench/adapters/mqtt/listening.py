"""What is said on the lab's broker, kept for whoever looks: benches' last words, the newest readings of each run.

Of what a bench sends, the last message of each kind is kept in short: ``{topic, kind, heard_at, ...}``.

    status, event      as it was
    telemetry, metrics ``{run, run_uuid, seq, final, reading}``, the reading being its last row
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tenacity import Retrying, retry_if_exception_type, sleep_using_event, stop_when_event_set, wait_random_exponential

from twinbench.adapters.mqtt.client import MqttClient
from twinbench.adapters.mqtt.message import Message
from twinbench.core import topics
from twinbench.core.errors import ResultError, UnreachableError
from twinbench.core.telemetry import Metrics, parse_metrics

__all__ = ["LabEars"]

Document = dict[str, Any]

_LOG = logging.getLogger(__name__)
_MOST_READINGS = 5_000  # of a run: what a plot of it can show
_MOST_RUNS = 200  # that are remembered, the last ones
_SOON_S, _LATEST_S = 1.0, 20.0
_SELDOM_S = 0.5


class LabEars:
    """Listens on one connection, which is made again for as long as it takes.

    Args:
        url: Address of the broker, with the user and password of the LIMS.
        ca: File with the broker's certificate authority.
        metrics_topic: Topic of the metrics messages.
        told: Is called with ``bench <name>`` when a bench says something else than before, and ``run <request UUID>``
            when a run's readings go on.
    """

    def __init__(self, url: str, *, ca: str | None, metrics_topic: str, told: Callable[[str], None]) -> None:
        self._told = told
        self._lock = threading.Lock()
        self._benches: dict[str, Document] = {}
        self._messages: dict[tuple[str, str], Document] = {}
        self._runs: OrderedDict[tuple[str, int], deque[Document]] = OrderedDict()
        self._told_at: dict[str, float] = {}
        self._closing = threading.Event()
        self._client = MqttClient(url, ca=ca, client_id=f"lims-pages-{secrets.token_hex(6)}")
        self._client.subscribe(topics.bench_status(), self._status, qos=1)
        self._client.subscribe(topics.bench_events(), self._event, qos=1)
        self._client.subscribe(topics.bench_telemetry(), self._telemetry, qos=0)
        self._client.subscribe(metrics_topic, self._metrics, qos=1)
        self._thread = threading.Thread(target=self._open, name="lims-ears", daemon=True)
        self.is_open = False

    def start(self) -> LabEars:
        """Begin to listen, as soon as the broker answers."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Listen no more."""
        self._closing.set()
        if self.is_open:
            self._client.close()

    def _open(self) -> None:
        attempts = Retrying(
            retry=retry_if_exception_type(UnreachableError),
            wait=wait_random_exponential(multiplier=_SOON_S, max=_LATEST_S),
            stop=stop_when_event_set(self._closing),
            sleep=sleep_using_event(self._closing),
            reraise=True,
        )
        try:
            attempts(self._client.open)
        except Exception:
            if not self._closing.is_set():
                _LOG.exception("The pages cannot listen to the broker")
            return
        self.is_open = True

    def bench_states(self) -> dict[str, Document]:
        """What each bench said last, with ``heard_at``."""
        with self._lock:
            return {bench: dict(document) for bench, document in self._benches.items()}

    def readings(self, request_uuid: str) -> dict[int, list[Document]]:
        """The newest readings of each run of a request: ``{time_s, <signal>: value}`` in order of time."""
        with self._lock:
            return {run: list(rows) for (request, run), rows in self._runs.items() if request == request_uuid}

    def bench_messages(self, bench: str) -> list[Document]:
        """The last message of each kind from a bench, the newest first."""
        with self._lock:
            found = [dict(message) for (of, _), message in self._messages.items() if of == bench]
        return sorted(found, key=lambda message: message["heard_at"], reverse=True)

    def _read(self, message: Message) -> Document | None:
        try:
            return message.document()
        except ResultError as error:
            _LOG.warning("topic=%s ignored: %s", message.topic, error)
            return None

    def _keep(self, bench: str, kind: str, topic: str, said: Document) -> None:
        with self._lock:
            self._messages[bench, kind] = {**said, "topic": topic, "kind": kind, "heard_at": datetime.now(UTC)}

    def _status(self, message: Message) -> None:
        bench, document = message.topic.split("/")[-2], self._read(message)
        if document is None:
            return
        with self._lock:
            before = self._benches.get(bench, {}).get("state")
            self._benches[bench] = {**document, "heard_at": datetime.now(UTC)}
        self._keep(bench, "status", message.topic, document)
        if document.get("state") != before:
            self._told(f"bench {bench}")

    def _event(self, message: Message) -> None:
        bench, document = message.topic.split("/")[-2], self._read(message)
        if document is not None:
            self._keep(bench, "event", message.topic, document)
            self._told(f"bench {bench}")

    def _telemetry(self, message: Message) -> None:
        document = self._read(message)
        if document is None:
            return
        columns, rows = document.get("columns"), document.get("rows")
        said = {name: document.get(name) for name in ("run", "run_uuid", "seq", "final")}
        if isinstance(columns, list) and isinstance(rows, list) and rows and isinstance(rows[-1], list):
            said["reading"] = dict(zip(map(str, columns), rows[-1], strict=False))
        self._keep(message.topic.split("/")[-2], "telemetry", message.topic, said)

    def _metrics(self, message: Message) -> None:
        try:
            metrics = parse_metrics(message.document())
        except ResultError as error:
            _LOG.warning("topic=%s ignored: %s", message.topic, error)
            return
        self._keep_metrics(message.topic, metrics)
        rows: dict[float, Document] = {}
        for series in metrics.series:
            for time_s, value in zip(series.time_s, series.values, strict=True):
                rows.setdefault(time_s, {"time_s": time_s})[series.name] = value
        key = (metrics.label.request_uuid, metrics.label.run)
        with self._lock:
            kept = self._runs.setdefault(key, deque(maxlen=_MOST_READINGS))
            self._runs.move_to_end(key)
            last = kept[-1]["time_s"] if kept else -1.0
            kept.extend(rows[time_s] for time_s in sorted(rows) if time_s > last)
            while len(self._runs) > _MOST_RUNS:
                self._runs.popitem(last=False)
        self._tell_of_run(metrics.label.request_uuid, is_last=metrics.final)

    def _keep_metrics(self, topic: str, metrics: Metrics) -> None:
        label = metrics.label
        reading = {one.name: one.values[-1] for one in metrics.series if one.values}
        ends = [one.time_s[-1] for one in metrics.series if one.time_s]
        before = self._messages.get((label.bench_id, "metrics"), {})
        if ends:
            reading = {"time_s": max(ends), **reading}
        elif before.get("run_uuid") == label.run_uuid:  # the last message of a run has no values
            reading = before.get("reading", {})
        said = {"run": label.run, "run_uuid": label.run_uuid, "seq": metrics.seq, "final": metrics.final}
        self._keep(label.bench_id, "metrics", topic, {**said, "reading": reading})

    def _tell_of_run(self, request_uuid: str, *, is_last: bool) -> None:
        """Nobody looks more often than some times a second."""
        now = time.monotonic()
        if is_last or now - self._told_at.get(request_uuid, 0.0) > _SELDOM_S:
            self._told_at = {request_uuid: now}  # of others it is told at once, and seldom are there many
            self._told(f"run {request_uuid}")
