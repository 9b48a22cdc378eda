"""Figures of a run: what the battery gave and took, how warm it became, and whether the books balance.

Between two samples the *current is held*, as every bench applies it: a sample counts from its own time to that of the
next one, and the last sample for no time at all. Charge is therefore a plain sum. The voltage moves on while the
current is held, so energy takes the mean of the voltages at both ends of an interval; where the current changes at the
end, the voltage there already belongs to the next current, and the voltage at the beginning is taken.

Positive current charges. A signal which is missing, or has a sample that is no number or is marked invalid (-1e9),
yields None for every figure that needs it: a figure over half a signal would look like one over all of it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbench.core.errors import ResultError
from twinbench.core.findings import Finding, Severity

__all__ = ["INVALID", "RESPONSES", "Counted", "Limits", "RunFigures", "check_figures", "evaluate_run"]

INVALID = -1e9
"""What a port says that is not connected (D6.3)."""

RESPONSES = (
    *("discharge_resistance_mOhm", "charge_resistance_mOhm", "soh_end_pct", "discharged_Ah", "charged_Ah"),
    *("mean_resistance_mOhm", "temperature_rise_degC"),
)
"""Figures that a test is carried out for, the most telling first: how they follow the factors is looked at."""

Samples = NDArray[np.float64]

_MAIN_SIGNALS = ("Current_Profile", "Cell_Voltage_01", "Cell_Average_Temperature_01")
_STATE_SIGNALS = ("Internal_Resistance", "SoC", "Capacity", "SoH")
_SECONDS_PER_HOUR = 3600.0
_SAME_CURRENT = 0.01  # of the largest current: less is noise or a slow taper, not another step
_REST = 0.02  # of the largest current: less, and the battery rests
_LONGEST_PULSE_s = 120.0
_CLOSED_CYCLE = 0.02  # of the charge: more, and the ratio of energies is no efficiency
_VOLTAGE_TOLERANCE_V = 0.005
_TEMPERATURE_TOLERANCE_degC = 0.1


@dataclass(frozen=True)
class Limits:
    """What a run must keep to.

    Attributes:
        voltage_V: Lowest and highest cell voltage.
        temperature_degC: Lowest and highest cell temperature.
        charge_balance_pct: How far the SoC may be from the counted charge, in percentage points.
    """

    voltage_V: tuple[float, float] = (-math.inf, math.inf)
    temperature_degC: tuple[float, float] = (-math.inf, math.inf)
    charge_balance_pct: float = 1.0


@dataclass(frozen=True)
class RunFigures:
    """What a run comes down to; None where the signals do not say.

    Attributes:
        energy_efficiency: Energy given per energy taken; only if the charge given and taken agree within 2 %.
        temperature_rise_degC: Highest temperature above the first one.
        mean_resistance_mOhm: Mean over time.
        discharge_resistance_mOhm: Of the first discharge pulse of two minutes at most, between rests: change of voltage
            from the rest before to the end of the pulse over its current (HPPC).
        charge_resistance_mOhm: Likewise of the first charge pulse.
        charge_balance_pct: Change of SoC less counted charge over capacity, in percentage points.
        outside_limits_s: How long voltage or temperature was outside the limits by more than 5 mV or 0.1 degC.
    """

    duration_s: float
    discharged_Ah: float | None
    charged_Ah: float | None
    discharged_Wh: float | None
    charged_Wh: float | None
    energy_efficiency: float | None
    voltage_min_V: float | None
    voltage_max_V: float | None
    temperature_max_degC: float | None
    temperature_rise_degC: float | None
    mean_resistance_mOhm: float | None
    discharge_resistance_mOhm: float | None
    charge_resistance_mOhm: float | None
    soc_start_pct: float | None
    soc_end_pct: float | None
    soh_end_pct: float | None
    charge_balance_pct: float | None
    outside_limits_s: float | None

    def as_document(self) -> dict[str, float | None]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Counted:
    """Charge and energy of a whole run, as a bench that counts them itself tells."""

    charged_Ah: float
    discharged_Ah: float
    charged_Wh: float
    discharged_Wh: float


def evaluate_run(
    time_s: Samples, signals: Mapping[str, Samples], *, limits: Limits, counted: Counted | None = None
) -> RunFigures:
    """Bring a run down to its figures.

    Args:
        time_s: Shape (n,), n >= 2, strictly increasing.
        signals: The metric signals by name, each of shape (n,).
        limits: What the run must keep to.
        counted: Charge and energy if the bench has counted them; otherwise they follow from the rows.

    Raises:
        ResultError: If the rows are no time series, naming what is wrong with them.
    """
    _check_rows(time_s, signals)
    held_s = np.diff(time_s)
    current_A, voltage_V, temperature_degC = (_valid(signals.get(name)) for name in _MAIN_SIGNALS)
    resistance_mOhm, soc_pct, capacity_Ah, soh_pct = (_valid(signals.get(name)) for name in _STATE_SIGNALS)
    taken_Ah, given_Ah = _in_and_out(current_A, np.ones_like(time_s), held_s)
    taken_Wh, given_Wh = _in_and_out(current_A, voltage_V, held_s)
    if counted:
        taken_Ah, given_Ah = counted.charged_Ah, counted.discharged_Ah
        taken_Wh, given_Wh = counted.charged_Wh, counted.discharged_Wh
    return RunFigures(
        duration_s=float(time_s[-1] - time_s[0]),
        discharged_Ah=given_Ah,
        charged_Ah=taken_Ah,
        discharged_Wh=given_Wh,
        charged_Wh=taken_Wh,
        energy_efficiency=_efficiency(given_Ah, taken_Ah, given_Wh, taken_Wh),
        voltage_min_V=_figure(voltage_V, np.min),
        voltage_max_V=_figure(voltage_V, np.max),
        temperature_max_degC=_figure(temperature_degC, np.max),
        temperature_rise_degC=_figure(temperature_degC, lambda values: values.max() - values[0]),
        mean_resistance_mOhm=_figure(resistance_mOhm, lambda values: values[:-1] @ held_s / held_s.sum()),
        discharge_resistance_mOhm=_pulse_resistance_mOhm(time_s, current_A, voltage_V, sign=-1.0),
        charge_resistance_mOhm=_pulse_resistance_mOhm(time_s, current_A, voltage_V, sign=+1.0),
        soc_start_pct=_figure(soc_pct, lambda values: values[0]),
        soc_end_pct=_figure(soc_pct, lambda values: values[-1]),
        soh_end_pct=_figure(soh_pct, lambda values: values[-1]),
        charge_balance_pct=_charge_balance(taken_Ah, given_Ah, soc_pct, capacity_Ah),
        outside_limits_s=_outside(voltage_V, temperature_degC, held_s, limits),
    )


def check_figures(figures: RunFigures, *, run: int, limits: Limits) -> list[Finding]:
    """Whether the charge that was counted explains the change of SoC; empty if it does or cannot be told."""
    error_pct = figures.charge_balance_pct
    if error_pct is None or abs(error_pct) <= limits.charge_balance_pct:
        return []
    return [
        Finding(
            "RESULT-CHARGE-BALANCE",
            Severity.WARNING,
            f"run {run} / SoC",
            f"changes by {error_pct:+.2f} percentage points more than the counted charge over the capacity says, "
            f"at most {limits.charge_balance_pct:g} are allowed",
            "look for lost samples, a drifting current sensor, or a model which does not conserve charge",
        )
    ]


def _check_rows(time_s: Samples, signals: Mapping[str, Samples]) -> None:
    if time_s.ndim != 1 or len(time_s) < 2:
        raise ResultError(f"A run with time of shape {time_s.shape} has no figures: it needs two rows or more.")
    odd = [f"{name} {values.shape}" for name, values in signals.items() if values.shape != time_s.shape]
    if odd:
        raise ResultError(f"{', '.join(odd)} and time {time_s.shape} differ in shape: give one value for each time.")
    stuck = np.flatnonzero(~(np.diff(time_s) > 0))
    if len(stuck) or not math.isfinite(time_s[-1]):
        row = int(stuck[0]) if len(stuck) else len(time_s) - 2
        raise ResultError(
            f"Time goes from {time_s[row]:g} s to {time_s[row + 1]:g} s at row {row + 1}: sort the rows by time and "
            "drop repeated ones before evaluating them."
        )


def _valid(values: Samples | None) -> Samples | None:
    if values is None or not np.isfinite(values).all() or (values == INVALID).any():
        return None
    return values


def _figure(values: Samples | None, figure: Callable[[Samples], Any]) -> float | None:
    return None if values is None else float(figure(values))


def _in_and_out(
    current_A: Samples | None, potential: Samples | None, held_s: Samples
) -> tuple[float | None, float | None]:
    """What was taken and given: energy in Wh for a voltage, charge in Ah for a potential of one."""
    if current_A is None or potential is None:
        return None, None
    held_A = current_A[:-1]
    goes_on = np.abs(np.diff(current_A)) <= _SAME_CURRENT * np.abs(current_A).max()
    meanwhile = np.where(goes_on, (potential[:-1] + potential[1:]) / 2, potential[:-1])
    amounts = held_A * meanwhile * held_s / _SECONDS_PER_HOUR
    return float(amounts[held_A > 0].sum()), float(np.abs(amounts[held_A < 0]).sum())


def _pulse_resistance_mOhm(
    time_s: Samples, current_A: Samples | None, voltage_V: Samples | None, *, sign: float
) -> float | None:
    """What the first pulse in a direction shows at its end, if it lies between two rests."""
    if current_A is None or voltage_V is None or not current_A.any():
        return None
    is_rest = np.abs(current_A) <= _REST * np.abs(current_A).max()
    changes = np.flatnonzero(np.diff(is_rest.astype(np.int8)))
    for before, last in itertools.pairwise(changes):  # last row of a rest, last row of what follows
        held_A = current_A[before + 1 : last + 1]
        is_pulse = not is_rest[before + 1] and time_s[last] - time_s[before] <= _LONGEST_PULSE_s
        if is_pulse and np.ptp(held_A) <= _SAME_CURRENT * np.abs(held_A).max() and held_A[0] * sign > 0:
            return float(1e3 * (voltage_V[last] - voltage_V[before]) / (current_A[last] - current_A[before]))
    return None


def _efficiency(
    given_Ah: float | None, taken_Ah: float | None, given_Wh: float | None, taken_Wh: float | None
) -> float | None:
    if not (given_Ah and taken_Ah and given_Wh and taken_Wh):
        return None
    if abs(given_Ah - taken_Ah) > _CLOSED_CYCLE * max(given_Ah, taken_Ah):
        return None
    return given_Wh / taken_Wh


def _charge_balance(
    taken_Ah: float | None, given_Ah: float | None, soc_pct: Samples | None, capacity_Ah: Samples | None
) -> float | None:
    if taken_Ah is None or given_Ah is None or soc_pct is None or capacity_Ah is None or capacity_Ah[0] <= 0:
        return None
    return float(soc_pct[-1] - soc_pct[0] - 100 * (taken_Ah - given_Ah) / capacity_Ah[0])


def _outside(
    voltage_V: Samples | None, temperature_degC: Samples | None, held_s: Samples, limits: Limits
) -> float | None:
    checks = (
        (voltage_V, limits.voltage_V, _VOLTAGE_TOLERANCE_V),
        (temperature_degC, limits.temperature_degC, _TEMPERATURE_TOLERANCE_degC),
    )
    known = [(values[:-1], low - slack, high + slack) for values, (low, high), slack in checks if values is not None]
    if not known:
        return None
    outside = np.any([(values < low) | (values > high) for values, low, high in known], axis=0)
    return float(held_s[outside].sum())
