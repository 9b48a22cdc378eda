"""The FMI functions of one loaded FMU: what differs between FMI 2.0 and 3.0 ends here.

What runs at each communication step takes plain integers: the address of an array made beforehand, how many places it
has. Nothing is converted or allocated on the way, so a call costs about half a microsecond; and the same integers are
all that a compiled loop would need.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import fmpy.fmi2
import fmpy.fmi3
import numpy as np
from fmpy.model_description import ModelDescription
from numpy.typing import NDArray

__all__ = ["DISCARD", "FATAL", "WARNING", "Fmi2", "Fmi3", "Interface", "LogSink"]

LogSink = Callable[[int, str], None]

WARNING, DISCARD, ERROR, FATAL = 1, 2, 3, 4

_LOADING = threading.Lock()  # FMPy changes the working directory of the process while it loads
_KEPT: dict[str, ctypes.CDLL] = {}

_POINTER, _SIZE, _STATUS = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_ACCESS2 = ctypes.CFUNCTYPE(_STATUS, _POINTER, _POINTER, _SIZE, _POINTER)
_ACCESS3 = ctypes.CFUNCTYPE(_STATUS, _POINTER, _POINTER, _SIZE, _POINTER, _SIZE)
_STEP2 = ctypes.CFUNCTYPE(_STATUS, _POINTER, ctypes.c_double, ctypes.c_double, ctypes.c_int)
_STEP3 = ctypes.CFUNCTYPE(_STATUS, _POINTER, ctypes.c_double, ctypes.c_double, ctypes.c_bool, *[_POINTER] * 4)


class Interface(ABC):
    """One instance of an FMU through its C functions.

    Args:
        folder: Where the FMU is unpacked.
        keep_loaded: Leave the library in memory afterwards, for the next instance: it is quicker, and some FMUs lose
            a little of a scarce resource each time they are unloaded.
    """

    kind: ClassVar[type]

    def __init__(self, folder: Path, description: ModelDescription, name: str, *, keep_loaded: bool) -> None:
        with _LOADING, contextlib.chdir(Path.cwd()):
            self.fmu: Any = self.kind(
                guid=description.guid,
                modelIdentifier=description.coSimulation.modelIdentifier,
                unzipDirectory=os.fspath(folder),
                instanceName=name,
            )
            if keep_loaded:
                _KEPT.setdefault(self.fmu.dll._name, ctypes.CDLL(self.fmu.dll._name))

    @abstractmethod
    def instantiate(self, log: LogSink) -> None:
        """Make the instance."""

    @abstractmethod
    def enter_initialization(self, start_time_s: float) -> None:
        """Enter initialization mode."""

    @abstractmethod
    def access(self, function: str, references: NDArray[np.uint32], values: NDArray[np.float64]) -> Callable[[], int]:
        """A call that gets or sets Float64 variables in place.

        Args:
            function: ``Get`` or ``Set``.
            references: Value references of the variables.
            values: Their values, all elements of arrays; kept alive by the call.

        Returns:
            The call; it returns an FMI status.
        """

    @abstractmethod
    def step(self) -> Callable[[float, float], tuple[int, bool]]:
        """The call that advances by one step; it returns an FMI status and whether the FMU asks to end."""

    def move(self, function: str, type_: str, reference: int, *values: Any) -> Any:
        """Get or set one variable of any type, slowly.

        Args:
            function: ``get`` or ``set``.
            type_: FMI 3.0's name of the type.
            reference: Value reference of the variable.
            values: What to set.
        """
        call = getattr(self.fmu, function + self.type_name(type_))
        return call([reference], list(values)) if values else call([reference])[0]

    def type_name(self, type_: str) -> str:
        """This FMI version's name of a type."""
        return type_

    def free(self, *, usable: bool) -> None:
        """Free the instance, if there is one, and let go of the library, once.

        Args:
            usable: False after a fatal error: nothing of this FMU may be called any more.
        """
        if not usable:
            return
        if self.fmu.component:
            self.fmu.freeInstance()  # FMPy lets go of the library here as well
        else:
            self.fmu.freeLibrary()

    def _address(self, function: str) -> int:
        address = ctypes.cast(getattr(self.fmu.dll, function), ctypes.c_void_p).value
        return address or 0


