"""The FMUs of one bundle, loaded once in this process and run again and again, each time from a fresh state.

The way back to a fresh state is proven, not believed: an FMU that says it can be reset may go on as if nothing had
happened, or stand still. The cheapest way that reproduces a short run bit for bit is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from twinbench.adapters.fmi.instances import RETURNS, FmuInstance, OnLog, StartValue
from twinbench.core.bundle import Connection, ModelSummary, suggestion
from twinbench.core.cosim import Block, Coupling, Experiment, System, simulate
from twinbench.core.errors import SimulationError

__all__ = ["ModelSet", "Session", "prove_way_back"]

_PROOF_STEPS = 30
_MOST_WATCHED = 500
_MOTION = 0.01


@dataclass(frozen=True)
class ModelSet:
    """Unpacked FMUs and how they are wired: all that a process needs to load them."""

    models: tuple[ModelSummary, ...]
    folders: Mapping[str, Path]
    connections: tuple[Connection, ...]
    coupling: Coupling = field(default_factory=Coupling)
    start_values: Mapping[str, Mapping[str, StartValue]] = field(default_factory=dict)

    def load(self, model: ModelSummary, on_log: OnLog | None = None, *, keep_loaded: bool = True) -> FmuInstance:
        """Load one of them; nothing is instantiated yet."""
        driven = {c.target.signal for c in self.connections if c.target.model == model.name}
        has_discrete = any(model.variables[name].variability == "discrete" for name in driven)
        events = self.coupling.events and not has_discrete  # these could be given in event mode only
        return FmuInstance(
            model.name,
            self.folders[model.name],
            model.variables,
            on_log=on_log,
            keep_loaded=keep_loaded,
            events=events,
        )

    def start(self, instance: FmuInstance, start_values: Mapping[str, StartValue], start_time: float) -> None:
        """Set start values, the bundle's own and these, and enter initialization mode."""
        instance.start({**self.start_values.get(instance.name, {}), **start_values}, start_time)


class Session:
    """Wired FMUs that are run many times.

    Args:
        ways_back: FMU -> how it is taken back to a fresh state, see :func:`prove_way_back`; ``process`` means that
            this session is good for one run.
    """

    def __init__(
        self,
        models: ModelSet,
        ways_back: Mapping[str, str],
        on_log: OnLog | None = None,
        *,
        keep_loaded: bool = True,
    ) -> None:
        self._models, self._ways = models, ways_back
        self._instances: list[FmuInstance] = []
        self._is_fresh = True
        try:
            for model in models.models:
                self._instances.append(models.load(model, on_log, keep_loaded=keep_loaded))
                self._instances[-1].instantiate()
                if ways_back[model.name] == "state":
                    self._instances[-1].save()
        except BaseException:
            self.close()
            raise
        self._structure: dict[str, dict[str, int]] = {instance.name: {} for instance in self._instances}
        self._system = System(self._instances, models.connections, models.coupling)

    def run(self, start_values: Mapping[str, Mapping[str, StartValue]], experiment: Experiment) -> Iterator[Block]:
        """Run from a fresh state.

        Raises:
            SimulationError: If a start value is wrong, or an FMU fails.
        """
        yield from simulate(self.begin(start_values, experiment.start_time), **vars(experiment))

    def begin(self, start_values: Mapping[str, Mapping[str, StartValue]], start_time: float) -> System:
        """Take the FMUs to a fresh state, set start values and initialise them.

        Raises:
            SimulationError: If a start value is wrong, or an FMU fails.
        """
        for name in start_values:
            if name not in self._ways:
                raise SimulationError(f"A start value is for {name!r}, no FMU here. {suggestion(name, self._ways)}")
        if not self._is_fresh:
            for instance in self._instances:
                instance.return_by(self._ways[instance.name])
        self._is_fresh = False
        for instance in self._instances:
            self._models.start(instance, start_values.get(instance.name, {}), start_time)
        self._wire()
        self._system.initialise()
        return self._system

    def _wire(self) -> None:
        """Wire the FMUs anew if structural parameters have changed the size of arrays."""
        structure = {instance.name: instance.structure for instance in self._instances}
        if structure == self._structure:
            return
        by_name = {instance.name: instance for instance in self._instances}
        for connection in self._models.connections:
            ends = (connection.source, connection.target)
            sizes = [by_name[end.model].variables[end.signal].size for end in ends]
            if sizes[0] != sizes[1]:
                raise SimulationError(
                    f"{ends[0]} has {sizes[0]} elements and drives {ends[1]}, which has {sizes[1]}: "
                    "structural parameters have to give both the same size."
                )
        self._system = System(self._instances, self._models.connections, self._models.coupling)
        self._structure = structure

    def close(self) -> None:
        """Free the FMUs."""
        for instance in self._instances:
            instance.close()

    @property
    def is_usable(self) -> bool:
        """Whether it can run once more."""
        return all(i.is_usable and self._ways[i.name] != "process" for i in self._instances)


