"""A plan that is made by inserting tests where they fit best, and made better by taking some out again.

The compiled search works on arrays; here is what joins them to intervals with names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from twinbench.core.kernels import load_kernel
from twinbench.core.planning.insertion.arrays import State, empty_state, fixed
from twinbench.core.planning.insertion.orders import put_first, rules
from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import CRITERIA, Problem

__all__ = ["RuinRecreate", "kernel"]

# Each calls functions of those before it.
_KERNELS = (
    *("compiling", "lines", "fitting", "pricing", "placing", "constructing"),
    *("shifting", "ruin", "improving", "crossing", "evolving", "graph", "tabu", "project"),
)
_LARGEST = 16  # jobs taken out at once
_LARGEST_OF_FEW = 8  # likewise where there are not many jobs
_ANEW = 40_000  # jobs that are inserted anew, in all, where some fit nowhere at first
_TURNS = 300  # of them at most
_MANY = 300  # jobs, from which on there is no time for detours
# Chances of the kinds of ruin: near in time, at any bench, worst placed, tied together, last ones, sharing something,
# on the critical path, all. Where a later beginning may be better, moving all up would undo what is good.
_WISHES = (0.43, 0.13, 0.25, 0.11, 0.03, 0.05, 0.0, 0.0)
_FORWARD = (0.2, 0.1, 0.15, 0.1, 0.05, 0.1, 0.3, 0.3)
_SPANS = (0.25, 0.1, 0.2, 0.1, 0.05, 0.3, 0.0, 0.0)
_SHIFTS = 0.5


@cache
def kernel(name: str) -> Any:
    """Compiled functions of this package."""
    names = [f"twinbench.core.planning.insertion.{one}_kernel" for one in _KERNELS[: _KERNELS.index(name) + 1]]
    return load_kernel(names[-1], upon=names[:-1])


class RuinRecreate:
    """Plans of one problem, the best one kept.

    Attributes:
        value: The tiers of the best plan's objective; empty as long as there is none.
        unplaced: A job for which greedy insertion found no place, if there is no plan.
    """

    def __init__(self, problem: Problem) -> None:
        self._placing, self._constructing = kernel("placing"), kernel("constructing")
        self.problem, self._fixed = problem, fixed(problem)
        self._hasty = self._fixed._replace(scalar=np.array([float(name == "start") for name in CRITERIA]))
        self._numbers = {job.name: number for number, job in enumerate(problem.jobs)}
        self._empty = empty_state(problem, self._fixed)
        self._state, self._base = self._nothing(), self._nothing()
        self._constructing.lock(self._fixed, self._base)
        self._best: Any = None
        self._value = np.zeros(len(problem.objective), np.int64)
        wanted = {name for tier in problem.objective for name in tier}
        wishes, spans = {"preferred", "moved"} & wanted, "span" in wanted
        self._chances = np.cumsum(_WISHES if wishes else _SPANS if spans else _FORWARD)
        self._shifts = 0.0 if wishes or spans else _SHIFTS
        self.unplaced = ""

    @property
    def value(self) -> tuple[int, ...]:
        """The tiers of the best plan's objective."""
        return tuple(map(int, self._value)) if self._best is not None else ()

    def construct(self, *, is_over: Callable[[], bool] = lambda: False) -> bool:
        """Insert all jobs by several rules and keep the best plan; whether there is one."""
        for keys in rules(self.problem.jobs):
            if self._best is None or not is_over():
                self._construct(keys)
        return self._best is not None

    def construct_first(self, *, is_over: Callable[[], bool] = lambda: False) -> bool:
        """Insert all jobs by the first rule that succeeds; whether one does.

        If none does, each job ends as early as it can, whatever else is wanted; what fits nowhere then goes first, and
        all begin anew ("squeaky wheel", Joslin & Clements 1999).
        """
        jobs = self.problem.jobs
        orders = rules(jobs)
        if any(self._construct(keys) < 0 for keys in orders):
            return True
        for keys in (orders[-1], orders[0]):
            step = float(keys.max() - keys.min()) + 1.0
            for _ in range(min(_TURNS, max(4, _ANEW // len(jobs)))):
                stuck = self._construct(keys, self._hasty)
                if stuck < 0 or is_over():
                    return stuck < 0
                put_first(jobs, keys, stuck, step)
        return False

    def _nothing(self) -> State:
        """A plan in which no job is placed."""
        return State(*(array.copy() for array in self._empty))

    def _construct(self, keys: Any, wanted: Any = None) -> int:
        """Insert all jobs, the smallest key first; the number of one that fits nowhere, -1 if all do."""
        state = self._nothing()
        stuck = int(self._constructing.construct(wanted or self._fixed, state, keys))
        if stuck >= 0:
            self.unplaced = self.problem.jobs[stuck].name
        else:
            self._keep(state)
        return stuck

    def _keep(self, state: Any) -> None:
        if self.keep(state.places, self._worth(state)):
            self._state = state

    def _worth(self, state: Any) -> Any:
        return self._constructing.values(self._fixed, state, len(self.problem.objective))

    # ---- for those who make plans of the same arrays ----

    @property
    def arrays(self) -> tuple[Any, Any, Any]:
        """The problem, a plan that may be changed, and the plan that has nothing but what is locked."""
        return self._fixed, self._state, self._base

    def places(self) -> Any:
        """Where the jobs of the best plan are."""
        return self._best.copy()

    def current(self) -> tuple[Any, Any]:
        """Where the jobs of the plan that may be changed are, and its objective."""
        return self._state.places.copy(), self._constructing.values(
            self._fixed, self._state, len(self.problem.objective)
        )

    def keep(self, places: Any, value: Any) -> bool:
        """Take over a plan if it is better than the best; whether it is."""
        if self._best is not None and tuple(value) >= self.value:
            return False
        self._best, self._value = places.copy(), np.array(value, np.int64)
        return True

    def take_over(self, begin: Any, mode: Any) -> None:
        """Take over a plan if it is better than the best, of tests that are set up, done and torn down without a pause.

        Args:
            begin: When each begins.
            mode: Which mode each has.
        """
        places, ways = self.places(), self._fixed.modes[mode]
        places.mode, places.begin, places.teardown = mode, begin, begin + ways.setup + ways.test
        places.free = places.teardown + ways.teardown
        kernel("shifting").rebuild(*self.arrays, places)
        self.keep(*self.current())

    # ---- ruin and recreate ----

    def improve(self, effort: int, *, heat: float, seed: int) -> None:
        """Ruin and recreate until so many modes were tried.

        Args:
            effort: How many.
            heat: How much worse plans may be at times, in parts of what one job costs on average.
            seed: Of the chances.
        """
        warmth = heat / max(1, len(self.problem.jobs)) * min(1.0, _MANY / max(1, len(self.problem.jobs)))
        largest = _LARGEST if len(self.problem.jobs) > _MANY // 2 else _LARGEST_OF_FEW
        arguments = (self._best, self._value, effort, warmth, largest, self._chances, self._shifts, seed % 2**32)
        kernel("improving").improve(self._fixed, self._state, self._base, *arguments)

    def load(self, parts: Sequence[Interval]) -> tuple[int, ...]:
        """Go on from another plan; returns its objective."""
        state = self._nothing()
        for part in parts:
            number = self._numbers[part.job]
            mode = int(self._fixed.jobs[number].mode_first) + part.mode
            self._placing.place(self._fixed, state, number, mode, part.begin_min, part.teardown_min, part.free_min)
        value = tuple(map(int, self._worth(state)))
        self._state = state
        self.keep(state.places, value)
        return value

    def parts(self) -> list[Interval]:
        """The best plan, by beginning, then bench."""
        found = []
        for job, place in zip(self.problem.jobs, self._best, strict=True):
            number = int(place.mode - self._fixed.jobs[self._numbers[job.name]].mode_first)
            mode = job.modes[number]
            start = int(place.begin) + mode.setup_min
            end = start + mode.duration_min
            times = (int(place.begin), start, end, int(place.teardown), int(place.free))
            found.append(Interval(job.name, number, mode.bench, *times))
        return sorted(found, key=lambda part: (part.begin_min, part.bench, part.job))
