"""Register, catalogue tables, inventory and audit log in memory; the tests of the real ones run on them too.

See tests/adapters/postgres.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from twinbench.core.access import RequestScope
from twinbench.core.catalogue import Catalogue
from twinbench.core.errors import ConflictError, RequestError, UnknownError
from twinbench.core.request import RequestState
from twinbench.core.request_query import RequestPage, RequestQuery, sought_words, title_of, words_of

Document = dict[str, Any]

_STAGE_TIMES = {
    "models-received": "fmu_ready_at",
    "designed": "doe_complete_at",
    "planned": "schedule_ready_at",
    "running": "simulation_started_at",
    "evaluated": "simulation_complete_at",
    "completed": "completed_at",
    "failed": "failed_at",
}
_LATER = ("document", "simulation_folder", "fmu_blob_path", "simulation_results_path", "test_metrics_json")
_NOT_LISTED = (*_LATER, "idempotency_key", "uut_serial")
_FILTERS = ("uut", "use_case", "standard", "test_name", "test_bench")
_KEYS = {
    "created": lambda row: row["created_at"],
    "updated": lambda row: row["updated_at"],
    "preferred": lambda row: row["preferred_date"],
    "status": lambda row: list(RequestState).index(row["status"]),
    "progress": lambda row: row["simulation_progress"],
}


class FakeRegister:
    """The table of requests, in a dictionary.

    Attributes:
        rows: UUID -> row.
        states: States that were set, in order.
        progress: What progress was said.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Document] = {}
        self.states: list[str] = []
        self.progress: list[int] = []
        self._history: dict[str, list[Document]] = {}

    def save(
        self,
        request_uuid: str,
        document: Document,
        *,
        folder: str,
        status: str,
        at: datetime,
        submitted_by: str = "",
        idempotency_key: str | None = None,
        twin: str = "",
        workflow_id: str = "",
    ) -> str:
        if request_uuid in self.rows:
            row = self.rows[request_uuid]
            row["workflow_id"] = row["workflow_id"] or workflow_id or None
            return str(row["request_number"])
        if idempotency_key is not None and self.by_key(submitted_by, idempotency_key):
            raise ConflictError(f"The idempotency key {idempotency_key!r} was used by {submitted_by} already.")
        self.rows[request_uuid] = {
            **_new_row(document, len(self.rows) + 1),
            "uuid": request_uuid,
            "simulation_folder": folder,
            "status": str(status),
            "created_at": at,
            "updated_at": at,
            "submitted_by": submitted_by,
            "idempotency_key": idempotency_key,
            "twin": twin,
            "workflow_id": workflow_id or None,
        }
        self._note(request_uuid, status, at, "", submitted_by)
        return str(self.rows[request_uuid]["request_number"])

    def set_status(self, request_uuid: str, status: str, *, at: datetime, reason: str = "", actor: str = "") -> None:
        row = self.rows.get(request_uuid)
        if row is None or row["status"] in (status, "cancelled"):
            return
        if (row["status"], status) == ("completed", "cancelled"):
            raise ConflictError(f"Request {request_uuid} is completed: it cannot be cancelled any more.")
        row.update(status=str(status), failure=reason or None, completed_at=None, failed_at=None)
        row["updated_at"] = max(row["created_at"], at)
        column = _STAGE_TIMES.get(status)
        if column and not (status == "running" and row[column]):
            row[column] = at
        self._note(request_uuid, status, at, reason, actor)

    def set_progress(self, request_uuid: str, percent: int) -> None:
        self.progress.append(percent)
        if request_uuid in self.rows:
            self.rows[request_uuid]["simulation_progress"] = percent

    def set_results(self, request_uuid: str, *, metrics: Document, results_path: str, fmu_path: str) -> None:
        self.rows[request_uuid].update(
            test_metrics_json=json.loads(json.dumps(metrics)),
            simulation_results_path=results_path,
            fmu_blob_path=fmu_path,
        )

    def get(self, request_uuid: str) -> Document:
        if request_uuid not in self.rows:
            raise UnknownError(f"Request {request_uuid} is unknown: see `twinbench request list`.")
        return copy.deepcopy(self.rows[request_uuid])

    def by_number(self, number: str) -> Document:
        for row in self.rows.values():
            if row["request_number"] == number:
                return copy.deepcopy(row)
        raise UnknownError(f"There is no request {number}.")

    def in_state(self, status: str) -> list[Document]:
        return [copy.deepcopy(row) for row in self.rows.values() if row["status"] == status]

    def those(self, request_uuids: Sequence[str]) -> list[Document]:
        return [copy.deepcopy(row) for uuid, row in self.rows.items() if uuid in request_uuids]

    def by_key(self, submitted_by: str, key: str) -> Document | None:
        for row in self.rows.values():
            if (row["submitted_by"], row["idempotency_key"]) == (submitted_by, key):
                return copy.deepcopy(row)
        return None

    def page(self, query: RequestQuery) -> RequestPage:
        found = [row for row in self.rows.values() if _answers(row, query)]
        counts = {str(state): sum(row["status"] == state for row in found) for state in RequestState}
        wanted = [row for row in found if not query.states or row["status"] in query.states]
        wanted.sort(key=lambda row: (_KEYS[query.sort](row), row["id"]), reverse=query.descending)
        first = (query.page - 1) * query.per_page
        rows = [_listed(row) for row in wanted[first : first + query.per_page]]
        return RequestPage(rows, len(wanted), query.page, query.per_page, counts)

    def counts(self, scope: RequestScope) -> dict[str, int]:
        return dict(self.page(RequestQuery(scope)).counts)

    def history(self, request_uuid: str) -> list[Document]:
        return sorted(self._history.get(request_uuid, []), key=lambda entry: entry["at"])

    def facets(self, scope: RequestScope) -> dict[str, list[str]]:
        seen = [row for row in self.rows.values() if scope.covers(row)]
        return {
            name: sorted({row[name] for row in seen}, key=str.encode)
            for name in ("uut", "standard", "test_name", "use_case")
        }

    def _note(self, request_uuid: str, status: str, at: datetime, reason: str, actor: str) -> None:
        self.states.append(str(status))
        entry = {"at": at, "status": str(status), "reason": reason, "actor": actor}
        self._history.setdefault(request_uuid, []).append(entry)


