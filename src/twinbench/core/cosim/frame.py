"""The frame of a run: all that an executor needs, in one array of words whose address it is given."""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np
from numpy.typing import NDArray

from twinbench.core.cosim.opcodes import Word
from twinbench.core.cosim.tape import Tape

__all__ = ["Frame"]


class Frame:
    """What a run is made of, and how far it has come.

    Args:
        tape: Linked, see :meth:`Tape.link`.
        instances: How many FMUs there are.
        sample_every: Each so many-th step is timed; 0 for none.
    """

    def __init__(self, tape: Tape, instances: int, *, sample_every: int = 0) -> None:
        self.words = np.zeros(len(Word) + 2, dtype=np.int64)  # two more hold a timespec
        self.busy_ns = np.zeros(max(1, instances), dtype=np.int64)
        self._kept: dict[Word, NDArray[np.generic]] = {}
        self._tape = tape
        self.address = int(self.words.ctypes.data)
        first = int(tape.rows.ctypes.data)
        self[Word.TAPE], self[Word.TAPE_END] = first, first + tape.rows.nbytes
        self[Word.NEXT], self[Word.REPEATED] = first, first + tape.start * tape.rows.strides[0]
        self[Word.CLOCK], self[Word.TIMESPEC] = _clock(), self.address + 8 * len(Word)
        self[Word.SAMPLE_EVERY], self[Word.STRIDE] = sample_every, 1
        self[Word.SAMPLE_IN] = 0 if sample_every else -1  # which never comes to 0
        self.point(Word.TOLD, tape.told)
        self.point(Word.BUSY, self.busy_ns)

    def __getitem__(self, word: Word) -> int:
        return int(self.words[word])

    def __setitem__(self, word: Word, value: int) -> None:
        self.words[word] = value

    def point(self, word: Word, array: NDArray[np.generic]) -> None:
        """Point at an array, and keep it alive."""
        self._kept[word] = array
        self.words[word] = array.ctypes.data

    def set_times(self, start_s: float, step_s: float) -> None:
        """Say where the communication points are."""
        self.words[Word.START_S : Word.STEP_S + 1] = np.array([start_s, step_s], dtype=np.float64).view(np.int64)

    @property
    def operation(self) -> NDArray[np.int64]:
        """The operation that was done last."""
        done = (self[Word.NEXT] - self[Word.TAPE]) // self._tape.rows.strides[0] - 1
        row: NDArray[np.int64] = self._tape.rows[done]
        return row


@cache
def _clock() -> int:
    return ctypes.cast(ctypes.CDLL(None).clock_gettime, ctypes.c_void_p).value or 0
