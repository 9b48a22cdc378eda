"""Test requests and their history in the LIMS database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg2.errors import UniqueViolation

from twinbench.adapters.postgres.request_search import COLUMNS, OF_REQUESTS, RequestSearch
from twinbench.core.errors import ConflictError, UnknownError
from twinbench.core.request import RequestState
from twinbench.core.request_query import title_of, words_of

__all__ = ["Requests"]

_STAGE_TIMES: Mapping[str, str] = {
    RequestState.MODELS_RECEIVED: "fmu_ready_at",
    RequestState.DESIGNED: "doe_complete_at",
    RequestState.PLANNED: "schedule_ready_at",
    RequestState.RUNNING: "simulation_started_at",
    RequestState.EVALUATED: "simulation_complete_at",
    RequestState.COMPLETED: "completed_at",
    RequestState.FAILED: "failed_at",
}
_EVERYTHING = f"""{COLUMNS}, r.document, r.simulation_folder, r.fmu_blob_path, r.simulation_results_path,
    r.test_metrics_json, r.idempotency_key, r.uut_serial"""
_SUBJECT = """
    INSERT INTO request_subjects (twin, uut, use_case, standard, test_name, test_bench, words)
    VALUES (%(twin)s, %(uut)s, %(use_case)s, %(standard)s, %(test_name)s, %(test_bench)s,
            array_to_tsvector(%(subject_words)s)) ON CONFLICT DO NOTHING
"""
_PERSON = """
    INSERT INTO request_people (requester_id, requester_name, submitted_by, words)
    VALUES (%(requester_id)s, %(requester_name)s, %(submitted_by)s, array_to_tsvector(%(person_words)s))
    ON CONFLICT DO NOTHING
"""
_REQUEST = """
    INSERT INTO test_requests (uuid, requester_id, requester_name, preferred_date, document, status, simulation_folder,
        created_at, updated_at, title, words, submitted_by, idempotency_key, workflow_id, uut_serial, subject_id,
        person_id, uut_id_id, use_case_id, standard_id, test_id)
    SELECT %(uuid)s, %(requester_id)s, %(requester_name)s, %(preferred_date)s, %(document)s, %(status)s, %(folder)s,
        %(at)s, %(at)s, %(title)s, %(words)s, %(submitted_by)s, %(key)s, %(workflow_id)s, %(uut_serial)s, s.id,
        p.id, (SELECT id FROM uut_ids WHERE code = %(uut)s), (SELECT id FROM use_cases WHERE name = %(use_case)s),
        (SELECT id FROM relevant_standards WHERE code = %(standard)s),
        (SELECT id FROM test_names WHERE code = %(test_name)s)
    FROM request_subjects s, request_people p
    WHERE (s.test_name, s.standard, s.uut, s.use_case, s.test_bench, s.twin)
            = (%(test_name)s, %(standard)s, %(uut)s, %(use_case)s, %(test_bench)s, %(twin)s)
        AND (p.submitted_by, p.requester_id, p.requester_name)
            = (%(submitted_by)s, %(requester_id)s, %(requester_name)s)
    ON CONFLICT (uuid) DO NOTHING
