"""A fixed-step co-simulation: from wired instances to blocks of recorded signals.

Communication points are ``t_k = start_time + k * step_size``, computed, never accumulated. What happens at each of them
is said by the coupling scheme (see :mod:`twinbench.core.cosim.coupling`); the last point is the last one that is not
after ``stop_time``. Rows are handed over in blocks while the run goes on, so memory does not grow with its length. A
block belongs to whoever receives it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twinbench.core.cosim.frame import Frame
from twinbench.core.cosim.opcodes import Exit, Op, Word
from twinbench.core.cosim.system import Signal, System
from twinbench.core.errors import LabError, SimulationError

__all__ = ["Block", "Outcome", "StopCondition", "simulate"]

_SLICE_NS = 20_000_000  # how long the executor runs before Python looks at cancellations and limits
_SAMPLE_EVERY = 97  # each so many-th step is timed
_BLOCK_BYTES = 8 << 20


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
        status: ``completed`` (also at a limit), ``cancelled``, or ``failed`` if a signal became NaN or time was up.
        stop_reason: ``end``, ``limit``, ``model`` (an FMU asked to end), ``cancelled``, ``not-a-number`` or
            ``wall-limit``.
        message: The same for people, with signal, value and time.
        steps: Communication steps that were done.
        time_s: The last communication point.
        wall_s: Time the executor took.
        busy_s: FMU -> time its steps took, estimated from samples; empty for short runs.
    """

    status: str
    stop_reason: str
    message: str
    steps: int
    time_s: float
    wall_s: float = 0.0
    busy_s: Mapping[str, float] = field(default_factory=dict)


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
    record_every: int = 1,
    stop_conditions: Sequence[StopCondition] = (),
    block_rows: int = 8192,
    block_s: float = 1.0,
    wall_limit_s: float = math.inf,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Block]:
    """Run an initialised system; yields its rows block by block.

    Args:
        system: Initialised at *start_time*.
        start_time: First communication point, in s; likewise the next two.
        stop_time: No point lies after it.
        step_size: Distance of the points.
        record: ``FMU.variable``, in the order of the columns; all outputs unless said.
        record_every: Communication points per row; the last point has a row in any case.
        stop_conditions: Each signal is one of the recorded; they are looked at at each communication point.
        block_rows: Most rows in a block; fewer if they would take more than 8 MiB.
        block_s: After this time a block is handed over though it is not full.
        wall_limit_s: Time after which the run is given up.
        cancelled: Asked about every 20 ms, or after each step if one takes longer.

    Raises:
        SimulationError: If times, names or conditions are wrong (at once), or an FMU fails (while it runs; the rows
            up to there are yielded first).
    """
    steps = _count_steps(start_time, stop_time, step_size)
    if block_rows < 1 or record_every < 1:
        raise SimulationError(f"block_rows={block_rows}, record_every={record_every}: use at least 1.")
    run = _Run(system, start_time, step_size, steps, record or system.outputs)
    run.stop_at(stop_conditions)
    run.frame[Word.STRIDE] = record_every
    return run.blocks(run.rows(min(block_rows, steps // record_every + 2)), block_s, wall_limit_s, cancelled)


def _count_steps(start_time: float, stop_time: float, step_size: float) -> int:
    if not (math.isfinite(step_size) and step_size > 0):
        raise SimulationError(f"step_size={step_size} s: use a number above 0.")
    if not (math.isfinite(start_time) and math.isfinite(stop_time) and stop_time >= start_time):
        raise SimulationError(
            f"A run from {start_time} s to {stop_time} s has no length: put stop_time after start_time."
        )
    wanted = (stop_time - start_time) / step_size
    return round(wanted) if abs(wanted - round(wanted)) <= 1e-9 * max(1.0, wanted) else math.floor(wanted)


class _Run:
    """A run between two calls of the executor."""

    def __init__(self, system: System, start_s: float, step_s: float, steps: int, record: Sequence[str]) -> None:
        self._system, self._start_s, self._step_s, self._steps = system, start_s, step_s, steps
        self._tape, self._signals, self._places = system.tape(record)
        self.frame = Frame(self._tape, len(system.instances), sample_every=_SAMPLE_EVERY)
        self.frame.set_times(start_s, step_s)
        self.frame.point(Word.RECORDED, self._places)
        self.frame[Word.N_RECORDED], self.frame[Word.LAST] = len(self._places), steps
        self._conditions: Sequence[StopCondition] = ()
        self._wall_s = 0.0
        self._asked = ""  # by an FMU, to end
        self._first = 0  # communication point of the first row of the present block

    def rows(self, wanted: int) -> int:
        """Rows of a block, by its memory."""
        return max(1, min(wanted, _BLOCK_BYTES // (8 * max(1, len(self._signals)))))

    def stop_at(self, conditions: Sequence[StopCondition]) -> None:
        """Look at these limits."""
        places = {signal.name: int(place) for signal, place in zip(self._signals, self._places, strict=True)}
        for condition in conditions:
            for name in filter(None, (condition.signal, condition.current)):
                if name not in places:
                    raise SimulationError(f"The stop condition on {name!r} needs that signal: record it as well.")
        pairs = [(places[c.signal], places[c.current] if c.current else 0) for c in conditions]
        self._conditions = tuple(conditions)
        self.frame.point(Word.LIMITS, np.array(pairs, dtype=np.int64))
        self.frame.point(Word.BOUNDS, np.array([(c.low, c.high) for c in conditions], dtype=np.float64))
        self.frame[Word.N_LIMITS] = len(pairs)

    def blocks(
        self, block_rows: int, block_s: float, wall_limit_s: float, cancelled: Callable[[], bool]
    ) -> Iterator[Block]:
        """Run to the end."""
        values = np.empty((block_rows, len(self._signals)))
        outcome = None
        handed_over = time.perf_counter()
        try:
            while outcome is None:
                outcome = self._give_up(wall_limit_s, cancelled)
                if outcome is None:
                    outcome = self._after(self._execute(values), values)
                is_late = time.perf_counter() - handed_over > block_s and self.frame[Word.ROW]
                if outcome is None and (self.frame[Word.ROW] == block_rows or is_late):
                    yield self._block(values, None)
                    values, handed_over = np.empty_like(values), time.perf_counter()
        except LabError:
            if self.frame[Word.ROW]:
                yield self._block(values, None)
            raise
        yield self._block(values, outcome)

    def _execute(self, values: NDArray[np.float64]) -> Exit:
        begin_ns = time.monotonic_ns()
        self.frame.point(Word.ROWS, values)
        self.frame[Word.N_ROWS], self.frame[Word.DEADLINE_NS] = len(values), begin_ns + _SLICE_NS
        exit_ = self._system.run(self.frame.address)
        self._wall_s += (time.monotonic_ns() - begin_ns) * 1e-9
        return Exit(exit_)

    def _give_up(self, wall_limit_s: float, cancelled: Callable[[], bool]) -> Outcome | None:
        if cancelled():
            return self._outcome("cancelled", "cancelled", f"cancelled at t = {self._time_s:g} s")
        if self._wall_s > wall_limit_s:
            message = f"given up at t = {self._time_s:g} s, after {wall_limit_s:g} s of computing"
            return self._outcome("failed", "wall-limit", message)
        return None

    def _after(self, exit_: Exit, values: NDArray[np.float64]) -> Outcome | None:
        """What an executor's return means; None if the run goes on."""
        when = f"t = {self._time_s:g} s"
        match exit_:
            case Exit.PAUSE | Exit.BLOCK:
                return None
            case Exit.STEP:
                return self._finish_step()
            case Exit.END:
                if self._asked:
                    return self._outcome("completed", "model", self._asked)
                return self._outcome("completed", "end", f"reached its end at {when}")
            case Exit.LIMIT:
                return self._outcome("completed", "limit", f"{self._passed(values)} at {when}")
            case Exit.NAN:
                row = values[self.frame[Word.ROW] - 1]
                names = ", ".join(s.name for s, value in zip(self._signals, row, strict=True) if math.isnan(value))
                return self._outcome("failed", "not-a-number", f"{names} became NaN at {when}")
        self._system.fail(exit_, self.frame, self._time_s)

    def _passed(self, values: NDArray[np.float64]) -> str:
        condition = self._conditions[self.frame[Word.WHICH]]
        column = [signal.name for signal in self._signals].index(condition.signal)
        value = values[self.frame[Word.ROW] - 1, column]
        bound = f"below {condition.low:g}" if value < condition.low else f"above {condition.high:g}"
        return f"{condition.signal} = {value:.6g} is {bound}"

    def _finish_step(self) -> Outcome | None:
        """Handle events, early returns, discarded steps and ends, which are rare, one FMU at a time."""
        number, k = self.frame[Word.INSTANCE], self.frame[Word.STEP]
        instance, row = self._system.instances[number], self.frame.operation
        begin_s, end_s = (self._start_s + point * self._step_s for point in (k + 1 - int(row[-1]), k + 1))
        said = self._tape.told[4 * number : 4 * number + 4]
        event, terminate, early = (bool(flag) for flag in said[:3])
        last_s = float(said[3:].view(np.float64)[0])
        told = (event, terminate, last_s if early else None) if row[0] == Op.STEP3 else (False, False, None)
        said[:] = 0
        status = self.frame[Word.STATUS]
        ends_at_s = instance.finish_step(status, told, begin_s, end_s)
        if ends_at_s is None:
            return None
        self._asked = f"{instance.name} asked to end the simulation at t = {ends_at_s:g} s"
        if math.isclose(ends_at_s, end_s) and begin_s < end_s:  # the others come there too, for a last row
            self.frame[Word.LAST] = k + 1
            return None
        return self._outcome("completed", "model", self._asked)

    @property
    def _time_s(self) -> float:
        return self._start_s + self.frame[Word.STEP] * self._step_s

    def _outcome(self, status: str, reason: str, message: str) -> Outcome:
        samples, steps = self.frame[Word.SAMPLES], self.frame[Word.STEP]
        busy = {
            instance.name: float(busy_ns) * 1e-9 / samples * steps
            for instance, busy_ns in zip(self._system.instances, self.frame.busy_ns, strict=False)
            if samples
        }
        too_much = (
            max(1.0, sum(busy.values()) / self._wall_s) if busy and self._wall_s else 1.0
        )  # a sample was interrupted
        busy = {name: busy_s / too_much for name, busy_s in busy.items()}
        return Outcome(status, reason, message, steps, self._time_s, self._wall_s, busy)

    def _block(self, values: NDArray[np.float64], outcome: Outcome | None) -> Block:
        rows, stride = self.frame[Word.ROW], self.frame[Word.STRIDE]
        points = self._first + stride * np.arange(rows)
        if outcome and rows and outcome.stop_reason in ("end", "limit", "not-a-number", "model"):
            points[-1] = min(points[-1], outcome.steps)  # between two rows, perhaps
        self._first += stride * rows
        self.frame[Word.ROW] = 0
        time_s: NDArray[np.float64] = self._start_s + points.astype(np.float64) * self._step_s
        return Block(self._signals, time_s, values[:rows], outcome)
