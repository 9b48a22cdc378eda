"""The figures of a run are those of the closed form, and none is made up where a signal does not say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.errors import ResultError
from twinbench.core.evaluation import (
    INVALID,
    Counted,
    Limits,
    RunFigures,
    check_figures,
    evaluate_run,
)

HOUR = np.arange(0.0, 3601.0, 10.0)


def figures_of(time_s: np.ndarray = HOUR, *, limits: Limits | None = None, **signals: np.ndarray | float) -> RunFigures:
    arrays = {name: np.broadcast_to(np.asarray(values, dtype=float), time_s.shape) for name, values in signals.items()}
    return evaluate_run(time_s, arrays, limits=limits or Limits())


def test_a_constant_discharge_gives_current_times_time():
    figures = figures_of(Current_Profile=-5.0, Cell_Voltage_01=3.6)

    assert figures.duration_s == 3600.0
    assert figures.discharged_Ah == pytest.approx(5.0)
    assert figures.discharged_Wh == pytest.approx(18.0)
    assert (figures.charged_Ah, figures.charged_Wh) == (0.0, 0.0)


def test_energy_under_a_falling_voltage_is_its_integral():
    figures = figures_of(Current_Profile=-5.0, Cell_Voltage_01=4.2 - 1.7 * HOUR / 3600)

    assert figures.discharged_Wh == pytest.approx(5 * (4.2 + 2.5) / 2)
    assert (figures.voltage_min_V, figures.voltage_max_V) == pytest.approx((2.5, 4.2))


def test_a_current_is_held_until_the_next_sample():
    time_s = np.array([0.0, 10.0, 3610.0, 3620.0])
    figures = figures_of(time_s, Current_Profile=np.array([0.0, -2.0, 0.0, -99.0]), Cell_Voltage_01=1.0)

    assert figures.discharged_Ah == pytest.approx(2.0)


def test_a_voltage_after_a_change_of_current_is_not_blamed_on_the_current_before():
    time_s = np.array([0.0, 3600.0, 7200.0])
    figures = figures_of(time_s, Current_Profile=np.array([-1.0, 0.0, 0.0]), Cell_Voltage_01=np.array([3.0, 4.0, 4.0]))

    assert figures.discharged_Wh == pytest.approx(3.0)


def test_efficiency_is_energy_given_per_energy_taken_of_a_closed_cycle():
    current_A = np.where(HOUR < 1800, -2.0, 2.0)
    figures = figures_of(Current_Profile=current_A, Cell_Voltage_01=3.6 + 0.1 * np.sign(current_A))

    assert figures.energy_efficiency == pytest.approx(3.5 / 3.7)


@pytest.mark.parametrize("charge_A", [0.0, 0.001, 1.9])
def test_a_cycle_that_does_not_close_has_no_efficiency(charge_A):
    figures = figures_of(Current_Profile=np.where(HOUR < 1800, -2.0, charge_A), Cell_Voltage_01=3.6)

    assert figures.energy_efficiency is None


def test_warmth_and_resistance():
    time_s = np.array([0.0, 1.0, 4.0, 5.0])
    figures = figures_of(
        time_s,
        Cell_Average_Temperature_01=np.array([25.0, 31.0, 24.0, 26.0]),
        Internal_Resistance=np.array([30.0, 40.0, 50.0, 999.0]),
    )

    assert (figures.temperature_max_degC, figures.temperature_rise_degC) == (31.0, 6.0)
    assert figures.mean_resistance_mOhm == pytest.approx((30 * 1 + 40 * 3 + 50 * 1) / 5)


def test_what_the_bench_has_counted_itself_counts():
    counted = Counted(charged_Ah=1.0, discharged_Ah=2.0, charged_Wh=3.0, discharged_Wh=4.0)
    signals = {
        "Current_Profile": np.array([-5.0, 0.0]),
        "Cell_Voltage_01": np.array([3.6, 3.6]),
        "SoH": np.array([100.0, 97.5]),
    }

    figures = evaluate_run(np.array([0.0, 600.0]), signals, limits=Limits(), counted=counted)

    assert (figures.charged_Ah, figures.discharged_Ah, figures.charged_Wh, figures.discharged_Wh) == (1, 2, 3, 4)
    assert figures.soh_end_pct == 97.5


def pulses(noise_A=0.0):
    """Rest, 10 s of discharge at 10 A, rest, 10 s of charge at 7.5 A, rest: 30 and 20 mOhm."""
    time_s = np.arange(0.0, 110.0)
    current_A = np.select([(time_s > 30) & (time_s <= 40), (time_s > 70) & (time_s <= 80)], [-10.0, 7.5], 0.0)
    voltage_V = 3.7 + np.where(current_A < 0, 0.03, 0.02) * current_A
    return time_s, current_A + noise_A * np.sin(time_s), voltage_V


@pytest.mark.parametrize("noise_A", [0.0, 0.02])
def test_the_resistance_of_a_pulse_is_its_change_of_voltage_over_its_current(noise_A):
    time_s, current_A, voltage_V = pulses(noise_A)

    figures = figures_of(time_s, Current_Profile=current_A, Cell_Voltage_01=voltage_V)

    assert figures.discharge_resistance_mOhm == pytest.approx(30.0, rel=0.01)
    assert figures.charge_resistance_mOhm == pytest.approx(20.0, rel=0.01)


@pytest.mark.parametrize("current_A", [0.0, -5.0, np.where(HOUR < 1800, 0.0, -5.0)])
def test_without_a_pulse_there_is_no_resistance_of_one(current_A):
    figures = figures_of(Current_Profile=current_A, Cell_Voltage_01=3.7)

    assert (figures.discharge_resistance_mOhm, figures.charge_resistance_mOhm) == (None, None)


@given(
    currents=st.lists(st.floats(-10, 10), min_size=2, max_size=50),
    capacity_Ah=st.floats(0.5, 10),
    drift_pct=st.floats(-5, 5),
)
def test_the_charge_balance_is_the_drift_of_the_soc(currents, capacity_Ah, drift_pct):
    time_s = 10.0 * np.arange(len(currents))
    counted_Ah = np.concatenate([[0.0], np.cumsum(currents[:-1])]) * 10 / 3600
    soc_pct = 50 + 100 * counted_Ah / capacity_Ah + np.linspace(0, drift_pct, len(currents))
    figures = figures_of(time_s, Current_Profile=np.array(currents), SoC=soc_pct, Capacity=capacity_Ah)

    assert figures.charge_balance_pct == pytest.approx(drift_pct, abs=1e-9)
    assert figures.charged_Ah - figures.discharged_Ah == pytest.approx(counted_Ah[-1], abs=1e-12)


def test_a_balance_that_does_not_close_is_a_finding():
    limits = Limits(charge_balance_pct=1.0)
    open_, closed = (figures_of(Current_Profile=0.0, SoC=np.linspace(50, end, 361), Capacity=5.0) for end in (52, 50.5))

    [finding] = check_figures(open_, run=3, limits=limits)

    assert (finding.code, finding.where) == ("RESULT-CHARGE-BALANCE", "run 3 / SoC")
    assert "+2.00" in finding.message
    assert check_figures(closed, run=3, limits=limits) == []
    assert check_figures(figures_of(Current_Profile=0.0), run=3, limits=limits) == []


def test_time_outside_the_limits_counts_without_the_row_of_the_stop():
    limits = Limits(voltage_V=(2.5, 4.2), temperature_degC=(0.0, 60.0))
    time_s = np.array([0.0, 1.0, 3.0, 7.0, 8.0])
    voltage_V = np.array([4.204, 4.3, 4.0, 4.0, 2.0])
    figures = figures_of(
        time_s,
        limits=limits,
        Cell_Voltage_01=voltage_V,
        Cell_Average_Temperature_01=np.array([25.0, 61.0, 61.0, 60.05, 25.0]),
    )

    assert figures.outside_limits_s == pytest.approx(2.0 + 4.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, INVALID])
def test_half_a_signal_gives_no_figure(bad):
    voltage_V = np.full(HOUR.shape, 3.6)
    voltage_V[5] = bad
    figures = figures_of(Current_Profile=-5.0, Cell_Voltage_01=voltage_V)

    assert figures.discharged_Ah == pytest.approx(5.0)
    assert (figures.discharged_Wh, figures.voltage_min_V, figures.energy_efficiency) == (None, None, None)


def test_without_signals_only_the_duration_is_known():
    document = figures_of().as_document()

    assert document.pop("duration_s") == 3600.0
    assert set(document.values()) == {None}


@pytest.mark.parametrize(
    ("time_s", "message"),
    [
        ([], "needs two rows or more"),
        ([0.0], "needs two rows or more"),
        ([0.0, 2.0, 2.0], r"from 2 s to 2 s at row 2: sort"),
        ([0.0, np.nan, 2.0], r"from 0 s to nan s at row 1: sort"),
        ([0.0, 1.0, np.inf], r"from 1 s to inf s at row 2: sort"),
    ],
)
def test_rows_that_are_no_time_series_are_refused(time_s, message):
    with pytest.raises(ResultError, match=message):
        figures_of(np.array(time_s), Current_Profile=0.0)


def test_a_signal_of_another_length_is_named():
    with pytest.raises(ResultError, match=r"SoC \(3,\) and time \(361,\) differ"):
        evaluate_run(HOUR, {"SoC": np.zeros(3)}, limits=Limits())
