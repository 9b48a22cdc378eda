"""The outbox of the LIMS: messages to the digital twin, kept until its collector has stored them."""

from __future__ import annotations

import json
from typing import Any

from twinbench.adapters.postgres.connection import Database

__all__ = ["PostgresOutbox"]

_TAKEN = """
    WITH taken AS (DELETE FROM outbox WHERE stream = %s AND seq <= %s RETURNING request_uuid, stored_at)
    INSERT INTO twin_deliveries AS known (request_uuid, messages, stored_at, acknowledged_at)
    SELECT request_uuid, count(*), max(stored_at), now() FROM taken WHERE request_uuid IS NOT NULL GROUP BY request_uuid
    ON CONFLICT (request_uuid) DO UPDATE SET messages = known.messages + excluded.messages,
        stored_at = greatest(known.stored_at, excluded.stored_at), acknowledged_at = excluded.acknowledged_at
"""


class PostgresOutbox:
    """Messages by stream (a run) and sequence number; survives the task, the broker and the twin."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, stream: str, seq: int, topic: str, payload: dict[str, Any]) -> None:
        """Keep a message; putting it again changes nothing."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "INSERT INTO outbox (stream, seq, topic, payload) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (stream, seq) DO NOTHING",
                (stream, seq, topic, json.dumps(payload)),
            )

    def pending(self, stream: str, after: int = -1, limit: int = 100) -> list[tuple[int, str, dict[str, Any]]]:
        """Sequence number, topic and payload of what is not acknowledged yet, in order."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT seq, topic, payload FROM outbox WHERE stream = %s AND seq > %s ORDER BY seq LIMIT %s",
                (stream, after, limit),
            )
            return [(row["seq"], row["topic"], row["payload"]) for row in cursor.fetchall()]

    def acknowledge(self, stream: str, upto: int) -> None:
        """Forget what the collector has stored; that it has is noted for its request."""
        with self._database.transaction() as cursor:
            cursor.execute(_TAKEN, (stream, upto))

    def count(self, stream: str) -> int:
        """How many messages of the stream wait."""
        with self._database.transaction() as cursor:
            cursor.execute("SELECT count(*) AS waiting FROM outbox WHERE stream = %s", (stream,))
            return int(cursor.fetchall()[0]["waiting"])
