"""The units under test that the lab has: which, in what state, and where."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from twinbench.adapters.postgres.connection import Database
from twinbench.core.errors import RequestError, UnknownError
from twinbench.core.request_query import words_of
from twinbench.core.suggestion import did_you_mean

__all__ = ["Inventory"]

_LONGEST_SERIAL = 100
_UNITS = """
    SELECT i.serial, t.code AS uut, i.level, i.chemistry, i.state, i.location, i.notes, i.updated_at
    FROM uut_inventory i JOIN uut_ids t ON t.id = i.uut_id_id
"""
_SEARCHED = ("serial", "uut", "chemistry", "location", "notes")


class Inventory:
    """The table of units, by serial."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def units(self, *, text: str = "", state: str = "") -> list[dict[str, Any]]:
        """``{serial, uut, level, chemistry, state, location, notes, updated_at}`` by serial.

        Args:
            text: Words that all occur (or begin words) in serial, type, chemistry, place or notes.
            state: Only units in this state; all if empty.
        """
        with self._database.transaction() as cursor:
            cursor.execute(f"{_UNITS} WHERE %(state)s IN ('', i.state) ORDER BY i.serial", {"state": state})
            found = [dict(row) for row in cursor.fetchall()]
        wanted = words_of(text)
        return [unit for unit in found if _has(unit, wanted)]

    def get(self, serial: str) -> dict[str, Any]:
        """One unit.

        Raises:
            UnknownError: If there is none.
        """
        with self._database.transaction() as cursor:
            cursor.execute(f"{_UNITS} WHERE i.serial = %s", (serial,))
            row = cursor.fetchone()
        if row is None:
            raise UnknownError(f"There is no unit with the serial {serial!r}: see the inventory.")
        return dict(row)

    def save(self, unit: Mapping[str, Any], *, at: datetime) -> None:
        """Add a unit, or change the one with its serial; what is left out is as it was.

        Level and chemistry of a new unit are those of its type unless said.

        Raises:
            RequestError: If it has no serial, or one that is too long; or no type or state, and is new.
            UnknownError: If there is no such type.
        """
        serial = str(unit.get("serial") or "").strip()
        if not 1 <= len(serial) <= _LONGEST_SERIAL:
            raise RequestError(f"The serial {serial!r} has {len(serial)} characters: give 1 to {_LONGEST_SERIAL}.")
        with self._database.transaction() as cursor:
            cursor.execute(f"{_UNITS} WHERE i.serial = %s FOR UPDATE OF i", (serial,))
            merged = {**(cursor.fetchone() or {}), **unit, "serial": serial}
            missing = [name for name in ("uut", "state") if not merged.get(name)]
            if missing:
                raise RequestError(f"The unit {serial} has no {' and no '.join(missing)}: say it.")
            kind = _kind(cursor, str(merged["uut"]))
            values = {name: merged.get(name) or kind.get(name, "") for name in ("level", "chemistry")}
            values |= {name: merged.get(name) or "" for name in ("state", "location", "notes")}
            cursor.execute(
                """INSERT INTO uut_inventory
                       (serial, uut_id_id, level, chemistry, state, location, notes, created_at, updated_at)
                   VALUES (%(serial)s, %(kind)s, %(level)s, %(chemistry)s, %(state)s, %(location)s, %(notes)s,
                           %(at)s, %(at)s)
                   ON CONFLICT (serial) DO UPDATE SET uut_id_id = excluded.uut_id_id, level = excluded.level,
                       chemistry = excluded.chemistry, state = excluded.state, location = excluded.location,
                       notes = excluded.notes, updated_at = excluded.updated_at""",
                {**values, "serial": serial, "kind": kind["id"], "at": at},
            )


def _kind(cursor: Any, code: str) -> Mapping[str, Any]:
    cursor.execute("SELECT id, code, level, chemistry FROM uut_ids ORDER BY id")
    known = {row["code"]: row for row in cursor.fetchall()}
    if code not in known:
        raise UnknownError(f"There is no unit under test {code!r}: {did_you_mean(code, known)}")
    return dict(known[code])


def _has(unit: Mapping[str, Any], wanted: tuple[str, ...]) -> bool:
    words = words_of(*(unit[name] for name in _SEARCHED))
    return all(any(word.startswith(begin) for word in words) for begin in wanted)
