"""The data collector: metrics messages from the broker into the store, then an acknowledgement to the sender.

Committed first, acknowledged then; so whatever dies in between, the sender sends again, and what is there already is
dropped by its ``message_id``. Messages are stored in batches: the busier, the larger.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from twinbench.adapters.mqtt import Message, MqttClient
from twinbench.core import topics
from twinbench.core.errors import LabError, ResultError, UnreachableError
from twinbench.core.telemetry import LARGEST_SEQ, Metrics, parse_metrics
from twinbench.twin.store import Progress, Rejected, TwinStore

__all__ = ["Collector"]

log = logging.getLogger(__name__)

_LARGEST_BATCH = 200
_MOST_WAITING = 2000
_POST_TIMEOUT_S = 2.0
_RETRY_S = 1.0
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Collector:
    """Stores what it is handed, on a thread of its own.

    Args:
        store: Where messages are kept.
        client: Where acknowledgements go.
        metrics_topic: The topic whose messages they acknowledge.
    """

    def __init__(self, store: TwinStore, client: MqttClient, *, metrics_topic: str) -> None:
        self._store, self._client, self._metrics_topic = store, client, metrics_topic
        self._waiting: queue.Queue[Message | None] = queue.Queue(_MOST_WAITING)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)

    def start(self) -> None:
        """Begin to store."""
        self._thread.start()

    def take(self, message: Message) -> None:
        """Handle a message; waits while too many are not stored yet."""
        self._waiting.put(message)

    def stop(self) -> None:
        """End; what is not stored was not acknowledged and will be sent again."""
        self._stopped.set()
        while self._thread.is_alive():
            try:
                self._waiting.put(None, timeout=0.1)
            except queue.Full:
                continue
            self._thread.join(_POST_TIMEOUT_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            batch = self._next_batch()
            try:
                self._store_batch(batch)
            except Exception:
                log.exception("collector: a batch of %d messages is left to be sent again", len(batch))

    def _next_batch(self) -> list[Message]:
        batch = [self._waiting.get()]
        while len(batch) < _LARGEST_BATCH:
            try:
                batch.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return [message for message in batch if message is not None]

    def _store_batch(self, batch: Sequence[Message]) -> None:
        metrics, rejected = _sorted_out(batch)
        while not self._stopped.is_set():
            try:
                self._acknowledge(self._store.keep(metrics, rejected))
            except UnreachableError as error:
                log.warning("collector waits: %s", error)
                self._stopped.wait(_RETRY_S)
            except ResultError as error:
                if len(batch) > 1:
                    for message in batch:  # one of them is at fault, the others are not
                        self._store_batch([message])
                    return
                metrics, rejected = [], [Rejected(batch[0].topic, batch[0].payload, str(error), _place(batch[0]))]
            else:
                return

    def _acknowledge(self, runs: Sequence[Progress]) -> None:
        for progress in runs:
            topic = topics.metrics_ack(progress.run_uuid, metrics=self._metrics_topic)
            try:
                self._client.post(topic, asdict(progress), qos=1, timeout_s=_POST_TIMEOUT_S)
            except LabError as error:  # the sender will send again and be acknowledged then
                log.warning("run=%s not acknowledged: %s", progress.run_uuid, error)


def _sorted_out(batch: Sequence[Message]) -> tuple[list[Metrics], list[Rejected]]:
    metrics, rejected = [], []
    for message in batch:
        try:
            metrics.append(parse_metrics(message.document()))
        except ResultError as error:
            log.warning("rejected a message on %s: %s", message.topic, error)
            rejected.append(Rejected(message.topic, message.payload, str(error), _place(message)))
    return metrics, rejected


def _place(message: Message) -> tuple[str, int] | None:
    """Run and number of a message that is no metrics message, if it has any."""
    try:
        document: dict[str, Any] = message.document()
    except ResultError:
        return None
    run_uuid, seq = document.get("run_uuid"), document.get("seq")
    has_run = isinstance(run_uuid, str) and _UUID.fullmatch(run_uuid)
    has_seq = type(seq) is int and 0 <= seq <= LARGEST_SEQ
    return (str(run_uuid), int(str(seq))) if has_run and has_seq else None
