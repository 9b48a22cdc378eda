"""Who did what, and when. The table itself refuses to change or remove a line, whoever asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from twinbench.adapters.postgres.connection import Database

__all__ = ["AuditLog"]


class AuditLog:
    """The table of what people did."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, actor: str, action: str, subject: str, details: Mapping[str, Any], *, at: datetime) -> None:
        """Write a line."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "INSERT INTO audit_log (at, actor, action, subject, details) VALUES (%s, %s, %s, %s, %s)",
                (at, actor, action, subject, json.dumps(dict(details), default=str)),
            )

    def entries(self, *, subject: str = "", limit: int = 200) -> list[dict[str, Any]]:
        """The newest lines first: ``{at, actor, action, subject, details}``; all subjects' if none is said."""
        condition, values = ("subject = %s", (subject,)) if subject else ("TRUE", ())
        with self._database.transaction() as cursor:
            cursor.execute(
                f"SELECT at, actor, action, subject, details FROM audit_log WHERE {condition} "
                "ORDER BY id DESC LIMIT %s",
                (*values, limit),
            )
            return [dict(row) for row in cursor.fetchall()]
