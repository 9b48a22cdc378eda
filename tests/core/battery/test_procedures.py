"""Every test with a procedure becomes one at any level of its factors; the others are refused with what there is."""

from dataclasses import replace

import pytest

from twinbench.core.battery.procedures import available_tests, procedure_for, remark
from twinbench.core.doe.designs import make_design, recommended_kind
from twinbench.core.doe.factors import DesignSpec, Kind
from twinbench.core.errors import RequestError


@pytest.fixture(scope="session")
def cell(catalogue):
    return catalogue.uut("Gen3b - Cell")


def charge_Ah(procedure, sign) -> float:
    return sum(s.current_A * s.duration_s / 3600 for s in procedure.steps if s.current_A * sign > 0)


def test_every_available_test_is_in_the_catalogue(catalogue):
    assert set(available_tests()) <= {test.name for test in catalogue.tests}


def test_every_test_with_a_procedure_has_one_at_every_point_of_its_design(catalogue, cell):
    for test in catalogue.tests:
        if test.name not in available_tests():
            continue
        kind = Kind(recommended_kind(test.factors, 8))
        for run in make_design(DesignSpec(test.factors, kind, 8 if kind is not Kind.FULL_FACTORIAL else None)).runs:
            procedure = procedure_for(test, run.levels, cell)
            assert procedure.ambient_degC == run.levels.get("temperature_degC", 25.0), test.name
            assert (procedure.voltage_min_V, procedure.voltage_max_V) == (2.5, 4.2)
            assert procedure.duration_s / procedure.step_size_s < 20_000, test.name


def test_a_capacity_test_discharges_a_full_cell_longer_than_it_can_last(catalogue, cell):
    test = catalogue.test("IEC62660", "Performance - Capacity")

    procedure = procedure_for(test, {"discharge_c_rate": 0.7, "temperature_degC": 40.0}, cell)

    assert procedure.initial_soc_pct == 100.0
    assert procedure.current_range_A == (-3.5, -3.5)
    assert procedure.ambient_degC == 40.0
    assert -charge_Ah(procedure, -1) == pytest.approx(1.2 * 5.0, rel=1e-3)


def test_an_efficiency_test_gives_back_what_it_took(catalogue, cell):
    test = catalogue.test("IEC62660", "Performance - Energy efficiency")

    procedure = procedure_for(test, {"discharge_c_rate": 0.777}, cell)

    assert procedure.initial_soc_pct == 80.0
    assert -0.777 * 5.0 <= procedure.current_range_A[0] < -0.776 * 5.0
    assert charge_Ah(procedure, -1) == pytest.approx(-3.0)
    assert charge_Ah(procedure, +1) == pytest.approx(3.0)


def test_a_power_test_pulses_at_the_asked_state_rate_and_length(catalogue, cell):
    test = catalogue.test("IEC62660", "Performance - Power")
    levels = {"soc_pct": 60.0, "temperature_degC": 10.0, "pulse_c_rate": 2.0, "pulse_s": 10.0}

    procedure = procedure_for(test, levels, cell)

    assert procedure.initial_soc_pct == 60.0
    assert [(step.current_A, step.duration_s) for step in procedure.steps if step.current_A] == [
        (-10.0, 10.0),
        (7.5, 10.0),
    ]


@pytest.mark.parametrize("soc_pct", [20.0, 33.3, 80.0, 100.0])
def test_a_soc_adjustment_ends_at_the_asked_state(catalogue, cell, soc_pct):
    test = catalogue.test("IEC62660", "Performance - SOC adjustment")

    procedure = procedure_for(test, {"soc_pct": soc_pct}, cell)

    assert 100 + 100 * charge_Ah(procedure, -1) / 5.0 == pytest.approx(soc_pct)
    assert procedure.steps[-1].current_A == 0


def test_storage_is_a_rest_of_the_asked_days(catalogue, cell):
    test = catalogue.test("IEC62660", "Performance - Storage charge retention")

    procedure = procedure_for(test, {"soc_pct": 50.0, "temperature_degC": 45.0, "days": 28.0}, cell)

    assert procedure.current_range_A == (0.0, 0.0)
    assert procedure.duration_s == 28 * 86_400
    assert procedure.initial_soc_pct == 50.0


def test_abuse_stays_within_the_cells_limits_and_says_so(catalogue, cell):
    overcharge = catalogue.test("IEC62660-2:2020-07", "Electrical - Overcharge")
    forced = catalogue.test("IEC62660-2:2020-07", "Electrical - Forced discharge")

    charging = procedure_for(overcharge, {"charge_c_rate": 1.0, "soc_limit_pct": 130.0}, cell)
    discharging = procedure_for(forced, {"discharge_c_rate": 0.5, "minutes": 90.0}, cell)

    assert charging.initial_soc_pct + 100 * charge_Ah(charging, +1) / 5.0 == pytest.approx(130.0)
    assert charging.voltage_max_V == 4.2
    assert (discharging.steps[0].current_A, discharging.duration_s) == (-2.5, 5400.0)
    assert "stops short of the abuse" in remark(overcharge)
    assert "stops short of the abuse" in remark(forced)
    assert remark(catalogue.test("IEC62660", "Performance - Capacity")) == ""


@pytest.mark.parametrize("name", ["Mechanical - Crush", "Ageing - Cycle life", "Electrical - External short circuit"])
def test_a_test_without_a_procedure_is_refused_with_what_is_available(catalogue, cell, name):
    test = catalogue.tests_named(name)[0]

    with pytest.raises(RequestError, match=rf"{name}.*no procedure for a virtual or physical bench yet; available: El"):
        procedure_for(test, {}, cell)


def test_a_unit_whose_limits_are_not_known_is_refused(catalogue):
    test = catalogue.test("ISO12405.4", "Performance - Energy efficiency")

    with pytest.raises(RequestError, match=r"limits of 'Gen4 - Pack' are not known.*uuts\.json"):
        procedure_for(test, {}, catalogue.uut("Gen4 - Pack"))


def test_a_custom_profile_replaces_the_tests_own_currents(catalogue, cell):
    crush = catalogue.test("UL1642", "Mechanical - Crush")
    values = [{"timestamp": 0, "value": "2500"}, {"timestamp": 720, "value": "-5000"}, {"timestamp": 720.5, "value": 0}]
    profile = {"Name": "current", "type": "input", "unit": "mA", "values": values}

    procedure = procedure_for(crush, {}, cell, custom_profile=profile)

    assert [(step.current_A, step.duration_s) for step in procedure.steps] == [(2.5, 720.0), (-5.0, 0.5)]
    assert procedure.initial_soc_pct == pytest.approx(90.0)
    assert procedure.step_size_s == 0.5
    assert procedure_for(crush, {"soc_pct": 40.0}, cell, custom_profile=profile).initial_soc_pct == 40.0


def test_a_long_profile_with_one_short_step_is_still_recorded_in_bounds(catalogue, cell):
    values = [{"timestamp": t, "value": 0} for t in (0, 0.001, 8_640_000)]

    procedure = procedure_for(
        catalogue.tests[0], {}, cell, custom_profile={"Name": "current", "type": "input", "unit": "A", "values": values}
    )

    assert procedure.duration_s / procedure.step_size_s == pytest.approx(200_000)


def test_a_larger_cell_gets_larger_currents(catalogue, cell):
    test = catalogue.test("IEC62660", "Performance - Capacity")

    procedure = procedure_for(test, {"discharge_c_rate": 1.0}, replace(cell, nominal_capacity_Ah=50.0))

    assert procedure.current_range_A == (-50.0, -50.0)