"""


class Requests(RequestSearch):
    """The table of requests; every change of state is kept with its time, its reason and who made it."""

    def save(
        self,
        request_uuid: str,
        document: dict[str, Any],
        *,
        folder: str,
        status: str,
        at: datetime,
        submitted_by: str = "",
        idempotency_key: str | None = None,
        twin: str = "",
        workflow_id: str = "",
    ) -> str:
        """Keep a request; saving it again changes nothing, but tells the run that carries it if that was not known.

        Returns:
            Its number.

        Raises:
            ConflictError: If the same person gave another request the same idempotency key.
        """
        more = {"folder": folder, "status": status, "at": at, "twin": twin, "submitted_by": submitted_by}
        values = {**_values(document), **more, "uuid": request_uuid, "key": idempotency_key}
        values["workflow_id"] = workflow_id or None
        try:
            with self._database.transaction() as cursor:
                cursor.execute(_SUBJECT, values)
                cursor.execute(_PERSON, values)
                cursor.execute(_REQUEST, values)
                if cursor.rowcount:
                    self._note(cursor, request_uuid, status, at, "", submitted_by)
                elif workflow_id:
                    cursor.execute(
                        "UPDATE test_requests SET workflow_id = %(workflow_id)s "
                        "WHERE uuid = %(uuid)s AND workflow_id IS NULL",
                        values,
                    )
                cursor.execute("SELECT request_number FROM test_requests WHERE uuid = %s", (request_uuid,))
                return str(cursor.fetchall()[0]["request_number"])
        except UniqueViolation as error:
            raise ConflictError(
                f"The idempotency key {idempotency_key!r} was used by {submitted_by} for another request: "
                "use another key for another request."
            ) from error

    def set_status(self, request_uuid: str, status: str, *, at: datetime, reason: str = "", actor: str = "") -> None:
        """Move a request to another state; what was cancelled stays so, whatever its run still does.

        Raises:
            ConflictError: If a completed request shall be cancelled.
        """
        times = [f"{column} = NULL" for column in ("completed_at", "failed_at") if column != _STAGE_TIMES.get(status)]
        if status == RequestState.RUNNING:
            times.append("simulation_started_at = coalesce(simulation_started_at, %(at)s)")
        elif status in _STAGE_TIMES:
            times.append(f"{_STAGE_TIMES[status]} = %(at)s")
        values = {"status": status, "at": at, "reason": reason or None, "uuid": request_uuid}
        with self._database.transaction() as cursor:
            cursor.execute("SELECT status FROM test_requests WHERE uuid = %(uuid)s FOR UPDATE", values)
            found = cursor.fetchone()
            if found is None or found["status"] in (status, RequestState.CANCELLED):
                return
            if (found["status"], status) == (RequestState.COMPLETED, RequestState.CANCELLED):
                raise ConflictError(f"Request {request_uuid} is completed: it cannot be cancelled any more.")
            cursor.execute(
                f"""UPDATE test_requests SET status = %(status)s, failure = %(reason)s,
                        updated_at = greatest(created_at, %(at)s), {", ".join(times)} WHERE uuid = %(uuid)s""",
                values,
            )
            self._note(cursor, request_uuid, status, at, reason, actor)

    def set_progress(self, request_uuid: str, percent: int) -> None:
        """Say how much of the request's runs is done."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE test_requests SET simulation_progress = %(percent)s "
                "WHERE uuid = %(uuid)s AND simulation_progress <> %(percent)s",
                {"percent": percent, "uuid": request_uuid},
            )

    def set_results(self, request_uuid: str, *, metrics: Mapping[str, Any], results_path: str, fmu_path: str) -> None:
        """Say what came of a request, and where its results and models lie."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE test_requests SET test_metrics_json = %s, simulation_results_path = %s, fmu_blob_path = %s "
                "WHERE uuid = %s",
                (_storable(metrics), results_path, fmu_path, request_uuid),
            )

    def get(self, request_uuid: str) -> dict[str, Any]:
        """One request with its document, state and folder.

        Raises:
            UnknownError: If there is none.
        """
        found = self._one("r.uuid = %s", _as_uuid(request_uuid))
        if found is None:
            raise UnknownError(f"Request {request_uuid} is unknown: see `twinbench request list`.")
        return found

    def by_number(self, number: str) -> dict[str, Any]:
        """One request by its number, such as ``TR-000042``.

        Raises:
            UnknownError: If there is none.
        """
        found = self._one("r.request_number = %s", number)
        if found is None:
            raise UnknownError(f"There is no request {number}: see the list of requests.")
        return found

    def in_state(self, status: str) -> list[dict[str, Any]]:
        """All requests in a state, the oldest first."""
        with self._database.transaction() as cursor:
            cursor.execute(f"SELECT {_EVERYTHING} FROM {OF_REQUESTS} WHERE r.status = %s ORDER BY r.id", (status,))
            return [dict(row) for row in cursor.fetchall()]

    def those(self, request_uuids: Sequence[str]) -> list[dict[str, Any]]:
        """The requests of these UUIDs that there are, the oldest first."""
        with self._database.transaction() as cursor:
            cursor.execute(
                f"SELECT {_EVERYTHING} FROM {OF_REQUESTS} WHERE r.uuid = ANY(%s::uuid[]) ORDER BY r.id",
                (list(request_uuids),),
            )
            return [dict(row) for row in cursor.fetchall()]

    def by_key(self, submitted_by: str, key: str) -> dict[str, Any] | None:
        """The request that a person submitted with an idempotency key; None if there is none."""
        return self._one("r.submitted_by = %s AND r.idempotency_key = %s", submitted_by, key)

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """The newest requests first."""
        with self._database.transaction() as cursor:
            cursor.execute(f"SELECT {_EVERYTHING} FROM {OF_REQUESTS} ORDER BY r.id DESC LIMIT %s", (limit,))
            return [dict(row) for row in cursor.fetchall()]

    def history(self, request_uuid: str) -> list[dict[str, Any]]:
        """The states a request went through, in order: ``{at, status, reason, actor}``."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT at, status, reason, actor FROM request_history WHERE request_uuid = %s ORDER BY at, id",
                (_as_uuid(request_uuid),),
            )
            return [dict(row) for row in cursor.fetchall()]

    def _one(self, condition: str, *values: str | None) -> dict[str, Any] | None:
        with self._database.transaction() as cursor:
            cursor.execute(f"SELECT {_EVERYTHING} FROM {OF_REQUESTS} WHERE {condition}", values)
            row = cursor.fetchone()
        return None if row is None else dict(row)

    @staticmethod
    def _note(cursor: Any, request_uuid: str, status: str, at: datetime, reason: str, actor: str) -> None:
        cursor.execute(
            "INSERT INTO request_history (request_uuid, at, status, reason, actor) VALUES (%s, %s, %s, %s, %s)",
            (request_uuid, at, status, reason, actor),
        )


def _values(document: Mapping[str, Any]) -> dict[str, Any]:
    """What columns take of a document."""
    standing = (document["standard"], f"{document['test_name']} on {document['uut']}")
    person = (document["requester_name"], document["requester_id"])
    names = ("requester_id", "requester_name", "preferred_date", "uut", "use_case", "standard", "test_name")
    return {
        **{name: document[name] for name in names},
        "test_bench": document.get("test_bench") or "Virtual",
        "uut_serial": document.get("uut_serial"),
        "document": json.dumps(document),
        "title": title_of(document),
        "subject_words": list(words_of(*standing)),
        "person_words": list(words_of(*person)),
        "words": " ".join(words_of(str(document.get("title") or ""))),
    }


def _as_uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _storable(document: Mapping[str, Any]) -> str:
    """As JSON proper: what is no number (NaN) or without bound is null."""
    return json.dumps(json.loads(json.dumps(document), parse_constant=lambda _: None))
