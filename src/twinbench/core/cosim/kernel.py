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
_TAPE, _TAPE_END, _REPEATED, _RECORDED, _N_RECORDED, _ROWS, _N_ROWS, _LIMITS, _N_LIMITS, _BOUNDS = range(0, 80, 8)
_TOLD, _BUSY, _CLOCK, _TIMESPEC, _SAMPLE_EVERY, _SAMPLE_IN, _SAMPLES, _START_S, _STEP_S, _LAST = range(80, 160, 8)
_DEADLINE, _STRIDE, _K, _NEXT, _ROW, _DUE, _ITERATIONS, _WHO, _SAID, _WHICH = range(160, 240, 8)
_STORED_AS = ("f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")
if (tuple(range(11)), tuple(range(8)), tuple(range(30)), 9, _STORED_AS) != CODES:
    raise ImportError("kernel.py speaks another vocabulary than opcodes.py: change both.")

_WIDTH = 72  # bytes of an operation

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
def _time_ns(typing, function, place):
    """``clock_gettime(CLOCK_MONOTONIC)``, in ns; *place* has room for a ``timespec``."""

    def generate(context, builder, signature, a):
        _call(builder, _I32, [_I32, _I64], a[0], [ir.Constant(_I32, 1), a[1]])
        second = builder.load(builder.inttoptr(a[1], _I64.as_pointer()))
        part = builder.load(builder.inttoptr(builder.add(a[1], ir.Constant(_I64, 8)), _I64.as_pointer()))
        return builder.add(builder.mul(second, ir.Constant(_I64, 1_000_000_000)), part)

    return types.int64(types.int64, types.int64), generate


@intrinsic
def _integer(typing, address):
    """The integer at an address."""

    def generate(context, builder, signature, a):
        return builder.load(builder.inttoptr(a[0], _I64.as_pointer()))

    return types.int64(types.int64), generate


@intrinsic
def _number(typing, address):
    """The float64 at an address."""

    def generate(context, builder, signature, a):
        return builder.load(builder.inttoptr(a[0], _F64.as_pointer()))

    return types.float64(types.int64), generate


