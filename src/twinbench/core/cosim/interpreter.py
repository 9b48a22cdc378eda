"""Executes a tape in plain Python, one C call after another: the oracle the compiled kernel is held against.

It needs no compiler and no start-up, and says what the operations mean; it is about a hundred times slower.
"""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from twinbench.core.cosim.opcodes import COLUMNS, TYPE_CODES, Exit, Op, Word

__all__ = ["run"]

_ADDRESS, _SIZE, _STATUS = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_PROTOTYPES = {
    Op.ACCESS3: ctypes.CFUNCTYPE(_STATUS, _ADDRESS, _ADDRESS, _SIZE, _ADDRESS, _SIZE),
    Op.ACCESS2: ctypes.CFUNCTYPE(_STATUS, _ADDRESS, _ADDRESS, _SIZE, _ADDRESS),
    Op.STEP3: ctypes.CFUNCTYPE(_STATUS, _ADDRESS, ctypes.c_double, ctypes.c_double, ctypes.c_bool, *[_ADDRESS] * 4),
    Op.STEP2: ctypes.CFUNCTYPE(_STATUS, _ADDRESS, ctypes.c_double, ctypes.c_double, ctypes.c_int),
}
_C_TYPES: dict[str, Any] = {
    "f8": ctypes.c_double,
    "f4": ctypes.c_float,
    "i1": ctypes.c_int8,
    "u1": ctypes.c_uint8,
    "i2": ctypes.c_int16,
    "u2": ctypes.c_uint16,
    "i4": ctypes.c_int32,
    "u4": ctypes.c_uint32,
    "i8": ctypes.c_int64,
    "u8": ctypes.c_uint64,
}
_STORED = [_C_TYPES[name] for name in TYPE_CODES]
_WORD, _WIDTH = 8, 8 * COLUMNS
_SUCCESS = 1  # FMI status: OK is 0, warning is 1


@cache
def _function(op: Op, address: int) -> Callable[..., int]:
    return _PROTOTYPES[op](address)


def _values(type_: Any, address: int, n: int) -> Any:
    """The values at an address, as an array that can be changed."""
    return (type_ * n).from_address(address)


def _numbers(address: int, n: int) -> Any:
    return _values(ctypes.c_double, address, n)


def _integers(address: int, n: int) -> Any:
    return _values(ctypes.c_int64, address, n)


def _number(address: int) -> float:
    return float(ctypes.c_double.from_address(address).value)


def run(frame: int) -> int:
    """Execute a tape from where its frame says, until there is something to say.

    Args:
        frame: Address of the frame, see :class:`~twinbench.core.cosim.opcodes.Word`; it is changed in place.

    Returns:
        An :class:`~twinbench.core.cosim.opcodes.Exit`.
    """
    machine = _Machine(frame)
    words = machine.words
    while True:
        exit_ = machine.one_step()
        if exit_ is not None:
            return exit_
        words[Word.STEP] += 1
        words[Word.NEXT] = words[Word.REPEATED]
        if time.monotonic_ns() > words[Word.DEADLINE_NS]:
            return Exit.PAUSE


