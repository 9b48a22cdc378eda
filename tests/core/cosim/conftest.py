"""Instances in a few lines of Python, so that the scheme is tested without an FMU."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from twinbench.core.bundle import Connection, Reference, Variable
from twinbench.core.cosim import System
from twinbench.core.errors import SimulationError


class Gadget:
    """x' = u per step, y = x, z = x + u: keeps a diary of what is done to it."""

    def __init__(self, name: str, diary: list[str], *, x: float = 0.0, u: float = 0.0) -> None:
        self.name = name
        self.x, self.u = x, u
        self.diary = diary
        self.before_step: Callable[[float], object] = lambda time_s: None
        self.variables = {
            "u": Variable("u", "input", "Float64", "A"),
            "y": Variable("y", "output", "Float64", "V"),
            "z": Variable("z", "output", "Float64", "V"),
            "pair": Variable("pair", "output", "Float64", None, (1, 2)),
        }

    def bind(self, inputs, given, outputs, asked):
        self._inputs, self._given, self._outputs, self._asked = inputs, given, outputs, asked

    def write(self):
        self.diary.append(f"write {self.name}")
        (self.u,) = self._given

    def read(self):
        self.diary.append(f"read {self.name}")
        values = {"u": [self.u], "y": [self.x], "z": [self.x + self.u], "pair": [self.x, -self.x]}
        self._asked[:] = [value for name in self._outputs for value in values[name]]

    def exit_initialization(self):
        self.diary.append(f"begin {self.name}")

    def do_step(self, time_s, step_s):
        self.diary.append(f"step {self.name} {time_s:g}")
        asks = self.before_step(time_s)
        if isinstance(asks, SimulationError):
            raise asks
        self.x += self.u
        return bool(asks)


@pytest.fixture
def diary() -> list[str]:
    return []


@pytest.fixture
def gadget(diary):
    """Make one instance."""
    return lambda name, **start: Gadget(name, diary, **start)


def wired(*wires: str) -> list[Connection]:
    ends = [[Reference(*end.split("."), end.split(".")[1]) for end in wire.split(">")] for wire in wires]
    return [Connection(source, target) for source, target in ends]


@pytest.fixture
def wires():
    """Read wires written ``A.y>B.u``."""
    return wired


@pytest.fixture
def system():
    """Make an initialised system of instances and wires."""

    def system(*instances: Gadget, wires: list[str] = ()) -> System:
        made = System(instances, wired(*wires))
        made.initialise()
        return made

    return system
