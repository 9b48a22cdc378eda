"""The inventory knows each unit by its serial, and what kind it is of; the fake does the same."""

from datetime import UTC, datetime, timedelta

import pytest

from twinbench.core.errors import RequestError, UnknownError

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CELL = {"serial": "SN-17", "uut": "Gen3b - Cell", "state": "available", "location": "Rack 3", "notes": "batch 7"}


def test_a_unit_has_level_and_chemistry_of_its_kind_unless_said(inventory):
    inventory.save(CELL, at=NOON)
    inventory.save({**CELL, "serial": "SN-18", "chemistry": "LFP"}, at=NOON)

    first, second = inventory.units()
    assert first == {
        **CELL,
        "level": "Cell",
        "chemistry": "lithium-ion, NMC 811 and graphite-silicon",
        "updated_at": NOON,
    }
    assert (second["serial"], second["chemistry"]) == ("SN-18", "LFP")


def test_saving_a_serial_again_changes_what_is_said_and_nothing_else(inventory):
    inventory.save(CELL, at=NOON)
    inventory.save({"serial": " SN-17 ", "state": "on test", "notes": ""}, at=NOON + timedelta(hours=1))

    (unit,) = inventory.units()
    assert (unit["state"], unit["location"], unit["notes"]) == ("on test", "Rack 3", "")
    assert unit["updated_at"] == NOON + timedelta(hours=1)
    assert inventory.get("SN-17") == unit


def test_units_are_found_by_state_and_by_the_beginnings_of_words(inventory):
    for number, state in enumerate(["available", "broken", "available"]):
        inventory.save({**CELL, "serial": f"SN-{number}", "state": state, "location": f"Rack {number}"}, at=NOON)

    def serials(**wanted):
        return [unit["serial"] for unit in inventory.units(**wanted)]

    assert serials() == ["SN-0", "SN-1", "SN-2"]
    assert serials(state="available") == ["SN-0", "SN-2"]
    assert serials(text="rack 2") == ["SN-2"]
    assert serials(text="NMC gen3") == ["SN-0", "SN-1", "SN-2"]
    assert serials(text="rack 2", state="broken") == []


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"serial": "  "}, RequestError, "has 0 characters"),
        ({"serial": "x" * 101}, RequestError, "has 101 characters"),
        ({"state": ""}, RequestError, "SN-17 has no state"),
        ({"uut": None, "state": None}, RequestError, "no uut and no state"),
        ({"uut": "Gen3b - Cel"}, UnknownError, "'Gen3b - Cel'"),
    ],
)
def test_a_unit_that_cannot_be_is_refused(inventory, change, error, words):
    with pytest.raises(error, match=words):
        inventory.save({**CELL, **change}, at=NOON)
    assert inventory.units() == []


def test_an_unknown_serial_is_told_as_such(inventory):
    with pytest.raises(UnknownError, match="'SN-99'"):
        inventory.get("SN-99")