@intrinsic
def _put_integer(typing, address, value):
    """Write an integer to an address."""

    def generate(context, builder, signature, a):
        builder.store(a[1], builder.inttoptr(a[0], _I64.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def _put_number(typing, address, value):
    """Write a float64 to an address."""

    def generate(context, builder, signature, a):
        builder.store(a[1], builder.inttoptr(a[0], _F64.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64, types.float64), generate


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


# Calls of one kind mostly follow each other, at the common rate: runs of them are done without asking what comes next.


@njit(error_model="numpy")
def _call2(op):
    return _access2(_integer(op + 16), _integer(op + 24), _integer(op + 32), _integer(op + 40), _integer(op + 48))


@njit(error_model="numpy")
def _call3(op):
    function, component, references = _integer(op + 16), _integer(op + 24), _integer(op + 32)
    return _access3(function, component, references, _integer(op + 40), _integer(op + 48), _integer(op + 56))


@njit(error_model="numpy")
def _is_plain(op, code):
    """Whether the operation is of this kind, at the common rate; behind the last one lies one of no kind."""
    return _integer(op) == code and _integer(op + 64) == 1


@njit(error_model="numpy")
def _told(place):
    """Whether an FMI 3.0 instance said anything at its step."""
    return _integer(place) | _integer(place + 8) | _integer(place + 16)


@njit("i8(i8)", cache=True, nogil=True, error_model="numpy")
def run(frame):
    """Execute a tape from where its frame says; see :func:`twinbench.core.cosim.interpreter.run`."""
    k, op, row, due = _integer(frame + _K), _integer(frame + _NEXT), _integer(frame + _ROW), _integer(frame + _DUE)
    iterations = _integer(frame + _ITERATIONS)
    tape_end, recorded, n_recorded = (
        _integer(frame + _TAPE_END),
        _integer(frame + _RECORDED),
        _integer(frame + _N_RECORDED),
    )
    rows = _integer(frame + _ROWS)
    clock, timespec = _integer(frame + _CLOCK), _integer(frame + _TIMESPEC)
    start_s, step_s = _number(frame + _START_S), _number(frame + _STEP_S)
    last, repeated, sample_in = _integer(frame + _LAST), _integer(frame + _REPEATED), _integer(frame + _SAMPLE_IN)
    done, look_at, seen_ns, exit_ = 0, 1, 0, -1
    while exit_ < 0:
        time_s = start_s + k * step_s
        is_timed = sample_in == 0
        while op < tape_end:
            code, every = _integer(op), _integer(op + 64)
            if code <= _ACCESS2:
                if every != 1 and k % every:
                    op += _WIDTH
                    continue
                status = _call3(op) if code == _ACCESS3 else _call2(op)
                if every == 1 and code == _ACCESS3:
                    while status <= 1 and _is_plain(op + _WIDTH, _ACCESS3):
                        op += _WIDTH
                        status = _call3(op)
                elif every == 1:
                    while status <= 1 and _is_plain(op + _WIDTH, _ACCESS2):
                        op += _WIDTH
                        status = _call2(op)
                if status > 1:
                    _put_integer(frame + _WHO, _integer(op + 8))
                    _put_integer(frame + _SAID, status)
                    exit_ = _STATUS
                    break
            elif code <= _STEP2:
                begin_s, length_s = time_s, step_s
                if every != 1:
                    if (k + 1) % every:
                        op += _WIDTH
                        continue
                    begin_s, length_s = start_s + (k + 1 - every) * step_s, every * step_s
                before_ns = _time_ns(clock, timespec) if is_timed else 0
                said = 0
                if code == _STEP3:
                    place = _integer(op + 32)
                    status = _step3(_integer(op + 16), _integer(op + 24), begin_s, length_s, place)
                    said = _told(place)
                    if every == 1 and not is_timed:
                        while status <= 1 and not said and _is_plain(op + _WIDTH, _STEP3):
                            op += _WIDTH
                            place = _integer(op + 32)
                            status = _step3(_integer(op + 16), _integer(op + 24), time_s, step_s, place)
                            said = _told(place)
                else:
                    status = _step2(_integer(op + 16), _integer(op + 24), begin_s, length_s)
                    if every == 1 and not is_timed:
                        while status <= 1 and _is_plain(op + _WIDTH, _STEP2):
                            op += _WIDTH
                            status = _step2(_integer(op + 16), _integer(op + 24), time_s, step_s)
                if is_timed:
                    place = _integer(frame + _BUSY) + 8 * _integer(op + 8)
                    _put_integer(place, _integer(place) + _time_ns(clock, timespec) - before_ns)
                if status > 1 or said:
                    _put_integer(frame + _WHO, _integer(op + 8))
                    _put_integer(frame + _SAID, status)
                    op += _WIDTH
                    exit_ = _STEP
                    break
            elif code == _RECORD:
                nan, place = -1, rows + row * n_recorded * 8
                for j in range(n_recorded):
                    value = _number(_integer(recorded + 8 * j))
                    _put_number(place + 8 * j, value)
                    if value != value:
                        nan = j
                if nan >= 0:
                    _put_integer(frame + _WHICH, nan)
                    exit_ = _NAN
                else:
                    limits, bounds = _integer(frame + _LIMITS), _integer(frame + _BOUNDS)
                    for j in range(_integer(frame + _N_LIMITS)):
                        value, current = _number(_integer(limits + 16 * j)), _integer(limits + 16 * j + 8)
                        sign = _number(current) if current else 0.0
                        if ((current == 0 or sign < 0) and value < _number(bounds + 16 * j)) or (
                            (current == 0 or sign > 0) and value > _number(bounds + 16 * j + 8)
                        ):
                            _put_integer(frame + _WHICH, j)
                            exit_ = _LIMIT
                            break
                    if exit_ < 0 and k >= last:
                        exit_ = _END
                if exit_ >= 0:
                    row += 1
                    break
                if due == 0:
                    row += 1
                    due = _integer(frame + _STRIDE)
                    if row == _integer(frame + _N_ROWS):
                        op += _WIDTH
                        due -= 1
                        exit_ = _BLOCK
                        break
                due -= 1
            elif code == _GATHER:
                sources, target = _integer(op + 16), _integer(op + 32)
                for j in range(_integer(op + 24)):
                    _put_number(target + 8 * j, _number(_integer(sources + 8 * j)))
            elif code == _AFFINE:
                numbers, target = _integer(op + 16), _integer(op + 32)
                for j in range(_integer(op + 24)):
                    value = _number(target + 8 * j) * _number(numbers + 16 * j) + _number(numbers + 16 * j + 8)
                    _put_number(target + 8 * j, value)
            elif code == _COPY_BYTES:
                source, target = _integer(op + 16), _integer(op + 32)
                for j in range(_integer(op + 24)):
                    _copy_byte(source + j, target + j)
            elif code == _DECODE:
                source, target, kind, size = _integer(op + 16), _integer(op + 32), _integer(op + 40), _integer(op + 48)
                for j in range(_integer(op + 24)):
                    _put_number(target + 8 * j, _load(kind, source + j * size))
            elif code == _ENCODE:
                source, target, kind, size = _integer(op + 16), _integer(op + 32), _integer(op + 40), _integer(op + 48)
                for j in range(_integer(op + 24)):
                    _store(kind, target + j * size, _number(source + 8 * j))
            else:  # _ITERATE
                sources, previous, numbers = _integer(op + 16), _integer(op + 32), _integer(op + 48)
                settled = True
                for j in range(_integer(op + 24)):
                    value = _number(_integer(sources + 8 * j))
                    if not abs(value - _number(previous + 8 * j)) <= _number(numbers) * (1.0 + abs(value)):
                        settled = False
                    _put_number(previous + 8 * j, value)
                if settled:
                    iterations = 0
                else:
                    iterations += 1
                    if iterations > _number(numbers + 8):
                        iterations = 0
                        exit_ = _LOOP
                        break
                    op = _integer(op + 40)
                    continue
            op += _WIDTH
        if exit_ >= 0:
            break
        op = repeated
        k += 1
        sample_in -= 1
        if is_timed:
            _put_integer(frame + _SAMPLES, _integer(frame + _SAMPLES) + 1)
            sample_in += _integer(frame + _SAMPLE_EVERY)
        done += 1
        if done == look_at:
            now_ns = _time_ns(clock, timespec)
            if now_ns > _integer(frame + _DEADLINE):
                exit_ = _PAUSE
            look_at += min(64, done) if now_ns - seen_ns < 1_000_000 or seen_ns == 0 else 1
            seen_ns = now_ns
    _put_integer(frame + _K, k)
    _put_integer(frame + _NEXT, op)
    _put_integer(frame + _ROW, row)
    _put_integer(frame + _DUE, due)
    _put_integer(frame + _ITERATIONS, iterations)
    _put_integer(frame + _SAMPLE_IN, sample_in)
    return exit_
