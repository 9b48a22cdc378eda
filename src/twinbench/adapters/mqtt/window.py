"""What is under way between this client and its broker.

After an outage paho sends everything at once that it had queued, and a broker silently drops QoS 2 messages beyond its
own limit (Mosquitto: 20). So no more than :data:`WINDOW` messages are ever handed to paho.

paho reports an arrival while it holds a lock that sending needs too. Nobody may therefore call paho while holding a
lock of this module, and nobody does. It may also report before the sender knows the number it was given.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

__all__ = ["WINDOW", "Answers", "Delivery", "Window"]

WINDOW = 16


class Delivery:
    """A message on its way to the broker."""

    def __init__(self) -> None:
        self._arrived = threading.Event()

    def arrive(self) -> None:
        """The handshake with the broker is complete."""
        self._arrived.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the handshake; tells whether it was complete in time."""
        return self._arrived.wait(timeout_s)


class Window:
    """Slots for messages under way, each free again when its handshake is complete."""

    def __init__(self) -> None:
        self._slots = threading.BoundedSemaphore(WINDOW)
        self._lock = threading.Lock()
        self._under_way: dict[int, Delivery] = {}
        self._early: set[int] = set()

    def take(self, timeout_s: float) -> bool:
        """Wait for a slot; tells whether there was one in time."""
        return self._slots.acquire(timeout=timeout_s)

    def give_back(self) -> None:
        """Free a slot whose message was not sent."""
        self._slots.release()

    def sent(self, mid: int) -> Delivery:
        """Note the number that paho gave the message of a taken slot."""
        delivery = Delivery()
        with self._lock:
            is_early = mid in self._early
            self._early.discard(mid)
            if not is_early:
                self._under_way[mid] = delivery
        if is_early:
            self._complete(delivery)
        return delivery

    def arrived(self, mid: int) -> None:
        """The broker has the message of that number."""
        with self._lock:
            delivery = self._under_way.pop(mid, None)
            if delivery is None:
                self._early.add(mid)
        if delivery is not None:
            self._complete(delivery)

    def _complete(self, delivery: Delivery) -> None:
        delivery.arrive()
        self._slots.release()


class Answers:
    """Answers of the broker to numbered questions."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._given: dict[int, Sequence[int]] = {}

    def give(self, mid: int, answer: Sequence[int]) -> None:
        """Note an answer."""
        with self._changed:
            self._given[mid] = answer
            self._changed.notify_all()

    def take(self, mid: int, timeout_s: float) -> Sequence[int] | None:
        """Wait for the answer to a question; None if there is none in time."""
        with self._changed:
            self._changed.wait_for(lambda: mid in self._given, timeout_s)
            return self._given.pop(mid, None)
