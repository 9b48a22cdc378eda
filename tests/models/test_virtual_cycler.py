"""The virtual cycler carries out procedures to the letter: each way to regulate, each way to end, loops and limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.battery import run
from twinbench.core.battery.stages import COLUMNS, Mode, Stage, matrix
from twinbench.core.errors import LabError

REST = Stage(Mode.REST, duration_s=60)
DISCHARGE = Stage(Mode.CURRENT, -5.0, voltage_below_V=2.5)


def ends(cell):
    """Time of the last row of each stage."""
    return {int(n): float(cell["time"][cell["Stage_Out"] == n].max()) for n in np.unique(cell["Stage_Out"]) if n}


def test_a_cc_cv_cycle_is_carried_out_stage_by_stage():
    charge = Stage(Mode.CURRENT, 2.5, voltage_above_V=4.2)
    hold = Stage(Mode.VOLTAGE, 4.2, current_below_A=0.25)

    cell = run(15_000, DISCHARGE, REST, charge, hold, Initial_SoC_In=50.0)

    assert cell.stage(1)["Current_Out"][1:] == pytest.approx(-5.0)
    assert cell.stage(2)["Current_Out"] == pytest.approx(0.0)
    assert cell.stage(3)["Current_Out"] == pytest.approx(2.5)
    assert cell.stage(4)["Voltage_Out"] == pytest.approx(4.2, abs=1e-5)
    assert cell.stage(4)["Current_Out"].min() == pytest.approx(0.25, abs=1e-3)
    assert cell.last("Procedure_Over_Out") == 1
    assert cell["Voltage_Out"].min() >= 2.5 - 1e-5
    assert cell["Voltage_Out"].max() <= 4.2 + 1e-5


@pytest.mark.parametrize("step_s", [0.5, 1.0, 7.0, 60.0])
def test_a_stage_ends_when_its_condition_is_met_and_not_a_step_later(step_s):
    cell = run(4200, DISCHARGE, step_s=step_s)

    assert cell.last("Discharge_Capacity_Out") == pytest.approx(5.0013, abs=0.0015)
    assert cell["Voltage_Out"].min() >= 2.5 - 1e-5


@pytest.mark.parametrize(
    ("stage", "after_s"),
    [
        (Stage(Mode.CURRENT, -5.0, duration_s=123.4), 123.4),
        (Stage(Mode.CURRENT, -5.0, charge_Ah=0.5), 360.0),
        (Stage(Mode.CURRENT, -5.0, soc_below_pct=90.0), 0.1 * 5.15315 * 720),
        (Stage(Mode.POWER, -10.0, charge_Ah=0.1, duration_s=1e5), None),
        (Stage(Mode.CURRENT, -5.0, temperature_above_degC=30.0, duration_s=1e5), None),
        (Stage(Mode.REST, duration_s=77.0), 77.0),
    ],
)
def test_each_condition_ends_a_stage(stage, after_s):
    cell = run(2000, stage, step_s=0.5)

    over_s = cell["time"][np.argmax(cell["Procedure_Over_Out"] > 0)]
    assert cell.last("Procedure_Over_Out") == 1
    if after_s is not None:
        assert over_s - 0.5 <= after_s <= over_s + 0.51
    if stage.temperature_above_degC:
        assert cell["Cell_Average_Temperature_Out"].max() == pytest.approx(30.0, abs=0.02)
    if stage.mode is Mode.POWER:
        assert cell.last("Discharge_Capacity_Out") == pytest.approx(0.1, rel=1e-6)


def test_power_and_a_load_are_held():
    power, load = Stage(Mode.POWER, -15.0, duration_s=120), Stage(Mode.RESISTANCE, 0.8, duration_s=120)

    cell = run(240, power, load)

    held, loaded = cell.stage(1), cell.stage(2)
    assert (held["Voltage_Out"] * held["Current_Out"])[1:] == pytest.approx(-15.0, rel=1e-5)
    assert -loaded["Voltage_Out"] / loaded["Current_Out"] == pytest.approx(0.8, rel=1e-5)


def test_a_short_circuit_empties_the_cell_through_its_resistance():
    short = Stage(Mode.RESISTANCE, 0.03, duration_s=600)

    cell = run(600, short, Voltage_Min=0.05, step_s=0.1)

    shorted = cell.stage(1)
    assert -shorted["Voltage_Out"][1:] / shorted["Current_Out"][1:] == pytest.approx(0.03, rel=1e-3)
    assert shorted["Current_Out"].min() < -40
    assert shorted["Cell_Average_Temperature_Out"].max() > 60


def test_loops_are_done_as_often_as_said_also_within_each_other():
    pulse, rest = Stage(Mode.CURRENT, -5.0, duration_s=10), Stage(Mode.REST, duration_s=5)

    cell = run(400, pulse, Stage(Mode.LOOP, 1, repeats=3), rest, Stage(Mode.LOOP, 1, repeats=4))

    assert cell.last("Discharge_Capacity_Out") == pytest.approx(5.0 * 10 * 12 / 3600)
    assert cell.last("Step_Count_Out") == 12 + 4
    assert cell["time"][np.argmax(cell["Procedure_Over_Out"] > 0)] == pytest.approx(140.0)
    assert cell.last("Cycle_Out") == 1 + 4 * 2 + 3


def test_a_life_test_ends_with_the_state_of_health():
    rest = Stage(Mode.REST, duration_s=86400.0)

    cell = run(30 * 86400, rest, Stage(Mode.LOOP, 1, soh_below_pct=99.0), step_s=3600.0, Ageing_Factor=80)

    over = int(np.argmax(cell["Procedure_Over_Out"] > 0))
    assert cell.last("Procedure_Over_Out") == 1
    assert cell["SoH_Out"][over] < 99.0 < cell["SoH_Out"][over - 26]


def test_the_chamber_follows_its_set_points_as_fast_as_it_can():
    warm = Stage(Mode.REST, duration_s=1200, ambient_degC=45.0, ambient_rate_K_per_min=2.0)
    cold = Stage(Mode.REST, duration_s=600, ambient_degC=0.0)

    cell = run(1800, warm, cold)

    assert np.interp([300, 600, 1100], cell["time"], cell["Ambient_Temperature_Out"]) == pytest.approx(
        [35, 45, 45], abs=0.05
    )
    assert np.interp([1300], cell["time"], cell["Ambient_Temperature_Out"]) == pytest.approx([0.0])


def test_a_profile_is_followed_within_the_limits_of_the_cell_and_ends_there_if_asked():
    regulated = run(3000, Current_Profile_In=5.0, Initial_SoC_In=80.0)
    ended = run(3000, Current_Profile_In=5.0, Initial_SoC_In=80.0, Limit_Action=1.0)

    assert regulated["Voltage_Out"].max() == pytest.approx(4.2, abs=1e-5)
    assert 0 < regulated.last("Current_Out") < 1.0
    assert ended["Voltage_Out"].max() == pytest.approx(4.2, abs=1e-3)
    assert (ended.last("Current_Out"), ended.last("Procedure_Over_Out")) == (0.0, 1.0)
    assert any("upper voltage limit ended the profile" in line for line in ended.log)


def test_no_current_is_shown_that_a_limit_of_the_state_of_charge_forbids():
    cell = run(3600, Current_Profile_In=-5.0, SoC_Min=40.0)
    ended = run(3600, Current_Profile_In=-5.0, SoC_Min=40.0, Limit_Action=1.0)

    assert cell["Current_Out"][-1] == 0.0
    assert np.trapezoid(cell["Current_Out"], cell["time"]) / -3600 == pytest.approx(
        cell.last("Discharge_Capacity_Out"), rel=1e-3
    )
    assert (ended.last("Procedure_Over_Out"), ended.last("Stop_Reason_Out")) == (1.0, 2.0)


def test_the_chamber_goes_on_to_its_set_point_in_the_stages_that_follow():
    warming = Stage(Mode.REST, duration_s=60, ambient_degC=45.0, ambient_rate_K_per_min=2.0)

    cell = run(1200, warming, Stage(Mode.REST, duration_s=1200))

    assert np.interp([60, 300, 1100], cell["time"], cell["Ambient_Temperature_Out"]) == pytest.approx(
        [27, 35, 45], abs=0.05
    )


def test_a_stage_that_follows_the_profile_ends_by_its_conditions():
    cell = run(1800, Stage(Mode.PROFILE, duration_s=1800, soc_below_pct=90.0), REST, Current_Profile_In=-5.0)

    assert cell.stage(1)["SoC_Out"].min() == pytest.approx(90.0, abs=0.05)


@pytest.mark.parametrize("step_s", [0.5, 10.0])
def test_what_came_first_ends_a_stage_whatever_the_step(step_s):
    stage = Stage(Mode.CURRENT, -10.0, soc_below_pct=88.5, duration_s=900.0)

    cell = run(900, stage, Stage(Mode.REST, duration_s=600), step_s=step_s, Temperature_Max=36.9)

    assert cell.last("Stop_Reason_Out") == 1.0
    assert cell.log == []


def test_the_coldest_cell_counts_below_and_the_hottest_above():
    cold = run(3600, Stage(Mode.REST, duration_s=3600), Ambient_Temperature_In=-10.0, Temperature_Min=10.0)

    assert cold["Lowest_Cell_Temperature_Out"][np.argmax(cold["Procedure_Over_Out"] > 0)] == pytest.approx(
        10.0, abs=0.05
    )
    assert cold.last("Stop_Reason_Out") == 3.0


def test_a_limit_that_ends_a_stage_is_told():
    cell = run(600, Stage(Mode.CURRENT, 5.0, duration_s=600), REST, Initial_SoC_In=97.0)

    assert any("upper voltage limit ended stage 1" in line for line in cell.log)
    assert cell.last("Stop_Reason_Out") == 1.0


def test_a_procedure_can_wait_for_the_profile():
    cell = run(300, REST, Stage(Mode.PROFILE, duration_s=120), REST, Current_Profile_In=-2.0)

    assert cell.stage(1)["Current_Out"][1:] == pytest.approx(0.0)
    assert cell.stage(2)["Current_Out"] == pytest.approx(-2.0)
    assert cell.stage(3)["Current_Out"] == pytest.approx(0.0)


def test_a_cell_that_is_too_hot_ends_everything():
    cell = run(600, Stage(Mode.CURRENT, -15.0, duration_s=600), REST, Temperature_Max=40.0)

    assert cell["Highest_Cell_Temperature_Out"].max() == pytest.approx(40.0, abs=0.05)
    assert cell.last("Procedure_Over_Out") == 1
    assert any("temperature limit ended the procedure" in line for line in cell.log)


def test_limits_of_the_state_of_charge_are_kept():
    low = run(3600, Current_Profile_In=-5.0, SoC_Min=40.0)
    high = run(3600, Stage(Mode.CURRENT, 2.5, duration_s=3600), Initial_SoC_In=50.0, SoC_Max=70.0)

    assert low["SoC_Out"].min() == pytest.approx(40.0, abs=0.05)
    assert high["SoC_Out"].max() == pytest.approx(70.0, abs=0.01)


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ([Stage(Mode.REST)], r"Stage 1 \(rest\) has no end"),
        ([Stage(Mode.CURRENT, -1.0)], r"Stage 1 \(current\) has no end"),
        ([Stage(Mode.CURRENT, duration_s=5.0)], "regulates current and has no value"),
        ([REST, Stage(Mode.LOOP, 1)], "Stage 2 is a loop without an end"),
        ([REST, Stage(Mode.LOOP, 2, repeats=2)], "Stage 2 goes back to stage 2"),
        ([Stage(Mode.VOLTAGE, 4.5, duration_s=5.0)], r"holds 4\.5 V, outside the cells' limits"),
        ([Stage(Mode.CURRENT, 1.0, voltage_above_V=4.4)], "cells' limit comes first at 4.2 V: they contradict"),
        ([Stage(Mode.CURRENT, 1.0, voltage_above_V=3.0, voltage_below_V=3.5)], "which is always"),
        ([Stage(Mode.REST, duration_s=-5.0)], "lasts -5 s"),
        ([Stage(Mode.REST, duration_s=1e-12)], "lasts 1e-12 s"),
        ([Stage(Mode.CURRENT, 0.0, charge_Ah=1.0)], r"Stage 1 \(current\) has no end"),
        ([Stage(Mode.CURRENT, -1.0, current_below_A=0.5, duration_s=5.0)], "column 6, which cannot end it"),
        ([Stage(Mode.REST, current_below_A=0.5, duration_s=5.0)], "column 6, which cannot end it"),
        ([Stage(Mode.CURRENT, -1.0, charge_Ah=-1.0)], "ends after -1 Ah"),
        ([Stage(Mode.CURRENT, -1.0, soc_below_pct=80.0, soc_above_pct=20.0)], "which is always"),
        ([REST, Stage(Mode.LOOP, 1, soh_below_pct=120.0)], "120 % of health"),
        ([Stage(Mode.RESISTANCE, 0.0, duration_s=5.0)], "resistance of 0 Ohm"),
        ([Stage(Mode.CURRENT, -1.0, voltage_below_V=4.19, duration_s=9.0), Stage(Mode.LOOP, 1, repeats=2)], None),
    ],
)
def test_a_procedure_that_makes_no_sense_is_refused_before_it_begins(stages, words):
    if words is None:
        assert run(30, *stages).last("Procedure_Over_Out") == 1
        return
    with pytest.raises(LabError, match=words):
        run(1, *stages)


def test_a_procedure_with_a_gap_or_without_numbers_is_refused():
    rows = matrix([REST])
    gap = [(0.0,) * len(COLUMNS), *rows[:-1]]
    for broken, words in (
        (gap, "Stage 1 is empty and stage 2 is not"),
        ([(9.0, *rows[0][1:]), *rows[1:]], "has mode 9"),
    ):
        text = " ".join(str(value) for row in broken for value in row)
        with pytest.raises(LabError, match=words):
            run(1, Test_Procedure=text)


def test_loops_that_take_no_time_are_noticed():
    at_once = Stage(Mode.CURRENT, -5.0, voltage_below_V=4.19)  # is met as soon as the current flows

    with pytest.raises(LabError, match="without taking any time"):
        run(60, at_once, Stage(Mode.LOOP, 1, repeats=1_000_000))


stages = st.one_of(
    st.builds(Stage, st.just(Mode.REST), duration_s=st.floats(0.1, 900)),
    st.builds(Stage, st.just(Mode.CURRENT), st.floats(-20, 20), duration_s=st.floats(0.1, 900)),
    st.builds(
        Stage,
        st.just(Mode.VOLTAGE),
        st.floats(2.5, 4.2),
        duration_s=st.floats(0.1, 900),
        current_below_A=st.floats(0.01, 3),
    ),
    st.builds(Stage, st.just(Mode.POWER), st.floats(-60, 60), duration_s=st.floats(0.1, 900)),
    st.builds(Stage, st.just(Mode.RESISTANCE), st.floats(0.05, 50), duration_s=st.floats(0.1, 900)),
)


@pytest.mark.thorough
@settings(max_examples=30, deadline=None)
@given(
    st.lists(stages, min_size=1, max_size=6),
    st.floats(2, 98),
    st.sampled_from(["SPMe", "circuit"]),
    st.sampled_from([1.0, 10.0]),
)
def test_any_procedure_comes_to_its_end_within_the_limits(chosen, soc_pct, model, step_s):
    cell = run(6000, *chosen, Initial_SoC_In=soc_pct, Model=model, step_s=step_s, Temperature_Max=1e6)

    assert all(np.isfinite(values).all() for values in cell.values())
    assert cell.last("Procedure_Over_Out") == 1
    assert 2.5 - 1e-3 <= cell["Voltage_Out"].min() <= cell["Voltage_Out"].max() <= 4.2 + 1e-3
