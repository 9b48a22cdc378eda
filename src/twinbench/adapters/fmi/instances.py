"""One running FMU.

Whatever it reports above a warning becomes a :class:`SimulationError` with the FMU's name, the time and its own last
words. FMUs run in this process: one that crashes takes it along.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from fmpy.fmi1 import FMICallException
from numpy.typing import NDArray

from twinbench.adapters.fmi.description import read_description
from twinbench.adapters.fmi.interface import FATAL, WARNING, Fmi2, Fmi3
from twinbench.core.bundle import Variable, suggestion
from twinbench.core.errors import SimulationError

__all__ = ["FmuInstance", "OnLog", "StartValue"]

StartValue = float | int | bool | str
OnLog = Callable[[str], None]

_STATUS = ("ok", "warning", "discard", "error", "fatal", "pending")
_LAST_WORDS = 5


class FmuInstance:
    """One FMU between initialization and its end.

    Args:
        name: Name of the FMU; it begins each line of its log.
        folder: Where it is unpacked.
        variables: All its variables.
        on_log: Is told each line it logs.
        keep_loaded: See :class:`~twinbench.adapters.fmi.interface.Interface`.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        variables: Mapping[str, Variable],
        *,
        on_log: OnLog | None = None,
        keep_loaded: bool = False,
    ) -> None:
        description = read_description(folder)
        self.name = name
        self.variables = {key: value for key, value in variables.items() if value.type == "Float64"}
        self._all = variables
        self._references = {variable.name: variable.valueReference for variable in description.modelVariables}
        self._on_log = on_log
        self._words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._time_s: float | None = None
        self._status = 0
        kind = Fmi3 if description.fmiVersion.startswith("3.") else Fmi2
        try:
            self._fmi = kind(folder, description, name, keep_loaded=keep_loaded)
        except Exception as error:  # FMPy raises bare exceptions
            raise SimulationError(f"{name} cannot be loaded: {error} Check the libraries its binary needs.") from error

    def start(self, start_values: Mapping[str, StartValue], start_time_s: float) -> None:
        """Instantiate, set start values and enter initialization mode."""
        with self._told("instantiate"):
            self._fmi.instantiate(self._note)
        self._do_step = self._fmi.step()
        self.set(start_values)
        with self._told("enter initialization mode"):
            self._fmi.enter_initialization(start_time_s)
        self._time_s = start_time_s

    def exit_initialization(self) -> None:
        """Leave initialization mode: from here on the FMU can step."""
        with self._told("leave initialization mode"):
            self._fmi.fmu.exitInitializationMode()

    def set(self, values: Mapping[str, StartValue]) -> None:
        """Set scalar variables by name; texts are converted to each variable's type."""
        for name, value in values.items():
            variable = self._scalar(name)
            with self._told(f"set {name} = {value}"):
                self._fmi.move("set", variable.type, self._references[name], _converted(self.name, variable, value))

    def get(self, names: Sequence[str]) -> list[float]:
        """Values of scalar variables."""
        values = []
        for name in names:
            with self._told(f"get {name}"):
                values.append(float(self._fmi.move("get", self._scalar(name).type, self._references[name])))
        return values

    def bind(
        self, inputs: Sequence[str], given: NDArray[np.float64], outputs: Sequence[str], asked: NDArray[np.float64]
    ) -> None:
        """See :class:`twinbench.core.cosim.Instance`."""
        self._write = self._access("Set", inputs, given)
        self._read = self._access("Get", outputs, asked)

    def _access(self, function: str, names: Sequence[str], values: NDArray[np.float64]) -> Callable[[], int]:
        references = np.array([self._references[name] for name in names], dtype=np.uint32)
        return self._fmi.access(function, references, values)

    def write(self) -> None:
        """Hand the bound inputs to the FMU."""
        status = self._write()
        if status > WARNING:
            self._fail("take its inputs", status)

    def read(self) -> None:
        """Ask the FMU for the bound outputs."""
        status = self._read()
        if status > WARNING:
            self._fail("give its outputs", status)

    def do_step(self, time_s: float, step_s: float) -> bool:
        """Advance by one communication step; whether the FMU asks to end the simulation."""
        self._time_s = time_s
        status, ends = self._do_step(time_s, step_s)
        if status > WARNING:
            self._fail(f"step by {step_s:g} s", status)
        return ends

    def close(self) -> None:
        """Terminate and free; an FMU that has failed is only freed, one that has failed fatally is left alone."""
        if self._time_s is not None and self._status <= WARNING:
            with suppress(FMICallException):
                self._fmi.fmu.terminate()
        self._fmi.free(usable=self._status < FATAL)

    def _scalar(self, name: str) -> Variable:
        variable = self._all.get(name)
        if variable is None:
            raise SimulationError(f"{self.name} has no variable {name!r}. {suggestion(name, self._all)}")
        if variable.dimensions:
            raise SimulationError(f"{self.name}.{name} is an array, which cannot be set or read by name: connect it.")
        return variable

    def _note(self, status: int, message: str) -> None:
        line = f"{self.name} [{_STATUS[status] if 0 <= status < len(_STATUS) else status}] {message}"
        self._words.append(line)
        if self._on_log:
            self._on_log(line)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Turn what FMPy raises into words."""
        try:
            yield
        except SimulationError:
            raise
        except FMICallException as error:
            self._fail(what, error.status)
        except Exception as error:  # FMPy raises bare exceptions
            self._fail(what, 3, str(error))

    def _fail(self, what: str, status: int, detail: str = "") -> None:
        self._status = max(self._status, status if status < 5 else 3)
        label = _STATUS[status] if 0 <= status < len(_STATUS) else f"status {status}"
        when = f" at t = {self._time_s:g} s" if self._time_s is not None else ""
        said = "; ".join(self._words) or "nothing"
        raise SimulationError(
            f"{self.name} could not {what}{when} ({detail or label}). It logged: {said}. "
            "Check its parameters and inputs, or a smaller step."
        )


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
