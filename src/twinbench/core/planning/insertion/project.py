"""Projects: jobs with one way each to be done, precedences, and resources that are always open.

Schedules inherit from each other, and begin anew with more of them when all have become alike. The compiled part is
:mod:`twinbench.core.planning.insertion.project_kernel`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twinbench.core.planning.insertion.improver import Improver
from twinbench.core.planning.insertion.orders import drawn, rules, sequence
from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate, kernel
from twinbench.core.planning.problem import FAR_MIN, Job

__all__ = ["Project", "is_project"]

_SCHEDULES = 200
_GROWTH = 2
_PATIENCE = 12  # children for each schedule without one shorter than all, after which they are too much alike
_ROOM = 1_000_000  # minutes of all resources, beyond which looking at each takes longer than jumping over them


def is_project(search: RuinRecreate) -> bool:
    """Whether the length of the plan comes first, and only resources that are always open hold tests up for a while."""
    problem = search.problem
    minutes = _room_min(search) * max(1, len(problem.resources))
    return (
        set(problem.objective[0]) == {"makespan"}
        and not any(one.open is not None or one.closed for one in problem.resources)
        and all(map(_is_free, problem.jobs))
        and minutes <= _ROOM
    )


def _is_free(job: Job) -> bool:
    """Whether a job has one way to be done that needs no bench, and may end at any time."""
    links = all(link.min_lag_min >= 0 and link.max_lag_min is None for link in job.after)
    mode, few = job.modes[0], len(job.modes) == 1
    plain = not (mode.bench or mode.setup_min or mode.teardown_min) and all(
        "test" in one.during for one in mode.demands
    )
    return links and few and plain and not job.unit and job.deadline_min is None and job.locked is None


def _room_min(search: RuinRecreate) -> int:
    """As long as a schedule may be: twice what is known."""
    return 2 * int(search.places().free.max())


class Project(Improver):
    """Short schedules of a project; the best one becomes that of the search."""

    def __init__(self, search: RuinRecreate) -> None:
        super().__init__(search)
        self._kernel: Any = kernel("project")
        jobs = search.problem.jobs
        capacity = np.array([one.capacity for one in search.problem.resources], np.int64)
        room = np.zeros((len(capacity), _room_min(search)), np.int64)
        self._arrays = (search.arrays[0], room, capacity, np.array(sequence(jobs), np.int64))
        self._rules = rules(jobs)
        self._begin(_SCHEDULES)

    def _begin(self, schedules: int) -> None:
        self._schedules = np.zeros((schedules, len(self._search.problem.jobs)), np.int64)
        self._lengths = np.full(schedules, FAR_MIN, np.int64)
        self._made = self._barren = 0

    def improve(self, effort: int, *, heat: float, seed: int) -> None:
        """Have schedules inherit from each other until so many modes were tried."""
        rng = np.random.default_rng(seed)
        while effort > 0 and self._made < len(self._schedules):
            effort -= self._add(rng)
        if effort > 0:
            self._have_children(effort, seed)
        best = int(np.argmin(self._lengths))
        if self._lengths[best] <= self.value[0]:
            self._search.take_over(self._schedules[best], self._search.places().mode)
        if self._barren > _PATIENCE * len(self._schedules):
            self._begin(_GROWTH * len(self._schedules))

    def _have_children(self, effort: int, seed: int) -> None:
        before = self._lengths.min()
        children = self._kernel.evolve(*self._arrays, self._schedules, self._lengths, effort, seed % 2**32)
        self._barren = 0 if self._lengths.min() < before else self._barren + children

    def _add(self, rng: np.random.Generator) -> int:
        """Make one more schedule by a rule, and by chance; how many modes could have been tried."""
        jobs = len(self._search.problem.jobs)
        keys = drawn(self._rules, self._made, rng)
        self._made += 1
        begin = np.zeros(jobs, np.int64)
        length, _ = self._kernel.scheduled(*self._arrays, keys, begin)
        longest = int(np.argmax(self._lengths))
        if length < self._lengths[longest]:
            self._schedules[longest], self._lengths[longest] = begin, length
        return jobs