def prove_way_back(
    instance: FmuInstance, start_values: Mapping[str, StartValue], *, start_time: float, step_size: float
) -> str:
    """Find the cheapest way back to a fresh state that reproduces a short run bit for bit.

    Args:
        instance: Loaded, not instantiated; nothing else may use it any more.
        start_values: What its runs begin with.
        start_time: When they begin, in s.
        step_size: Of their communication steps, in s.

    Returns:
        ``state``, ``reset``, ``instance`` or ``process``.
    """
    trial = _Trial(instance, start_values, start_time, step_size)
    try:
        instance.instantiate()
        motion = trial.find_motion()
    except SimulationError:
        return "instance"  # its own start values do not carry it 30 steps far: nothing can be compared
    for way in instance.ways_back[-2:-1] if _reads_files(start_values) else instance.ways_back[:-1]:
        try:
            if trial.reproduces(way, motion):
                return way
        except SimulationError:
            continue
    return RETURNS[-1]


def _reads_files(start_values: Mapping[str, StartValue]) -> bool:
    """Whether runs differ by files: an FMU may keep what it has read, which a trial with one file cannot see."""
    return any(isinstance(value, str) and _is_file(value) for value in start_values.values())


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


class _Trial:
    """A short run with moving inputs, and what comes out."""

    def __init__(
        self, instance: FmuInstance, start_values: Mapping[str, StartValue], start_s: float, step_s: float
    ) -> None:
        self._instance, self._start_values, self._start_s, self._step_s = instance, start_values, start_s, step_s
        scalars = [variable for variable in instance.variables.values() if not variable.dimensions]
        self._watched = [v.name for v in scalars if v.causality == "output"][:_MOST_WATCHED]
        self._moved = {
            variable.name: _number(start_values.get(variable.name, variable.start))
            for variable in scalars
            if variable.causality == "input" and variable.type == "Float64"
        }

    def find_motion(self) -> float:
        """How much the inputs can be moved without a failure: not at all for some FMUs."""
        try:
            self._run(_MOTION)
        except SimulationError:
            self._instance.return_by("instance")
            self._run(0.0)
            return 0.0
        return _MOTION

    def reproduces(self, way: str, motion: float) -> bool:
        """Whether a run is the same after another one and this way back."""
        self._instance.return_by("instance")
        if way == "state":
            self._instance.save()
        first = self._run(motion)
        self._instance.return_by(way)
        self._run(-motion)
        self._instance.return_by(way)
        return first == self._run(motion)

    def _run(self, motion: float) -> list[bytes]:
        instance = self._instance
        instance.start(self._start_values, self._start_s)
        instance.exit_initialization()
        seen = [self._look()]
        for k in range(_PROOF_STEPS):
            if motion:
                instance.set({name: x + motion * (1 + abs(x)) * (k + 1) for name, x in self._moved.items()})
            if instance.do_step(self._start_s + k * self._step_s, self._step_s):
                break
            seen.append(self._look())
        return seen

    def _look(self) -> bytes:
        import numpy as np

        return np.array(self._instance.get(self._watched)).tobytes()


def _number(value: StartValue | None) -> float:
    try:
        return float(value if value is not None else 0.0)
    except ValueError:
        return 0.0
