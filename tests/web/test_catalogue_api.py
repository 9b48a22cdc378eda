"""REST: what may be asked for, switched on and off by the lab manager, and the units that the lab has."""

import pytest

from tests.fake_desk import ADA, MARIE, OTTO

CATALOGUE, UNITS = "/api/v1/catalogue", "/api/v1/units"
CHOSEN = {"uut": "Gen3b - Cell", "use_case": "Automotive", "standard": "IEC62660"}


def test_the_catalogue_has_units_use_cases_standards_and_tests(as_):
    told = as_(ADA)("GET", CATALOGUE).json()

    assert list(told) == ["uuts", "use_cases", "standards", "test_names"]
    assert len(told["uuts"]) == 6
    assert len(told["standards"]) == 10
    assert all(entry["is_active"] for entries in told.values() for entry in entries)


def test_tests_that_apply_come_with_what_one_should_know(as_):
    tests = as_(ADA)("GET", f"{CATALOGUE}/tests", params=CHOSEN).json()

    power = next(test for test in tests if test["name"] == "Performance - Power")
    assert power["virtual_capable"]
    assert power["clause"]
    assert {"name", "low", "high", "unit"} <= set(power["factors"][0])


def test_what_does_not_apply_is_not_offered(as_):
    tests = as_(ADA)("GET", f"{CATALOGUE}/tests", params={**CHOSEN, "uut": "Gen3b - Pack"}).json()

    assert "Performance - Power" not in [test["name"] for test in tests]


@pytest.mark.parametrize("field", CHOSEN)
def test_a_choice_that_there_is_none_of_is_refused(as_, field):
    answer = as_(ADA)("GET", f"{CATALOGUE}/tests", params={**CHOSEN, field: "Gen9 <b>"})

    assert answer.status_code == 422
    assert "Gen9 <b>" in answer.json()["detail"]


def test_a_choice_that_is_missing_is_named(as_):
    answer = as_(ADA)("GET", f"{CATALOGUE}/tests", params={"uut": "Gen3b - Cell"})

    assert [error["field"] for error in answer.json()["errors"]] == ["use_case", "standard"]


@pytest.mark.parametrize(
    ("kind", "code"), [("uuts", "Gen3b - Cell"), ("use_cases", "Automotive"), ("standards", "IEC62660")]
)
def test_what_is_switched_off_offers_no_tests_until_it_is_on_again(as_, kind, code):
    def offered():
        return len(as_(ADA)("GET", f"{CATALOGUE}/tests", params=CHOSEN).json())

    before = offered()
    off = as_(MARIE)("PATCH", f"{CATALOGUE}/{kind}/{code}", json={"is_active": False})

    assert (off.status_code, off.json(), offered()) == (200, {"is_active": False}, 0)
    (entry,) = [one for one in as_(ADA)("GET", CATALOGUE).json()[kind] if one["code"] == code]
    assert not entry["is_active"]

    as_(MARIE)("PATCH", f"{CATALOGUE}/{kind}/{code}", json={"is_active": True})

    assert offered() == before
    line = as_(OTTO)("GET", "/api/v1/audit").json()[0]
    assert (line["actor"], line["action"], line["subject"]) == ("marie", "switch on", f"{kind}/{code}")


@pytest.mark.parametrize(
    ("path", "status"), [("uuts/Gen9", 404), ("colours/red", 422), ("standards/IEC62660/x", 404), ("uuts/%00", 404)]
)
def test_an_entry_that_is_not_there_cannot_be_switched(as_, path, status):
    assert as_(MARIE)("PATCH", f"{CATALOGUE}/{path}", json={"is_active": False}).status_code == status


def test_a_unit_is_kept_found_and_changed(as_):
    first = as_(MARIE)("PUT", f"{UNITS}/SN-1", json={"uut": "Gen3b - Cell", "location": "Shelf 4"})
    as_(MARIE)("PUT", f"{UNITS}/SN-2", json={"uut": "Gen4 - Pack", "state": "stored"})

    assert first.json()["serial"] == "SN-1"
    assert (first.json()["level"], first.json()["state"]) == ("Cell", "available")
    assert [unit["serial"] for unit in as_(ADA)("GET", UNITS).json()] == ["SN-1", "SN-2"]
    assert [unit["serial"] for unit in as_(ADA)("GET", f"{UNITS}?text=shelf").json()] == ["SN-1"]
    assert [unit["serial"] for unit in as_(ADA)("GET", f"{UNITS}?state=stored").json()] == ["SN-2"]

    changed = as_(MARIE)("PUT", f"{UNITS}/SN-1", json={"uut": "Gen3b - Cell", "state": "defective"})

    assert changed.json()["state"] == "defective"
    assert len(as_(ADA)("GET", UNITS).json()) == 2


@pytest.mark.parametrize("serial", ["SN 1", " SN-1 ", "---", "a/b", "é", "<b>", "'; DROP TABLE uut_inventory; --"])
def test_serial_numbers_are_what_stands_on_the_label(as_, serial):
    answer = as_(MARIE)("PUT", f"{UNITS}/{serial}", json={"uut": "Gen3b - Cell"})

    assert answer.status_code == 200, answer.text
    assert answer.json()["serial"] == serial.strip()
    assert [unit["serial"] for unit in as_(ADA)("GET", UNITS).json()] == [serial.strip()]


@pytest.mark.parametrize(
    ("serial", "body"),
    [
        ("%20", {"uut": "Gen3b - Cell"}),
        ("S" * 101, {"uut": "Gen3b - Cell"}),
        ("SN-1", {}),
        ("SN-1", {"uut": "Gen9"}),
        ("SN-1", {"uut": "Gen3b - Cell", "state": "lost"}),
        ("SN-1", {"uut": "Gen3b - Cell", "notes": "x" * 2_001}),
        ("SN-1", {"uut": "Gen3b - Cell", "location": "a\0b"}),
    ],
    ids=str,
)
def test_a_unit_that_is_described_wrongly_is_not_kept(as_, serial, body):
    answer = as_(MARIE)("PUT", f"{UNITS}/{serial}", json=body)

    assert answer.status_code == 422
    assert as_(ADA)("GET", UNITS).json() == []
