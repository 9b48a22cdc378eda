"""Compiles wired instances to a tape: which C function is called when, with which memory.

The addresses are data, so that one executor serves every wiring (:mod:`twinbench.core.cosim.kernel`, or the slow
:mod:`twinbench.core.cosim.interpreter`). What a tape does is said in acts, the words of a co-simulation scheme:

    Get(FMU, outputs)   Set(FMU, inputs)   Step(FMU)   Record()   Repeat(acts, until outputs stay as they are)

Float64 values lie in one array, the *arena*. Outputs of an FMU that are asked for together lie side by side; where the
inputs of an FMU are the same values in the same order, it is handed their place and nothing is copied. Values of other
types lie as bytes in a second array; they are decoded into the arena where they are recorded or converted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twinbench.core.bundle import Connection, Variable
from twinbench.core.cosim.instance import Instance, stored_as
from twinbench.core.cosim.opcodes import COLUMNS, TYPE_CODES, Op

__all__ = ["Act", "Get", "Record", "Repeat", "Set", "Step", "Tape", "assemble"]

_COMPONENT, _FIRST = 3, 5  # columns that are filled in when everything has its place
_WORD_BYTES = 8
_NOTHING = -1  # no operation


@dataclass(frozen=True)
class Get:
    """Ask an FMU for variables."""

    model: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Set:
    """Give an FMU the values of connected inputs."""

    model: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """Let an FMU step."""

    model: str


@dataclass(frozen=True)
class Record:
    """Write a row."""


@dataclass(frozen=True)
class Repeat:
    """Do this until these outputs, as (FMU, variable), stay as they are."""

    acts: tuple[Get | Set, ...]
    until: tuple[tuple[str, str], ...]
    tolerance: float
    iterations: int


Act = Get | Set | Step | Record | Repeat


class Tape:
    """Operations with all memory they need; it must not be moved while an executor runs.

    Attributes:
        rows: Operations, shape (n, 9).
        start: The first operation that is repeated; those before are done once.
        told: What FMI 3.0 instances say at each step, 4 words each.
    """

    def __init__(
        self, rows: Sequence[Sequence[int]], start: int, instances: Sequence[Instance], memory: _Memory
    ) -> None:
        end = [_NOTHING] * COLUMNS  # executors look one operation ahead
        self.rows = np.array([*rows, end], dtype=np.int64)[:-1]
        self.start, self.told = start, memory.told
        self._memory = memory
        self._instances = tuple(instances)
        self._calls = np.flatnonzero(self.rows[:, 0] <= Op.STEP2)
        self._callers = self.rows[self._calls, 1]
        loops = self.rows[:, 0] == Op.ITERATE
        self.rows[loops, _FIRST] = self.rows.ctypes.data + self.rows.strides[0] * self.rows[loops, _FIRST]

    def places(self, model: str, name: str) -> range:
        """Addresses of the values of a variable."""
        found = self._memory.places[model, name]
        return range(self._memory.at(found.start), self._memory.at(found.stop), _WORD_BYTES)

    def link(self) -> None:
        """Put in the present addresses of the instances: they change when these are made anew."""
        components = np.array([instance.component for instance in self._instances], dtype=np.int64)
        self.rows[self._calls, _COMPONENT] = components[self._callers]


@dataclass
class _Memory:
    """Where values lie.

    Attributes:
        places: (FMU, variable) -> places in the arena.
        address: Where the bytes of other types begin.
        keep: What must not be freed.
    """

    arena: NDArray[np.float64]
    told: NDArray[np.int64]
    places: Mapping[tuple[str, str], range]
    address: int
    keep: list[NDArray[np.generic]]

    def at(self, place: int) -> int:
        """Address of a place in the arena."""
        return int(self.arena.ctypes.data) + _WORD_BYTES * place

    def hold(self, values: Sequence[float] | Sequence[int], type_: str) -> int:
        """Keep a table; returns its address."""
        self.keep.append(np.array(values, dtype=type_))
        return int(self.keep[-1].ctypes.data)


@dataclass(frozen=True)
class _Block:
    """Variables of one FMU and type that are given or asked for together; places of their values and bytes."""

    type: str
    places: Mapping[str, range]
    offsets: Mapping[str, int]


def assemble(
    instances: Sequence[Instance],
    connections: Sequence[Connection],
    acts: Sequence[Act],
    *,
    once: Sequence[Act] = (),
    recorded: Sequence[tuple[str, str]] = (),
    every: Mapping[str, int] | None = None,
) -> Tape:
    """Compile acts.

    Args:
        instances: The FMUs.
        connections: The wiring; all outputs that drive something are got in some act.
        acts: What happens from one communication point to the next.
        once: What happens before, once.
        recorded: Variables, as (FMU, variable), that :meth:`Tape.place` will be asked for.
        every: FMU -> its own communication step, see :class:`~twinbench.core.cosim.coupling.Coupling`.
    """
    return _Assembler(instances, connections, recorded, every or {}).assemble(once, acts)


class _Assembler:
    def __init__(
        self,
        instances: Sequence[Instance],
        connections: Sequence[Connection],
        recorded: Sequence[tuple[str, str]],
        every: Mapping[str, int],
    ) -> None:
        self._instances, self._every = instances, every
        self._number = {instance.name: number for number, instance in enumerate(instances)}
        self._drivers = {(c.target.model, c.target.signal): c for c in connections}
        self._recorded = recorded
        self._rows: list[list[int]] = []
        self._places: dict[tuple[str, str], range] = {}
        self._blocks: dict[tuple[type, str, tuple[str, ...]], _Block] = {}
        self._arena_size = self._bytes = 0

    def assemble(self, once: Sequence[Act], acts: Sequence[Act]) -> Tape:
        self._decoded = self._find_decoded()
        both = [*once, *acts]
        for kind in (Get, Set):  # what is got first, since what is set may lie there
            for act in _flat(both):
                if isinstance(act, kind):
                    for names in self._by_type(act):
                        self._reserve(act, names)
        previous = [self._reserve_previous(act) for act in both]
        self._memory = self._allocate()
        start = 0
        for number, (act, place) in enumerate(zip(both, previous, strict=True)):
            start = len(self._rows) if number == len(once) else start
            self._emit(act, place)
        return Tape(self._rows, start, self._instances, self._memory)

    # What lies where.

    def _instance(self, model: str) -> Instance:
        return self._instances[self._number[model]]

    def _variable(self, model: str, name: str) -> Variable:
        return self._instance(model).variables[name]

    def _storage(self, model: str, name: str) -> tuple[str, str]:
        return stored_as(self._instance(model).fmi_version, self._variable(model, name).type)

    def _is_plain(self, connection: Connection) -> bool:
        """Whether a value can be handed on as it lies in memory."""
        source = self._storage(connection.source.model, connection.source.signal)[1]
        target = self._storage(connection.target.model, connection.target.signal)[1]
        return source == target and (connection.factor, connection.offset) == (1.0, 0.0)

    def _find_decoded(self) -> set[tuple[str, str]]:
        """Values of other types that are needed as numbers."""
        wanted = {self._source_of(*key) for key in self._recorded}
        wanted |= {(c.source.model, c.source.signal) for c in self._drivers.values() if not self._is_plain(c)}
        return {key for key in wanted if self._storage(*key)[1] != "f8"}

    def _source_of(self, model: str, name: str) -> tuple[str, str]:
        """Whose value a recorded connected input has: its own if it is transformed on the way."""
        driver = self._drivers.get((model, name))
        if driver is None or not self._is_plain(driver):
            return model, name
        return driver.source.model, driver.source.signal

    def _by_type(self, act: Get | Set) -> list[tuple[str, ...]]:
        groups: dict[str, list[str]] = {}
        for name in act.names:
            groups.setdefault(self._storage(act.model, name)[0], []).append(name)
        return [tuple(names) for names in groups.values()]

    def _reserve(self, act: Get | Set, names: tuple[str, ...]) -> None:
        key = (type(act), act.model, names)
        if key in self._blocks or (isinstance(act, Set) and self._is_side_by_side(act.model, names)):
            return
        type_ = self._storage(act.model, names[0])[1]
        places: dict[str, range] = {}
        offsets: dict[str, int] = {}
        for name in names:
            size = self._variable(act.model, name).size
            if type_ == "f8" or (act.model, name) in self._decoded or self._is_converted(act, name):
                places[name] = range(self._arena_size, self._arena_size + size)
                self._places[act.model, name] = places[name]
                self._arena_size += size
            if type_ != "f8":
                offsets[name] = self._bytes
                self._bytes += size * np.dtype(type_).itemsize
        self._bytes += -self._bytes % _WORD_BYTES
        self._blocks[key] = _Block(type_, places, offsets)

    def _is_converted(self, act: Get | Set, name: str) -> bool:
        return isinstance(act, Set) and not self._is_plain(self._drivers[act.model, name])

    def _is_side_by_side(self, model: str, names: tuple[str, ...]) -> bool:
        """Whether the sources of Float64 inputs lie as the inputs do, so that nothing has to be copied."""
        connections = [self._drivers[model, name] for name in names]
        if not all(map(self._is_plain, connections)) or self._storage(model, names[0])[1] != "f8":
            return False
        places = [self._places[c.source.model, c.source.signal] for c in connections]
        return all(one.stop == other.start for one, other in pairwise(places))

    def _reserve_previous(self, act: Act) -> int:
        if not isinstance(act, Repeat):
            return 0
        place = self._arena_size
        self._arena_size += sum(self._variable(*key).size for key in act.until)
        return place

    def _allocate(self) -> _Memory:
        arena = np.zeros(max(1, self._arena_size))
        stored = np.zeros(max(1, self._bytes), dtype=np.uint8)
        told = np.zeros(4 * max(1, len(self._instances)), dtype=np.int64)
        for model, name in self._recorded:
            source = self._source_of(model, name)
            if (model, name) not in self._places or source != (model, name):
                self._places[model, name] = self._places[source]
        return _Memory(arena, told, self._places, stored.ctypes.data, [stored])

    # What is done.

    def _emit(self, act: Act, previous: int) -> None:
        match act:
            case Get():
                for names in self._by_type(act):
                    self._get(act.model, names)
            case Set():
                for names in self._by_type(act):
                    self._set(act.model, names)
            case Step():
                self._step(act.model)
            case Record():
                self._row(Op.RECORD)
            case Repeat():
                self._repeat(act, previous)

    def _row(self, op: Op, *columns: int, every: int = 1) -> None:
        self._rows.append([op, *columns, *[0] * (COLUMNS - 2 - len(columns)), every])

    def _get(self, model: str, names: tuple[str, ...]) -> None:
        block = self._blocks[Get, model, names]
        self._access("Get", model, names, self._address(block))
        for name in names:
            if name in block.offsets and name in block.places:
                address, place = self._memory.address + block.offsets[name], block.places[name]
                self._convert(Op.DECODE, address, place, self._memory.at(place.start), block.type)

    def _set(self, model: str, names: tuple[str, ...]) -> None:
        block = self._blocks.get((Set, model, names))
        if block is None:  # its sources lie as it does
            first = self._drivers[model, names[0]].source
            self._access("Set", model, names, self._memory.at(self._places[first.model, first.signal].start))
            return
        if block.type == "f8":
            self._gather(model, names, next(iter(block.places.values())).start)
        else:
            for name in names:
                self._hand_on(model, name, block)
        self._access("Set", model, names, self._address(block))

    def _address(self, block: _Block) -> int:
        if block.type == "f8":
            return self._memory.at(next(iter(block.places.values())).start)
        return self._memory.address + next(iter(block.offsets.values()))

    def _access(self, verb: str, model: str, names: tuple[str, ...], address: int) -> None:
        instance = self._instance(model)
        references = [instance.variables[name].reference for name in names]
        size = sum(instance.variables[name].size for name in names)
        self._row(
            Op.ACCESS3 if instance.fmi_version == 3 else Op.ACCESS2,
            self._number[model],
            instance.address(verb + self._storage(model, names[0])[0]),
            0,
            self._memory.hold(references, "u4"),
            len(names),
            address,
            size,
            every=self._every.get(model, 1),
        )

    def _step(self, model: str) -> None:
        instance, number = self._instance(model), self._number[model]
        op = Op.STEP3 if instance.fmi_version == 3 else Op.STEP2
        told = self._memory.told.ctypes.data + 32 * number
        self._row(op, number, instance.address("DoStep"), 0, told, every=self._every.get(model, 1))

    def _gather(self, model: str, names: Sequence[str], target: int) -> None:
        """Bring values side by side, converted where the wiring says so."""
        sources, transforms = list[int](), list[float]()
        for name in names:
            connection = self._drivers[model, name]
            places = self._places[connection.source.model, connection.source.signal]
            sources += map(self._memory.at, places)
            transforms += [connection.factor, connection.offset] * len(places)
        self._row(Op.GATHER, 0, self._memory.hold(sources, "i8"), len(sources), self._memory.at(target))
        if transforms != [1.0, 0.0] * len(sources):
            self._row(Op.AFFINE, 0, self._memory.hold(transforms, "f8"), len(sources), self._memory.at(target))

    def _hand_on(self, model: str, name: str, block: _Block) -> None:
        """Bring an input of another type than Float64 into its place."""
        connection = self._drivers[model, name]
        address = self._memory.address + block.offsets[name]
        if name in block.places:
            place = block.places[name]
            self._gather(model, [name], place.start)
            self._convert(Op.ENCODE, self._memory.at(place.start), place, address, block.type)
            return
        size = self._variable(model, name).size * np.dtype(block.type).itemsize
        self._row(Op.COPY_BYTES, 0, self._stored(connection), size, address)

    def _stored(self, connection: Connection) -> int:
        """Where the bytes of an output are."""
        model, name = connection.source.model, connection.source.signal
        block = next(
            b for (kind, owner, _), b in self._blocks.items() if kind is Get and owner == model and name in b.offsets
        )
        return self._memory.address + block.offsets[name]

    def _convert(self, op: Op, source: int, place: range, target: int, type_: str) -> None:
        self._row(op, 0, source, len(place), target, TYPE_CODES[type_], np.dtype(type_).itemsize)

    def _repeat(self, act: Repeat, previous: int) -> None:
        first = len(self._rows)
        for inner in act.acts:
            self._emit(inner, 0)
        sources = [self._memory.at(place) for key in act.until for place in self._places[key]]
        table, limits = self._memory.hold(sources, "i8"), self._memory.hold([act.tolerance, act.iterations], "f8")
        self._row(Op.ITERATE, 0, table, len(sources), self._memory.at(previous), first, limits)


def _flat(acts: Sequence[Act]) -> Iterator[Act]:
    for act in acts:
        yield from act.acts if isinstance(act, Repeat) else (act,)