def _new_row(document: Document, number: int) -> Document:
    names = ("requester_name", "requester_id", "uut", "use_case", "standard", "test_name")
    return {
        "id": number,
        "request_number": f"TR-{number:06d}",
        "document": json.loads(json.dumps(document)),
        "title": title_of(document),
        **{name: document[name] for name in names},
        "test_bench": document.get("test_bench") or "Virtual",
        "uut_serial": document.get("uut_serial"),
        "preferred_date": datetime.fromisoformat(document["preferred_date"]),
        "simulation_progress": 0,
        "failure": None,
        **dict.fromkeys((*_LATER[2:], *_STAGE_TIMES.values())),
    }


def _listed(row: Document) -> Document:
    return {name: value for name, value in row.items() if name not in (*_NOT_LISTED, "id")}


def _answers(row: Document, query: RequestQuery) -> bool:
    """Whether a row is what a query asks for, its state aside."""
    standing = f"{row['test_name']} on {row['uut']}"
    words = words_of(row["title"], row["requester_name"], row["requester_id"], row["standard"], standing)
    return (
        query.scope.covers(row)
        and all(getattr(query, name) in ("", row[name]) for name in _FILTERS)
        and (not query.sequential or "sequential" in (row["document"].get("design") or {}))
        and query.requester in ("", row["requester_id"], row["requester_name"])
        and (query.created_from is None or row["created_at"] >= query.created_from)
        and (query.created_to is None or row["created_at"] < query.created_to)
        and all(word.is_in(words, row["id"]) for word in sought_words(query.text))
    )


class FakeAuditLog:
    """What people did, in a list."""

    def __init__(self) -> None:
        self.lines: list[Document] = []

    def note(self, actor: str, action: str, subject: str, details: Mapping[str, Any], *, at: datetime) -> None:
        kept = json.loads(json.dumps(dict(details), default=str))
        self.lines.append({"at": at, "actor": actor, "action": action, "subject": subject, "details": kept})

    def entries(self, *, subject: str = "", limit: int = 200) -> list[Document]:
        found = [line for line in reversed(self.lines) if subject in ("", line["subject"])]
        return copy.deepcopy(found[:limit])


