"""The catalogue as tables: its files say what there is, the lab manager says what of it may be asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from psycopg2.extras import execute_values

from twinbench.adapters.postgres.connection import Database
from twinbench.core.catalogue import Catalogue
from twinbench.core.errors import UnknownError
from twinbench.core.suggestion import did_you_mean

__all__ = ["CatalogueTables"]

_KINDS: Mapping[str, tuple[str, str, str]] = {  # kind -> table, column of the code, column of the name
    "uuts": ("uut_ids", "code", "code"),
    "use_cases": ("use_cases", "name", "name"),
    "standards": ("relevant_standards", "code", "name"),
    "test_names": ("test_names", "code", "name"),
}
_FORM = 1  # of these tables: another number loads a catalogue again that has not changed
_APPLICABLE = """
    SELECT t.code FROM test_name_applicability a
    JOIN uut_ids u ON u.id = a.uut_id_id AND u.is_active AND u.code = %s
    JOIN use_cases c ON c.id = a.use_case_id AND c.is_active AND c.name = %s
    JOIN relevant_standards s ON s.id = a.standard_id AND s.is_active AND s.code = %s
    JOIN test_names t ON t.id = a.test_id AND t.is_active
    JOIN standard_tests st ON st.standard_id = s.id AND st.test_id = t.id
    WHERE a.is_applicable ORDER BY st.place
"""
_LINK = """
    UPDATE test_requests r SET uut_id_id = u.id, use_case_id = c.id, standard_id = n.id, test_id = t.id
    FROM request_subjects s
    LEFT JOIN uut_ids u ON u.code = s.uut LEFT JOIN use_cases c ON c.name = s.use_case
    LEFT JOIN relevant_standards n ON n.code = s.standard LEFT JOIN test_names t ON t.code = s.test_name
    WHERE s.id = r.subject_id
      AND (r.uut_id_id, r.use_case_id, r.standard_id, r.test_id) IS DISTINCT FROM (u.id, c.id, n.id, t.id)
"""


class CatalogueTables:
    """Units, use cases, standards, tests, and which of them apply to which."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, catalogue: Catalogue) -> bool:
        """Bring the tables to the catalogue's files; what the lab manager switched off stays off.

        What the files no longer have is not offered any more; requests still refer to it.

        Returns:
            Whether anything was to be done.
        """
        digest = _digest(catalogue)
        with self._database.transaction() as cursor:
            # Readers go on meanwhile; of two that load at once the second finds everything done.
            cursor.execute("LOCK TABLE catalogue_loaded IN SHARE ROW EXCLUSIVE MODE")
            cursor.execute("SELECT 1 FROM catalogue_loaded WHERE digest = %s", (digest,))
            if cursor.fetchone():
                return False
            _load_entries(cursor, catalogue)
            _load_tests(cursor, catalogue)
            cursor.execute(_LINK)
            cursor.execute("DELETE FROM catalogue_loaded")
            cursor.execute("INSERT INTO catalogue_loaded (digest) VALUES (%s)", (digest,))
        return True

    def applicable(self, uut: str, use_case: str, standard: str) -> list[str]:
        """Names of the tests that apply, in the catalogue's order; without what is switched off."""
        with self._database.transaction() as cursor:
            cursor.execute(_APPLICABLE, (uut, use_case, standard))
            return [row["code"] for row in cursor.fetchall()]

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """Entries of a kind in the catalogue's order: ``{code, name, description, is_active}``.

        Args:
            kind: ``uuts``, ``use_cases``, ``standards`` or ``test_names``.

        Raises:
            UnknownError: If there is no such kind.
        """
        table, code, name = _table(kind)
        with self._database.transaction() as cursor:
            cursor.execute(
                f"SELECT {code} AS code, {name} AS name, description, is_active FROM {table} "
                "WHERE is_listed ORDER BY id"
            )
            return [dict(row) for row in cursor.fetchall()]

    def set_active(self, kind: str, code: str, active: bool) -> None:
        """Switch an entry on or off.

        Raises:
            UnknownError: If there is no such entry.
        """
        table, column, _ = _table(kind)
        with self._database.transaction() as cursor:
            cursor.execute(f"UPDATE {table} SET is_active = %s WHERE {column} = %s AND is_listed", (active, code))
            if not cursor.rowcount:
                cursor.execute(f"SELECT {column} AS code FROM {table} WHERE is_listed ORDER BY id")
                known = [row["code"] for row in cursor.fetchall()]
                raise UnknownError(f"There is no entry {code!r} among {kind}: {did_you_mean(code, known)}")


