"""A client of one broker.

It reconnects and subscribes again by itself, for ever. Handlers run one after another on a thread of their own, outside
paho's locks, so a handler may publish; what it raises is logged and ends nothing.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import paho.mqtt.client as paho

from twinbench.adapters.mqtt.address import Address, check_topic
from twinbench.adapters.mqtt.connection import Will, dial, not_allowed, paho_client, refused, unreachable
from twinbench.adapters.mqtt.message import Handler, Message, encoded
from twinbench.adapters.mqtt.window import Answers, Delivery, Window

__all__ = ["MqttClient", "connect"]

log = logging.getLogger(__name__)

_DEADLINE_S = 10.0
_REFUSED = 0x80


def connect(
    url: str, *, ca: str | None, client_id: str, clean_session: bool = True, will: Will | None = None
) -> MqttClient:
    """An open :class:`MqttClient`; leave its ``with`` block, or close it, to disconnect."""
    client = MqttClient(url, ca=ca, client_id=client_id, clean_session=clean_session, will=will)
    client.open()
    return client


class MqttClient:
    """A client of one broker, not yet connected.

    With a persistent session, subscribe before opening: the broker sends what it has kept as soon as it is connected.

    Args:
        url: ``mqtts://user:password@host:port``; ``mqtt://`` without TLS.
        ca: File with the broker's certificate authority; the system's unless said.
        client_id: Two clients of one id throw each other out.
        clean_session: Otherwise the broker keeps subscriptions and messages while the client is away.
        will: What the broker says when it loses the client.
        on_reconnected: Called, like a handler, when the client is back and hears everything again.

    Raises:
        ConfigurationError: If the address or the authority's file is none.
    """

    def __init__(
        self,
        url: str,
        *,
        ca: str | None,
        client_id: str,
        clean_session: bool = True,
        will: Will | None = None,
        on_reconnected: Callable[[], None] = lambda: None,
    ) -> None:
        self.address = Address.from_url(url)
        self._on_reconnected = on_reconnected
        self._handlers: dict[str, tuple[int, Handler]] = {}
        self._window, self._answers = Window(), Answers()
        self._renewal = 0
        self._first_answer: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._is_open, self._is_up = False, threading.Event()
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._dispatcher = threading.Thread(target=self._dispatch, name=f"mqtt-{client_id}", daemon=True)
        self._paho = paho_client(self.address, ca=ca, client_id=client_id, clean_session=clean_session, will=will)
        self._paho.on_connect, self._paho.on_disconnect = self._connected, self._disconnected
        self._paho.on_message, self._paho.on_subscribe = self._arrived, self._subscribed
        self._paho.on_publish = lambda _client, _data, mid, _reason, _properties: self._window.arrived(mid)

    def __enter__(self) -> MqttClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Connect, and begin the subscriptions made so far. A client that could not be opened is of no further use.

        Raises:
            UnreachableError: If the broker does not answer.
            ConfigurationError: If it refuses the user or a subscription, or its certificate is not to be trusted.
        """
        dial(self._paho, self.address)
        self._paho.loop_start()
        self._dispatcher.start()
        try:
            refusal = self._first_answer.get(timeout=_DEADLINE_S)
            if refusal:
                raise refused(self.address, refusal)
            for topic in list(self._handlers):
                self._begin(topic)
        except BaseException as error:
            self.close()
            if isinstance(error, queue.Empty):
                raise unreachable(self.address, f"it has said nothing for {_DEADLINE_S:g} s") from None
            raise

    def close(self) -> None:
        """Disconnect properly, so that no will is sent, and end the handlers' thread."""
        self._paho.disconnect()
        self._paho.loop_stop()
        self._work.put(None)
        if self._dispatcher.is_alive() and threading.current_thread() is not self._dispatcher:
            self._dispatcher.join(_DEADLINE_S)

    def post(
        self,
        topic: str,
        payload: Mapping[str, Any],
        *,
        qos: int = 2,
        retain: bool = False,
        timeout_s: float = _DEADLINE_S,
    ) -> Delivery:
        """Hand a message over, and wait only if too many are under way; while the broker is away it is kept in memory.

        Raises:
            ConfigurationError: If nothing can be published to that topic.
            ResultError: If the payload is no JSON or too large.
            UnreachableError: If the broker confirms nothing.
        """
        check_topic(topic)
        data = encoded(payload)
        if not self._window.take(timeout_s):
            raise unreachable(self.address, f"it has confirmed nothing for {timeout_s:g} s")
        info = self._paho.publish(topic, data, qos=qos, retain=retain)
        if info.rc and not (qos and info.rc == paho.MQTT_ERR_NO_CONN):  # with QoS, paho queues it all the same
            self._window.give_back()
            raise unreachable(self.address, paho.error_string(info.rc))
        return self._window.sent(info.mid)

    def publish(
        self,
        topic: str,
        payload: Mapping[str, Any],
        *,
        qos: int = 2,
        retain: bool = False,
        timeout_s: float = _DEADLINE_S,
    ) -> None:
        """Publish a JSON object and wait until the broker has it; errors as in :meth:`post`.

        Raises:
            UnreachableError: If the broker does not confirm in time; the message may still arrive later.
        """
        if not self.post(topic, payload, qos=qos, retain=retain, timeout_s=timeout_s).wait(timeout_s):
            raise unreachable(self.address, f"it has not confirmed a message to {topic} within {timeout_s:g} s")

    def subscribe(self, topic: str, handler: Handler, *, qos: int = 2) -> None:
        """Have a handler called for each message on a topic, also after reconnections.

        Raises:
            ConfigurationError: If the broker refuses.
            UnreachableError: If it does not answer.
        """
        self._handlers[topic] = (qos, handler)
        if self._is_open:
            self._begin(topic)

    def _begin(self, topic: str) -> None:
        qos, _ = self._handlers[topic]
        self._is_up.wait(_DEADLINE_S)
        failed, mid = self._paho.subscribe(topic, qos)
        granted = None if failed else self._answers.take(mid, _DEADLINE_S)
        if granted and granted[0] < _REFUSED:
            return
        del self._handlers[topic]
        if not granted:
            raise unreachable(self.address, f"it has not confirmed the subscription to {topic}")
        raise not_allowed(self.address, topic)

    def unsubscribe(self, topic: str) -> None:
        """Call the handler of a topic no more."""
        if self._handlers.pop(topic, None):
            self._paho.unsubscribe(topic)

    def publish_and_await(
        self, topic: str, payload: Mapping[str, Any], reply_topic: str, *, timeout_s: float, qos: int = 2
    ) -> dict[str, Any]:
        """Publish a question and wait for the answer on another topic; not from within a handler.

        Raises:
            UnreachableError: If there is no answer in time.
        """
        replies: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.subscribe(reply_topic, replies.put, qos=qos)
        try:
            self.publish(topic, payload, qos=qos, timeout_s=timeout_s)
            return replies.get(timeout=timeout_s).document()
        except queue.Empty:
            raise unreachable(self.address, f"nobody has answered on {reply_topic} within {timeout_s:g} s") from None
        finally:
            self.unsubscribe(reply_topic)

    # On paho's thread:

    def _connected(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("broker=%s refuses user=%s reason=%s", self.address, self.address.user, reason)
            self._first_answer.put(str(reason))
            return
        self._is_up.set()
        if not self._is_open:
            self._is_open = True
            self._first_answer.put("")
            return
        log.info("broker=%s connected again", self.address)
        wanted = [(topic, qos) for topic, (qos, _) in self._handlers.copy().items()]
        if wanted:
            self._renewal = client.subscribe(wanted)[1]
        else:
            self._work.put(self._on_reconnected)

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._is_up.clear()
        if reason.is_failure:
            log.warning("broker=%s connection lost reason=%s", self.address, reason)

    def _subscribed(self, _client: Any, _data: Any, mid: int, reasons: Any, _properties: Any) -> None:
        codes = [reason.value for reason in reasons]
        if mid != self._renewal:
            self._answers.give(mid, codes)
            return
        if max(codes) >= _REFUSED:
            log.error("broker=%s refuses a subscription that it granted before", self.address)
        self._work.put(self._on_reconnected)

    def _arrived(self, _client: Any, _data: Any, received: Any) -> None:
        message = Message(received.topic, received.payload, bool(received.retain))
        for pattern, (_, handler) in self._handlers.copy().items():
            if paho.topic_matches_sub(pattern, message.topic):
                self._work.put(partial(handler, message))

    def _dispatch(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except Exception:
                log.exception("broker=%s a handler failed", self.address)
