"""Wired instances as one system: who hands which values to whom, through one array.

The scheme is the *sorted* one: at a communication point the instances are visited in propagation order; each is given
the values of its connected inputs, then asked for its outputs. So a feed-through (FMU_Output_Handler) shows the value
of the same point, not of the one before. Then all instances step. Loops: see :mod:`twinbench.core.cosim.order`.

All values lie in one float64 array, each instance owning a slice of it, so that a later executor (a compiled tape of
calls with their addresses) can take the place of :meth:`System.propagate` without changing anything around it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twinbench.core.bundle import Connection, Variable, suggestion
from twinbench.core.cosim.order import Order, propagation_order
from twinbench.core.errors import SimulationError

__all__ = ["Instance", "Signal", "System"]


class Instance(Protocol):
    """One running FMU."""

    @property
    def name(self) -> str:
        """Name of its FMU."""

    @property
    def variables(self) -> Mapping[str, Variable]:
        """Its Float64 variables."""

    def bind(
        self, inputs: Sequence[str], given: NDArray[np.float64], outputs: Sequence[str], asked: NDArray[np.float64]
    ) -> None:
        """From now on :meth:`write` hands over *given* as *inputs*, and :meth:`read` puts *outputs* into *asked*.

        Arrays take as many places as they have elements.
        """

    def write(self) -> None:
        """Hand the bound inputs to the FMU."""

    def read(self) -> None:
        """Ask the FMU for the bound outputs."""

    def exit_initialization(self) -> None:
        """Leave initialization mode."""

    def do_step(self, time_s: float, step_s: float) -> bool:
        """Advance by one communication step; whether the FMU asks to end the simulation."""


@dataclass(frozen=True)
class Signal:
    """One number that can be recorded: ``FMU.variable``, or ``FMU.variable[1,2]`` for an element of an array."""

    name: str
    unit: str | None


# Which values feed an instance's inputs, where they go, how to write them and how to read its outputs.
_Visit = tuple[NDArray[np.intp], NDArray[np.float64], Callable[[], None] | None, Callable[[], None] | None]


class System:
    """Instances in initialization mode, wired.

    Args:
        instances: One per FMU.
        connections: How they are wired; names exactly as the FMUs write them.
    """

    def __init__(self, instances: Sequence[Instance], connections: Sequence[Connection]) -> None:
        by_name = {instance.name: instance for instance in instances}
        self.order: Order = propagation_order(by_name, connections)
        self._instances = tuple(by_name[name] for name in self.order.names)
        self._connections = tuple(connections)
        self.values: NDArray[np.float64]
        self._bind({})

    @property
    def outputs(self) -> tuple[str, ...]:
        """All outputs as ``FMU.variable``: what is recorded unless said otherwise."""
        return tuple(
            f"{instance.name}.{variable.name}"
            for instance in self._instances
            for variable in instance.variables.values()
            if variable.causality == "output"
        )

    def initialise(self) -> None:
        """Hand the start values on in propagation order, then leave initialization mode.

        With a loop the values go round twice; nothing is solved.
        """
        for _ in range(2 if self.order.closing else 1):
            self.propagate()
        for instance in self._instances:
            instance.exit_initialization()

    def watch(self, names: Sequence[str]) -> tuple[tuple[Signal, ...], NDArray[np.intp]]:
        """Have these variables read at each communication point.

        Args:
            names: ``FMU.variable``, any Float64 variable; arrays give one signal per element.

        Returns:
            The signals, and the place of each in :attr:`values`.

        Raises:
            SimulationError: If there is no such variable.
        """
        found = [self._find(name) for name in names]
        wanted: dict[str, list[str]] = {}
        for instance, variable in found:
            wanted.setdefault(instance.name, []).append(variable.name)
        places = self._bind(wanted)
        for _, _, _, read in self._visits:
            if read is not None:
                read()
        signals = [signal for instance, variable in found for signal in _signals(instance.name, variable)]
        ranges = [places[instance.name, variable.name] for instance, variable in found]
        return tuple(signals), _concatenate(ranges)

    def propagate(self) -> None:
        """Bring :attr:`values` and all connected inputs to the present communication point."""
        gather = self.values.take
        for sources, given, write, read in self._visits:
            if write is not None:
                gather(sources, 0, given, "clip")
                write()
            if read is not None:
                read()
        for sources, given, write in self._revisits:
            gather(sources, 0, given, "clip")
            write()

    def do_step(self, time_s: float, step_s: float) -> str:
        """Advance all instances; returns the name of one that asks to end the simulation, or nothing."""
        asking = ""
        for step, name in self._steps:
            if step(time_s, step_s):
                asking = asking or name
        return asking

    def _find(self, name: str) -> tuple[Instance, Variable]:
        for instance in self._instances:
            variable = instance.variables.get(name.removeprefix(f"{instance.name}."))
            if variable is not None and name.startswith(f"{instance.name}."):
                return instance, variable
        known = [f"{instance.name}.{variable}" for instance in self._instances for variable in instance.variables]
        raise SimulationError(f"{name!r} cannot be recorded: no such Float64 variable. {suggestion(name, known)}")

    def _bind(self, wanted: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], range]:
        """Lay out the array; returns the places of each variable that is read."""
        asked = {
            instance.name: list(dict.fromkeys([*self._driving(instance.name), *wanted.get(instance.name, ())]))
            for instance in self._instances
        }
        places: dict[tuple[str, str], range] = {}
        end = 0
        for instance in self._instances:
            for name in asked[instance.name]:
                places[instance.name, name] = range(end, end := end + instance.variables[name].size)
        self.values = np.zeros(end)
        self._visits: list[_Visit] = []
        self._revisits: list[tuple[NDArray[np.intp], NDArray[np.float64], Callable[[], None]]] = []
        for instance in self._instances:
            self._plan_visit(instance, asked[instance.name], places)
        self._steps = [(instance.do_step, instance.name) for instance in self._instances]
        return places

    def _driving(self, name: str) -> list[str]:
        return [c.source.signal for c in self._connections if c.source.model == name]

    def _plan_visit(self, instance: Instance, asked: Sequence[str], places: Mapping[tuple[str, str], range]) -> None:
        drives = [c for c in self._connections if c.target.model == instance.name]
        sources = _concatenate([places[c.source.model, c.source.signal] for c in drives])
        given = np.zeros(sources.size)
        own = _concatenate([places[instance.name, name] for name in asked])
        window = self.values[own[0] : own[-1] + 1] if own.size else self.values[:0]
        instance.bind([c.target.signal for c in drives], given, asked, window)
        self._visits.append((sources, given, instance.write if drives else None, instance.read if asked else None))
        if any(c in self.order.closing for c in drives):
            self._revisits.append((sources, given, instance.write))


def _signals(model: str, variable: Variable) -> list[Signal]:
    places = product(*(range(1, length + 1) for length in variable.dimensions))
    suffixes = [f"[{','.join(map(str, place))}]" if place else "" for place in places]
    return [Signal(f"{model}.{variable.name}{suffix}", variable.unit) for suffix in suffixes]


def _concatenate(ranges: Sequence[range]) -> NDArray[np.intp]:
    return np.array([place for places in ranges for place in places], dtype=np.intp)
