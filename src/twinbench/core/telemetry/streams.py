"""Streams of messages: their numbers, what is missing of them, and what keeps them until they have arrived."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Protocol

__all__ = ["LARGEST_SEQ", "Document", "Outbox", "SequenceTracker", "message_id"]

LARGEST_SEQ = 2**53 - 1
"""Beyond, JSON readers that use doubles lose count."""

Document = dict[str, Any]


def message_id(run_uuid: str, seq: int) -> str:
    """Identifier of a message of a run."""
    return f"{run_uuid}:{seq}"


class Outbox(Protocol):
    """Messages by stream and sequence number, kept until they are acknowledged."""

    def put(self, stream: str, seq: int, topic: str, payload: Document) -> None:
        """Keep a message; putting it again changes nothing."""

    def pending(self, stream: str, after: int = -1, limit: int = 100) -> list[tuple[int, str, Document]]:
        """Sequence number, topic and payload of what is not acknowledged yet, in order."""

    def acknowledge(self, stream: str, upto: int) -> None:
        """Forget what the receiver has stored."""

    def count(self, stream: str) -> int:
        """How many messages of the stream wait."""


class SequenceTracker:
    """Which messages of a stream have arrived.

    Attributes:
        upto: Highest number before which none is missing; -1 if the first one is.
    """

    def __init__(self, upto: int = -1) -> None:
        self.upto = upto
        self._beyond: set[int] = set()

    def add(self, seq: int) -> bool:
        """Note an arrival; tells whether it is the first of that number."""
        if seq <= self.upto or seq in self._beyond:
            return False
        self._beyond.add(seq)
        while self.upto + 1 in self._beyond:
            self.upto += 1
            self._beyond.discard(self.upto)
        return True

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """First and last number of each run of missing messages."""
        arrived = [self.upto, *sorted(self._beyond)]
        return tuple((a + 1, b - 1) for a, b in pairwise(arrived) if b > a + 1)
