"""What digital twins were asked, have sent and were sent: from requests, their history, the outbox and deliveries."""

from __future__ import annotations

from typing import Any

from twinbench.adapters.postgres.connection import Database
from twinbench.core.access import RequestScope

__all__ = ["TwinBooks"]

_SEEN = """(%(everything)s OR s.twin = ANY(%(twins)s) OR (%(person)s <> '' AND r.submitted_by = %(person)s))"""
_OF = "r.request_number, r.uuid::text AS uuid, s.twin, r.status::text AS status"
_BUNDLES = f"""
    SELECT {_OF}, r.simulation_folder, h.at AS forwarded_at, r.fmu_ready_at
    FROM request_history h JOIN test_requests r ON r.uuid = h.request_uuid
        JOIN request_subjects s ON s.id = r.subject_id
    WHERE h.status = 'forwarded' AND {_SEEN} AND NOT EXISTS (
        SELECT FROM request_history later
        WHERE later.request_uuid = h.request_uuid AND later.status = 'forwarded' AND later.at > h.at)
    ORDER BY h.at DESC LIMIT %(limit)s
"""
_WAITING = f"""
    SELECT {_OF}, waiting.messages, waiting.since, waiting.newest FROM (
        SELECT request_uuid, count(*) AS messages, min(stored_at) AS since, max(stored_at) AS newest
        FROM outbox WHERE request_uuid IS NOT NULL GROUP BY request_uuid
    ) waiting JOIN test_requests r ON r.uuid = waiting.request_uuid JOIN request_subjects s ON s.id = r.subject_id
    WHERE {_SEEN} ORDER BY waiting.since
"""
_TWINS = "(SELECT DISTINCT twin FROM request_subjects) t CROSS JOIN LATERAL"
_DELIVERIES = f"""
    SELECT t.twin, last.* FROM {_TWINS} (
        SELECT r.request_number, d.messages, d.stored_at, d.acknowledged_at
        FROM twin_deliveries d JOIN test_requests r ON r.uuid = d.request_uuid
            JOIN request_subjects s ON s.id = r.subject_id
        WHERE s.twin = t.twin AND {_SEEN} ORDER BY d.acknowledged_at DESC LIMIT 1
    ) last ORDER BY t.twin
"""
_LAST = f"""
    SELECT t.twin, last.* FROM {_TWINS} (
        SELECT r.request_number, r.fmu_ready_at FROM test_requests r JOIN request_subjects s ON s.id = r.subject_id
        WHERE s.twin = t.twin AND r.fmu_ready_at IS NOT NULL AND {_SEEN} ORDER BY r.fmu_ready_at DESC LIMIT 1
    ) last ORDER BY t.twin
"""


class TwinBooks:
    """The account of the digital twins."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def bundles(self, scope: RequestScope, *, limit: int = 25) -> list[dict[str, Any]]:
        """Requests that a twin has taken on, the newest first."""
        return self._found(_BUNDLES, scope, limit)

    def waiting(self, scope: RequestScope) -> list[dict[str, Any]]:
        """Metrics messages that a twin has not acknowledged, by request, the longest waiting first."""
        return self._found(_WAITING, scope)

    def deliveries(self, scope: RequestScope) -> list[dict[str, Any]]:
        """What each twin has acknowledged last."""
        return self._found(_DELIVERIES, scope)

    def last_bundles(self, scope: RequestScope) -> list[dict[str, Any]]:
        """The last bundle of each twin that passed its check."""
        return self._found(_LAST, scope)

    def _found(self, question: str, scope: RequestScope, limit: int = 0) -> list[dict[str, Any]]:
        values = {"everything": scope.everything, "twins": list(scope.twins), "person": scope.person, "limit": limit}
        with self._database.transaction() as cursor:
            cursor.execute(question, values)
            return [dict(row) for row in cursor.fetchall()]
