"""The LIMS on the wire: it asks the digital twin, sends it metrics, and listens to benches."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from twinbench.adapters.mqtt.client import MqttClient, connect
from twinbench.adapters.mqtt.courier import Courier
from twinbench.adapters.mqtt.message import Handler, Message
from twinbench.core import topics
from twinbench.core.errors import ResultError
from twinbench.core.telemetry import Outbox

__all__ = ["LabWire"]

log = logging.getLogger(__name__)

Document = dict[str, Any]

# What the LIMS and a bench say is repeated by its sender until it is answered, so at least once is enough (and paho
# can lose messages of QoS 2 silently after an outage; see docs/adr/0006).
_AT_LEAST_ONCE = 1


class LabWire:
    """Connections to one broker, each made when it is needed and ended after it.

    Args:
        url: Address of the broker, with the user and password of the LIMS.
        ca: File with the broker's certificate authority.
        metrics_topic: Topic of the metrics messages.
        outbox: Keeps metrics messages until the digital twin has acknowledged them.
    """

    def __init__(self, url: str, *, ca: str | None, metrics_topic: str, outbox: Outbox) -> None:
        self._url, self._ca, self.metrics_topic, self._outbox = url, ca, metrics_topic, outbox

    def ask_twin(self, request_uuid: str, message: Document, *, timeout_s: float) -> Document:
        """Forward a request; returns the twin's acknowledgement.

        Raises:
            UnreachableError: If the broker or the twin does not answer.
        """
        with connect(self._url, ca=self._ca, client_id=_client_id("ask")) as client:
            topic, reply = topics.request(request_uuid), topics.request_ack(request_uuid)
            return client.publish_and_await(topic, message, reply, timeout_s=timeout_s)

    @contextmanager
    def courier(self, streams: Sequence[str]) -> Iterator[Courier]:
        """A sender of the metrics of these runs, what is left of them in the outbox included."""
        client = MqttClient(
            self._url, ca=self._ca, client_id=_client_id("metrics"), on_reconnected=lambda: courier.send_again()
        )
        courier = Courier(client, self._outbox, streams=streams)

        def acknowledged(document: Document) -> None:
            run_uuid, upto = document.get("run_uuid"), document.get("upto")
            if isinstance(run_uuid, str) and isinstance(upto, int):
                courier.acknowledge(run_uuid, upto)
            else:
                log.warning("ignored an acknowledgement of %r up to %r", run_uuid, upto)

        for stream in streams:
            topic = topics.metrics_ack(stream, metrics=self.metrics_topic)
            client.subscribe(topic, _reading(acknowledged), qos=_AT_LEAST_ONCE)
        with courier:
            client.open()
            with client:
                yield courier

    def waiting(self, streams: Sequence[str]) -> int:
        """How many metrics messages of these runs the digital twin has not acknowledged."""
        return sum(self._outbox.count(stream) for stream in streams)

    @contextmanager
    def bench(
        self,
        bench: str,
        *,
        on_status: Callable[[Document], None],
        on_event: Callable[[Document], None],
        on_telemetry: Callable[[Document], None],
        on_reconnected: Callable[[], None],
    ) -> Iterator[_Line]:
        """Listen to a bench; handlers run one after another, with what is a JSON object."""
        client = MqttClient(
            self._url, ca=self._ca, client_id=_client_id(f"bench-{bench}"), on_reconnected=on_reconnected
        )
        client.subscribe(topics.bench_events(bench), _reading(on_event), qos=_AT_LEAST_ONCE)
        client.subscribe(topics.bench_telemetry(bench), _reading(on_telemetry), qos=_AT_LEAST_ONCE)
        client.subscribe(topics.bench_status(bench), _reading(on_status), qos=_AT_LEAST_ONCE)
        client.open()
        with client:
            yield _Line(client, topics.bench_commands(bench))


class _Line:
    """The line to one bench."""

    def __init__(self, client: MqttClient, topic: str) -> None:
        self._client, self._topic = client, topic

    def send(self, command: Document) -> None:
        """Send a command; while the broker is away it is kept in memory."""
        self._client.post(self._topic, command, qos=_AT_LEAST_ONCE)


def _client_id(purpose: str) -> str:
    return f"lims-{purpose}-{secrets.token_hex(6)}"


def _reading(handle: Callable[[Document], None]) -> Handler:
    """A handler of messages that are JSON objects; others are logged and ignored."""

    def read(message: Message) -> None:
        try:
            document = message.document()
        except ResultError as error:
            log.warning("topic=%s ignored: %s", message.topic, error)
        else:
            handle(document)

    return read
