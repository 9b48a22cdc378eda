"""A bench plan without a solver: good enough to start from, found at once.

Longest jobs first, each on the bench where it ends earliest; then each bench does what waits, shortest job first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from twinbench.core.planning.model import Interval, Job, Mode, Resource

__all__ = ["greedy_plan", "makespan", "shortest_first"]


def makespan(intervals: Iterable[Interval], resources: Mapping[str, Resource]) -> int:
    """When everything is done and cleared away, in minutes after the origin; 0 if there is nothing to do."""
    return max((part.end_min + resources[part.bench].teardown_min for part in intervals), default=0)


def greedy_plan(jobs: Sequence[Job], resources: Mapping[str, Resource]) -> list[Interval]:
    """Give every job a bench and an interval, one job after the other."""
    free = {name: resource.setup_min for name, resource in resources.items()}
    intervals = []
    for job in sorted(jobs, key=lambda job: -min(mode.duration_min for mode in job.modes)):
        ends = {mode: max(free[mode.bench], job.release_min) + mode.duration_min for mode in job.modes}
        mode = min(ends, key=lambda mode: (ends[mode] + resources[mode.bench].teardown_min, mode.bench))
        free[mode.bench] = ends[mode]
        intervals.append(Interval(job.name, mode.bench, ends[mode] - mode.duration_min, ends[mode]))
    return shortest_first(intervals, jobs, resources)


def shortest_first(
    intervals: Sequence[Interval], jobs: Sequence[Job], resources: Mapping[str, Resource]
) -> list[Interval]:
    """The same jobs on the same benches, never idle while one is released, the shortest of those first.

    A bench that never waits for nothing ends as early as it can, so the makespan does not grow.
    """
    order = {job.name: number for number, job in enumerate(jobs)}
    by_bench = sorted(intervals, key=lambda part: (part.bench, order[part.job]))
    result: list[Interval] = []
    for bench, parts in groupby(by_bench, key=lambda part: part.bench):
        waiting = [(jobs[order[part.job]], Mode(bench, part.end_min - part.start_min)) for part in parts]
        result += _one_bench(waiting, resources[bench].setup_min)
    return sorted(result, key=lambda part: (part.start_min, part.bench))


def _one_bench(waiting: list[tuple[Job, Mode]], free_min: int) -> list[Interval]:
    done = []
    while waiting:
        free_min = max(free_min, min(job.release_min for job, _ in waiting))
        ready = [entry for entry in waiting if entry[0].release_min <= free_min]
        job, mode = min(ready, key=lambda entry: entry[1].duration_min)
        waiting.remove((job, mode))
        done.append(Interval(job.name, mode.bench, free_min, free_min + mode.duration_min))
        free_min += mode.duration_min
    return done
