"""Messages as they travel: JSON objects on topics, in both directions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twinbench.core.errors import ResultError

__all__ = ["LARGEST_PAYLOAD_BYTES", "Handler", "Message", "encoded"]

LARGEST_PAYLOAD_BYTES = 512 * 1024
"""Brokers close the connection at what is too large for them (NATS: 1 MiB), and paho would send it again for ever."""


@dataclass(frozen=True)
class Message:
    """A message that arrived.

    Attributes:
        retained: Whether it was said before this client subscribed.
    """

    topic: str
    payload: bytes
    retained: bool = False

    def document(self) -> dict[str, Any]:
        """The payload as a JSON object.

        Raises:
            ResultError: If it is none.
        """
        try:
            document = json.loads(self.payload)
        except (ValueError, RecursionError) as error:
            raise ResultError(f"The message on {self.topic} is no JSON: {error}.") from error
        if not isinstance(document, dict):
            raise ResultError(f"The message on {self.topic} is no JSON object but {type(document).__name__}.")
        return document


Handler = Callable[[Message], None]


def encoded(payload: Mapping[str, Any]) -> bytes:
    """A JSON object as it is sent.

    Raises:
        ResultError: If it holds what JSON has not (NaN, say), or is too large.
    """
    try:
        data = json.dumps(payload, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise ResultError(f"A message is no JSON: {error}. Leave invalid values out.") from error
    if len(data) > LARGEST_PAYLOAD_BYTES:
        raise ResultError(f"A message has {len(data)} bytes, {LARGEST_PAYLOAD_BYTES} are the most: split it.")
    return data
