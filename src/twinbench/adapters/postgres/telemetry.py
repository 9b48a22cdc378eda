"""What physical benches have measured, message by message, until the run's result file is written from it."""

from __future__ import annotations

import json
from typing import Any

from twinbench.adapters.postgres.connection import Database

__all__ = ["Telemetry"]


class Telemetry:
    """Telemetry messages by run and sequence number; storing one twice has the effect of once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, run_uuid: str, seq: int, message: dict[str, Any]) -> int:
        """Keep a message; returns the highest sequence number up to which none is missing (-1 if the first is)."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "INSERT INTO bench_telemetry (run_uuid, seq, message) VALUES (%s, %s, %s) "
                "ON CONFLICT (run_uuid, seq) DO NOTHING",
                (run_uuid, seq, json.dumps(message)),
            )
            cursor.execute(
                """SELECT coalesce(max(seq), -1) AS upto FROM (
                       SELECT seq, row_number() OVER (ORDER BY seq) - 1 AS place
                       FROM bench_telemetry WHERE run_uuid = %s) numbered
                   WHERE seq = place""",
                (run_uuid,),
            )
            return int(cursor.fetchall()[0]["upto"])

    def messages(self, run_uuid: str) -> list[dict[str, Any]]:
        """All messages of a run, in sequence."""
        with self._database.transaction() as cursor:
            cursor.execute("SELECT message FROM bench_telemetry WHERE run_uuid = %s ORDER BY seq", (run_uuid,))
            return [row["message"] for row in cursor.fetchall()]
