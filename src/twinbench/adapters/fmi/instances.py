"""One FMU, from its first instance to its last: made, run, taken back to its beginning, freed.

Whatever it reports above a warning becomes a :class:`SimulationError` with the FMU's name, the time and its own last
words. FMUs run in this process: one that crashes takes it along (see :mod:`twinbench.adapters.fmi.crew`).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from fmpy.fmi1 import FMICallException

from twinbench.adapters.fmi.description import read_description
from twinbench.adapters.fmi.interface import DISCARD, ERROR, FATAL, WARNING, Fmi2, Fmi3, Interface
from twinbench.core.bundle import NUMERIC_TYPES, Variable, suggestion
from twinbench.core.errors import SimulationError

__all__ = ["RETURNS", "FmuInstance", "OnLog", "StartValue"]

StartValue = float | int | bool | str
OnLog = Callable[[str], None]

# Ways back to a fresh state, the cheapest first; the last one is a new process and not the instance's business.
RETURNS = ("state", "reset", "instance", "process")

_STATUS = ("ok", "warning", "discard", "error", "fatal", "pending")
_LAST_WORDS = 5
_MOST_PARTS = 10_000  # of one communication step, by early returns or discarded steps


class FmuInstance:
    """One FMU.

    Args:
        name: Name of the FMU; it begins each line of its log.
        folder: Where it is unpacked.
        variables: All its variables.
        on_log: Is told each line it logs.
        keep_loaded: See :class:`~twinbench.adapters.fmi.interface.Interface`.
        events: Use event mode and early return, if the FMU has them.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        variables: Mapping[str, Variable],
        *,
        on_log: OnLog | None = None,
        keep_loaded: bool = False,
        events: bool = False,
    ) -> None:
        description = read_description(folder)
        self.name = name
        self.on_log = on_log
        self._as_described = variables
        self._resize({})
        self._words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._time_s: float | None = None
        self._status = 0
        self._saved: Any = None
        self._events = events and bool(getattr(description.coSimulation, "hasEventMode", False))
        kind = Fmi3 if description.fmiVersion.startswith("3.") else Fmi2
        try:
            self._fmi: Interface = kind(folder, description, name, keep_loaded=keep_loaded)
        except Exception as error:  # FMPy raises bare exceptions
            raise SimulationError(f"{name} cannot be loaded: {error} Check the libraries its binary needs.") from error

    # As the co-simulation sees it: see twinbench.core.cosim.Instance.

    @property
    def fmi_version(self) -> int:
        """2 or 3."""
        return self._fmi.version

    @property
    def component(self) -> int:
        """Address of the C instance."""
        return self._fmi.component

    def address(self, function: str) -> int:
        """Address of a C function."""
        try:
            return self._fmi.address(function)
        except AttributeError as error:
            raise SimulationError(f"{self.name} has no function {function}: export the FMU anew.") from error

    def exit_initialization(self) -> None:
        """Leave initialization mode: from here on the FMU can step."""
        with self._told("leave initialization mode"):
            self._fmi.fmu.exitInitializationMode()
            if self._events and self._fmi.update_states():
                raise SimulationError(f"{self.name} asked to end the simulation while it was initialised.")

    def finish_step(
        self, status: int, told: tuple[bool, bool, float | None], begin_s: float, end_s: float
    ) -> float | None:
        """Go on after a step that ended in an unusual way, to the end of the communication step."""
        event, ends, early_s = told
        self._time_s = begin_s
        now_s, step_s = end_s if early_s is None else early_s, end_s - begin_s
        if status > WARNING:
            status, event, ends, now_s = self._fmi.look_into(status, begin_s, end_s)
        for _ in range(_MOST_PARTS):
            if ends:
                return now_s
            if status > WARNING and (status != DISCARD or now_s <= self._time_s):
                if status != DISCARD or step_s <= (end_s - begin_s) / 1024:
                    self.fail(f"step by {step_s:g} s", status, self._time_s)
                step_s /= 2  # it may be able to do less
            self._time_s = now_s
            with self._told("handle an event"):
                ends = self._events and (event or early_s is not None) and self._fmi.handle_event()
            if ends:
                return now_s
            if math.isclose(now_s, end_s) or now_s > end_s:
                return None
            part_s = min(step_s, end_s - now_s)
            status, event, ends, now_s = self._fmi.step(now_s, part_s)
        self.fail(f"come further in {_MOST_PARTS} parts of one step", ERROR, now_s)

    def fail(self, what: str, status: int, time_s: float | None, detail: str = "") -> NoReturn:
        """Raise what an FMI status above a warning means, with the FMU's own last words."""
        self._status = max(self._status, status if status < 5 else ERROR)
        label = _STATUS[status] if 0 <= status < len(_STATUS) else f"status {status}"
        when = f" at t = {time_s:g} s" if time_s is not None else ""
        said = "; ".join(self._words).removesuffix(".") or "nothing"
        raise SimulationError(
            f"{self.name} could not {what}{when} ({detail or label}). It logged: {said}. "
            "Check its parameters and inputs, or a smaller step."
        )

    # From the beginning of a run to its end.

    def instantiate(self) -> None:
        """Make the C instance."""
        self._words.clear()
        self._time_s, self._status = None, 0
        with self._told("instantiate"):
            self._fmi.instantiate(self._note, events=self._events)

    def start(self, start_values: Mapping[str, StartValue], start_time_s: float) -> None:
        """Set start values and enter initialization mode."""
        self.set(start_values)
        with self._told("enter initialization mode"):
            self._fmi.enter_initialization(start_time_s)
        self._time_s = start_time_s

    def set(self, values: Mapping[str, StartValue]) -> None:
        """Set variables by name; texts become the type of each variable, elements of arrays are separated by blanks.

        Structural parameters are set first: they decide the size of arrays.
        """
        structure = {
            name: value for name, value in values.items() if self._variable(name).causality == "structuralParameter"
        }
        if structure:
            self._configure(structure)
        for name, value in values.items():
            variable = self._variable(name)
            if name in structure:
                continue
            elements = _elements(self.name, variable, value)
            with self._told(f"set {name} = {value}"):
                self._fmi.move("set", variable.type, variable.reference, elements)

    def _configure(self, structure: Mapping[str, StartValue]) -> None:
        sizes = {}
        with self._told("enter configuration mode"):
            self._fmi.fmu.enterConfigurationMode()
        for name, value in structure.items():
            elements = _elements(self.name, self._all[name], value)
            with self._told(f"set {name} = {value}"):
                self._fmi.move("set", self._all[name].type, self._all[name].reference, elements)
            sizes[name] = int(elements[0])
        with self._told("leave configuration mode"):
            self._fmi.fmu.exitConfigurationMode()
        self._resize({**self.structure, **sizes})

    def _resize(self, structure: Mapping[str, int]) -> None:
        """Arrays have the size that structural parameters ask for; those that are not named keep their start values."""
        self.structure = dict(structure)
        self._all = {name: _resized(variable, structure) for name, variable in self._as_described.items()}
        self.variables = {name: variable for name, variable in self._all.items() if variable.type in NUMERIC_TYPES}

    def get(self, names: Sequence[str]) -> list[float]:
        """Values of scalar variables."""
        values = []
        for name in names:
            variable = self._variable(name)
            if variable.dimensions:
                raise SimulationError(f"{self.name}.{name} is an array, which cannot be read by name: record it.")
            with self._told(f"get {name}"):
                values.append(float(self._fmi.move("get", variable.type, variable.reference)[0]))
        return values

    def do_step(self, time_s: float, step_s: float) -> bool:
        """Advance by one communication step; whether the FMU asks to end the simulation."""
        self._time_s = time_s
        status, event, ends, now_s = self._fmi.step(time_s, step_s)
        if status > WARNING or event or ends:
            early_s = now_s if now_s < time_s + step_s else None
            return self.finish_step(status, (event, ends, early_s), time_s, time_s + step_s) is not None
        return False

    def terminate(self) -> None:
        """End a run; an FMU that has failed is not asked."""
        if self._time_s is not None and self._status <= WARNING:
            with suppress(FMICallException):
                self._fmi.fmu.terminate()
        self._time_s = None

    def close(self) -> None:
        """Terminate and free; one that has failed fatally is left alone."""
        self.terminate()
        self._fmi.free(usable=self._status < FATAL)

    # Back to the beginning.

    @property
    def is_sound(self) -> bool:
        """Whether nothing has failed since it was instantiated."""
        return self._status <= WARNING

    @property
    def is_usable(self) -> bool:
        """Whether it may be called at all."""
        return self._status < FATAL

    @property
    def ways_back(self) -> tuple[str, ...]:
        """The ways back to a fresh state it claims to have, the cheapest first."""
        simulation = self._fmi.description.coSimulation
        saves = getattr(simulation, "canGetAndSetFMUstate", False) or getattr(simulation, "canGetAndSetFMUState", False)
        return RETURNS if saves else RETURNS[1:]

    def save(self) -> None:
        """Keep the state of an instance that was just made, for the way back ``state``."""
        with self._told("save its state"):
            self._saved = self._fmi.fmu.getFMUState()

    def return_by(self, way: str) -> None:
        """Go back to the state of an instance that was just made; one that has failed is always made anew."""
        if self.structure:
            self._resize({})
        if way == "state" and self.is_sound:
            with self._told("restore its state"):
                self._fmi.fmu.setFMUState(self._saved)
            self._words.clear()
            self._time_s = None
        elif way == "reset" and self.is_sound:
            self.terminate()
            with self._told("reset"):
                self._fmi.fmu.reset()
            self._words.clear()
        else:
            self._make_anew(saving=way == "state")

    def _make_anew(self, *, saving: bool) -> None:
        if not self.is_usable:
            raise SimulationError(f"{self.name} has failed fatally and cannot be used again in this process.")
        self.terminate()
        if self._saved is not None:
            with suppress(FMICallException):
                self._fmi.fmu.freeFMUState(self._saved)
            self._saved = None
        self._fmi.free_instance()
        self.instantiate()
        if saving:
            self.save()

    def _variable(self, name: str) -> Variable:
        variable = self._all.get(name)
        if variable is None:
            raise SimulationError(f"{self.name} has no variable {name!r}. {suggestion(name, self._all)}")
        return variable

    def _note(self, status: int, message: str) -> None:
        line = f"{self.name} [{_STATUS[status] if 0 <= status < len(_STATUS) else status}] {message}"
        self._words.append(line)
        if self.on_log:
            self.on_log(line)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Turn what FMPy raises into words."""
        try:
            yield
        except SimulationError:
            raise
        except FMICallException as error:
            self.fail(what, error.status, self._time_s)
        except Exception as error:  # FMPy raises bare exceptions
            self.fail(what, ERROR, self._time_s, str(error))


def _resized(variable: Variable, structure: Mapping[str, int]) -> Variable:
    if not any(axis in structure for axis in variable.sized_by):
        return variable
    axes = zip(variable.sized_by, variable.dimensions, strict=True)
    return replace(variable, dimensions=tuple(structure.get(str(axis), size) for axis, size in axes))


def _elements(model: str, variable: Variable, value: StartValue) -> list[StartValue]:
    """The elements of a start value in the variable's type."""
    if not variable.dimensions:
        return [_converted(model, variable, value)]
    parts = str(value).split()
    if len(parts) != variable.size:
        raise SimulationError(
            f"{model}.{variable.name} has {variable.size} elements and cannot be {value!r}: "
            "give as many, separated by blanks."
        )
    return [_converted(model, variable, part) for part in parts]


def _converted(model: str, variable: Variable, value: StartValue) -> StartValue:
    """The value in the variable's type."""
    try:
        if variable.type == "String":
            return str(value)
        if variable.type == "Boolean":
            return {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}[str(value).lower()]
        if variable.type.startswith("Float"):
            return float(value)
        if variable.type.startswith(("Int", "UInt", "Enumeration")) and float(value).is_integer():
            return value if isinstance(value, int) else int(float(value))
    except (ValueError, KeyError, OverflowError):
        pass
    raise SimulationError(f"{model}.{variable.name} is a {variable.type} and cannot be {value!r}: give such a value.")
