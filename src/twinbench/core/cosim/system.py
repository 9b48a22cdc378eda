"""Wired instances as one system: which acts its coupling scheme consists of, and the tapes compiled from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from twinbench.core.bundle import Connection, Variable, suggestion
from twinbench.core.cosim.coupling import Coupling
from twinbench.core.cosim.frame import Frame
from twinbench.core.cosim.instance import Instance
from twinbench.core.cosim.opcodes import Exit, Word
from twinbench.core.cosim.order import Loop, Visit, propagation_order
from twinbench.core.cosim.tape import Act, Get, Record, Repeat, Set, Step, Tape, assemble
from twinbench.core.errors import SimulationError
from twinbench.core.kernels import load_kernel

__all__ = ["Executor", "Signal", "System", "compiled"]

Executor = Callable[[int], int]


def compiled() -> Executor:
    """The compiled executor; the first call in a process loads it (0.5 s), or compiles it where it never ran (2 s)."""
    executor: Executor = load_kernel("twinbench.core.cosim.kernel").run
    return executor


@dataclass(frozen=True)
class Signal:
    """One number that can be recorded: ``FMU.variable``, or ``FMU.variable[1,2]`` for an element of an array."""

    name: str
    unit: str | None


class System:
    """Instances in initialization mode, wired.

    Args:
        instances: One per FMU.
        connections: How they are wired; names exactly as the FMUs write them.
        coupling: How they exchange their signals.
        executor: What runs their tapes; compiled unless said.

    Raises:
        SimulationError: If the coupling refuses the loops of the wiring, or names an FMU that is not here.
    """

    def __init__(
        self,
        instances: Sequence[Instance],
        connections: Sequence[Connection],
        coupling: Coupling | None = None,
        *,
        executor: Executor | None = None,
    ) -> None:
        self.instances = tuple(sorted(instances, key=lambda instance: instance.name))
        self.coupling = coupling or Coupling()
        self.run = executor or compiled()
        self._by_name = {instance.name: instance for instance in self.instances}
        self._models = {name: instance.variables for name, instance in self._by_name.items()}
        self._connections = tuple(connections)
        self._tapes: dict[tuple[str, ...], Tape] = {}
        for name in self.coupling.every:
            if name not in self._by_name:
                raise SimulationError(f"A rate is for {name!r}, no FMU here. {suggestion(name, self._by_name)}")
        self._initial = self._assemble_initial()

    @property
    def outputs(self) -> tuple[str, ...]:
        """All outputs as ``FMU.variable``: what is recorded unless said otherwise."""
        return tuple(
            f"{instance.name}.{variable.name}"
            for instance in self.instances
            for variable in instance.variables.values()
            if variable.causality == "output"
        )

    def initialise(self) -> None:
        """Hand the start values on in the order of their dependencies, then leave initialization mode.

        Raises:
            SimulationError: If an FMU fails, or a loop does not settle.
        """
        if len(self._initial.rows):
            self._initial.link()
            frame = Frame(self._initial, len(self.instances))
            exit_ = self.run(frame.address)
            if exit_ != Exit.PAUSE:
                self.fail(exit_, frame, None)
        for instance in self.instances:
            instance.exit_initialization()

    def find(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """Find variables by ``FMU.variable``.

        Returns:
            FMU and variable of each.

        Raises:
            SimulationError: If there is no such variable.
        """
        return [self._find(name) for name in names]

    def tape(self, names: Sequence[str]) -> tuple[Tape, tuple[Signal, ...], NDArray[np.int64]]:
        """The tape that runs the system and reads these variables at each communication point.

        Args:
            names: ``FMU.variable``, any variable that is a number; arrays give one signal per element.

        Returns:
            The tape, the signals, and the address of each.
        """
        found = self.find(names)
        tape = self._tapes.get(tuple(names))
        if tape is None:
            tape = self._tapes[tuple(names)] = self._assemble(found)
        tape.link()
        signals = [signal for model, name in found for signal in _signals(model, self._models[model][name])]
        places = [place for key in found for place in tape.places(*key)]
        return tape, tuple(signals), np.array(places, dtype=np.int64)

    def fail(self, exit_: int, frame: Frame, time_s: float | None) -> NoReturn:
        """Raise why an executor cannot go on."""
        when = f" at t = {time_s:g} s" if time_s is not None else " while the FMUs are initialised"
        if exit_ == Exit.LOOP:
            raise SimulationError(
                f"An algebraic loop did not settle in {self.coupling.iterations} rounds{when}. Open it with a delay "
                "(--loops delay), or look for a gain above 1 around it."
            )
        if exit_ != Exit.STATUS:
            raise SimulationError(f"The executor ended with {Exit(exit_).name}{when}: this is a fault of the lab.")
        self.instances[frame[Word.INSTANCE]].fail("exchange values", frame[Word.STATUS], time_s)

    # Which acts there are.

    def _wanted(self, found: Sequence[tuple[str, str]] = ()) -> dict[str, list[str]]:
        """FMU -> outputs that are asked for: those that drive something, and those that are recorded."""
        wanted: dict[str, dict[str, None]] = {}
        for model, name in [*((c.source.model, c.source.signal) for c in self._connections), *found]:
            if self._models[model][name].causality == "output":
                wanted.setdefault(model, {})[name] = None
        return {model: [name for name in self._models[model] if name in names] for model, names in wanted.items()}

    def _assemble_initial(self) -> Tape:
        if not self._connections:
            return assemble(self.instances, (), ())
        order = propagation_order(self._models, self._connections, self._wanted(), when="initial")
        return assemble(self.instances, self._connections, [*self._hand_on(order), *self._set_rest(order)])

    def _assemble(self, found: Sequence[tuple[str, str]]) -> Tape:
        wanted = self._wanted(found)
        order = propagation_order(self._models, self._connections, wanted)
        steps: list[Act] = [Step(instance.name) for instance in self.instances]
        reads = self._read_others(found)
        once: list[Act] = []
        match self.coupling.scheme:
            case "jacobi":
                acts = [*self._get_all(wanted), *reads, *self._set_rest(()), Record(), *steps]
            case "sorted":
                acts = [*self._hand_on(order), *reads, *self._set_rest(order), Record(), *steps]
                once = [part for stage in order if isinstance(stage, Loop) for part in _gets(stage.visits)]
            case _:
                order = propagation_order(self._models, self._connections, wanted, when="always")
                once = [*self._get_all(wanted), *self._set_rest(())]
                acts = [*reads, Record(), *self._one_after_another(order, wanted)]
        return assemble(self.instances, self._connections, acts, once=once, recorded=found, every=self.coupling.every)

    def _hand_on(self, order: Sequence[Visit | Loop]) -> list[Act]:
        """Values in propagation order."""
        acts: list[Act] = []
        for stage in order:
            if isinstance(stage, Visit):
                acts += _visit(stage)
                continue
            if self.coupling.loops == "refuse":
                raise SimulationError(
                    f"The FMUs form an algebraic loop: {' -> '.join(stage.path)}. "
                    "Cut it, or choose --loops delay or --loops iterate."
                )
            inner = [act for visit in stage.visits for act in _visit(visit)]
            if self.coupling.loops == "iterate":
                acts.append(Repeat(tuple(inner), stage.feedback, self.coupling.tolerance, self.coupling.iterations))
            else:
                acts += inner
        return acts

    def _set_rest(self, order: Sequence[Visit | Loop]) -> list[Act]:
        """Inputs that were not given yet, or given before their sources were asked."""
        given: set[tuple[str, str]] = set()
        for stage in order:
            if isinstance(stage, Visit):
                given.update((stage.model, name) for name in stage.inputs)
        acts: list[Act] = []
        for instance in self.instances:
            names = [c.target.signal for c in self._connections if c.target.model == instance.name]
            rest = tuple(name for name in names if (instance.name, name) not in given)
            if rest:
                acts.append(Set(instance.name, rest))
        return acts

    def _get_all(self, wanted: Mapping[str, Sequence[str]]) -> list[Act]:
        return [Get(i.name, tuple(wanted[i.name])) for i in self.instances if wanted.get(i.name)]

    def _read_others(self, found: Sequence[tuple[str, str]]) -> list[Act]:
        """Recorded variables that are neither outputs nor driven."""
        driven = {(c.target.model, c.target.signal) for c in self._connections}
        others: dict[str, dict[str, None]] = {}
        for model, name in found:
            if self._models[model][name].causality != "output" and (model, name) not in driven:
                others.setdefault(model, {})[name] = None
        return [Get(model, tuple(names)) for model, names in others.items()]

    def _one_after_another(self, order: Sequence[Visit | Loop], wanted: Mapping[str, Sequence[str]]) -> list[Act]:
        visits = [v for stage in order for v in (stage.visits if isinstance(stage, Loop) else (stage,))]
        names = dict.fromkeys([*(visit.model for visit in visits), *self._by_name])
        acts: list[Act] = []
        for name in names:
            inputs = tuple(c.target.signal for c in self._connections if c.target.model == name)
            acts += [Set(name, inputs)] if inputs else []
            acts.append(Step(name))
            acts += [Get(name, tuple(wanted[name]))] if wanted.get(name) else []
        return acts

    def _find(self, name: str) -> tuple[str, str]:
        for instance in self.instances:
            variable = name.removeprefix(f"{instance.name}.")
            if variable != name and variable in instance.variables:
                return instance.name, variable
        known = [f"{instance.name}.{variable}" for instance in self.instances for variable in instance.variables]
        raise SimulationError(f"{name!r} cannot be recorded: no such variable, or no number. {suggestion(name, known)}")


def _visit(visit: Visit) -> list[Get | Set]:
    return [*([Set(visit.model, visit.inputs)] if visit.inputs else []), Get(visit.model, visit.outputs)]


def _gets(visits: Sequence[Visit]) -> list[Get]:
    return [Get(visit.model, visit.outputs) for visit in visits]


def _signals(model: str, variable: Variable) -> list[Signal]:
    places = product(*(range(1, length + 1) for length in variable.dimensions))
    suffixes = [f"[{','.join(map(str, place))}]" if place else "" for place in places]
    return [Signal(f"{model}.{variable.name}{suffix}", variable.unit) for suffix in suffixes]
