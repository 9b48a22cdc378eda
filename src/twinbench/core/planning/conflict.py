"""Why there is no plan: the smallest set of demands that cannot be met together, in words.

Demands are taken away one after the other; one without which there is still no plan is not needed for the conflict
(deletion filter, Chinneck & Dravnieks 1991). Jobs are halved first, so most of a large lab is gone after a few steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from twinbench.core.planning.problem import FAR_MIN, Job, Problem

__all__ = ["conflict"]

_LOOK_S = 2.0  # a smaller problem that is not proven to have no plan in this time counts as having one

_FOR = "\n"  # between the names of a bench and of the job that has it alone

_NAMED = 10  # jobs, where there was no time to find those that matter

Step = Callable[[Problem], Problem]


def conflict(problem: Problem, *, left_s: Callable[[], float] = lambda: math.inf) -> str:
    """What conflicts, as one sentence.

    Args:
        problem: A problem that has no plan.
        left_s: Seconds that are left; when there are none, more may be named than is needed for the conflict.
    """
    problem = replace(problem, objective=({"makespan": 1},))
    kept = _fewest_jobs(problem, left_s)
    problem = _with_jobs(problem, kept)
    words = []
    for word, without in _demands(problem):
        smaller = without(problem)
        if _has_no_plan(smaller, left_s):
            problem = smaller
        else:
            words.append(word)
    if left_s() <= 0:
        return _unfinished(problem)
    jobs = ", ".join(job.name for job in problem.jobs)
    if not words:
        return f"There is no plan for {jobs}: together they need more than the lab has. Take one of them out."
    return f"There is no plan for {jobs}: {'; '.join(words)}. These demands cannot be met together: loosen one of them."


def _unfinished(problem: Problem) -> str:
    names = [job.name for job in problem.jobs]
    some = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    return f"There is no plan for {some}: loosen their demands, or give more time to see which of them conflict."


def _fewest_jobs(problem: Problem, left_s: Callable[[], float]) -> list[str]:
    names = [job.name for job in problem.jobs]
    size = max(1, len(names) // 2)
    while True:
        at = 0
        while at < len(names) and len(names) > 1:
            fewer = names[:at] + names[at + size :]
            if fewer and _has_no_plan(_with_jobs(problem, fewer), left_s):
                names = fewer
            else:
                at += size
        if size == 1:
            return names
        size = max(1, size // 2)


def _with_jobs(problem: Problem, names: Iterable[str]) -> Problem:
    kept = set(names)
    jobs = [
        replace(job, after=tuple(link for link in job.after if link.job in kept))
        for job in problem.jobs
        if job.name in kept
    ]
    return replace(problem, jobs=tuple(jobs))


def _has_no_plan(problem: Problem, left_s: Callable[[], float]) -> bool:
    from twinbench.core.planning.cp_sat.search import building_s, search_first
    from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate

    if left_s() <= building_s(problem):
        return False
    if RuinRecreate(problem).construct_first(is_over=lambda: True):
        return False
    return search_first(problem, seconds=lambda: min(_LOOK_S, left_s()), workers=1, seed=1)[1]


def _demands(problem: Problem) -> Iterator[tuple[str, Step]]:
    """What is demanded, in words, and the problem without it."""
    for job in problem.jobs:
        yield from _demands_of_job(job)
        yield from _demands_of_links(job)
    for bench in problem.benches:
        if bench.closed:
            windows = ", ".join(f"{start} to {end}" for start, end in bench.closed)
            yield f"bench {bench.name} is closed from minute {windows}", _open_bench(bench.name)
    for bench in problem.benches:
        if sum(any(mode.bench == bench.name for mode in job.modes) for job in problem.jobs) > 1:
            yield f"{bench.name} does one job at a time", _bench_for_each(bench.name)
    for resource in problem.resources:
        if resource.open is not None or resource.closed:
            yield f"{resource.name} is not always there", _open_resource(resource.name)
        yield f"there are {resource.capacity} of {resource.name}", _unlimited(resource.name)


def _demands_of_job(job: Job) -> Iterator[tuple[str, Step]]:
    if job.locked is not None:
        where, begin = job.locked
        yield f"{job.name} is locked on {where} at minute {begin}", _changed(job, locked=None)
    if job.deadline_min is not None:
        yield f"{job.name} must be done by minute {job.deadline_min}", _changed(job, deadline_min=None)
    if job.release_min:
        yield f"{job.name} may not begin before minute {job.release_min}", _changed(job, release_min=0)
    if job.unit:
        yield f"{job.name} is done on {job.unit}, which is in one place at a time", _changed(job, unit="")


def _demands_of_links(job: Job) -> Iterator[tuple[str, Step]]:
    for link in job.after:
        if link.max_lag_min is not None:
            words = f"{job.name} begins at most {link.max_lag_min} min after {link.job}"
            yield words, _any_time_after(job, link.job)
        yield f"{job.name} comes {link.min_lag_min} min after {link.job}", _any_time_before(job, link.job)


def _changed(job: Job, **changes: object) -> Step:
    def without(problem: Problem) -> Problem:
        jobs = tuple(replace(one, **changes) if one.name == job.name else one for one in problem.jobs)  # type: ignore[arg-type]
        return replace(problem, jobs=jobs)

    return without


def _any_time_before(job: Job, earlier: str) -> Step:
    return _with_lag(job, earlier, min_lag_min=-FAR_MIN)


def _any_time_after(job: Job, earlier: str) -> Step:
    return _with_lag(job, earlier, max_lag_min=None)


def _with_lag(job: Job, earlier: str, **lag: int | None) -> Step:
    def without(problem: Problem) -> Problem:
        now = next(one for one in problem.jobs if one.name == job.name)
        loose = tuple(replace(link, **lag) if link.job == earlier else link for link in now.after)  # type: ignore[arg-type]
        return _changed(job, after=loose)(problem)

    return without


def _open_bench(name: str) -> Step:
    return lambda problem: replace(
        problem,
        benches=tuple(
            replace(one, closed=()) if one.name.partition(_FOR)[0] == name else one for one in problem.benches
        ),
    )


def _bench_for_each(name: str) -> Step:
    """Every job has a bench of its own instead."""

    def own(job: Job) -> Job:
        modes = tuple(replace(mode, bench=name + _FOR + job.name) if mode.bench == name else mode for mode in job.modes)
        where = (name + _FOR + job.name, job.locked[1]) if job.locked and job.locked[0] == name else job.locked
        return replace(job, modes=modes, locked=where)

    def without(problem: Problem) -> Problem:
        bench = next(one for one in problem.benches if one.name == name)
        owned = (replace(bench, name=name + _FOR + job.name) for job in problem.jobs)
        return replace(problem, jobs=tuple(map(own, problem.jobs)), benches=(*problem.benches, *owned))

    return without


def _open_resource(name: str) -> Step:
    return lambda problem: replace(
        problem,
        resources=tuple(replace(one, open=None, closed=()) if one.name == name else one for one in problem.resources),
    )


def _unlimited(name: str) -> Step:
    return lambda problem: replace(
        problem,
        resources=tuple(replace(one, capacity=10**6) if one.name == name else one for one in problem.resources),
    )
