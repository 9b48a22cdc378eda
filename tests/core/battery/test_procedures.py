"""Every test with a procedure becomes one at any level of its factors; the others are refused with what there is."""

from dataclasses import replace

import pytest

from twinbench.core.battery.procedure import Procedure
from twinbench.core.battery.procedures import available_tests, procedure_for, remark
from twinbench.core.battery.stages import Mode
from twinbench.core.doe.designs import make_design
from twinbench.core.doe.recommendation import recommend
from twinbench.core.doe.spec import DesignSpec, Kind
from twinbench.core.errors import RequestError


@pytest.fixture(scope="session")
def cell(catalogue):
    return catalogue.uut("Gen3b - Cell")


def charge_Ah(procedure, sign) -> float:
    return sum(s.current_A * s.duration_s / 3600 for s in procedure.steps if s.current_A * sign > 0)


def test_every_available_test_is_in_the_catalogue(catalogue):
    assert set(available_tests()) <= {test.name for test in catalogue.tests}


@pytest.mark.thorough
def test_every_test_with_a_procedure_has_one_at_every_point_of_its_design(catalogue, cell):
    for test in catalogue.tests:
        if test.name not in available_tests():
            continue
        kind = Kind(recommend(test.factors, None, 8).kind)
        for run in make_design(DesignSpec(test.factors, kind, 8 if kind is not Kind.FULL_FACTORIAL else None)).runs:
            procedure = procedure_for(test, run.levels, cell)
            assert procedure.ambient_degC == run.levels.get("temperature_degC", 25.0), test.name
            assert procedure.voltage_min_V <= 2.5 < 4.2 <= procedure.voltage_max_V
            most_rows = 100_000 if test.name == "Ageing - Cycle life" else 20_000
            assert procedure.duration_s / procedure.step_size_s <= most_rows, test.name
            assert Procedure.from_document(procedure.as_document()) == procedure


def test_a_capacity_test_discharges_a_full_cell_longer_than_it_can_last(catalogue, cell):
    test = catalogue.test("IEC62660", "Performance - Capacity")

    procedure = procedure_for(test, {"discharge_c_rate": 0.7, "temperature_degC": 40.0}, cell)

    assert procedure.initial_soc_pct == 100.0
    assert procedure.current_range_A == (-3.5, -3.5)
    assert procedure.ambient_degC == 40.0
    assert -charge_Ah(procedure, -1) == pytest.approx(1.2 * 5.0, rel=1e-3)


def modes(procedure) -> list[Mode]:
    return [stage.mode for stage in procedure.stages]


def test_an_efficiency_test_discharges_a_full_cell_and_charges_it_again(catalogue, cell):
    test = catalogue.test("IEC62660", "Performance - Energy efficiency")

    procedure = procedure_for(test, {"discharge_c_rate": 0.777}, cell)

    assert procedure.initial_soc_pct == 100.0
    assert modes(procedure) == [Mode.CURRENT, Mode.REST, Mode.CURRENT, Mode.VOLTAGE, Mode.REST]
    assert procedure.stages[0].value == pytest.approx(-0.777 * 5.0)
    assert procedure.steps == ()  # nobody can say beforehand how long each takes


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


def test_a_cycle_life_test_stays_in_its_window_and_ends_with_a_look_at_the_capacity(catalogue, cell):
    test = catalogue.test("IEC62660", "Ageing - Cycle life")
    levels = {
        "temperature_degC": 40.0,
        "discharge_c_rate": 2.0,
        "soc_low_pct": 25.0,
        "soc_high_pct": 90.0,
        "cycles": 300.0,
    }

    procedure = procedure_for(test, levels, cell)

    loop = procedure.stages[5]
    assert (loop.mode, loop.value, loop.repeats) == (Mode.LOOP, 1, 300)
    assert procedure.stages[0].soc_below_pct == 25.0
    assert procedure.stages[2].soc_above_pct == 90.0
    assert (procedure.stages[-1].mode, procedure.stages[-1].voltage_below_V) == (Mode.CURRENT, 2.5)
    assert procedure.current_range_A == pytest.approx((-10.0, 5 / 3))


def test_the_longest_life_of_the_catalogue_can_be_asked_for(catalogue, cell):
    test = catalogue.test("IEC62660", "Ageing - Cycle life")

    procedure = procedure_for(
        test, {"discharge_c_rate": 0.5, "soc_low_pct": 20.0, "soc_high_pct": 100.0, "cycles": 1000.0}, cell
    )

    assert procedure.duration_s < 400 * 86_400
    assert procedure.duration_s / procedure.step_size_s > 50_000


@pytest.mark.parametrize("name", ["Performance - Capacity", "Performance - Energy efficiency"])
def test_a_rate_of_nothing_is_refused(catalogue, cell, name):
    test = catalogue.tests_named(name)[0]

    with pytest.raises(RequestError, match="at 0 C never ends"):
        procedure_for(test, {"discharge_c_rate": 0.0}, cell)


def test_a_short_circuit_is_a_load_and_temperature_cycling_is_the_chambers_work(catalogue, cell):
    short = procedure_for(
        catalogue.test("UN38.3", "Electrical - External short circuit"), {"external_resistance_mOhm": 50.0}, cell
    )
    thermal = procedure_for(
        catalogue.test("UN38.3", "Thermal - Thermal test"), {"low_degC": -40.0, "high_degC": 72.0}, cell
    )

    assert (short.stages[0].mode, short.stages[0].value) == (Mode.RESISTANCE, 0.05)
    assert short.voltage_min_V < 2.5
    assert thermal.ambient_range_degC == (-40.0, 72.0)
    assert thermal.stages[2].repeats == 10


def test_abuse_goes_beyond_the_cells_limits_and_says_what_it_leaves_out(catalogue, cell):
    overcharge = catalogue.test("IEC62660-2:2020-07", "Electrical - Overcharge")
    forced = catalogue.test("IEC62660-2:2020-07", "Electrical - Forced discharge")

    charging = procedure_for(overcharge, {"charge_c_rate": 1.0, "soc_limit_pct": 130.0}, cell)
    discharging = procedure_for(forced, {"discharge_c_rate": 0.5, "minutes": 90.0}, cell)

    assert charging.initial_soc_pct + 100 * charge_Ah(charging, +1) / 5.0 == pytest.approx(130.0)
    assert charging.voltage_max_V == pytest.approx(1.2 * 4.2)
    assert (discharging.initial_soc_pct, discharging.steps[0].current_A) == (0.0, -2.5)
    assert discharging.voltage_min_V == 0.1
    assert "runaway are not in the model" in remark(overcharge)
    assert "reversed is beyond the model" in remark(forced)


def test_a_procedure_says_which_clause_it_carries_out(catalogue):
    assert remark(catalogue.test("UN38.3", "Electrical - Overcharge")).startswith(
        "The procedure of 'Electrical - Overcharge' carries out UN38.3, clause T.7;"
    )
    assert remark(catalogue.test("UL1642", "Mechanical - Crush")) == ""


@pytest.mark.parametrize("name", ["Mechanical - Crush", "Safety - Propagation", "Thermal - Thermal abuse"])
def test_a_test_without_a_procedure_is_refused_with_what_is_available(catalogue, cell, name):
    test = catalogue.tests_named(name)[0]

    with pytest.raises(RequestError, match=rf"{name}.*no procedure for a virtual or physical bench yet; available: Ag"):
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
