"""Instances in a few lines of Python with the C interface of FMI 3.0, so that a tape is tested without an FMU."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import pytest

from twinbench.core.bundle import Connection, Reference, Variable
from twinbench.core.cosim import Coupling, System
from twinbench.core.cosim.interpreter import run as interpreted
from twinbench.core.cosim.system import compiled
from twinbench.core.errors import SimulationError

_P, _N, _D, _I = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_double, ctypes.c_int
_ACCESS = ctypes.CFUNCTYPE(_I, _P, ctypes.POINTER(ctypes.c_uint32), _N, _P, _N)
_STEP = ctypes.CFUNCTYPE(_I, _P, _D, _D, ctypes.c_bool, *[ctypes.POINTER(ctypes.c_bool)] * 3, ctypes.POINTER(_D))
_C_TYPES = {
    "Float64": _D,
    "Float32": ctypes.c_float,
    "Int8": ctypes.c_int8,
    "UInt8": ctypes.c_uint8,
    "Int16": ctypes.c_int16,
    "UInt16": ctypes.c_uint16,
    "Int32": ctypes.c_int32,
    "UInt32": ctypes.c_uint32,
    "Int64": ctypes.c_int64,
    "UInt64": ctypes.c_uint64,
    "Boolean": ctypes.c_bool,
}
ERROR = 3


class Gadget:
    """x' = u per step, y = x, z = x + u, pair = (x, -x): keeps a diary of what is done to it."""

    fmi_version = 3
    component = 1

    def __init__(self, name: str, diary: list[str], *, x: float = 0.0, u: float = 0.0, extra=()) -> None:
        self.name = name
        self.values: dict[str, list] = {"u": [u], "v": [0.0], "x": [x], "y": [x], "z": [x + u], "pair": [x, -x]}
        self.diary = diary
        self.asks: Callable[[float], object] = lambda time_s: None
        self.reacts: Callable[[dict], None] = lambda values: None
        made = [
            Variable("u", "input", "Float64", "A"),
            Variable("v", "input", "Float64", "A"),
            Variable("x", "local", "Float64", "V"),
            Variable("y", "output", "Float64", "V", depends_on=(), starts_from=()),
            Variable("z", "output", "Float64", "V", depends_on=("u",), starts_from=("u",)),
            Variable("pair", "output", "Float64", None, (1, 2), depends_on=(), starts_from=()),
            *extra,
        ]
        for variable in extra:
            self.values[variable.name] = [0] * variable.size
        self.variables = {v.name: Variable(**{**vars(v), "reference": number}) for number, v in enumerate(made)}
        self._names = [v.name for v in made]
        self._keep: dict[str, object] = {}

    @property
    def x(self) -> float:
        return self.values["x"][0]

    @property
    def u(self) -> float:
        return self.values["u"][0]

    def address(self, function: str) -> int:
        if function not in self._keep:
            kind, type_ = function[:3], function[3:]
            if function == "DoStep":
                self._keep[function] = _STEP(self._do_step)
            else:
                access = self._get if kind == "Get" else self._set
                self._keep[function] = _ACCESS(lambda *a: access(_C_TYPES[type_], *a[1:]))
        return ctypes.cast(self._keep[function], _P).value or 0

    def _look(self) -> None:
        x, u = self.x, self.u
        self.values.update(y=[x], z=[x + u], pair=[x, -x])
        self.reacts(self.values)

    def _get(self, c_type, references, count, place, size) -> int:
        names = [self._names[references[n]] for n in range(count)]
        self.diary.append(f"get {self.name}.{','.join(names)}")
        self._look()
        flat = [value for name in names for value in self.values[name]]
        assert len(flat) == size
        (c_type * size).from_address(place)[:] = flat
        return 0

    def _set(self, c_type, references, count, place, size) -> int:
        names = [self._names[references[n]] for n in range(count)]
        self.diary.append(f"set {self.name}.{','.join(names)}")
        values = list((c_type * size).from_address(place))
        for name in names:
            number = self.variables[name].size
            self.values[name], values = values[:number], values[number:]
        return 0

    def _do_step(self, _instance, time_s, step_s, _kept, event, terminate, early, last) -> int:
        self.diary.append(f"step {self.name} {time_s:g}" + (f" by {step_s:g}" if step_s != 1 else ""))
        asks = self.asks(time_s)
        event[0] = terminate[0] = early[0] = False
        if asks == "event":
            event[0] = True
        elif asks:
            terminate[0] = asks is True
            return 0 if asks is True else ERROR
        self.values["x"] = [self.x + self.u * step_s]
        return 0

    def exit_initialization(self) -> None:
        self.diary.append(f"begin {self.name}")

    def finish_step(self, status, told, begin_s, end_s) -> float | None:
        if status > 1:
            self.fail("step", status, begin_s)
        self.diary.append(f"finish {self.name} {begin_s:g} to {end_s:g}")
        return end_s if told[1] else None

    def fail(self, what, status, time_s):
        raise SimulationError(f"{self.name} could not {what} at {time_s} ({status})")


@pytest.fixture
def diary() -> list[str]:
    return []


@pytest.fixture
def gadget(diary):
    """Make one instance."""
    return lambda name, **start: Gadget(name, diary, **start)


@pytest.fixture(params=["compiled", "interpreted"])
def executor(request):
    """Each executor in turn."""
    return compiled() if request.param == "compiled" else interpreted


def wired(*wires: str) -> list[Connection]:
    ends = [[Reference(*end.split("."), end.split(".")[1]) for end in wire.split(">")] for wire in wires]
    return [Connection(source, target) for source, target in ends]


@pytest.fixture
def wires():
    """Read wires written ``A.y>B.u``."""
    return wired


@pytest.fixture
def system(executor):
    """Make an initialised system of instances and wires."""

    def system(*instances: Gadget, wires=(), **coupling) -> System:
        connections = [wire if isinstance(wire, Connection) else wired(wire)[0] for wire in wires]
        made = System(instances, connections, Coupling(**coupling), executor=executor)
        made.initialise()
        return made

    return system