class _Machine:
    """What the operations do."""

    def __init__(self, frame: int) -> None:
        self.words = _integers(frame, len(Word))
        self.start_s, self.step_s = (_number(frame + _WORD * word) for word in (Word.START_S, Word.STEP_S))
        self._does: dict[int, Callable[[list[int]], Exit | None]] = {
            Op.ACCESS3: self._access,
            Op.ACCESS2: self._access,
            Op.STEP3: self._step,
            Op.STEP2: self._step,
            Op.GATHER: self._gather,
            Op.AFFINE: self._affine,
            Op.COPY_BYTES: self._copy_bytes,
            Op.DECODE: self._decode,
            Op.ENCODE: self._encode,
            Op.RECORD: self._record,
            Op.ITERATE: self._iterate,
        }

    def one_step(self) -> Exit | None:
        """From one communication point to the next; None if nothing keeps it from going on."""
        words = self.words
        while words[Word.NEXT] < words[Word.TAPE_END]:
            row = list(_integers(words[Word.NEXT], COLUMNS))
            words[Word.NEXT] += _WIDTH
            exit_ = self._does[row[0]](row)
            if exit_ is not None:
                return exit_
        return None

    def _stay(self, exit_: Exit) -> Exit:
        self.words[Word.NEXT] -= _WIDTH
        return exit_

    def _step(self, row: list[int]) -> Exit | None:
        op, who, function, component, place, *_, every = row
        k = self.words[Word.STEP]
        if (k + 1) % every:
            return None
        at = (self.start_s + (k + 1 - every) * self.step_s, every * self.step_s)
        told = False
        if op == Op.STEP3:
            status = _function(Op.STEP3, function)(component, *at, True, place, place + 8, place + 16, place + 24)
            told = any(_integers(place, 3))
        else:
            status = _function(Op.STEP2, function)(component, *at, 1)
        if status <= _SUCCESS and not told:
            return None
        self.words[Word.INSTANCE], self.words[Word.STATUS] = who, status
        return Exit.STEP

    def _access(self, row: list[int]) -> Exit | None:
        op, who, function, component, references, n_references, values, n_values, every = row
        if self.words[Word.STEP] % every:
            return None
        sizes = (n_values,) if op == Op.ACCESS3 else ()
        status = _function(Op(op), function)(component, references, n_references, values, *sizes)
        if status <= _SUCCESS:
            return None
        self.words[Word.INSTANCE], self.words[Word.STATUS] = who, status
        return self._stay(Exit.STATUS)

    def _gather(self, row: list[int]) -> None:
        _, _, sources, n, target, *_ = row
        _numbers(target, n)[:] = [_number(place) for place in _integers(sources, n)]

    def _affine(self, row: list[int]) -> None:
        _, _, numbers, n, target, *_ = row
        values, transforms = _numbers(target, n), _numbers(numbers, 2 * n)
        for j in range(n):
            values[j] = values[j] * transforms[2 * j] + transforms[2 * j + 1]

    def _copy_bytes(self, row: list[int]) -> None:
        _, _, source, n, target, *_ = row
        ctypes.memmove(target, source, n)

    def _decode(self, row: list[int]) -> None:
        _, _, source, n, target, type_, *_ = row
        _numbers(target, n)[:] = list(map(float, _values(_STORED[type_], source, n)))

    def _encode(self, row: list[int]) -> None:
        _, _, source, n, target, type_, *_ = row
        cast = float if type_ <= TYPE_CODES["f4"] else int
        _values(_STORED[type_], target, n)[:] = [cast(value) for value in _numbers(source, n)]

    def _record(self, _: list[int]) -> Exit | None:
        words = self.words
        n = words[Word.N_RECORDED]
        values = [_number(place) for place in _integers(words[Word.RECORDED], n)]
        _numbers(words[Word.ROWS] + words[Word.ROW] * n * _WORD, n)[:] = values
        exit_ = self._ending(values)
        if exit_ is None and words[Word.DUE]:
            words[Word.DUE] -= 1
            return None
        words[Word.ROW] += 1
        if exit_ is not None:
            return self._stay(exit_)
        words[Word.DUE] = words[Word.STRIDE] - 1
        return Exit.BLOCK if words[Word.ROW] == words[Word.N_ROWS] else None

    def _ending(self, values: list[float]) -> Exit | None:
        """Why this communication point is the last one."""
        words = self.words
        wrong = [column for column, value in enumerate(values) if math.isnan(value)]
        if wrong:
            words[Word.WHICH] = wrong[-1]
            return Exit.NAN
        n = words[Word.N_LIMITS]
        places, bounds = _integers(words[Word.LIMITS], 2 * n), _numbers(words[Word.BOUNDS], 2 * n)
        for limit in range(n):
            value, current = _number(places[2 * limit]), places[2 * limit + 1]
            sign = _number(current) if current else 0.0
            is_below = (not current or sign < 0) and value < bounds[2 * limit]
            if is_below or ((not current or sign > 0) and value > bounds[2 * limit + 1]):
                words[Word.WHICH] = limit
                return Exit.LIMIT
        return Exit.END if words[Word.STEP] >= words[Word.LAST] else None

    def _iterate(self, row: list[int]) -> Exit | None:
        _, _, sources, n, previous, first, numbers, *_ = row
        values = [_number(place) for place in _integers(sources, n)]
        before = list(_numbers(previous, n))
        _numbers(previous, n)[:] = values
        tolerance, most = _numbers(numbers, 2)
        pairs = zip(values, before, strict=True)
        if all(abs(value - old) <= tolerance * (1.0 + abs(value)) for value, old in pairs):
            self.words[Word.ITERATIONS] = 0
            return None
        self.words[Word.ITERATIONS] += 1
        if self.words[Word.ITERATIONS] > most:
            self.words[Word.ITERATIONS] = 0
            return self._stay(Exit.LOOP)
        self.words[Word.NEXT] = first
        return None