class FakeCatalogueTables:
    """The catalogue, and what the lab manager switched off."""

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self.off: set[tuple[str, str]] = set()
        self._catalogue = catalogue

    def load(self, catalogue: Catalogue) -> bool:
        is_new, self._catalogue = catalogue != self._catalogue, catalogue
        return is_new

    def applicable(self, uut: str, use_case: str, standard: str) -> list[str]:
        asked = (("uuts", uut), ("use_cases", use_case), ("standards", standard))
        if not all(self._is_active(*each) for each in asked):
            return []
        tests = self._known().applicable_tests(uut, use_case, standard)
        return [test.name for test in tests if self._is_active("test_names", test.name)]

    def entries(self, kind: str) -> list[Document]:
        return [
            {"code": code, "name": name, "description": text, "is_active": (kind, code) not in self.off}
            for code, name, text in self._entries(kind)
        ]

    def set_active(self, kind: str, code: str, active: bool) -> None:
        if code not in [entry["code"] for entry in self.entries(kind)]:
            raise UnknownError(f"There is no entry {code!r} among {kind}.")
        (self.off.discard if active else self.off.add)((kind, code))

    def _known(self) -> Catalogue:
        assert self._catalogue, "no catalogue is loaded"
        return self._catalogue

    def _is_active(self, kind: str, code: str) -> bool:
        return any(entry["code"] == code and entry["is_active"] for entry in self.entries(kind))

    def _entries(self, kind: str) -> list[tuple[str, str, str]]:
        known = self._known()
        clauses: dict[str, list[str]] = {}
        for test in known.tests:
            clauses.setdefault(test.name, []).append(f"{test.standard}, {test.clause}")
        kinds = {
            "uuts": [(uut.code, uut.code, uut.description) for uut in known.uuts],
            "use_cases": [(use.name, use.name, use.description) for use in known.use_cases],
            "standards": [(each.code, each.name, each.description) for each in known.standards],
            "test_names": [(name, name, "; ".join(where)) for name, where in clauses.items()],
        }
        if kind not in kinds:
            raise UnknownError(f"There is no kind of entry {kind!r}.")
        return kinds[kind]


class FakeInventory:
    """Units, in a dictionary by serial."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.rows: dict[str, Document] = {}
        self._kinds = {uut.code: uut for uut in catalogue.uuts}

    def units(self, *, text: str = "", state: str = "") -> list[Document]:
        def has(unit: Document) -> bool:
            words = words_of(*(unit[name] for name in ("serial", "uut", "chemistry", "location", "notes")))
            return all(any(word.startswith(begin) for word in words) for begin in words_of(text))

        found = (self.rows[serial] for serial in sorted(self.rows, key=str.encode))
        return [dict(unit) for unit in found if state in ("", unit["state"]) and has(unit)]

    def get(self, serial: str) -> Document:
        if serial not in self.rows:
            raise UnknownError(f"There is no unit with the serial {serial!r}.")
        return dict(self.rows[serial])

    def save(self, unit: Mapping[str, Any], *, at: datetime) -> None:
        serial = str(unit.get("serial") or "").strip()
        if not 1 <= len(serial) <= 100:
            raise RequestError(f"The serial {serial!r} has {len(serial)} characters: give 1 to 100.")
        merged = {**self.rows.get(serial, {}), **unit}
        missing = [name for name in ("uut", "state") if not merged.get(name)]
        if missing:
            raise RequestError(f"The unit {serial} has no {' and no '.join(missing)}: say it.")
        if merged["uut"] not in self._kinds:
            raise UnknownError(f"There is no unit under test {merged['uut']!r}.")
        kind = self._kinds[merged["uut"]]
        own = {"level": merged.get("level") or kind.level, "chemistry": merged.get("chemistry") or kind.chemistry}
        rest = {name: merged.get(name) or "" for name in ("state", "location", "notes")}
        self.rows[serial] = {"serial": serial, "uut": kind.code, **own, **rest, "updated_at": at}
