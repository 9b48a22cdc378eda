"""The catalogue's tables offer what its files say, without what is switched off; the fake does the same."""

import dataclasses
import itertools

import pytest

from twinbench.adapters.postgres import CatalogueTables
from twinbench.core.errors import UnknownError

CELL, CAR, IEC = "Gen3b - Cell", "Automotive", "IEC62660"


@pytest.fixture
def loaded(tables, catalogue):
    tables.load(catalogue)
    return tables


def test_what_applies_is_what_the_files_say_for_each_unit_use_case_and_standard(loaded, catalogue):
    asked = itertools.product(catalogue.uuts, catalogue.use_cases, catalogue.standards)

    for uut, use_case, standard in asked:
        codes = uut.code, use_case.name, standard.code
        assert loaded.applicable(*codes) == [test.name for test in catalogue.applicable_tests(*codes)], codes


def test_loading_what_is_loaded_does_nothing(tables, catalogue):
    assert [tables.load(catalogue) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("kind", "code"),
    [("uuts", CELL), ("use_cases", CAR), ("standards", IEC), ("test_names", "Performance - Power")],
)
def test_what_is_switched_off_is_not_offered_until_it_is_on_again(loaded, catalogue, kind, code):
    before = loaded.applicable(CELL, CAR, IEC)
    loaded.set_active(kind, code, False)
    loaded.load(dataclasses.replace(catalogue, uuts=catalogue.uuts[:2]))

    assert loaded.applicable(CELL, CAR, IEC) == ([name for name in before if name != code] if code in before else [])
    assert [entry["code"] for entry in loaded.entries(kind) if not entry["is_active"]] == [code]
    loaded.set_active(kind, code, True)
    assert loaded.applicable(CELL, CAR, IEC) == before


def test_entries_are_told_in_the_order_of_the_files(loaded, catalogue):
    assert [entry["code"] for entry in loaded.entries("uuts")] == [uut.code for uut in catalogue.uuts]
    standard = loaded.entries("standards")[0]
    assert standard == {
        "code": catalogue.standards[0].code,
        "name": catalogue.standards[0].name,
        "description": catalogue.standards[0].description,
        "is_active": True,
    }
    assert {entry["code"] for entry in loaded.entries("test_names")} == {test.name for test in catalogue.tests}


def test_what_the_files_no_longer_have_is_not_offered_and_comes_back_with_them(loaded, catalogue):
    loaded.load(dataclasses.replace(catalogue, uuts=catalogue.uuts[1:], tests=catalogue.tests[1:]))

    assert CELL not in [entry["code"] for entry in loaded.entries("uuts")]
    assert loaded.applicable(CELL, CAR, IEC) == []
    with pytest.raises(UnknownError):
        loaded.set_active("uuts", CELL, False)
    assert loaded.load(catalogue)
    assert loaded.applicable(CELL, CAR, IEC)


def test_what_does_not_exist_is_told(loaded):
    assert loaded.applicable("Gen9 - Cell", CAR, IEC) == []
    with pytest.raises(UnknownError, match="no entry 'Gen3b - Cel' among uuts"):
        loaded.set_active("uuts", "Gen3b - Cel", False)
    with pytest.raises(UnknownError, match="no kind of entry 'benches'"):
        loaded.entries("benches")


def test_the_tables_have_each_standards_tests_with_clause_and_factors(lims, catalogue):
    CatalogueTables(lims).load(catalogue)

    with lims.transaction() as cursor:
        cursor.execute(
            """SELECT s.code AS standard, t.code AS name, clause, category, virtual_capable, typical_duration_h,
                   factors, notes FROM standard_tests
               JOIN relevant_standards s ON s.id = standard_id JOIN test_names t ON t.id = test_id ORDER BY place"""
        )
        rows = cursor.fetchall()
    assert len(rows) == len(catalogue.tests)
    for row, test in zip(rows, catalogue.tests, strict=True):
        assert [factor["name"] for factor in row.pop("factors")] == [factor.name for factor in test.factors]
        assert all(value == getattr(test, name) for name, value in row.items())
