"""Runs ``FMU_Battery_Model`` alone, for tests."""

from __future__ import annotations

import atexit
from contextlib import ExitStack, closing
from functools import lru_cache
from pathlib import Path

import numpy as np

from twinbench.adapters.fmi import open_bundle
from twinbench.adapters.fmi.session import Session
from twinbench.core.battery.stages import matrix_text
from twinbench.core.cosim import simulate

MODEL = "FMU_Battery_Model"
FMU = Path(__file__).resolve().parents[2] / "include" / "fmus" / f"{MODEL}.fmu"


class Run(dict):
    """Name of an output -> its values, a row for each communication point; what the FMU logged beside."""

    def __init__(self, blocks, log):
        names = [signal.name.partition(".")[2] for signal in blocks[0].signals]
        columns = np.concatenate([block.values for block in blocks]).T
        super().__init__(zip(names, columns, strict=True))
        self["time"] = np.concatenate([block.time_s for block in blocks])
        self.log = log

    def last(self, name):
        return float(self[name][-1])

    def stage(self, number):
        """The rows of a stage."""
        chosen = self["Stage_Out"] == number
        return {name: values[chosen] for name, values in self.items()}


def run(stop_s, *stages, step_s=1.0, **start_values):
    """Run the model; it does not age unless said."""
    values = {"Ageing_Factor": 0, **start_values}
    if stages:
        values["Test_Procedure"] = matrix_text(stages)
    log = []
    with closing(Session(models(), {MODEL: "process"}, log.append)) as session:
        system = session.begin({MODEL: values}, 0.0)
        return Run(list(simulate(system, start_time=0.0, stop_time=stop_s, step_size=step_s)), log)


@lru_cache(maxsize=1)
def models():
    """The FMU, unpacked and checked once."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(open_bundle(FMU)).models()
