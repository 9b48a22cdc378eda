"""What may be asked for, and which units the lab has: looked up by requesters, kept by the lab manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinbench.core.access import Action, Person
from twinbench.core.errors import RequestError
from twinbench.core.suggestion import did_you_mean
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.lab import Document

__all__ = ["UNIT_STATES", "keep_unit", "offered_tests", "switch_entry"]

UNIT_STATES = ("available", "under test", "stored", "defective", "disposed")


def offered_tests(desk: FrontDesk, *, uut: str, use_case: str, standard: str) -> list[Document]:
    """The tests that may be asked for after these choices, with what one should know of each.

    Raises:
        RequestError: If one of the choices is unknown.
    """
    lab = desk.lab
    offered = set(desk.catalogue.applicable(uut, use_case, standard))
    return [
        {
            "name": test.name,
            "clause": test.clause,
            "category": test.category,
            "virtual_capable": test.virtual_capable,
            "typical_duration_h": test.typical_duration_h,
            "factors": [factor.as_document() for factor in test.factors],
            "notes": test.notes,
        }
        for test in lab.catalogue.applicable_tests(uut, use_case, standard)
        if test.name in offered
    ]


def switch_entry(desk: FrontDesk, who: Person, kind: str, code: str, *, active: bool) -> None:
    """Let an entry of the catalogue be chosen in new requests, or no longer.

    Raises:
        UnknownError: If there is no such entry.
    """
    who.require(Action.KEEP_CATALOGUE)
    desk.catalogue.set_active(kind, code, active)
    desk.note(who, "switch on" if active else "switch off", f"{kind}/{code}")


def keep_unit(desk: FrontDesk, who: Person, unit: Mapping[str, Any]) -> Document:
    """Add a unit to the inventory, or change the one with its serial number.

    Raises:
        RequestError: If its type or state is unknown, or it has no serial number.
    """
    who.require(Action.KEEP_INVENTORY)
    serial = str(unit.get("serial", "")).strip()
    if not serial:
        raise RequestError("The unit has no serial number: give the one on its label.")
    desk.lab.catalogue.uut(str(unit["uut"]))
    if unit["state"] not in UNIT_STATES:
        raise RequestError(f"There is no state {unit['state']!r} of a unit: {did_you_mean(unit['state'], UNIT_STATES)}")
    desk.inventory.save({**unit, "serial": serial}, at=desk.lab.now())
    desk.note(who, "keep unit", serial, **{key: unit[key] for key in ("uut", "state", "location")})
    (kept,) = [one for one in desk.inventory.units(text=serial) if one["serial"] == serial]
    return kept
