"""The catalogue knows what exists, what fits together, and what a person probably meant."""

import pytest

from twinbench.core.catalogue import Catalogue
from twinbench.core.errors import ConfigurationError, RequestError


def test_the_shipped_catalogue_has_ten_standards_and_tests_of_each(catalogue):
    codes = {standard.code for standard in catalogue.standards}

    assert len(codes) == 10
    assert {test.standard for test in catalogue.tests} == codes


def test_every_factor_of_the_shipped_catalogue_has_a_unit(catalogue):
    assert all(factor.unit for test in catalogue.tests for factor in test.factors)


def test_the_limits_of_generation_3b_are_those_of_its_cells(catalogue):
    known = {uut.code: uut for uut in catalogue.uuts if uut.nominal_capacity_Ah is not None}

    assert set(known) == {"Gen3b - Cell", "Gen3b - Module", "Gen3b - Pack"}
    for uut in known.values():
        assert (uut.voltage_min_V, uut.voltage_max_V) == pytest.approx((2.5 * uut.series, 4.2 * uut.series))
        assert uut.nominal_capacity_Ah == 5.0 * uut.parallel


def test_the_first_lab_has_two_virtual_benches_and_a_cycler(catalogue):
    assert {bench.name: bench.kind for bench in catalogue.benches} == {
        "virtual-1": "virtual",
        "virtual-2": "virtual",
        "cycler-1": "physical",
    }


def test_a_test_is_found_by_standard_and_name(catalogue):
    test = catalogue.test("IEC62660", "Performance - Capacity")

    assert test.levels == ("Cell",)
    assert [(f.name, f.unit, f.low, f.high) for f in test.factors] == [
        ("discharge_c_rate", "C-rate", 0.333, 2.0),
        ("temperature_degC", "degC", 0.0, 45.0),
    ]


@pytest.mark.parametrize(
    ("look_up", "hint"),
    [
        (lambda c: c.standard("IEC6266O"), r"no standard 'IEC6266O': did you mean 'IEC62660'\?"),
        (lambda c: c.uut("gen3b cell"), r"did you mean 'Gen3b - Cell'\?"),
        (lambda c: c.use_case("maritime"), "there are Automotive, Stationary, Off-Road"),
        (lambda c: c.bench("cycler1"), r"did you mean 'cycler-1'\?"),
        (lambda c: c.test("IEC62660", "Performance - Capacty"), r"did you mean 'Performance - Capacity'\?"),
        (lambda c: c.test("UL1642", "Mechanical - Drop"), "not a test of UL1642 but of IEC62619"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(catalogue, look_up, hint):
    with pytest.raises(RequestError, match=hint):
        look_up(catalogue)


def test_applicable_tests_follow_from_unit_use_case_and_standard(catalogue):
    for_cells = {test.name for test in catalogue.applicable_tests("Gen3b - Cell", "Automotive", "UN38.3")}
    for_packs = {test.name for test in catalogue.applicable_tests("Gen4 - Pack", "Automotive", "UN38.3")}

    assert "Electrical - Forced discharge" in for_cells - for_packs
    assert "Electrical - Overcharge" in for_packs - for_cells
    assert catalogue.applicable_tests("Gen3b - Cell", "Stationary", "IEC62660") == ()


def test_a_bench_says_why_it_cannot_carry_something_out(catalogue):
    cycler = catalogue.bench("cycler-1")

    assert cycler.obstacles(level="Cell", current_A=(-5, 5), ambient_degC=(25, 25)) == ()
    assert cycler.obstacles(level="Pack", current_A=(-90, 0), ambient_degC=(25, 130)) == (
        "it takes Cell, not Pack",
        "current -90 to 0 A is outside -30 to 30 A",
        "ambient 25 to 130 degC is outside -40 to 85 degC",
    )


@pytest.mark.parametrize(
    ("part", "position", "change", "message"),
    [
        ("tests", 0, {"factors_json": "{"}, "Entry 1 of tests.csv is malformed"),
        ("tests", 1, {"virtual_capable": "perhaps"}, "Entry 2 of tests.csv is malformed"),
        (
            "tests",
            0,
            {"factors_json": '{"length_furlong": [1, 2]}'},
            "malformed: Factor length_furlong ends in no unit",
        ),
        ("tests", 0, {"factors_json": '{"temperature_degC": [5, 1]}'}, "low 5.0 > high 1.0"),
        ("tests", 0, {"standard": "DIN1"}, "refers to DIN1.*add it to standards.json"),
        ("uuts", 2, {"colour": "blue"}, "Entry 3 of uuts.json is malformed"),
        ("uuts", 1, {"code": "Gen3b - Cell"}, "unit under test Gen3b - Cell more than once"),
        ("benches", 0, {"kind": "imaginary"}, "must be virtual or physical"),
        ("benches", 0, {"setup_min": -1}, "negative set-up"),
        ("benches", 0, {"capabilities": {}}, "Entry 1 of benches.json is malformed"),
    ],
)
def test_a_wrong_entry_is_named(catalogue_documents, part, position, change, message):
    entries = [dict(entry) for entry in catalogue_documents[part]]
    entries[position].update(change)

    with pytest.raises(ConfigurationError, match=message):
        Catalogue.from_documents(**{**catalogue_documents, part: entries})
