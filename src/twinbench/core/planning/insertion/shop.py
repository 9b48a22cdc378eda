"""Shops: benches, precedences, changeovers, and nothing else that holds tests up. Their plans are shortened by graph.

Tabu search makes short plans of a pool; what lies between two of them is where the next search begins (path relinking,
Gonzalez, Vela & Varela 2015). The compiled part is :mod:`twinbench.core.planning.insertion.tabu_kernel`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twinbench.core.planning.insertion.improver import Improver
from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate, kernel
from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import Job, Problem

__all__ = ["Shop", "is_shop"]

# Of each job: its mode and bench, how long it holds it, its neighbours there (-1: none), head and tail.
_NODE = ("mode", "bench", "length", "before", "behind", "head", "tail")
_PLANS = 20
_PATIENCE = 100  # moves for each job without a shorter plan
_MOST_PATIENCE = 10_000
_BARREN = 10  # plans that were no shorter than all, for each of the pool, after which it begins anew
_BLUR = 0.3  # of the length of the plan, in beginnings of the first plans
_OTHER_MODES = 0.3  # of the jobs of a first plan
_WAY = (0.3, 0.7)  # from one plan to another, where a search begins
_ALIKE = 0.9  # of the jobs with the same mode and the same one before them


def is_shop(problem: Problem) -> bool:
    """Whether the length of the plan comes first, and only benches and precedences hold tests up."""
    return (
        set(problem.objective[0]) == {"makespan"}
        and not any(bench.closed for bench in problem.benches)
        and all(map(_is_free, problem.jobs))
    )


def _is_free(job: Job) -> bool:
    """Whether a job needs a bench and what comes before it, and nothing else."""
    links = all(link.min_lag_min >= 0 and link.max_lag_min is None for link in job.after)
    ways = all(mode.bench and not mode.demands for mode in job.modes)
    return links and ways and not job.unit and job.deadline_min is None and job.locked is None


class Shop(Improver):
    """Short plans of a shop; the best one becomes that of the search."""

    def __init__(self, search: RuinRecreate) -> None:
        super().__init__(search)
        self._tabu: Any = kernel("tabu")
        self._problem = search.arrays[0]
        jobs, benches = len(search.problem.jobs), len(search.problem.benches)
        self._nodes = np.zeros(jobs, [(name, np.int64) for name in _NODE]).view(np.recarray)
        self._best = self._nodes.copy()
        self._firsts = np.full(benches, -1, np.int64)
        self._forbidden = np.zeros(len(self._problem.modes), np.int64)
        self._clock = np.zeros(3, np.int64)
        self._patience = min(_MOST_PATIENCE, _PATIENCE * jobs)
        self._pool: list[Any] = []
        self._lengths: list[int] = []
        self._barren = 0
        places = search.places()
        self._begin(places.begin, places.mode)

    def load(self, parts: Sequence[Interval]) -> None:
        """Take in a plan that others have found, if it is better."""
        before = self.value
        self._search.load(parts)
        if self.value < before:
            places = self._search.places()
            self._begin(places.begin, places.mode)

    def improve(self, effort: int, *, heat: float, seed: int) -> None:
        """Shorten plans until so many modes were tried."""
        rng = np.random.default_rng(seed)
        while effort > 0:
            chance = int(rng.integers(2**32))
            arrays = (self._problem, self._nodes, self._firsts, self._best, self._forbidden, self._clock)
            effort -= max(1, int(self._tabu.climb(*arrays, effort, self._patience, chance)))
            if self._clock[2] <= self._search.value[0]:
                self._search.take_over(self._best.head, self._best.mode)
            if self._clock[1] >= self._patience:
                self._keep()
                self._begin(*(self._between(rng) if len(self._pool) == _PLANS else self._by_chance(rng)))

    def _begin(self, begin: Any, modes: Any) -> None:
        """Search anew from the jobs in an order and in modes."""
        self._tabu.sequence(self._problem, self._nodes, self._firsts, begin.astype(np.float64), modes)
        self._forbidden[:] = 0
        self._clock[:] = 0

    def _keep(self) -> None:
        """Put the best plan of this search into the pool: instead of the longest one, and of none that is alike."""
        length = int(self._clock[2])
        self._barren = 0 if not self._lengths or length < min(self._lengths) else self._barren + 1
        if self._barren > _BARREN * _PLANS:
            self._pool, self._lengths, self._barren = [], [], 0
        for known, other in zip(self._lengths, self._pool, strict=True):
            same = (other.mode == self._best.mode) & (other.before == self._best.before)
            if known == length and same.mean() > _ALIKE:
                return
        if len(self._pool) < _PLANS:
            self._pool.append(self._best.copy())
            self._lengths.append(length)
        elif length <= max(self._lengths):
            longest = int(np.argmax(self._lengths))
            self._pool[longest], self._lengths[longest] = self._best.copy(), length

    def _by_chance(self, rng: np.random.Generator) -> tuple[Any, Any]:
        """Beginnings and modes that are more or less those of the best plan."""
        places, jobs = self._search.places(), self._problem.jobs
        begin = places.begin + _BLUR * places.free.max() * rng.normal(size=len(places))
        some = rng.integers(jobs.mode_first[:-1], jobs.mode_first[1:])
        return begin, np.where(rng.random(len(places)) < _OTHER_MODES, some, places.mode)

    def _between(self, rng: np.random.Generator) -> tuple[Any, Any]:
        """Beginnings and modes on the way from one plan of the pool to another."""
        one, other = (self._pool[number] for number in rng.choice(_PLANS, 2, replace=False))
        way = rng.uniform(*_WAY)
        begin = (1 - way) * one.head + way * other.head
        return begin, np.where(rng.random(len(begin)) < way, other.mode, one.mode)
