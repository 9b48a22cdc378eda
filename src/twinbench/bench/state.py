"""What an agent must not forget when it ends suddenly: the commands it took and what became of them (SQLite)."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from twinbench.core.errors import ConfigurationError

__all__ = ["AgentState"]

Document = dict[str, Any]

_TABLES = """
CREATE TABLE IF NOT EXISTS command (
    number INTEGER PRIMARY KEY, command_id TEXT NOT NULL UNIQUE, document TEXT NOT NULL, event TEXT
);
CREATE TABLE IF NOT EXISTS measured (
    command_id TEXT NOT NULL, run INTEGER NOT NULL, run_uuid TEXT NOT NULL, last_seq INTEGER NOT NULL,
    row_count INTEGER NOT NULL, stop_reason TEXT NOT NULL, PRIMARY KEY (command_id, run)
);
"""


class AgentState:
    """The agent's memory; may be used from several threads.

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
            self._database.executescript(_TABLES)
        except sqlite3.Error as error:
            raise ConfigurationError(f"The agent's state {path} cannot be opened: {error}.") from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def remember(self, command_id: str, document: Document) -> bool:
        """Keep a command; tells whether it is new."""
        return self._change(
            "INSERT INTO command (command_id, document) VALUES (?, ?) ON CONFLICT (command_id) DO NOTHING",
            (command_id, json.dumps(document)),
        )

    def note_event(self, command_id: str, event: Document) -> None:
        """Keep what became of a command."""
        self._change("UPDATE command SET event = ? WHERE command_id = ?", (json.dumps(event), command_id))

    def last_event(self, command_id: str) -> Document | None:
        """What became of a command last."""
        rows = self._ask("SELECT event FROM command WHERE command_id = ?", (command_id,))
        return json.loads(rows[0][0]) if rows and rows[0][0] else None

    def newest_event(self) -> Document | None:
        """What became last of the start command that was taken last."""
        rows = self._ask(
            "SELECT event FROM command WHERE event IS NOT NULL AND json_extract(document, '$.verb') = 'start' "
            "ORDER BY number DESC LIMIT 1",
            (),
        )
        return json.loads(rows[0][0]) if rows else None

    def unfinished(self) -> list[Document]:
        """Start commands that were taken and have not ended, the oldest first."""
        rows = self._ask(
            "SELECT document FROM command WHERE json_extract(document, '$.verb') = 'start' "
            "AND coalesce(json_extract(event, '$.event'), '') NOT IN ('refused', 'finished', 'failed') ORDER BY number",
            (),
        )
        return [json.loads(document) for (document,) in rows]

    def note_measured(
        self, command_id: str, *, run: int, run_uuid: str, last_seq: int, rows: int, stop_reason: str = ""
    ) -> None:
        """Keep how far a run is."""
        self._change(
            "INSERT INTO measured VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (command_id, run) DO UPDATE SET "
            "last_seq = excluded.last_seq, row_count = excluded.row_count, stop_reason = excluded.stop_reason",
            (command_id, run, run_uuid, last_seq, rows, stop_reason),
        )

    def measured(self, command_id: str) -> list[Document]:
        """How far each run of a command is that was begun."""
        found = self._ask(
            "SELECT run, run_uuid, last_seq, row_count, stop_reason FROM measured WHERE command_id = ? ORDER BY rowid",
            (command_id,),
        )
        names = ("run", "run_uuid", "last_seq", "rows", "stop_reason")
        return [dict(zip(names, row, strict=True)) for row in found]

    def _change(self, statement: str, values: tuple[object, ...]) -> bool:
        with self._lock, self._database:
            return self._database.execute(statement, values).rowcount > 0

    def _ask(self, statement: str, values: tuple[object, ...]) -> list[Any]:
        with self._lock, closing(self._database.execute(statement, values)) as cursor:
            return cursor.fetchall()
