"""Columns of the Battery Data Format say what the signals say, whatever the blocks in which they come."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.battery.bdf import BDF_LABELS, BdfCounter

rows = st.lists(st.tuples(st.floats(-10, 10), st.floats(2, 5)), min_size=1, max_size=30)


def columns(samples, cuts=(), cycler=None):
    current_A, voltage_V = np.array(samples).T
    time_s = np.arange(len(samples)) * 10.0
    counter, parts = BdfCounter(), []
    for part in np.split(np.arange(len(samples)), sorted(cuts)):
        signals = {"Current_Profile": current_A[part], "Cell_Voltage_01": voltage_V[part]}
        parts.append(counter.columns(time_s[part], signals, cycler))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def test_a_charge_and_a_discharge_are_counted_apart():
    made = columns([(3.6, 4.0), (3.6, 4.0), (0.0, 4.0), (-7.2, 3.0), (-7.2, 3.0)])

    assert made["Charging Capacity / Ah"] * 1000 == pytest.approx([0, 10, 15, 15, 15])
    assert made["Discharging Capacity / Ah"] * 1000 == pytest.approx([0, 0, 0, 10, 30])
    assert made["Discharging Energy / Wh"] * 1000 == pytest.approx([0, 0, 0, 30, 90])
    assert made["Power / W"] == pytest.approx([14.4, 14.4, 0, -21.6, -21.6])


@given(rows, st.lists(st.integers(0, 30), max_size=3))
def test_it_does_not_matter_in_which_blocks_rows_come(samples, cuts):
    whole, parts = columns(samples), columns(samples, [min(cut, len(samples)) for cut in cuts])

    for name, values in whole.items():
        np.testing.assert_allclose(parts[name], values, atol=1e-12)
        assert name in BDF_LABELS
    assert np.all(np.diff(whole["Charging Capacity / Ah"]) >= 0)


def test_a_bench_that_counts_itself_is_believed():
    counts = {
        f"{way}_{what}_Out": np.array([7.0]) for way in ("Charge", "Discharge") for what in ("Capacity", "Energy")
    }

    made = columns([(1.0, 4.0)], cycler={**counts, "Stage_Out": np.array([3.0]), "Other": np.array([1.0])})

    assert made["Charging Capacity / Ah"] == [7.0]
    assert made["Step ID"] == [3.0]
    assert "Other" not in made


def test_what_is_not_measured_has_no_column():
    made = BdfCounter().columns(np.array([0.0]), {"Cell_Voltage_01": np.array([3.7])})

    assert set(made) == {"Test Time / s", "Voltage / V"}
