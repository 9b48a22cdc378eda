"""A fixed-step co-simulation: from wired instances to blocks of recorded signals.

Communication points are ``t_k = start_time + k * step_size``, computed, never accumulated. At each point:

1. signals are propagated through the wiring (see :mod:`twinbench.core.cosim.system`),
2. the recorded signals are written down as one row,
3. it is decided whether this point is the last one,
4. if not, all instances step to the next.

Steps are whole: the last point is the last one that is not after ``stop_time``. Rows are handed over in blocks while
the run goes on, so memory does not grow with its length. A block belongs to whoever receives it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbench.core.cosim.system import Signal, System
from twinbench.core.errors import LabError, SimulationError

__all__ = ["Block", "Outcome", "StopCondition", "simulate"]


@dataclass(frozen=True)
class StopCondition:
    """A recorded signal that leaves ``[low, high]`` ends the run at that point.

    Attributes:
        signal: ``FMU.variable``.
        current: A recorded signal whose sign says which limit counts, as at a cycler: *low* while it is negative,
            *high* while it is positive, none while it is 0. Both count always unless said.
    """

    signal: str
    low: float = -math.inf
    high: float = math.inf
    current: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: ``completed`` (also at a limit), ``cancelled``, or ``failed`` if a signal became NaN.
        stop_reason: ``end``, ``limit``, ``model`` (an FMU asked to end), ``cancelled`` or ``not-a-number``.
        message: The same for people, with signal, value and time.
        steps: Communication steps that were done.
        time_s: The last communication point.
    """

    status: str
    stop_reason: str
    message: str
    steps: int
    time_s: float


@dataclass(frozen=True)
class Block:
    """Some consecutive rows of a run.

    Attributes:
        signals: What the columns are.
        time_s: Communication points, shape (n,).
        values: Recorded signals, shape (n, n_signals).
        outcome: How the run ended: on the last block, and only there.
    """

    signals: tuple[Signal, ...]
    time_s: NDArray[np.float64]
    values: NDArray[np.float64]
    outcome: Outcome | None = None


def simulate(
    system: System,
    *,
    start_time: float,
    stop_time: float,
    step_size: float,
    record: Sequence[str] = (),
    stop_conditions: Sequence[StopCondition] = (),
    block_rows: int = 1000,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Block]:
    """Run an initialised system; yields its rows block by block.

    Args:
        system: Initialised at *start_time*; it can run once.
        start_time: First communication point, in s; likewise the next two.
        stop_time: No point lies after it.
        step_size: Distance of the points.
        record: ``FMU.variable``, in the order of the columns; all outputs unless said.
        stop_conditions: Each signal is one of the recorded.
        block_rows: Rows in a block.
        cancelled: Asked at each point.

    Raises:
        SimulationError: If times, names or conditions are wrong (at once), or an FMU fails (while it runs; the rows
            up to there are yielded first).
    """
    steps = _count_steps(start_time, stop_time, step_size)
    if block_rows < 1:
        raise SimulationError(f"block_rows={block_rows} holds no row: use at least 1.")
    signals, places = system.watch(record or system.outputs)
    referee = _Referee(signals, stop_conditions, steps, cancelled)
    recorder = _Recorder(system, signals, places, block_rows)
    return _run(system, recorder, referee, start_time, step_size)


def _count_steps(start_time: float, stop_time: float, step_size: float) -> int:
    if not (math.isfinite(step_size) and step_size > 0):
        raise SimulationError(f"step_size={step_size} s: use a number above 0.")
    if not (math.isfinite(start_time) and math.isfinite(stop_time) and stop_time >= start_time):
        raise SimulationError(
            f"A run from {start_time} s to {stop_time} s has no length: put stop_time after start_time."
        )
    wanted = (stop_time - start_time) / step_size
    return round(wanted) if abs(wanted - round(wanted)) <= 1e-9 * max(1.0, wanted) else math.floor(wanted)


def _run(
    system: System, recorder: _Recorder, referee: _Referee, start_time: float, step_size: float
) -> Iterator[Block]:
    outcome = None
    step = 0
    try:
        while outcome is None:
            time_s = start_time + step * step_size
            system.propagate()
            row = recorder.add(time_s)
            outcome = referee.judge(step, time_s, row)
            if outcome is None and recorder.is_full:
                yield recorder.take()
            if outcome is None and (asking := system.do_step(time_s, step_size)):
                message = f"{asking} asked to end the simulation in the step after t = {time_s:g} s"
                outcome = Outcome("completed", "model", message, step, time_s)
            step += 1
    except LabError:
        if not recorder.is_empty:
            yield recorder.take()
        raise
    yield recorder.take(outcome)


class _Recorder:
    """Writes rows into blocks."""

    def __init__(self, system: System, signals: tuple[Signal, ...], places: NDArray[np.intp], block_rows: int) -> None:
        self._gather = system.values.take
        self._signals, self._places, self._rows = signals, places, block_rows
        self._start_block()

    def _start_block(self) -> None:
        self._count = 0
        self._time_s = np.empty(self._rows)
        self._values = np.empty((self._rows, len(self._signals)))

    @property
    def is_full(self) -> bool:
        return self._count == self._rows

    @property
    def is_empty(self) -> bool:
        return self._count == 0

    def add(self, time_s: float) -> NDArray[np.float64]:
        row: NDArray[np.float64] = self._values[self._count]
        self._gather(self._places, 0, row, "clip")
        self._time_s[self._count] = time_s
        self._count += 1
        return row

    def take(self, outcome: Outcome | None = None) -> Block:
        block = Block(self._signals, self._time_s[: self._count], self._values[: self._count], outcome)
        self._start_block()
        return block


class _Referee:
    """Decides at each point whether it is the last one."""

    def __init__(
        self,
        signals: tuple[Signal, ...],
        conditions: Sequence[StopCondition],
        steps: int,
        cancelled: Callable[[], bool],
    ) -> None:
        columns = {signal.name: column for column, signal in enumerate(signals)}
        for condition in conditions:
            for name in filter(None, (condition.signal, condition.current)):
                if name not in columns:
                    raise SimulationError(f"The stop condition on {name!r} needs that signal: record it as well.")
        self._limits = [(columns[c.signal], c.low, c.high, columns.get(c.current)) for c in conditions]
        self._names = tuple(signal.name for signal in signals)
        self._is_nan = np.zeros(len(signals), dtype=bool)
        self._steps, self._cancelled = steps, cancelled

    def judge(self, step: int, time_s: float, row: NDArray[np.float64]) -> Outcome | None:
        if np.count_nonzero(np.isnan(row, self._is_nan)):
            names = ", ".join(name for name, value in zip(self._names, row, strict=True) if math.isnan(value))
            return Outcome("failed", "not-a-number", f"{names} became NaN at t = {time_s:g} s", step, time_s)
        for column, low, high, current in self._limits:
            falls = current is None or row[current] < 0
            rises = current is None or row[current] > 0
            if (falls and row[column] < low) or (rises and row[column] > high):
                bound = f"below {low:g}" if row[column] < low else f"above {high:g}"
                message = f"{self._names[column]} = {row[column]:.6g} is {bound} at t = {time_s:g} s"
                return Outcome("completed", "limit", message, step, time_s)
        if self._cancelled():
            return Outcome("cancelled", "cancelled", f"cancelled at t = {time_s:g} s", step, time_s)
        if step >= self._steps:
            return Outcome("completed", "end", f"reached its end at t = {time_s:g} s", step, time_s)
        return None