def _table(kind: str) -> tuple[str, str, str]:
    if kind not in _KINDS:
        raise UnknownError(f"There is no kind of entry {kind!r}: {did_you_mean(kind, _KINDS)}")
    return _KINDS[kind]


def _digest(catalogue: Catalogue) -> str:
    parts: list[Sequence[Any]] = [catalogue.tests, catalogue.uuts, catalogue.use_cases, catalogue.standards]
    document = [_FORM, *([asdict(entry) for entry in part] for part in parts)]
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _load_entries(cursor: Any, catalogue: Catalogue) -> None:
    clauses: dict[str, list[str]] = {}
    for test in catalogue.tests:
        clauses.setdefault(test.name, []).append(f"{test.standard}, {test.clause}")
    _upsert(
        cursor,
        "uut_ids",
        ("code", "description", "generation", "level", "chemistry", "twin"),
        [(uut.code, uut.description, uut.generation, uut.level, uut.chemistry, uut.twin) for uut in catalogue.uuts],
    )
    _upsert(cursor, "use_cases", ("name", "description"), [(use.name, use.description) for use in catalogue.use_cases])
    _upsert(
        cursor,
        "relevant_standards",
        ("code", "name", "description"),
        [(standard.code, standard.name, standard.description) for standard in catalogue.standards],
    )
    _upsert(
        cursor,
        "test_names",
        ("code", "name", "description"),
        [(name, name, "; ".join(where)) for name, where in clauses.items()],
    )


def _upsert(cursor: Any, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], *, keys: int = 1) -> None:
    """Make or change rows, which are told apart by their first columns; what is not among them is listed no more."""
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns[keys:])
    cursor.execute(f"UPDATE {table} SET is_listed = false WHERE is_listed")
    execute_values(
        cursor,
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES %s "
        f"ON CONFLICT ({', '.join(columns[:keys])}) DO UPDATE SET is_listed = true, {changes}",
        rows,
    )


def _load_tests(cursor: Any, catalogue: Catalogue) -> None:
    numbers = {kind: _numbers(cursor, kind) for kind in _KINDS}
    columns = ("standard_id", "test_id", "place", "clause", "category", "virtual_capable", "typical_duration_h")
    tests = [
        (
            numbers["standards"][test.standard],
            numbers["test_names"][test.name],
            place,
            test.clause,
            test.category,
            test.virtual_capable,
            test.typical_duration_h,
            json.dumps([asdict(factor) for factor in test.factors]),
            test.notes,
        )
        for place, test in enumerate(catalogue.tests)
    ]
    _upsert(cursor, "standard_tests", (*columns, "factors", "notes"), tests, keys=2)
    cursor.execute("UPDATE test_name_applicability SET is_applicable = false WHERE is_applicable")
    execute_values(
        cursor,
        """INSERT INTO test_name_applicability (test_id, standard_id, use_case_id, uut_id_id) VALUES %s
           ON CONFLICT (uut_id_id, use_case_id, standard_id, test_id) DO UPDATE SET is_applicable = true""",
        list(_applicability(catalogue, numbers)),
        page_size=1000,
    )


def _applicability(
    catalogue: Catalogue, numbers: Mapping[str, Mapping[str, int]]
) -> Iterable[tuple[int, int, int, int]]:
    for test in catalogue.tests:
        of_test = numbers["test_names"][test.name], numbers["standards"][test.standard]
        for use_case in test.use_cases:
            for uut in catalogue.uuts:
                if test.applies_to(level=uut.level, use_case=use_case):
                    yield *of_test, numbers["use_cases"][use_case], numbers["uuts"][uut.code]


def _numbers(cursor: Any, kind: str) -> dict[str, int]:
    table, code, _ = _KINDS[kind]
    cursor.execute(f"SELECT {code} AS code, id FROM {table}")
    return {row["code"]: row["id"] for row in cursor.fetchall()}
