"""Lists of requests: quick among 100,000 of them, on whatever page.

They are counted in the tally as far as that goes, and sorted by indexes that hold all a list is filtered by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any

from twinbench.adapters.postgres.connection import Database
from twinbench.adapters.postgres.request_conditions import EVERYTHING, NOTHING, Condition, Search, searches_for
from twinbench.core.access import RequestScope
from twinbench.core.request import RequestState
from twinbench.core.request_query import RequestPage, RequestQuery

__all__ = ["COLUMNS", "OF_REQUESTS", "RequestSearch"]

OF_REQUESTS = "test_requests r JOIN request_subjects s ON s.id = r.subject_id"
COLUMNS = """r.uuid, r.request_number, r.title, r.requester_name, r.requester_id, r.submitted_by, s.uut, s.use_case,
    s.standard, s.test_name, s.test_bench, s.twin, r.status, r.simulation_progress, r.failure, r.preferred_date,
    r.created_at, r.updated_at, r.workflow_id, r.fmu_ready_at, r.doe_complete_at, r.schedule_ready_at,
    r.simulation_started_at, r.simulation_complete_at, r.completed_at, r.failed_at"""
_ORDER = {
    "created": "r.created_at",
    "updated": "r.updated_at",
    "preferred": "r.preferred_date",
    "status": "r.status",
    "progress": "r.simulation_progress",
}
_FACETS = ("uut", "standard", "test_name", "use_case")
_TALLIED = "SELECT r.status, sum(number) AS number FROM request_tally r"
_COUNTED = "SELECT r.status, count(*) AS number FROM test_requests r"


class RequestSearch:
    """Pages, counts and facets of requests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def _snapshot(self) -> Iterator[Any]:
        """A cursor for several questions about one moment: what a person may see must not change between them."""
        with self._database.transaction() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield cursor

    def page(self, query: RequestQuery) -> RequestPage:
        """What a query finds."""
        with self._snapshot() as cursor:
            counts, condition = _counts(cursor, searches_for(cursor, query))
            total = sum(counts[state] for state in (query.states or counts))
            rows = _rows(cursor, condition, query, total)
        return RequestPage(rows, total, query.page, query.per_page, counts)

    def counts(self, scope: RequestScope) -> dict[str, int]:
        """How many requests are in each state."""
        with self._snapshot() as cursor:
            return _counts(cursor, searches_for(cursor, RequestQuery(scope)))[0]

    def facets(self, scope: RequestScope) -> dict[str, list[str]]:
        """Values that occur, for filters: ``{uut, standard, test_name, use_case}``."""
        with self._snapshot() as cursor:
            present = [_present(search) for search in searches_for(cursor, RequestQuery(scope))]
            chosen = ", ".join(f"array_agg(DISTINCT {name} ORDER BY {name}) AS {name}" for name in _FACETS)
            numbers = " UNION ALL ".join(part.sql for part in present)
            cursor.execute(
                f"SELECT {chosen} FROM request_subjects WHERE id IN ({numbers})",
                [value for part in present for value in part.values],
            )
            found = cursor.fetchall()[0]
        return {name: list(found[name] or ()) for name in _FACETS}


def _present(search: Search) -> Condition:
    """A query of the subjects that occur."""
    if search.base == EVERYTHING:
        return Condition(f"SELECT subject_id FROM request_tally r WHERE number > 0 AND {search.by_subjects.sql}")
    condition = search.base & search.standing
    return Condition(f"SELECT subject_id FROM test_requests r WHERE {condition.sql}", condition.values)


def _counts(cursor: Any, searches: Sequence[Search]) -> tuple[dict[str, int], Condition]:
    """Requests by state, and the condition that finds them, without the parts that find none."""
    counts, found = {str(state): 0 for state in RequestState}, []
    for search in searches:
        table = _TALLIED if search.base == EVERYTHING else _COUNTED
        standing = _add(cursor, table, search.base & search.by_subjects, counts)
        if search.by_people is not None:
            standing += _add(cursor, _COUNTED, search.base & search.by_people, counts)
        if standing:
            found.append(search.base & search.standing)
        if search.by_itself is not None and _add(cursor, _COUNTED, search.base & search.by_itself, counts):
            found.append(search.base & search.by_itself)
    return counts, reduce(Condition.__or__, found) if found else NOTHING


def _add(cursor: Any, select: str, condition: Condition, counts: dict[str, int]) -> int:
    cursor.execute(f"{select} WHERE {condition.sql} GROUP BY r.status", condition.values)
    found = {row["status"]: int(row["number"]) for row in cursor.fetchall()}
    for state, number in found.items():
        counts[state] += number
    return sum(found.values())


def _rows(cursor: Any, condition: Condition, query: RequestQuery, total: int) -> list[dict[str, Any]]:
    """The rows of a page, read from whichever end of the list is nearer."""
    first = (query.page - 1) * query.per_page
    wanted = min(query.per_page, total - first)
    if wanted <= 0:
        return []
    from_end = total - first - wanted
    is_late = from_end < first
    if query.states:
        condition &= Condition("r.status = ANY(%s::request_state[])", (list(query.states),))
    if query.sort == "updated" and query.created_from:  # what was made since then is not sought among what is older
        condition &= Condition("r.updated_at >= %s", (query.created_from,))
    key, order = _ORDER[query.sort], "DESC" if query.descending != is_late else "ASC"
    cursor.execute(
        f"""SELECT {COLUMNS} FROM (
                SELECT r.id FROM test_requests r WHERE {condition.sql} ORDER BY {key} {order}, r.id {order}
                LIMIT %s OFFSET %s) AS found
            JOIN test_requests r ON r.id = found.id JOIN request_subjects s ON s.id = r.subject_id
            ORDER BY {key} {order}, r.id {order}""",
        (*condition.values, wanted, from_end if is_late else first),
    )
    rows = [dict(row) for row in cursor.fetchall()]
    return rows[::-1] if is_late else rows
