"""A bench made of the battery model: a cycler and a chamber in software, with a real one's sensor noise.

Its time runs faster than the wall's by a factor. Stages are carried out by the model's own cycler. The limits of steps
look at the measured voltage, as a cycler's do: the upper one while charging, the lower one while discharging.
"""

from __future__ import annotations

import math
import random
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

from twinbench.bench.drivers.driver import Sample
from twinbench.core.battery.procedure import Procedure
from twinbench.core.battery.stages import matrix_text
from twinbench.core.errors import BenchError, LabError

__all__ = ["Plant", "SimulatedDriver"]

# Metric signal -> output of the model and standard deviation of its sensor, in the signal's unit.
_SENSORS: Mapping[str, tuple[str, float]] = {
    "Current_Profile": ("Current_Out", 0.002),
    "Cell_Voltage_01": ("Cell_Voltage_Out", 0.0005),
    "Cell_Average_Temperature_01": ("Cell_Average_Temperature_Out", 0.05),
    "Cell_Temperature_Gradient_01": ("Cell_Temperature_Gradient_Out", 0.05),
    "SoC": ("SoC_Out", 0.0),
    "SoH": ("SoH_Out", 0.0),
    "Internal_Resistance": ("Internal_Resistance_Out", 0.0),
    "Capacity": ("Capacity_Out", 0.0),
}
_OUTPUTS = [output for output, _ in _SENSORS.values()]
_VOLTAGE = list(_SENSORS).index("Cell_Voltage_01")
_SHORTEST_WAIT_S = 0.02


class Plant(Protocol):
    """The battery: an FMU instance."""

    def set(self, values: Mapping[str, float]) -> None:
        """Set inputs."""

    def get(self, names: Sequence[str]) -> list[float]:
        """Read outputs."""

    def do_step(self, time_s: float, step_s: float) -> object:
        """Let time pass."""


def _open_model(path: Path, start_values: Mapping[str, float | str]) -> AbstractContextManager[Any]:
    from twinbench.adapters.fmi import open_instance

    return open_instance(path, instance_name="bench", start_values=dict(start_values))


class SimulatedDriver:
    """See :class:`~twinbench.bench.drivers.driver.Driver`.

    Args:
        model: The battery's FMU.
        speed: Simulated seconds per second.
        open_plant: Opens the battery with the start values of its inputs.
    """

    def __init__(
        self,
        model: Path,
        *,
        speed: float,
        open_plant: Callable[[Path, Mapping[str, float | str]], AbstractContextManager[Plant]] = _open_model,
    ) -> None:
        self._model, self._speed, self._open_plant = model, speed, open_plant
        self._stopped = threading.Event()

    @property
    def columns(self) -> Sequence[str]:
        """Metric signals it measures."""
        return tuple(_SENSORS)

    def stop(self) -> None:
        """End the run as soon as possible."""
        self._stopped.set()

    def start(self, procedure: Procedure, *, seed: str) -> Iterator[Sample]:
        """Begin a run; the samples come at the pace of the accelerated time.

        Raises:
            BenchError: If the model fails.
        """
        self._stopped.clear()
        start_values: dict[str, float | str] = {
            "Current_Profile_In": procedure.steps[0].current_A if procedure.steps else 0.0,
            "Ambient_Temperature_In": procedure.ambient_degC,
            "Initial_SoC_In": procedure.initial_soc_pct,
            "Initial_Temperature_In": procedure.ambient_degC,
        }
        if procedure.stages:
            start_values |= {
                "Test_Procedure": matrix_text(procedure.stages),
                "Voltage_Min": procedure.voltage_min_V,
                "Voltage_Max": procedure.voltage_max_V,
            }
        measure = self._regulate if procedure.stages else self._measure
        try:
            with self._open_plant(self._model, start_values) as plant:
                yield from measure(plant, procedure, random.Random(seed))
        except BenchError:
            raise
        except LabError as error:
            raise BenchError(f"The simulated bench failed: {error}") from error

    def _measure(self, plant: Plant, procedure: Procedure, noise: random.Random) -> Iterator[Sample]:
        begun_s, step_s = time.monotonic(), procedure.step_size_s
        starts = [0.0, *accumulate(step.duration_s for step in procedure.steps)]
        last = math.floor(procedure.duration_s / step_s * (1 + 1e-12))
        for number in range(last + 1):
            time_s = number * step_s
            at = min(bisect_right(starts, time_s), len(procedure.steps)) - 1
            current_A = procedure.steps[at].current_A
            plant.set({"Current_Profile_In": current_A})
            values = _sensed(plant.get(_OUTPUTS), noise)
            self._keep_pace(begun_s, time_s)
            reason = self._stop_reason(procedure, current_A, values[_VOLTAGE]) or ("end" if number == last else "")
            yield Sample(time_s, values, reason)
            if reason:
                return
            plant.do_step(time_s, step_s)

    def _regulate(self, plant: Plant, procedure: Procedure, noise: random.Random) -> Iterator[Sample]:
        """The cycler carries out the stages by itself, until it is over or its time is."""
        begun_s, step_s = time.monotonic(), procedure.step_size_s
        last = math.floor(procedure.duration_s / step_s * (1 + 1e-12))
        for number in range(last + 1):
            time_s = number * step_s
            *outputs, is_over = plant.get([*_OUTPUTS, "Procedure_Over_Out"])
            self._keep_pace(begun_s, time_s)
            reason = "cancelled" if self._stopped.is_set() else "end" if is_over or number == last else ""
            yield Sample(time_s, _sensed(outputs, noise), reason)
            if reason:
                return
            plant.do_step(time_s, step_s)

    def _stop_reason(self, procedure: Procedure, current_A: float, voltage_V: float) -> str:
        if self._stopped.is_set():
            return "cancelled"
        is_full = current_A > 0 and voltage_V >= procedure.voltage_max_V
        is_empty = current_A < 0 and voltage_V <= procedure.voltage_min_V
        return "limit" if is_full or is_empty else ""

    def _keep_pace(self, begun_s: float, time_s: float) -> None:
        ahead_s = begun_s + time_s / self._speed - time.monotonic()
        if ahead_s > _SHORTEST_WAIT_S:
            self._stopped.wait(ahead_s)


def _sensed(values: Sequence[float], noise: random.Random) -> tuple[float, ...]:
    deviations = [deviation for _, deviation in _SENSORS.values()]
    return tuple(
        value + noise.gauss(0.0, deviation) if deviation else value
        for value, deviation in zip(values, deviations, strict=True)
    )
