"""Executes a tape in plain Python, one C call after another: the oracle the compiled kernel is held against.

It needs no compiler and no start-up, and says what the operations mean; it is about a hundred times slower.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbench.core.cosim.opcodes import TYPE_CODES, Exit, Op, State

__all__ = ["run"]

_ADDRESS, _SIZE, _STATUS = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_PROTOTYPES = {
    Op.ACCESS3: ctypes.CFUNCTYPE(_STATUS, _ADDRESS, _ADDRESS, _SIZE, _ADDRESS, _SIZE),
    Op.ACCESS2: ctypes.CFUNCTYPE(_STATUS, _ADDRESS, _ADDRESS, _SIZE, _ADDRESS),
    Op.STEP3: ctypes.CFUNCTYPE(
        _STATUS, _ADDRESS, ctypes.c_double, ctypes.c_double, ctypes.c_bool, *[ctypes.c_void_p] * 4
    ),
    Op.STEP2: ctypes.CFUNCTYPE(_STATUS, _ADDRESS, ctypes.c_double, ctypes.c_double, ctypes.c_int),
}
_STORED = [np.dtype(name) for name in TYPE_CODES]
_SUCCESS = 1  # FMI status: OK is 0, warning is 1

_Floats = NDArray[np.float64]
_Integers = NDArray[np.int64]


@cache
def _function(op: Op, address: int) -> Callable[..., int]:
    return _PROTOTYPES[op](address)


def run(
    tape: _Integers,
    index: _Integers,
    numbers: _Floats,
    arena: _Floats,
    rows: _Floats,
    recorded: _Integers,
    limits: _Integers,
    bounds: _Floats,
    told: _Integers,
    state: _Integers,
    clock: _Integers,
    busy_ns: _Integers,
    start_s: float,
    step_s: float,
    last: int,
    deadline_ns: int,
) -> int:
    """Execute a tape from where its state says, until there is something to say.

    Args:
        tape: Operations, shape (n, 9), see :mod:`twinbench.core.cosim.opcodes`.
        index: Places in the arena.
        numbers: Factor and offset of each transformed value; tolerance and limit of each loop. Shape (n, 2).
        arena: All values that are not looked at as bytes.
        rows: Where recorded signals are written, shape (n_rows, n_recorded).
        recorded: Their places in the arena.
        limits: Place of a signal that ends the run, and of the current whose sign counts or -1. Shape (n, 2).
        bounds: Lowest and highest value of each.
        told: Where FMI 3.0 instances say event, terminate, early return and last successful time; 4 for each.
        state: See :class:`~twinbench.core.cosim.opcodes.State`; changed in place.
        clock: Not used here: address of ``clock_gettime`` and of room for a ``timespec``; period of the samples of
            how long a step takes, countdown to the next, how many there were.
        busy_ns: Sampled time of each instance; not used here.
        start_s: Communication point k is at ``start_s + k * step_s``.
        step_s: See *start_s*.
        last: Number of the last communication point.
        deadline_ns: Return at the end of the step in which the monotonic clock passes it.

    Returns:
        An :class:`~twinbench.core.cosim.opcodes.Exit`.
    """
    machine = _Machine(tape.tolist(), index, numbers, arena, rows, recorded, limits, bounds, told, state, last)
    while True:
        k = int(state[State.STEP])
        exit_ = machine.one_step(k, start_s, step_s)
        if exit_ is not None:
            return exit_
        state[State.STEP], state[State.OP] = k + 1, state[State.START]
        if time.monotonic_ns() > deadline_ns:
            return Exit.PAUSE


class _Machine:
    """What the operations do."""

    def __init__(
        self,
        tape: list[list[int]],
        index: _Integers,
        numbers: _Floats,
        arena: _Floats,
        rows: _Floats,
        recorded: _Integers,
        limits: _Integers,
        bounds: _Floats,
        told: _Integers,
        state: _Integers,
        last: int,
    ) -> None:
        self.tape, self.index, self.numbers, self.arena, self.rows = tape, index, numbers, arena, rows
        self.recorded, self.limits, self.bounds, self.told = recorded, limits, bounds, told
        self.state, self.last = state, last
        self._does: dict[int, Callable[[list[int]], Exit | None]] = {
            Op.GATHER: self._gather,
            Op.AFFINE: self._affine,
            Op.COPY_BYTES: self._copy_bytes,
            Op.DECODE: self._decode,
            Op.ENCODE: self._encode,
            Op.RECORD: self._record,
            Op.ITERATE: self._iterate,
            Op.ACCESS3: self._access,
            Op.ACCESS2: self._access,
        }

    def one_step(self, k: int, start_s: float, step_s: float) -> Exit | None:
        """From one communication point to the next; None if nothing keeps it from going on."""
        while (op := int(self.state[State.OP])) < len(self.tape):
            row = self.tape[op]
            self.state[State.OP] = op + 1
            is_step = row[0] in (Op.STEP3, Op.STEP2)
            exit_ = self._step(row, k, start_s, step_s) if is_step else self._does[row[0]](row)
            if exit_ is not None:
                return exit_
        return None

    def _step(self, row: list[int], k: int, start_s: float, step_s: float) -> Exit | None:
        op, who, function, component, place, *_, every = row
        if (k + 1) % every:
            return None
        at = (start_s + (k + 1 - every) * step_s, every * step_s)
        if op == Op.STEP3:
            status = _function(Op.STEP3, function)(component, *at, True, place, place + 8, place + 16, place + 24)
            told = bool(self.told[4 * who : 4 * who + 3].any())
        else:
            status, told = _function(Op.STEP2, function)(component, *at, 1), False
        if status <= _SUCCESS and not told:
            return None
        self.state[State.INSTANCE], self.state[State.STATUS] = who, status
        return Exit.STEP

    def _access(self, row: list[int]) -> Exit | None:
        op, who, function, component, references, n_references, values, n_values, every = row
        if int(self.state[State.STEP]) % every:
            return None
        sizes = (n_values,) if op == Op.ACCESS3 else ()
        status = _function(Op(op), function)(component, references, n_references, values, *sizes)
        if status <= _SUCCESS:
            return None
        self.state[State.INSTANCE], self.state[State.STATUS] = who, status
        self.state[State.OP] -= 1
        return Exit.STATUS

    def _gather(self, row: list[int]) -> None:
        _, _, first, n, target, *_ = row
        for j in range(n):
            self.arena[target + j] = self.arena[self.index[first + j]]

    def _affine(self, row: list[int]) -> None:
        _, _, first, n, target, *_ = row
        for j in range(n):
            factor, offset = self.numbers[first + j]
            self.arena[target + j] = self.arena[target + j] * factor + offset

    def _copy_bytes(self, row: list[int]) -> None:
        _, _, source, n, target, *_ = row
        ctypes.memmove(target, source, n)

    def _decode(self, row: list[int]) -> None:
        _, _, source, n, target, type_, *_ = row
        self.arena[target : target + n] = _memory(source, n, type_)

    def _encode(self, row: list[int]) -> None:
        _, _, first, n, target, type_, *_ = row
        _memory(target, n, type_)[:] = self.arena[first : first + n]

    def _record(self, _: list[int]) -> Exit | None:
        state = self.state
        values = self.arena[self.recorded]
        self.rows[state[State.ROW]] = values
        exit_ = self._ending(values)
        if exit_ is None and state[State.DUE]:
            state[State.DUE] -= 1
            return None
        state[State.ROW] += 1
        if exit_ is None:
            state[State.DUE] = state[State.STRIDE] - 1
            exit_ = Exit.BLOCK if state[State.ROW] == len(self.rows) else None
        else:
            state[State.OP] -= 1
        return exit_

    def _ending(self, values: _Floats) -> Exit | None:
        """Why this communication point is the last one."""
        wrong = np.flatnonzero(np.isnan(values))
        if wrong.size:
            self.state[State.WHICH] = wrong[-1]
            return Exit.NAN
        for number, (place, current) in enumerate(self.limits.tolist()):
            low, high = self.bounds[number]
            sign = self.arena[current] if current >= 0 else 0.0
            is_below = (current < 0 or sign < 0) and self.arena[place] < low
            if is_below or ((current < 0 or sign > 0) and self.arena[place] > high):
                self.state[State.WHICH] = number
                return Exit.LIMIT
        return Exit.END if self.state[State.STEP] >= self.last else None

    def _iterate(self, row: list[int]) -> Exit | None:
        _, _, first, n, previous, start, number, *_ = row
        values = self.arena[self.index[first : first + n]]
        before = self.arena[previous : previous + n].copy()
        self.arena[previous : previous + n] = values
        tolerance, most = self.numbers[number]
        if bool(np.all(np.abs(values - before) <= tolerance * (1.0 + np.abs(values)))):
            self.state[State.ITERATIONS] = 0
            return None
        self.state[State.ITERATIONS] += 1
        if self.state[State.ITERATIONS] > most:
            self.state[State.ITERATIONS] = 0
            self.state[State.OP] -= 1
            return Exit.LOOP
        self.state[State.OP] = start
        return None


def _memory(address: int, n: int, type_: int) -> NDArray[Any]:
    """The values at an address."""
    stored = _STORED[type_]
    raw = (ctypes.c_uint8 * (n * stored.itemsize)).from_address(address)
    values: NDArray[Any] = np.frombuffer(memoryview(raw), dtype=stored)
    return values
