"""Executes a tape at native speed: one Numba kernel for every FMU and every wiring, compiled once and kept on disk.

A tape holds the addresses of C functions, instances and values as plain numbers, so the kernel never needs compiling
again; see :mod:`twinbench.core.cosim.tape` for what its rows say and :mod:`twinbench.core.cosim.interpreter` for the
same in plain Python. Everything the kernel needs is in this file, because Numba's cache notices changes only here.

The GIL is released; but Python runs signal handlers only between two calls of :func:`run`, so a caller gives it a time
by which it returns: it looks at the clock each 64 steps, and after each step where steps take long.
"""

from __future__ import annotations

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from twinbench.core.cosim.opcodes import CODES

__all__ = ["run"]

_ACCESS3, _ACCESS2, _STEP3, _STEP2, _GATHER, _AFFINE, _COPY_BYTES, _DECODE, _ENCODE, _RECORD, _ITERATE = range(11)
_PAUSE, _BLOCK, _END, _LIMIT, _NAN, _STEP, _STATUS, _LOOP = range(8)
_K, _OP, _ROW, _DUE, _STRIDE, _ITERATIONS, _WHO, _SAID, _WHICH, _START = range(10)
_STORED_AS = ("f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")
if (tuple(range(11)), tuple(range(8)), tuple(range(10)), 9, _STORED_AS) != CODES:
    raise ImportError("kernel.py speaks another vocabulary than opcodes.py: change both.")

_I8, _I32, _I64, _F64 = ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.DoubleType()
_STORED = (  # by type code, as in opcodes.TYPE_CODES: LLVM type, is signed
    (ir.DoubleType(), True),
    (ir.FloatType(), True),
    (ir.IntType(8), True),
    (ir.IntType(8), False),
    (ir.IntType(16), True),
    (ir.IntType(16), False),
    (ir.IntType(32), True),
    (ir.IntType(32), False),
    (ir.IntType(64), True),
    (ir.IntType(64), False),
)


def _call(builder, result, arguments, address, values):
    """Call the C function at an address; pointers and sizes travel as 64-bit integers."""
    pointer = builder.inttoptr(address, ir.FunctionType(result, arguments).as_pointer())
    return builder.call(pointer, values)


@intrinsic
def _access3(typing, function, instance, references, n_references, values, n_values):
    """``fmi3Get<Type>`` and ``fmi3Set<Type>``: all have the same C signature."""

    def generate(context, builder, signature, a):
        return _call(builder, _I32, [_I64] * 5, a[0], a[1:])

    return types.int32(*[types.int64] * 6), generate


@intrinsic
def _access2(typing, function, instance, references, n_references, values):
    """``fmi2Get<Type>`` and ``fmi2Set<Type>``."""

    def generate(context, builder, signature, a):
        return _call(builder, _I32, [_I64] * 4, a[0], a[1:])

    return types.int32(*[types.int64] * 5), generate


@intrinsic
def _step3(typing, function, instance, time_s, step_s, told):
    """``fmi3DoStep``; *told* points at event (byte 0), terminate (8), early return (16), last successful time (24)."""

    def generate(context, builder, signature, a):
        places = [builder.add(a[4], ir.Constant(_I64, offset)) for offset in (0, 8, 16, 24)]
        arguments = [_I64, _F64, _F64, _I32, *[_I64] * 4]
        return _call(builder, _I32, arguments, a[0], [a[1], a[2], a[3], ir.Constant(_I32, 1), *places])

    return types.int32(types.int64, types.int64, types.float64, types.float64, types.int64), generate


@intrinsic
def _step2(typing, function, instance, time_s, step_s):
    """``fmi2DoStep``."""

    def generate(context, builder, signature, a):
        arguments = [_I64, _F64, _F64, _I32]
        return _call(builder, _I32, arguments, a[0], [a[1], a[2], a[3], ir.Constant(_I32, 1)])

    return types.int32(types.int64, types.int64, types.float64, types.float64), generate


@intrinsic
def _clock(typing, function, place):
    """``clock_gettime(CLOCK_MONOTONIC)``, in ns; *place* has room for a ``timespec``."""

    def generate(context, builder, signature, a):
        _call(builder, _I32, [_I32, _I64], a[0], [ir.Constant(_I32, 1), a[1]])
        second = builder.load(builder.inttoptr(a[1], _I64.as_pointer()))
        part = builder.load(builder.inttoptr(builder.add(a[1], ir.Constant(_I64, 8)), _I64.as_pointer()))
        return builder.add(builder.mul(second, ir.Constant(_I64, 1_000_000_000)), part)

    return types.int64(types.int64, types.int64), generate


