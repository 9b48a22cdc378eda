"""A plan that is made by inserting tests where they fit best, and made better by taking some out again.

The compiled search works on arrays; here is what joins them to intervals with names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twinbench.core.kernels import load_kernel
from twinbench.core.planning.insertion.arrays import empty_state, fixed
from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import Problem

__all__ = ["RuinRecreate", "compile_all"]

# Each calls functions of those before it.
_LINES, _FITTING, _PLACING, _RUIN, _IMPROVING = (
    f"twinbench.core.planning.insertion.{name}_kernel" for name in ("lines", "fitting", "placing", "ruin", "improving")
)
_LARGEST = 16  # jobs taken out at once
_LARGEST_OF_FEW = 8  # likewise where there are not many jobs
_MANY = 300  # jobs, from which on there is no time for detours
# Chances of the kinds of ruin: near in time, at any bench, worst placed, tied together, last ones, sharing something.
_WISHES = (0.43, 0.13, 0.25, 0.11, 0.03, 0.05)
_FORWARD = (0.25, 0.1, 0.2, 0.1, 0.05, 0.3)


class RuinRecreate:
    """Plans of one problem, the best one kept.

    Attributes:
        value: The tiers of the best plan's objective; empty as long as there is none.
        unplaced: A job for which greedy insertion found no place, if there is no plan.
    """

    def __init__(self, problem: Problem) -> None:
        self._placing: Any = load_kernel(_PLACING, upon=(_LINES, _FITTING))
        self._kernel: Any = load_kernel(_IMPROVING, upon=(_LINES, _FITTING, _PLACING, _RUIN))
        self.problem, self._fixed = problem, fixed(problem)
        self._numbers = {job.name: number for number, job in enumerate(problem.jobs)}
        self._state = empty_state(problem, self._fixed)
        self._best: Any = None
        self._value = np.zeros(len(problem.objective), np.int64)
        regular = not {"preferred", "moved"} & {name for tier in problem.objective for name in tier}
        self._chances = np.cumsum(_FORWARD if regular else _WISHES)
        self.unplaced = ""

    @property
    def value(self) -> tuple[int, ...]:
        """The tiers of the best plan's objective."""
        return tuple(map(int, self._value)) if self._best is not None else ()

    def construct(self) -> bool:
        """Insert all jobs by several rules and keep the best plan; whether there is one."""
        for keys in self._rules():
            self._construct(keys)
        return self._best is not None

    def construct_first(self) -> bool:
        """Insert all jobs by the first rule that succeeds; whether one does."""
        return any(self._construct(keys) for keys in self._rules())

    def _construct(self, keys: Any) -> bool:
        state = empty_state(self.problem, self._fixed)
        stuck = int(self._kernel.construct(self._fixed, state, keys))
        if stuck >= 0:
            self.unplaced = self.problem.jobs[stuck].name
            return False
        self._keep(state)
        return True

    def _rules(self) -> list[Any]:
        jobs = self.problem.jobs
        shortest = np.array([min(mode.length_min for mode in job.modes) for job in jobs], float)
        release = np.array([job.release_min for job in jobs], float)
        wished = np.array([job.release_min if job.preferred_min is None else job.preferred_min for job in jobs], float)
        due = np.array([1e9 if job.due_min is None else job.due_min for job in jobs], float)
        weight = np.array([job.priority for job in jobs], float)
        few = np.array([len(job.modes) for job in jobs], float)
        rules = [
            wished,
            np.minimum(wished, due - shortest),
            release - shortest,
            -weight * 1e7 + wished,
            few * 1e7 + wished,
        ]
        return [*rules, -weight * shortest, due, self._tails() * -1.0]

    def _tails(self) -> Any:
        """How long what comes after each job takes, itself included."""
        jobs = self.problem.jobs
        after: list[list[tuple[int, int]]] = [[] for _ in jobs]
        open_links = [len(job.after) for job in jobs]
        for number, job in enumerate(jobs):
            for link in job.after:
                after[self._numbers[link.job]].append((number, link.min_lag_min))
        order = [number for number, count in enumerate(open_links) if count == 0]
        for number in order:
            for follower, _ in after[number]:
                open_links[follower] -= 1
                if open_links[follower] == 0:
                    order.append(follower)
        tails = np.zeros(len(jobs))
        for number in reversed(order):
            own = min(mode.length_min for mode in jobs[number].modes)
            tails[number] = own + max((lag + tails[follower] for follower, lag in after[number]), default=0.0)
        return tails

    def _keep(self, state: Any) -> bool:
        value = self._kernel.values(self._fixed, state, len(self.problem.objective))
        if self._best is not None and tuple(value) >= tuple(self._value):
            return False
        self._state, self._best, self._value = state, state.places.copy(), value
        return True

    def improve(self, effort: int, *, heat: float, seed: int) -> None:
        """Ruin and recreate until so many modes were tried.

        Args:
            effort: How many.
            heat: How much worse plans may be at times, in parts of what one job costs on average.
            seed: Of the chances.
        """
        warmth = heat / max(1, len(self.problem.jobs)) * min(1.0, _MANY / max(1, len(self.problem.jobs)))
        largest = _LARGEST if len(self.problem.jobs) > _MANY // 2 else _LARGEST_OF_FEW
        arguments = (self._best, self._value, effort, warmth, largest, self._chances, seed % 2**32)
        self._kernel.improve(self._fixed, self._state, *arguments)

    def load(self, parts: Sequence[Interval]) -> tuple[int, ...]:
        """Go on from another plan; returns its objective."""
        state = empty_state(self.problem, self._fixed)
        for part in parts:
            number = self._numbers[part.job]
            mode = int(self._fixed.jobs[number].mode_first) + part.mode
            self._placing.place(self._fixed, state, number, mode, part.begin_min, part.teardown_min, part.free_min)
        value = tuple(map(int, self._kernel.values(self._fixed, state, len(self.problem.objective))))
        self._state = state
        if self._best is None or value < self.value:
            self._best, self._value = state.places.copy(), np.array(value, np.int64)
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


def compile_all() -> None:
    """Have the kernels compiled, as `make install` does."""
    from twinbench.core.planning.problem import Bench, Job, Mode

    jobs = tuple(Job(name, (Mode("bench", 1),)) for name in "ab")
    search = RuinRecreate(Problem(jobs, (Bench("bench"),)))
    search.construct()
    search.improve(10, heat=0.1, seed=1)
    search.load(search.parts())
