"""Test requests and their history in the LIMS database."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from twinbench.adapters.postgres.connection import Database
from twinbench.core.errors import RequestError

__all__ = ["Requests"]


class Requests:
    """The table of requests; every change of state is kept with its time and reason."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, request_uuid: str, document: dict[str, Any], *, folder: str, status: str, at: datetime) -> str:
        """Keep a request; saving it again changes nothing. Returns its number."""
        with self._database.transaction() as cursor:
            cursor.execute(
                """INSERT INTO test_requests (uuid, requester_id, requester_name, preferred_date, document, status,
                                              simulation_folder, created_at, updated_at)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (uuid) DO NOTHING""",
                (
                    request_uuid,
                    document["requester_id"],
                    document["requester_name"],
                    document["preferred_date"],
                    json.dumps(document),
                    status,
                    folder,
                    at,
                    at,
                ),
            )
            if cursor.rowcount:
                self._note(cursor, request_uuid, status, at, "")
            cursor.execute("SELECT request_number FROM test_requests WHERE uuid = %s", (request_uuid,))
            return str(cursor.fetchall()[0]["request_number"])

    def set_status(self, request_uuid: str, status: str, *, at: datetime, reason: str = "") -> None:
        """Move a request to another state; a failure's reason is shown on its page."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE test_requests SET status = %s, updated_at = %s, failure = %s WHERE uuid = %s AND status <> %s",
                (status, at, reason or None, request_uuid, status),
            )
            if cursor.rowcount:
                self._note(cursor, request_uuid, status, at, reason)

    def set_progress(self, request_uuid: str, percent: int) -> None:
        """Say how much of the request's runs is done."""
        with self._database.transaction() as cursor:
            cursor.execute("UPDATE test_requests SET simulation_progress = %s WHERE uuid = %s", (percent, request_uuid))

    def get(self, request_uuid: str) -> dict[str, Any]:
        """One request with its document, state and folder.

        Raises:
            RequestError: If it is unknown.
        """
        with self._database.transaction() as cursor:
            cursor.execute("SELECT * FROM test_requests WHERE uuid = %s", (request_uuid,))
            row = cursor.fetchone()
        if row is None:
            raise RequestError(f"Request {request_uuid} is unknown: see `twinbench request list`.")
        return dict(row)

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """The newest requests first."""
        with self._database.transaction() as cursor:
            cursor.execute("SELECT * FROM test_requests ORDER BY id DESC LIMIT %s", (limit,))
            return [dict(row) for row in cursor.fetchall()]

    def history(self, request_uuid: str) -> list[dict[str, Any]]:
        """The states a request went through, in order."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT at, status, reason FROM request_history WHERE request_uuid = %s ORDER BY at", (request_uuid,)
            )
            return [dict(row) for row in cursor.fetchall()]

    @staticmethod
    def _note(cursor: Any, request_uuid: str, status: str, at: datetime, reason: str) -> None:
        cursor.execute(
            "INSERT INTO request_history (request_uuid, at, status, reason) VALUES (%s, %s, %s, %s)",
            (request_uuid, at, status, reason),
        )
