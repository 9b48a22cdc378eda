"""The C functions of one instance of an FMU: what differs between FMI 2.0 and 3.0 ends here.

FMPy loads the library and makes the calls that are rare. What runs at each communication step is called by its address
(see :mod:`twinbench.core.cosim.tape`), so nothing of it is here.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import fmpy.fmi2
import fmpy.fmi3
from fmpy.fmi1 import FMICallException
from fmpy.model_description import ModelDescription

__all__ = ["DISCARD", "ERROR", "FATAL", "WARNING", "Fmi2", "Fmi3", "Interface", "LogSink", "StepEnd"]

LogSink = Callable[[int, str], None]
StepEnd = tuple[int, bool, bool, float]  # status, needs an event handled, asks to end, time it has come to

WARNING, DISCARD, ERROR, FATAL, PENDING = 1, 2, 3, 4, 5

_LOADING = threading.Lock()  # FMPy changes the working directory of the process while it loads
_KEPT: dict[str, ctypes.CDLL] = {}
_POLL_S = 0.001


class Interface(ABC):
    """One instance of an FMU through its C functions.

    Args:
        folder: Where the FMU is unpacked.
        keep_loaded: Leave the library in memory afterwards, for the next instance: it is quicker, and some FMUs lose
            a little of a scarce resource each time they are unloaded.
    """

    kind: ClassVar[type]
    version: ClassVar[int]

    def __init__(self, folder: Path, description: ModelDescription, name: str, *, keep_loaded: bool) -> None:
        self.description = description
        with _LOADING, contextlib.chdir(Path.cwd()):
            self.fmu: Any = self.kind(
                guid=description.guid,
                modelIdentifier=description.coSimulation.modelIdentifier,
                unzipDirectory=os.fspath(folder),
                instanceName=name,
            )
            if keep_loaded:
                _KEPT.setdefault(self.fmu.dll._name, ctypes.CDLL(self.fmu.dll._name))
        self._addresses: dict[str, int] = {}

    @property
    def component(self) -> int:
        """Address of the instance; 0 if there is none."""
        return int(self.fmu.component or 0)

    def address(self, function: str) -> int:
        """Address of a C function, named without ``fmi2`` or ``fmi3``."""
        if function not in self._addresses:
            found = getattr(self.fmu.dll, f"fmi{self.version}{function}")
            self._addresses[function] = ctypes.cast(found, ctypes.c_void_p).value or 0
        return self._addresses[function]

    @abstractmethod
    def instantiate(self, log: LogSink, *, events: bool) -> None:
        """Make the instance, with event mode and early return if *events*."""

    @abstractmethod
    def enter_initialization(self, start_time_s: float) -> None:
        """Enter initialization mode; no stop time, since some FMUs refuse a last step that passes it by rounding."""

    @abstractmethod
    def step(self, time_s: float, step_s: float) -> StepEnd:
        """Advance by one step; an FMI status is returned, not raised."""

    @abstractmethod
    def look_into(self, status: int, begin_s: float, end_s: float) -> StepEnd:
        """What a status above a warning means that a step returned."""

    def handle_event(self) -> bool:
        """From step mode through event mode and back; whether the FMU asks to end."""
        raise NotImplementedError("FMI 2.0 for Co-Simulation has no events")

    def update_states(self) -> bool:
        """From event mode to step mode; whether the FMU asks to end."""
        raise NotImplementedError("FMI 2.0 for Co-Simulation has no events")

    def move(
        self, function: str, type_: str, reference: int, values: Sequence[Any] | None = None, size: int = 1
    ) -> Any:
        """Get or set one variable of any type, slowly.

        Args:
            function: ``get`` or ``set``.
            type_: FMI 3.0's name of the type.
            reference: Value reference of the variable.
            values: What to set; all elements.
            size: Number of elements to get.
        """
        call = getattr(self.fmu, function + self.type_name(type_))
        if values is not None:
            return call([reference], list(values))
        return call([reference]) if self.version == 2 or type_ in ("String", "Binary") else call([reference], size)

    def type_name(self, type_: str) -> str:
        """This FMI version's name of a type."""
        return type_

    def free_instance(self) -> None:
        """Free the instance; the library stays."""
        if self.component:
            getattr(self.fmu, f"fmi{self.version}FreeInstance")(self.fmu.component)
            self.fmu.component = None

    def free(self, *, usable: bool) -> None:
        """Free the instance, if there is one, and let go of the library, once.

        Args:
            usable: False after a fatal error: nothing of this FMU may be called any more.
        """
        if usable:
            self.free_instance()
            self.fmu.freeLibrary()


