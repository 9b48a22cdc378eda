"""What no plan can be below, seen without a search: each job alone, chains of jobs, how much is to be done where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from twinbench.core.planning.plan import Interval, locked_intervals
from twinbench.core.planning.problem import PHASES, Job, Mode, Problem

__all__ = ["least"]


def least(problem: Problem) -> list[int]:
    """What each tier of the objective cannot be below."""
    settled = {part.job: part for part in locked_intervals(problem)}
    begins = _earliest(problem, settled)
    ends = {job.name: _free(job, begins, settled) for job in problem.jobs}
    known = {
        "makespan": max([0, *ends.values(), *_loads(problem, settled)]),
        "tardiness": sum(
            job.priority * max(0, ends[job.name] - job.due_min) for job in problem.jobs if job.due_min is not None
        ),
        "preferred": sum(_away(job, job.preferred_min, begins, settled) for job in problem.jobs),
        "moved": sum(_away(job, job.planned_min, begins, settled) for job in problem.jobs),
        "start": sum(begins.values()),
        "cost": sum(_cheapest(job, settled) for job in problem.jobs),
    }
    return [sum(weight * known.get(name, 0) for name, weight in tier.items()) for tier in problem.objective]


def _free(job: Job, begins: Mapping[str, int], settled: Mapping[str, Interval]) -> int:
    """When a job can have left its bench."""
    return settled[job.name].free_min if job.name in settled else begins[job.name] + _shortest(job)


def _away(job: Job, wish: int | None, begins: Mapping[str, int], settled: Mapping[str, Interval]) -> int:
    """How far from its wish a job begins, by priority: it cannot begin too early, and what is locked is where it is."""
    if wish is None:
        return 0
    away = begins[job.name] - wish
    return job.priority * (abs(away) if job.name in settled else max(0, away))


def _cheapest(job: Job, settled: Mapping[str, Interval]) -> int:
    if job.name in settled:
        return job.modes[settled[job.name].mode].cost
    return min(mode.cost for mode in job.modes)


def _shortest(job: Job) -> int:
    return min(mode.length_min for mode in job.modes)


def _earliest(problem: Problem, settled: Mapping[str, Interval]) -> dict[str, int]:
    """When each job can begin, from its release, what it comes after, or where it is locked."""
    jobs = {job.name: job for job in problem.jobs}
    begins: dict[str, int] = {}
    waiting = list(jobs)
    while waiting:
        job = jobs[waiting[-1]]
        first = [link.job for link in job.after if link.job not in begins]
        if job.name in begins:
            waiting.pop()
        elif job.name in settled:
            begins[job.name] = settled[job.name].begin_min
        elif first:
            waiting += first
        else:
            after = [_free(jobs[link.job], begins, settled) + link.min_lag_min for link in job.after]
            begins[job.name] = max([job.release_min, *after])
    return begins


def _loads(problem: Problem, settled: Mapping[str, Interval]) -> list[int]:
    """How long each resource, and each bench of jobs that can be done nowhere else, has to do at least."""
    capacity = {resource.name: resource.capacity for resource in problem.resources}
    work: dict[str, int] = defaultdict(int)
    on_bench: dict[str, int] = defaultdict(int)
    for job in problem.jobs:
        if job.name in settled:  # resources may be short of what it takes, but its bench is its own
            part = settled[job.name]
            on_bench[part.bench] += max(0, part.free_min - max(0, part.begin_min))
            continue
        if len({mode.bench for mode in job.modes}) == 1 and job.modes[0].bench:
            on_bench[job.modes[0].bench] += _shortest(job)
        takes = [_takes(mode) for mode in job.modes]
        for name in takes[0]:
            work[name] += min(taken.get(name, 0) for taken in takes)
    loads = [-(-work[name] // capacity[name]) for name in work if capacity.get(name)]
    return [*loads, *(minutes for bench, minutes in on_bench.items() if bench)]


def _takes(mode: Mode) -> dict[str, int]:
    """How many minutes of what a mode takes, times how much of it."""
    lengths = dict(zip(PHASES, (mode.setup_min, mode.duration_min, mode.teardown_min), strict=True))
    found: dict[str, int] = defaultdict(int)
    for demand in mode.demands:
        found[demand.resource] += demand.amount * sum(lengths[phase] for phase in set(demand.during))
    return found
