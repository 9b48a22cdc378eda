"""Where a broker is and who asks, from one URL; and which topics a message may be sent to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from twinbench.core.errors import ConfigurationError

__all__ = ["Address", "check_topic"]

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_NOT_IN_TOPICS = re.compile(r"[\s\x00-\x1f\x7f+#]")


@dataclass(frozen=True)
class Address:
    """A broker and the user that asks.

    Attributes:
        tls: Whether the connection is encrypted and the broker proves who it is.
    """

    host: str
    port: int
    tls: bool
    user: str
    password: str = field(repr=False)

    @classmethod
    def from_url(cls, url: str) -> Address:
        """Read ``mqtts://user:password@host:port``.

        Raises:
            ConfigurationError: If it is no such URL; the password is not shown.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            port = 0
        if not port or not parts.hostname:
            shown = re.sub(r"//[^@]*@", "//...@", url)
            raise ConfigurationError(f"{shown!r} is no broker address: write mqtts://user:password@host:port.")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, parts.scheme == "mqtts", user, password)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def check_topic(topic: str) -> None:
    """Refuse a topic that some broker does not take, before it is sent.

    A broker answers such a message by closing the connection, and paho would then send it again for ever.

    Raises:
        ConfigurationError: If it is one.
    """
    if not topic or _NOT_IN_TOPICS.search(topic) or len(topic) > 1000:
        raise ConfigurationError(
            f"Nothing can be published to {topic[:200]!r}: no blanks and no wildcards (+ #) there."
        )