class Fmi3(Interface):
    """FMI 3.0."""

    kind = fmpy.fmi3.FMU3Slave
    version = 3

    def type_name(self, type_: str) -> str:
        """Enumerations are Int64."""
        return {"Enumeration": "Int64"}.get(type_, type_)

    def instantiate(self, log: LogSink, *, events: bool) -> None:
        """See :meth:`Interface.instantiate`."""

        def note(_environment: object, status: int, _category: bytes, message: bytes) -> None:
            log(status, _text(message))

        self.fmu.instantiate(logMessage=note, eventModeUsed=events, earlyReturnAllowed=events)

    def enter_initialization(self, start_time_s: float) -> None:
        """See :meth:`Interface.enter_initialization`."""
        self.fmu.enterInitializationMode(startTime=start_time_s)

    def step(self, time_s: float, step_s: float) -> StepEnd:
        """See :meth:`Interface.step`."""
        try:
            event, ends, early, last_s = self.fmu.doStep(time_s, step_s)
        except FMICallException as error:
            return error.status, False, False, time_s
        return 0, event, ends, last_s if early else time_s + step_s

    def look_into(self, status: int, begin_s: float, end_s: float) -> StepEnd:
        """A discarded step was not done at all; the rest are failures."""
        return status, False, False, begin_s

    def handle_event(self) -> bool:
        """See :meth:`Interface.handle_event`."""
        self.fmu.enterEventMode()
        return self.update_states()

    def update_states(self) -> bool:
        """See :meth:`Interface.update_states`."""
        needs_update, ends = True, False
        while needs_update and not ends:
            needs_update, ends, *_ = self.fmu.updateDiscreteStates()
        self.fmu.enterStepMode()
        return ends


class Fmi2(Interface):
    """FMI 2.0."""

    kind = fmpy.fmi2.FMU2Slave
    version = 2

    def type_name(self, type_: str) -> str:
        """``Real`` for ``Float64`` and so on."""
        return {"Float64": "Real", "Int32": "Integer", "Enumeration": "Integer"}.get(type_, type_)

    def instantiate(self, log: LogSink, *, events: bool) -> None:
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

    def step(self, time_s: float, step_s: float) -> StepEnd:
        """See :meth:`Interface.step`."""
        try:
            self.fmu.doStep(time_s, step_s)
        except FMICallException as error:
            return self.look_into(error.status, time_s, time_s + step_s)
        return 0, False, False, time_s + step_s

    def look_into(self, status: int, begin_s: float, end_s: float) -> StepEnd:
        """Wait for a pending step; ask how far a discarded one came, and whether it means the end."""
        while status == PENDING:
            time.sleep(_POLL_S)
            status = self._ask("fmi2GetStatus", fmpy.fmi2.fmi2DoStepStatus, ctypes.c_int)
        if status <= WARNING:
            return 0, False, False, end_s
        if status != DISCARD:
            return status, False, False, begin_s
        ends = bool(self._ask("fmi2GetBooleanStatus", fmpy.fmi2.fmi2Terminated, ctypes.c_int))
        last_s = self._ask("fmi2GetRealStatus", fmpy.fmi2.fmi2LastSuccessfulTime, ctypes.c_double)
        is_there = begin_s < last_s < end_s or math.isclose(last_s, end_s)
        return DISCARD, False, ends, last_s if is_there else begin_s

    def _ask(self, function: str, kind: int, type_: type[Any]) -> Any:
        """A status of the last step; 0 where the FMU does not tell."""
        value = type_()
        with contextlib.suppress(FMICallException):
            getattr(self.fmu, function)(self.fmu.component, kind, ctypes.byref(value))
        return value.value

    def free(self, *, usable: bool) -> None:
        """See :meth:`Interface.free`."""
        super().free(usable=usable)
        _SINKS.pop(id(self), None)


# FMPy's proxy knows one Python function for all instances, so that one asks whose line it is.
_SINKS: dict[int, LogSink] = {}


def _route(environment: int | None, _instance: bytes, status: int, _category: bytes, message: bytes) -> None:
    sink = _SINKS.get(environment or 0)
    if sink:
        sink(status, _text(message))


_ROUTE = fmpy.fmi2.fmi2CallbackLoggerTYPE(_route)


def _text(message: bytes | None) -> str:
    return (message or b"").decode("utf-8", errors="replace").strip()
