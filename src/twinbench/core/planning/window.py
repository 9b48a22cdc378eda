"""A plan made better a window at a time: some tests that are near each other may move while all others stay."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from twinbench.core.planning.cp_sat.search import improve_window
from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import Problem

__all__ = ["LONG_S", "Windows", "window"]

LONG_S = 0.5
"""How long CP-SAT gets for a window; one that took half of it was large enough."""
_FIRST, _LEAST, _MOST = 8.0, 5.0, 40.0  # jobs


class Windows:
    """One window after another, the next one larger if CP-SAT was quick."""

    def __init__(self, problem: Problem, *, workers: int, seed: int) -> None:
        self._problem, self._workers, self._seed = problem, workers, seed
        self._rng = np.random.default_rng(seed)
        self._size, self._count = _FIRST, 0

    def improved(
        self, known: Sequence[Interval], value: Sequence[int], *, seconds: float, effort: float | None
    ) -> list[Interval] | None:
        """A plan that is no worse than the known one; None if there is none other.

        Args:
            known: A plan.
            value: The tiers of its objective.
            seconds: Wall time of the search.
            effort: Limit in CP-SAT's deterministic time, if it must not depend on the machine; then windows keep
                their size.
        """
        moving = window(self._problem, known, self._rng, int(self._size))
        if not moving:
            return None
        self._count += 1
        begun = time.perf_counter()
        how = {"workers": self._workers, "seed": self._seed + self._count}
        better = improve_window(self._problem, known, value, moving, seconds=seconds, effort=effort, **how)
        if effort is None:
            quick = time.perf_counter() - begun < 0.5 * LONG_S
            self._size = min(_MOST, self._size * 1.1) if quick else max(_LEAST, self._size * 0.93)
        return better if better != known else None


def window(problem: Problem, known: Sequence[Interval], rng: np.random.Generator, size: int) -> list[str]:
    """Some jobs: one by chance, and those that are nearest in time and may be on its benches."""
    jobs = {job.name: job for job in problem.jobs if job.locked is None}
    movable = [part for part in known if part.job in jobs]
    if not movable:
        return []
    seed = movable[int(rng.integers(len(movable)))]
    where = {mode.bench for mode in jobs[seed.job].modes}
    if rng.random() < 0.3:
        where = {mode.bench for job in jobs.values() for mode in job.modes}
    middle = seed.begin_min
    wish = jobs[seed.job].preferred_min
    if wish is not None and rng.random() < 0.5:
        middle = wish
    near = sorted(
        (part for part in movable if any(mode.bench in where for mode in jobs[part.job].modes)),
        key=lambda part: (part.job != seed.job, max(0, part.begin_min - middle, middle - part.free_min)),
    )
    return [part.job for part in near[:size]]
