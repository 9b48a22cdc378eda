"""The vocabulary of the tape: operations, ways to end a call of an executor, and how values are stored.

A tape is an int64 array of shape (n_operations, 9). Column 0 says what is done, the others with what:

    ACCESS3     instance, function, component, references, n_references, values, n_values, every
    ACCESS2     instance, function, component, references, n_references, values, -, every
    STEP3       instance, function, component, told, -, -, -, every
    STEP2       instance, function, component, -, -, -, -, every
    GATHER      -, index, n, target            arena[target + j] = arena[index[j]]
    AFFINE      -, number, n, target           arena[target + j] = arena[target + j] * factor[j] + offset[j]
    COPY_BYTES  -, source, n, target           addresses
    DECODE      -, source, n, target, type, size     address -> arena
    ENCODE      -, source, n, target, type, size     arena -> address
    RECORD      writes a row, and decides whether this is the last communication point
    ITERATE     -, index, n, previous, start, number     back to *start* until arena[index[j]] stays as it is

*function*, *component*, *references*, *values*, *told* are addresses; *index* and *number* are places in the tape's
tables; the other places are those of float64 values in the arena. *every*: an FMU with a communication step of its own
takes part only in each so many-th step.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["CODES", "COLUMNS", "TYPE_CODES", "Exit", "Op", "State"]

COLUMNS = 9


class Op(IntEnum):
    """What a row of the tape does."""

    ACCESS3 = 0
    ACCESS2 = 1
    STEP3 = 2
    STEP2 = 3
    GATHER = 4
    AFFINE = 5
    COPY_BYTES = 6
    DECODE = 7
    ENCODE = 8
    RECORD = 9
    ITERATE = 10


class Exit(IntEnum):
    """Why an executor returns."""

    PAUSE = 0  # its time is over
    BLOCK = 1  # the block of rows is full
    END = 2  # this was the last communication point
    LIMIT = 3  # a signal has left its limits
    NAN = 4  # a recorded signal is not a number
    STEP = 5  # an FMU has something to say about its step: an event, an early return, an end, a failure
    STATUS = 6  # an FMU failed to get or set
    LOOP = 7  # an algebraic loop does not settle


class State(IntEnum):
    """Places in the state of a run."""

    STEP = 0  # number of the communication point
    OP = 1  # where to go on in the tape
    ROW = 2  # rows written into the block
    DUE = 3  # communication points until the next row
    STRIDE = 4  # communication points per row
    ITERATIONS = 5  # of the loop that is being solved
    INSTANCE = 6  # who made the executor return
    STATUS = 7  # the FMI status it returned
    WHICH = 8  # the limit, or the column of the recorded signal
    START = 9  # first operation of the tape that is repeated


# How values lie in memory, by their code in the tape.
TYPE_CODES = {"f8": 0, "f4": 1, "i1": 2, "u1": 3, "i2": 4, "u2": 5, "i4": 6, "u4": 7, "i8": 8, "u8": 9}

# All that the compiled kernel repeats: it compares, since Numba's cache notices only changes of its own file.
CODES = (tuple(Op), tuple(Exit), tuple(State), COLUMNS, tuple(TYPE_CODES))
