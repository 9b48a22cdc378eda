"""A battery simple enough to be computed by hand: 3.0 V empty, 4.2 V full, 20 mOhm, 5 Ah."""

from __future__ import annotations

from contextlib import contextmanager

from twinbench.core.errors import SimulationError


class Plant:
    """State of charge integrates the current; voltage is linear in both."""

    def __init__(self, start_values, breaks_at_s=float("inf")):
        self.start_values, self.breaks_at_s = dict(start_values), breaks_at_s
        self.soc_pct, self.ambient_degC = start_values["Initial_SoC_In"], start_values["Ambient_Temperature_In"]
        self.current_A = 0.0

    def set(self, values):
        self.current_A = values["Current_Profile_In"]

    def get(self, names):
        outputs = {
            "Current_Out": self.current_A,
            "Cell_Voltage_Out": 3.0 + 0.012 * self.soc_pct + 0.02 * self.current_A,
            "Cell_Average_Temperature_Out": self.ambient_degC,
            "Cell_Temperature_Gradient_Out": 0.0,
            "SoC_Out": self.soc_pct,
            "SoH_Out": 100.0,
            "Internal_Resistance_Out": 20.0,
            "Capacity_Out": 5.0,
        }
        return [outputs[name] for name in names]

    def do_step(self, time_s, step_s):
        if time_s >= self.breaks_at_s:
            raise SimulationError("the model broke")
        self.soc_pct += self.current_A * step_s / 3600 / 5.0 * 100


def opener(breaks_at_s=float("inf")):
    """Opens plants; keeps them in ``opener.plants``."""
    plants = []

    @contextmanager
    def open_plant(path, start_values):
        plants.append(Plant(start_values, breaks_at_s))
        yield plants[-1]

    open_plant.plants = plants
    return open_plant