class Fmi3(Interface):
    """FMI 3.0."""

    kind = fmpy.fmi3.FMU3Slave

    def type_name(self, type_: str) -> str:
        """Enumerations are Int64."""
        return {"Enumeration": "Int64"}.get(type_, type_)

    def instantiate(self, log: LogSink) -> None:
        """Make the instance, without event mode and early return."""

        def note(_environment: object, status: int, _category: bytes, message: bytes) -> None:
            log(status, _text(message))

        self.fmu.instantiate(logMessage=note)

    def enter_initialization(self, start_time_s: float) -> None:
        """Enter initialization mode; no stop time, since some FMUs refuse a last step that passes it by rounding."""
        self.fmu.enterInitializationMode(startTime=start_time_s)

    def access(self, function: str, references: NDArray[np.uint32], values: NDArray[np.float64]) -> Callable[[], int]:
        """See :meth:`Interface.access`."""
        function_address = self._address(f"fmi3{function}Float64")
        return _bound(_ACCESS3(function_address), self.fmu.component, references, values, values.size)

    def step(self) -> Callable[[float, float], tuple[int, bool]]:
        """See :meth:`Interface.step`."""
        call = _STEP3(self._address("fmi3DoStep"))
        component = self.fmu.component
        flags = (ctypes.c_bool * 3)()
        last_time = ctypes.c_double()
        event, ends, early = (ctypes.addressof(flags) + offset for offset in range(3))
        last = ctypes.addressof(last_time)

        def do_step(time_s: float, step_s: float, _keep: object = (flags, last_time)) -> tuple[int, bool]:
            return call(component, time_s, step_s, True, event, ends, early, last), flags[1]

        return do_step


class Fmi2(Interface):
    """FMI 2.0."""

    kind = fmpy.fmi2.FMU2Slave

    def type_name(self, type_: str) -> str:
        """``Real`` for ``Float64`` and so on."""
        return {"Float64": "Real", "Int32": "Integer", "Enumeration": "Integer"}.get(type_, type_)

    def instantiate(self, log: LogSink) -> None:
        """Make the instance; FMPy's proxy formats what FMI 2.0 logs with C's variadic arguments."""
        _SINKS[id(self)] = log
        callbacks = fmpy.fmi2.fmi2CallbackFunctions()
        callbacks.logger = _ROUTE
        callbacks.allocateMemory = fmpy.fmi2.defaultCallbacks.allocateMemory
        callbacks.freeMemory = fmpy.fmi2.defaultCallbacks.freeMemory
        callbacks.componentEnvironment = id(self)
        with contextlib.suppress(ImportError, OSError):
            from fmpy.logging import addLoggerProxy

            addLoggerProxy(ctypes.byref(callbacks))
        self.fmu.instantiate(callbacks=callbacks)

    def enter_initialization(self, start_time_s: float) -> None:
        """Set up the experiment, without a stop time, and enter initialization mode."""
        self.fmu.setupExperiment(startTime=start_time_s)
        self.fmu.enterInitializationMode()

    def access(self, function: str, references: NDArray[np.uint32], values: NDArray[np.float64]) -> Callable[[], int]:
        """See :meth:`Interface.access`; FMI 2.0 has no arrays."""
        return _bound(_ACCESS2(self._address(f"fmi2{function}Real")), self.fmu.component, references, values)

    def step(self) -> Callable[[float, float], tuple[int, bool]]:
        """See :meth:`Interface.step`; a discarded step may mean that the FMU asks to end."""
        call = _STEP2(self._address("fmi2DoStep"))
        component = self.fmu.component

        def do_step(time_s: float, step_s: float) -> tuple[int, bool]:
            status = call(component, time_s, step_s, 1)
            if status == DISCARD and self.fmu.getBooleanStatus(fmpy.fmi2.fmi2Terminated):
                return 0, True
            return status, False

        return do_step

    def free(self, *, usable: bool) -> None:
        """See :meth:`Interface.free`."""
        super().free(usable=usable)
        _SINKS.pop(id(self), None)


def _bound(
    call: Callable[..., int], component: int, references: NDArray[np.uint32], values: NDArray[np.float64], *rest: int
) -> Callable[[], int]:
    arguments = (component, references.ctypes.data, references.size, values.ctypes.data, *rest)

    def access(_keep: object = (references, values)) -> int:
        return call(*arguments)

    return access


# FMPy's proxy knows one Python function for all instances, so that one asks whose line it is.
_SINKS: dict[int, LogSink] = {}


def _route(environment: int | None, _instance: bytes, status: int, _category: bytes, message: bytes) -> None:
    sink = _SINKS.get(environment or 0)
    if sink:
        sink(status, _text(message))


_ROUTE = fmpy.fmi2.fmi2CallbackLoggerTYPE(_route)


def _text(message: bytes | None) -> str:
    return (message or b"").decode("utf-8", errors="replace").strip()
