"""The outbox of a program with a disk of its own (a bench agent): messages in one SQLite file until acknowledged.

It survives the end of the program at any moment. A power cut may cost the last messages; the file stays sound.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from twinbench.core.errors import ConfigurationError

__all__ = ["SqliteOutbox"]

_TABLE = """
CREATE TABLE IF NOT EXISTS outbox (
    stream TEXT NOT NULL, seq INTEGER NOT NULL, topic TEXT NOT NULL, payload TEXT NOT NULL, PRIMARY KEY (stream, seq)
) WITHOUT ROWID
"""


class SqliteOutbox:
    """Messages by stream and sequence number; may be used from several threads.

    Args:
        path: The file; made if need be.

    Raises:
        ConfigurationError: If it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(path, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute(_TABLE)
        except sqlite3.Error as error:
            raise ConfigurationError(f"The outbox {path} cannot be opened: {error}. Is its folder writable?") from error

    def put(self, stream: str, seq: int, topic: str, payload: dict[str, Any]) -> None:
        """Keep a message; putting it again changes nothing."""
        self._change(
            # not INSERT OR IGNORE: that would also swallow a missing value
            "INSERT INTO outbox (stream, seq, topic, payload) VALUES (?, ?, ?, ?) ON CONFLICT (stream, seq) DO NOTHING",
            (stream, seq, topic, json.dumps(payload)),
        )

    def pending(self, stream: str, after: int = -1, limit: int = 100) -> list[tuple[int, str, dict[str, Any]]]:
        """Sequence number, topic and payload of what is not acknowledged yet, in order."""
        rows = self._ask(
            "SELECT seq, topic, payload FROM outbox WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ?",
            (stream, after, limit),
        )
        return [(seq, topic, json.loads(payload)) for seq, topic, payload in rows]

    def acknowledge(self, stream: str, upto: int) -> None:
        """Forget what the receiver has stored."""
        self._change("DELETE FROM outbox WHERE stream = ? AND seq <= ?", (stream, upto))

    def count(self, stream: str) -> int:
        """How many messages of the stream wait."""
        return int(self._ask("SELECT count(*) FROM outbox WHERE stream = ?", (stream,))[0][0])

    def streams(self) -> list[str]:
        """The streams of which messages wait."""
        return [stream for (stream,) in self._ask("SELECT DISTINCT stream FROM outbox ORDER BY stream", ())]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _change(self, statement: str, values: tuple[object, ...]) -> None:
        with self._lock, self._database:
            self._database.execute(statement, values)

    def _ask(self, statement: str, values: tuple[object, ...]) -> list[Any]:
        with self._lock, closing(self._database.execute(statement, values)) as cursor:
            return cursor.fetchall()
