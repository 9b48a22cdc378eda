"""The vocabulary of the tape: operations, ways to end a call of an executor, and the frame they work in.

A tape is an int64 array of shape (n_operations, 9). Column 0 says what is done, the others with what; whatever lies in
memory is given by its address:

    ACCESS3     instance, function, component, references, n_references, values, n_values, every
    ACCESS2     instance, function, component, references, n_references, values, -, every
    STEP3       instance, function, component, told, -, -, -, every
    STEP2       instance, function, component, -, -, -, -, every
    GATHER      -, sources, n, target               target[j] = value at sources[j]
    AFFINE      -, numbers, n, target               target[j] = target[j] * factor[j] + offset[j]
    COPY_BYTES  -, source, n, target
    DECODE      -, source, n, target, type, size    a value of another type -> float64
    ENCODE      -, source, n, target, type, size    float64 -> a value of another type
    RECORD      writes a row, and decides whether this is the last communication point
    ITERATE     -, sources, n, previous, first, numbers    back to the operation *first* until all values stay

*every*: an FMU with a communication step of its own takes part only in each so many-th step.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["CODES", "COLUMNS", "TYPE_CODES", "Exit", "Op", "Word"]

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


class Word(IntEnum):
    """The words of a frame, 8 bytes each: integers and addresses, START_S and STEP_S as float64."""

    TAPE = 0  # first operation
    TAPE_END = 1  # behind the last
    REPEATED = 2  # first operation that is repeated
    RECORDED = 3  # places of the recorded values
    N_RECORDED = 4
    ROWS = 5  # the block, row by row
    N_ROWS = 6
    LIMITS = 7  # places of the value and of the current whose sign counts (or 0), for each limit
    N_LIMITS = 8
    BOUNDS = 9  # lowest and highest value of each
    TOLD = 10  # 4 words for each FMI 3.0 instance: event, terminate, early return, last successful time
    BUSY = 11  # sampled time of the steps of each instance, in ns
    CLOCK = 12  # address of clock_gettime
    TIMESPEC = 13  # room for what it tells
    SAMPLE_EVERY = 14  # each so many-th step is timed; 0 for none
    SAMPLE_IN = 15  # steps until the next
    SAMPLES = 16  # how many there were
    START_S = 17  # communication point k is at START_S + k * STEP_S
    STEP_S = 18
    LAST = 19  # number of the last communication point
    DEADLINE_NS = 20  # return at the end of the step in which the monotonic clock passes it
    STRIDE = 21  # communication points per row
    STEP = 22  # number of the communication point
    NEXT = 23  # operation to go on with
    ROW = 24  # rows written into the block
    DUE = 25  # communication points until the next row
    ITERATIONS = 26  # of the loop that is being solved
    INSTANCE = 27  # who made the executor return
    STATUS = 28  # the FMI status it returned
    WHICH = 29  # the limit, or the column of the recorded value


# How values lie in memory, by their code in the tape.
TYPE_CODES = {"f8": 0, "f4": 1, "i1": 2, "u1": 3, "i2": 4, "u2": 5, "i4": 6, "u4": 7, "i8": 8, "u8": 9}

# All that the compiled kernel repeats: it compares, since Numba's cache notices only changes of its own file.
CODES = (tuple(Op), tuple(Exit), tuple(Word), COLUMNS, tuple(TYPE_CODES))
