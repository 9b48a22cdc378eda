"""Which tests of a plan may move while all others stay: some that are near each other and compete for benches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import Problem

__all__ = ["window"]


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
