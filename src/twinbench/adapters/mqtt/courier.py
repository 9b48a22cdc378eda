"""Sends the messages of streams so that each arrives, whatever dies on the way.

A message is put into the outbox first and leaves it when its *receiver* has acknowledged it; the broker's word is not
enough. At most :data:`AHEAD` messages of a stream are on their way to the receiver, so a receiver that is away leaves
the rest waiting in the outbox and not in the broker. What is not acknowledged for a while is sent again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from twinbench.adapters.mqtt.address import check_topic
from twinbench.adapters.mqtt.message import encoded
from twinbench.core.errors import LabError
from twinbench.core.telemetry import LARGEST_SEQ, Outbox

__all__ = ["AHEAD", "Courier"]

log = logging.getLogger(__name__)

AHEAD = 64
_AT_ONCE = 16
_POST_TIMEOUT_S = 2.0
_PAUSE_S = 0.5
_LONGEST_PATIENCE_S = 60.0


class Sender(Protocol):
    """What a courier needs of an :class:`~twinbench.adapters.mqtt.MqttClient`."""

    def post(self, topic: str, payload: Mapping[str, Any], *, qos: int, timeout_s: float) -> object:
        """Hand a message over."""


@dataclass
class _Stream:
    """How far a stream is.

    Attributes:
        patience_s: How long to wait for an acknowledgement.
        sent: Highest number that was handed to the client; set back to send again from there.
        reached: Highest number that was ever handed to it.
        acknowledged: Highest number that the receiver has said it has.
        forgotten: The same, as far as the outbox has been told.
        puts: How often something was put into the outbox.
        waits: Whether the outbox may hold messages beyond *sent*.
        is_doubtful: Whether what was sent may be lost, because the connection was.
        moved_s: When something last went on.
    """

    patience_s: float
    sent: int = -1
    reached: int = -1
    acknowledged: int = -1
    forgotten: int = -1
    puts: int = 0
    waits: bool = True
    is_doubtful: bool = False
    moved_s: float = field(default_factory=time.monotonic)

    @property
    def is_idle(self) -> bool:
        return not self.waits and self.sent <= self.acknowledged == self.forgotten


class Courier:
    """A sender of streams, with a thread of its own; close it, or leave its ``with`` block, when done.

    Args:
        client: Where messages go.
        outbox: Where they are kept until they are acknowledged.
        streams: Streams that may have messages left from before.
        resend_after_s: How long to wait for an acknowledgement before sending again; doubled each time in vain.
        qos: Quality of service towards the broker.
    """

    def __init__(
        self, client: Sender, outbox: Outbox, *, streams: Iterable[str] = (), resend_after_s: float = 10.0, qos: int = 2
    ) -> None:
        self._client, self._outbox = client, outbox
        self._resend_after_s, self._qos = resend_after_s, qos
        self._changed = threading.Condition()  # never held while calling the client or the outbox
        self._streams = {stream: _Stream(resend_after_s) for stream in streams}
        self._has_news = self._stopped = False
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    def __enter__(self) -> Courier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, stream: str, seq: int, topic: str, payload: dict[str, Any]) -> None:
        """Keep a message in the outbox and have it sent; nothing happens if it was acknowledged before.

        Raises:
            ConfigurationError: If nothing can be published to that topic.
            ResultError: If the payload is no JSON or too large.
        """
        check_topic(topic)
        encoded(payload)
        with self._changed:
            if stream in self._streams and seq <= self._streams[stream].acknowledged:
                return
        self._outbox.put(stream, seq, topic, payload)
        with self._changed:
            known = self._streams.setdefault(stream, _Stream(self._resend_after_s))
            known.puts, known.waits = known.puts + 1, True
            self._tell()

    def acknowledge(self, stream: str, upto: int) -> None:
        """The receiver has all messages of the stream up to this one; other couriers' streams are ignored."""
        with self._changed:
            known = self._streams.get(stream)
            if known and min(upto, known.reached) > known.acknowledged:  # what was not sent cannot have been received
                known.acknowledged = min(upto, known.reached)
                known.sent = max(known.sent, known.acknowledged)
                known.moved_s, known.patience_s = time.monotonic(), self._resend_after_s
                self._tell()

    def send_again(self) -> None:
        """The connection was lost and is back: send what is not acknowledged now, and not when patience is."""
        with self._changed:
            for stream in self._streams.values():
                stream.is_doubtful = True
            self._tell()

    def discard(self, stream: str) -> None:
        """Forget a stream with all its messages; it may begin anew."""
        with self._changed:
            self._streams.pop(stream, None)
        self._outbox.acknowledge(stream, LARGEST_SEQ)

    def flush(self, timeout_s: float, streams: Collection[str] | None = None) -> int:
        """Wait until every message (of these streams) is acknowledged; returns how many are not in time."""

        def unsettled() -> list[str]:
            wanted = self._streams if streams is None else self._streams.keys() & streams
            return [name for name in wanted if not self._streams[name].is_idle]

        with self._changed:
            self._changed.wait_for(lambda: not unsettled(), timeout_s)
            left = unsettled()
        return sum(self._outbox.count(name) for name in left)

    def close(self) -> None:
        """Stop sending; what is not acknowledged stays in the outbox."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _tell(self) -> None:
        self._has_news = True
        self._changed.notify_all()

    # The courier's own thread.

    def _run(self) -> None:
        while not self._stopped:
            with self._changed:
                self._has_news = False
                busy = {name: stream for name, stream in self._streams.items() if not stream.is_idle}
            went_on = False
            for name, stream in busy.items():
                went_on |= self._attend(name, stream)
            with self._changed:
                self._changed.wait_for(lambda: self._has_news or self._stopped, 0 if went_on else _PAUSE_S)

    def _attend(self, name: str, stream: _Stream) -> bool:
        """Do what is due for a stream; whether there was anything."""
        try:
            forgot = self._forget(name, stream)
            self._lose_patience(name, stream)
            return self._send_next(name, stream) or forgot
        except LabError as error:
            log.warning("stream=%s waits: %s", name, error)
        except Exception:
            log.exception("stream=%s waits", name)
        with self._changed:
            stream.waits = True
        return False

    def _forget(self, name: str, stream: _Stream) -> bool:
        upto = stream.acknowledged
        if upto == stream.forgotten:
            return False
        self._outbox.acknowledge(name, upto)
        with self._changed:
            stream.forgotten = upto
            self._changed.notify_all()
        return True

    def _lose_patience(self, name: str, stream: _Stream) -> None:
        with self._changed:
            now = time.monotonic()
            if stream.is_doubtful:  # set back here, on the courier's thread: it may be amid its sending
                stream.sent, stream.moved_s, stream.waits = stream.acknowledged, now, True
                stream.is_doubtful = False
            if stream.sent <= stream.acknowledged or now - stream.moved_s < stream.patience_s:
                return
            log.info("stream=%s not acknowledged since=%d, sent again", name, stream.acknowledged + 1)
            stream.sent, stream.moved_s, stream.waits = stream.acknowledged, now, True
            stream.patience_s = min(2 * stream.patience_s, _LONGEST_PATIENCE_S)

    def _send_next(self, name: str, stream: _Stream) -> bool:
        with self._changed:
            sent, room, puts = stream.sent, AHEAD - (stream.sent - stream.acknowledged), stream.puts
            if not stream.waits or room <= 0:
                return False
        rows = self._outbox.pending(name, sent, min(room, _AT_ONCE))
        for seq, topic, payload in rows:
            before = self._note_sent(stream, seq)
            try:
                self._client.post(topic, payload, qos=self._qos, timeout_s=_POST_TIMEOUT_S)
            except BaseException:
                with self._changed:
                    stream.sent = max(before, stream.acknowledged)
                raise
        with self._changed:
            stream.waits = bool(rows) or stream.puts != puts or stream.sent != sent
            self._changed.notify_all()
        return bool(rows)

    def _note_sent(self, stream: _Stream, seq: int) -> int:
        """Count a message as sent, before it is: its acknowledgement may be quick. Returns what was counted before."""
        with self._changed:
            if stream.sent <= stream.acknowledged:
                stream.moved_s = time.monotonic()
            if stream.sent == stream.acknowledged == -1:  # what came before the first that waits was taken earlier
                stream.sent = stream.acknowledged = stream.forgotten = seq - 1
            before, stream.sent = stream.sent, max(stream.sent, seq)
            stream.reached = max(stream.reached, stream.sent)
            return before
