"""Contradictions among locked jobs: people have settled where and when they are, so no search could resolve them.

A job whose teardown is settled as well is under way; where it is and what it holds are facts, and are not questioned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from twinbench.core.errors import InfeasibleError
from twinbench.core.planning.plan import Interval, locked_intervals, pieces_of
from twinbench.core.planning.problem import FAR_MIN, Bench, Job, Problem, Resource

__all__ = ["check_locks"]


@dataclass(frozen=True)
class _Hold:
    """What a locked job takes of something, and when."""

    start: int
    end: int
    amount: int
    job: str


def check_locks(problem: Problem) -> None:
    """Refuse locks that contradict each other, the lab's calendars or the job's own dates.

    Raises:
        InfeasibleError: Names the jobs, what they hold and when.
    """
    locked = [job for job in problem.jobs if job.locked is not None]
    for job in locked:
        if job.locked and all(mode.bench != job.locked[0] for mode in job.modes):
            raise InfeasibleError(
                f"Job {job.name} is locked on bench {job.locked[0]!r}, where it has no mode: add one."
            )
    parts = {part.job: part for part in locked_intervals(problem)}
    _refuse_shared("bench", locked, parts, lambda job: parts[job.name].bench)
    wished = [job for job in locked if job.locked_teardown_min is None]
    benches = {bench.name: bench for bench in problem.benches}
    for job in wished:
        _check_dates(job, parts[job.name])
        _check_open(parts[job.name], benches.get(parts[job.name].bench))
    _refuse_shared("unit", wished, parts, lambda job: job.unit)
    _check_order(wished, parts)
    for resource in problem.resources:
        _check_resource(resource, [hold for job in wished for hold in _holds(job, parts[job.name], resource)])


def _refuse_shared(what: str, jobs: Iterable[Job], parts: dict[str, Interval], holds: Callable[[Job], str]) -> None:
    """Refuse two jobs at one time on the same thing."""
    ordered = sorted((holds(job), parts[job.name].begin_min, parts[job.name].free_min, job.name) for job in jobs)
    for (name, _, end, first), (other, begin, _, second) in pairwise(ordered):
        if name and name == other and begin < end:
            raise InfeasibleError(
                f"Jobs {first} and {second} are both locked on {what} {name} at minute {begin}: move one of them."
            )


def _check_dates(job: Job, part: Interval) -> None:
    where = f"Job {job.name} is locked from minute {part.begin_min} to {part.free_min}"
    if part.free_min <= 0:
        raise InfeasibleError(f"{where}, it is over before the plan begins: leave it out.")
    if not -FAR_MIN <= part.begin_min <= FAR_MIN:
        raise InfeasibleError(f"{where}, which is no time: lock it at 0 to {FAR_MIN}.")
    if part.begin_min < job.release_min and part.begin_min >= 0:  # what is under way began before
        raise InfeasibleError(f"{where}, but may not begin before minute {job.release_min}: change one of them.")
    if job.deadline_min is not None and part.free_min > job.deadline_min:
        raise InfeasibleError(f"{where}, but must be done by minute {job.deadline_min}: change one of them.")


def _check_open(part: Interval, bench: Bench | None) -> None:
    """Refuse a lock on a closed bench, unless the job runs already."""
    for start, end in bench.closed if bench else ():
        if 0 < part.begin_min < end and start < part.free_min:
            raise InfeasibleError(
                f"Job {part.job} is locked on bench {part.bench} from minute {part.begin_min} to {part.free_min}, "
                f"which is closed from minute {start} to {end}: move the job or open the bench."
            )


def _check_order(jobs: Sequence[Job], parts: dict[str, Interval]) -> None:
    there = {job.name for job in jobs}
    for job in jobs:
        for link in job.after:
            if link.job not in there:
                continue
            lag = parts[job.name].begin_min - parts[link.job].free_min
            if lag < link.min_lag_min or (link.max_lag_min is not None and lag > link.max_lag_min):
                most = "" if link.max_lag_min is None else f" and at most {link.max_lag_min} min"
                raise InfeasibleError(
                    f"Job {job.name} is locked {lag} min after {link.job}, which is locked too, and must begin "
                    f"at least {link.min_lag_min} min{most} after it: move one of them."
                )


def _holds(job: Job, part: Interval, resource: Resource) -> list[_Hold]:
    """What a job takes of a resource; a teardown that may wait is left out."""
    return [
        _Hold(start, end, demand.amount, job.name)
        for demand in job.modes[part.mode].demands
        if demand.resource == resource.name and demand.amount
        for start, end in pieces_of(part, demand)
        if not (job.wait_min and start >= part.teardown_min)
    ]


def _check_resource(resource: Resource, holds: Sequence[_Hold]) -> None:
    """Refuse what takes more than there is, at the first moment at which it does."""
    edges = [edge for window in resource.open or () for edge in window]
    edges += [edge for start, end, _ in resource.closed for edge in (start, end)]
    for at in sorted({*edges, *(hold.start for hold in holds)}):
        now = [hold for hold in holds if hold.start <= at < hold.end]
        needed = sum(hold.amount for hold in now)
        if needed and needed > (left := resource.left(at)):
            names = " and ".join(dict.fromkeys(hold.job for hold in now))
            verb = (
                "Jobs {} are locked and need" if len({hold.job for hold in now}) > 1 else "Job {} is locked and needs"
            )
            raise InfeasibleError(
                f"{verb.format(names)} {needed} of {resource.name} at minute {at}, when there are {left}: "
                "move one of them or the calendar."
            )