def _loader(kind, is_signed):
    def generate(context, builder, signature, a):
        value = builder.load(builder.inttoptr(a[0], kind.as_pointer()))
        if kind == _F64:
            return value
        if kind == ir.FloatType():
            return builder.fpext(value, _F64)
        return builder.sitofp(value, _F64) if is_signed else builder.uitofp(value, _F64)

    @intrinsic
    def load(typing, address):
        return types.float64(types.int64), generate

    return load


def _storer(kind, is_signed):
    def generate(context, builder, signature, a):
        value = a[1]
        if kind == ir.FloatType():
            value = builder.fptrunc(value, kind)
        elif kind != _F64:
            value = builder.fptosi(value, kind) if is_signed else builder.fptoui(value, kind)
        builder.store(value, builder.inttoptr(a[0], kind.as_pointer()))
        return context.get_dummy_value()

    @intrinsic
    def store(typing, address, value):
        return types.void(types.int64, types.float64), generate

    return store


@intrinsic
def _copy_byte(typing, source, target):
    """Copy one byte from address to address."""

    def generate(context, builder, signature, a):
        builder.store(builder.load(builder.inttoptr(a[0], _I8.as_pointer())), builder.inttoptr(a[1], _I8.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


_load_f4, _load_i1, _load_u1, _load_i2, _load_u2, _load_i4, _load_u4, _load_i8, _load_u8 = (
    _loader(*stored) for stored in _STORED[1:]
)
_store_f4, _store_i1, _store_u1, _store_i2, _store_u2, _store_i4, _store_u4, _store_i8, _store_u8 = (
    _storer(*stored) for stored in _STORED[1:]
)


@njit(inline="never", error_model="numpy")
def _load(code, address):
    if code == 1:
        return _load_f4(address)
    if code == 2:
        return _load_i1(address)
    if code == 3:
        return _load_u1(address)
    if code == 4:
        return _load_i2(address)
    if code == 5:
        return _load_u2(address)
    if code == 6:
        return _load_i4(address)
    if code == 7:
        return _load_u4(address)
    if code == 8:
        return _load_i8(address)
    return _load_u8(address)


@njit(inline="never", error_model="numpy")
def _store(code, address, value):
    if code == 1:
        _store_f4(address, value)
    elif code == 2:
        _store_i1(address, value)
    elif code == 3:
        _store_u1(address, value)
    elif code == 4:
        _store_i2(address, value)
    elif code == 5:
        _store_u2(address, value)
    elif code == 6:
        _store_i4(address, value)
    elif code == 7:
        _store_u4(address, value)
    elif code == 8:
        _store_i8(address, value)
    else:
        _store_u8(address, value)


_SIGNATURE = (
    "i8(i8[:,::1], i8[::1], f8[:,::1], f8[::1], f8[:,::1], i8[::1], i8[:,::1], f8[:,::1], i8[::1], i8[::1], "
    "i8[::1], i8[::1], f8, f8, i8, i8)"
)


@njit(_SIGNATURE, cache=True, nogil=True, error_model="numpy")
def run(
    tape,
    index,
    numbers,
    arena,
    rows,
    recorded,
    limits,
    bounds,
    told,
    state,
    clock,
    busy_ns,
    start_s,
    step_s,
    last,
    deadline_ns,
):
    """Execute a tape from where its state says; see :func:`twinbench.core.cosim.interpreter.run`."""
    k, op, row, due, iterations = state[_K], state[_OP], state[_ROW], state[_DUE], state[_ITERATIONS]
    n_ops, n_recorded, done, look_at, seen_ns = tape.shape[0], recorded.shape[0], 0, 1, 0
    exit_ = -1
    while exit_ < 0:
        time_s = start_s + k * step_s
        is_timed = clock[2] > 0 and clock[3] == 0
        while op < n_ops:
            code = tape[op, 0]
            every = tape[op, 8]
            if code in (_STEP3, _STEP2):
                begin_s, length_s = time_s, step_s
                if every != 1:
                    if (k + 1) % every:
                        op += 1
                        continue
                    begin_s, length_s = start_s + (k + 1 - every) * step_s, every * step_s
                before_ns = _clock(clock[0], clock[1]) if is_timed else 0
                who = tape[op, 1]
                if code == _STEP3:
                    status = _step3(tape[op, 2], tape[op, 3], begin_s, length_s, tape[op, 4])
                    told_any = told[4 * who] | told[4 * who + 1] | told[4 * who + 2]
                else:
                    status = _step2(tape[op, 2], tape[op, 3], begin_s, length_s)
                    told_any = 0
                if is_timed:
                    busy_ns[who] += _clock(clock[0], clock[1]) - before_ns
                if status > 1 or told_any:
                    state[_WHO], state[_SAID] = who, status
                    op += 1
                    exit_ = _STEP
                    break
            elif code in (_ACCESS3, _ACCESS2):
                if every != 1 and k % every:
                    op += 1
                    continue
                if code == _ACCESS3:
                    status = _access3(tape[op, 2], tape[op, 3], tape[op, 4], tape[op, 5], tape[op, 6], tape[op, 7])
                else:
                    status = _access2(tape[op, 2], tape[op, 3], tape[op, 4], tape[op, 5], tape[op, 6])
                if status > 1:
                    state[_WHO], state[_SAID] = tape[op, 1], status
                    exit_ = _STATUS
                    break
            elif code == _GATHER:
                first, target = tape[op, 2], tape[op, 4]
                for j in range(tape[op, 3]):
                    arena[target + j] = arena[index[first + j]]
            elif code == _RECORD:
                nan = -1
                for j in range(n_recorded):
                    value = arena[recorded[j]]
                    rows[row, j] = value
                    if value != value:
                        nan = j
                if nan >= 0:
                    state[_WHICH] = nan
                    exit_ = _NAN
                else:
                    for j in range(limits.shape[0]):
                        value, current = arena[limits[j, 0]], limits[j, 1]
                        sign = arena[current] if current >= 0 else 0.0
                        if ((current < 0 or sign < 0) and value < bounds[j, 0]) or (
                            (current < 0 or sign > 0) and value > bounds[j, 1]
                        ):
                            state[_WHICH] = j
                            exit_ = _LIMIT
                            break
                    if exit_ < 0 and k >= last:
                        exit_ = _END
                if exit_ >= 0:
                    row += 1
                    break
                if due == 0:
                    row += 1
                    due = state[_STRIDE]
                    if row == rows.shape[0]:
                        op += 1
                        due -= 1
                        exit_ = _BLOCK
                        break
                due -= 1
            elif code == _AFFINE:
                first, target = tape[op, 2], tape[op, 4]
                for j in range(tape[op, 3]):
                    arena[target + j] = arena[target + j] * numbers[first + j, 0] + numbers[first + j, 1]
            elif code == _COPY_BYTES:
                for j in range(tape[op, 3]):
                    _copy_byte(tape[op, 2] + j, tape[op, 4] + j)
            elif code == _DECODE:
                kind, target = tape[op, 5], tape[op, 4]
                for j in range(tape[op, 3]):
                    arena[target + j] = _load(kind, tape[op, 2] + j * tape[op, 6])
            elif code == _ENCODE:
                kind, first = tape[op, 5], tape[op, 2]
                for j in range(tape[op, 3]):
                    _store(kind, tape[op, 4] + j * tape[op, 6], arena[first + j])
            else:  # _ITERATE
                first, previous, number = tape[op, 2], tape[op, 4], tape[op, 6]
                settled = True
                for j in range(tape[op, 3]):
                    value = arena[index[first + j]]
                    if not abs(value - arena[previous + j]) <= numbers[number, 0] * (1.0 + abs(value)):
                        settled = False
                    arena[previous + j] = value
                if settled:
                    iterations = 0
                else:
                    iterations += 1
                    if iterations > numbers[number, 1]:
                        iterations = 0
                        exit_ = _LOOP
                        break
                    op = tape[op, 5]
                    continue
            op += 1
        if exit_ >= 0:
            break
        op = state[_START]
        k += 1
        if clock[2] > 0:
            if is_timed:
                clock[4] += 1
                clock[3] = clock[2]
            clock[3] -= 1
        done += 1
        if done == look_at:
            now_ns = _clock(clock[0], clock[1])
            if now_ns > deadline_ns:
                exit_ = _PAUSE
            look_at += min(64, done) if now_ns - seen_ns < 1_000_000 or seen_ns == 0 else 1
            seen_ns = now_ns
    state[_K], state[_OP], state[_ROW], state[_DUE], state[_ITERATIONS] = k, op, row, due, iterations
    return exit_
