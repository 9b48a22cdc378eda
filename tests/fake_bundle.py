"""A bundle without files: one FMU that goes up a ramp, breaks at a time it is told, and keeps what was run on it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from twinbench.core.bundle import ModelSummary, Variable
from twinbench.core.cosim import Block, Experiment, Outcome, PointResult, Signal
from twinbench.core.findings import Finding, Severity


def model(name: str, *variables: str) -> ModelSummary:
    known = {variable: Variable(variable, "parameter", "String") for variable in variables}
    return ModelSummary(name, "3.0", "0" * 64, known, True, (), name)


@dataclass
class Check:
    ok: bool = True
    findings: tuple = (Finding("BUNDLE-X", Severity.NOTE, "here", "something"),)
    models: tuple = (model("Ramp", "Stimuli_File"), model("Other"))
    connections: tuple = ()


EXPERIMENT = Experiment(stop_time=3.0, step_size=1.0)
SIGNALS = (Signal("Ramp.y", "V"),)


class Crew:
    """y = y0 + gain * t, one block per row; breaks at a time it is told."""

    def __init__(self, seen: list) -> None:
        self.seen = seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, points, *, on_block=lambda number, block: None, cancelled=lambda: False):
        for point in points:
            self.seen.append(point)
            values = {
                name: float(text) for name, text in point.start_values.get("Ramp", {}).items() if name != "Stimuli_File"
            }
            if "step" in values:
                yield PointResult(point.number, "failed", "step_size")
                continue
            for k in range(4):
                if k > values.get("fails_at", 9):
                    yield PointResult(point.number, "failed", f"Ramp broke at {k - 1} s", log=("Ramp [error] bang",))
                    break
                outcome = Outcome("completed", "end", "reached its end", 3, 3.0, 0.5, {"Ramp": 0.1}) if k == 3 else None
                y = values.get("y0", 0.1) + values.get("gain", 1.0) * k
                on_block(point.number, Block(SIGNALS, np.array([float(k)]), np.array([[y]]), outcome))
            else:
                yield PointResult(
                    point.number, "completed", "reached its end", outcome, ways_back={"Ramp": "state"}, wall_s=0.5
                )


@dataclass
class FakeBundle:
    """An opened bundle that is not there, and what was run on it."""

    check: Check = field(default_factory=Check)
    seen: list = field(default_factory=list)
    archives: dict = field(default_factory=dict)
    start_values: dict = field(default_factory=lambda: {"Ramp": {"gain": "2", "y0": "1"}})

    def crew(self, **options):
        self.options = options
        return Crew(self.seen)

    @contextmanager
    def open(self, path):
        yield self
