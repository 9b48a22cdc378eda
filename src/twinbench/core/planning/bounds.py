"""What no plan can be below, seen without a search: each job alone, chains of jobs, how much is to be done where."""

from __future__ import annotations

from collections import defaultdict

from twinbench.core.planning.problem import PHASES, Job, Mode, Problem

__all__ = ["least"]


def least(problem: Problem) -> list[int]:
    """What each tier of the objective cannot be below."""
    begins = _earliest(problem)
    late = 0
    for job in problem.jobs:
        if job.due_min is not None:
            late += job.priority * max(0, begins[job.name] + _shortest(job) - job.due_min)
    ends = [begins[job.name] + _shortest(job) for job in problem.jobs]
    cost = sum(min(mode.cost for mode in job.modes) for job in problem.jobs)
    makespan = max([0, *ends, *_loads(problem)])
    known = {"makespan": makespan, "tardiness": late, "start": sum(begins.values()), "cost": cost}
    return [sum(weight * known.get(name, 0) for name, weight in tier.items()) for tier in problem.objective]


def _shortest(job: Job) -> int:
    return min(mode.length_min for mode in job.modes)


def _earliest(problem: Problem) -> dict[str, int]:
    """When each job can begin, from its release, what it comes after, or where it is locked."""
    jobs = {job.name: job for job in problem.jobs}
    begins: dict[str, int] = {}
    waiting = list(jobs)
    while waiting:
        job = jobs[waiting[-1]]
        first = [link.job for link in job.after if link.job not in begins]
        if job.name in begins:
            waiting.pop()
        elif job.locked:
            begins[job.name] = job.locked[1]
        elif first:
            waiting += first
        else:
            after = [begins[link.job] + _shortest(jobs[link.job]) + link.min_lag_min for link in job.after]
            begins[job.name] = max([job.release_min, *after])
    return begins


def _loads(problem: Problem) -> list[int]:
    """How long each resource, and each bench of jobs that can be done nowhere else, has to do at least."""
    capacity = {resource.name: resource.capacity for resource in problem.resources}
    work: dict[str, int] = defaultdict(int)
    on_bench: dict[str, int] = defaultdict(int)
    for job in problem.jobs:
        if job.locked and job.locked[1] < 0:
            continue
        if len({mode.bench for mode in job.modes}) == 1 and job.modes[0].bench:
            on_bench[job.modes[0].bench] += _shortest(job)
        takes = [_takes(mode) for mode in job.modes]
        for name in takes[0]:
            work[name] += min(taken.get(name, 0) for taken in takes)
    loads = [-(-work[name] // capacity[name]) for name in work if capacity.get(name)]
    return [*loads, *on_bench.values()]


def _takes(mode: Mode) -> dict[str, int]:
    """How many minutes of what a mode takes, times how much of it."""
    lengths = dict(zip(PHASES, (mode.setup_min, mode.duration_min, mode.teardown_min), strict=True))
    found: dict[str, int] = defaultdict(int)
    for demand in mode.demands:
        found[demand.resource] += demand.amount * sum(lengths[phase] for phase in set(demand.during))
    return found
