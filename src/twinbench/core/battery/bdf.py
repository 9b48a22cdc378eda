"""Columns of the Battery Data Format (Battery Data Alliance, ontology 1.3): what battery laboratories exchange.

    as measured   test time, voltage, current (positive charges, as here), temperature, internal resistance
    counted       charge and energy that went in and out since the start: never reset, each growing alone
    of a cycler   step, cycle, set point of the chamber: where the bench tells them

Counted from the samples (trapezoids) unless the bench counts itself, which is more exact between two samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Columns = Mapping[str, NDArray[np.float64]]

__all__ = ["BDF_LABELS", "COUNTED_LABELS", "CYCLER_OUTPUTS", "BdfCounter"]

_MEASURED: Mapping[str, tuple[str, float]] = {
    "Voltage / V": ("Cell_Voltage_01", 1.0),
    "Current / A": ("Current_Profile", 1.0),
    "Temperature T1 / degC": ("Cell_Average_Temperature_01", 1.0),
    "Internal Resistance / ohm": ("Internal_Resistance", 1e-3),
}
COUNTED_LABELS = (
    "Charging Capacity / Ah",
    "Discharging Capacity / Ah",
    "Charging Energy / Wh",
    "Discharging Energy / Wh",
)
"""Charge and energy since the start, in the order of :class:`twinbench.core.evaluation.Counted`."""

CYCLER_OUTPUTS: Mapping[str, str] = {
    "Voltage_Out": "Voltage / V",
    "Ambient_Temperature_Out": "Ambient Temperature / degC",
    "Cycle_Out": "Cycle Count / 1",
    "Step_Count_Out": "Step Count / 1",
    "Stage_Out": "Step ID",
    "Charge_Capacity_Out": COUNTED_LABELS[0],
    "Discharge_Capacity_Out": COUNTED_LABELS[1],
    "Charge_Energy_Out": COUNTED_LABELS[2],
    "Discharge_Energy_Out": COUNTED_LABELS[3],
}
"""Output of a battery model with a cycler -> the column it fills."""

BDF_LABELS = frozenset({"Test Time / s", "Power / W", *_MEASURED, *COUNTED_LABELS, *CYCLER_OUTPUTS.values()})
"""All columns that may be written; a label ends with its unit."""


class BdfCounter:
    """Makes the columns of a run, block by block."""

    def __init__(self) -> None:
        self._last: tuple[float, float, float] | None = None  # time, current, power
        self._sums = [0.0] * len(COUNTED_LABELS)

    def columns(
        self, time_s: NDArray[np.float64], signals: Columns, cycler: Columns | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Columns for rows that follow the rows before.

        Args:
            time_s: Shape (n,).
            signals: D6.3's signals, each of shape (n,).
            cycler: What :data:`CYCLER_OUTPUTS` names, by the name of the output, each of shape (n,).
        """
        made = {"Test Time / s": time_s}
        for label, (name, factor) in _MEASURED.items():
            if name in signals:
                made[label] = signals[name] * factor
        given = {CYCLER_OUTPUTS[name]: values for name, values in (cycler or {}).items() if name in CYCLER_OUTPUTS}
        made |= given
        if "Voltage / V" in made and "Current / A" in made:
            made["Power / W"] = made["Voltage / V"] * made["Current / A"]
            if not set(COUNTED_LABELS) <= set(given):
                made |= self._count(time_s, made["Current / A"], made["Power / W"])
        return made

    def _count(
        self, time_s: NDArray[np.float64], current_A: NDArray[np.float64], power_W: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        import numpy as np

        if not len(time_s):
            return {label: np.empty(0) for label in COUNTED_LABELS}
        before = self._last or (time_s[0], current_A[0], power_W[0])
        held_h = np.diff(time_s, prepend=before[0]) / 3600
        counted = {}
        for number, (label, values, first) in enumerate(
            zip(
                COUNTED_LABELS,
                (current_A, -current_A, power_W, -power_W),
                (before[1], -before[1], before[2], -before[2]),
                strict=True,
            )
        ):
            positive = np.maximum(values, 0.0)
            middle = 0.5 * (positive + np.concatenate([[max(first, 0.0)], positive[:-1]]))
            counted[label] = self._sums[number] + np.cumsum(middle * held_h)
            self._sums[number] = float(counted[label][-1])
        self._last = (float(time_s[-1]), float(current_A[-1]), float(power_W[-1]))
        return counted
