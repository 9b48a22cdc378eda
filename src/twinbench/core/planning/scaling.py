"""A planning problem in the largest unit of time that divides all its times: the solver's numbers become small.

A tier of the objective that adds up times alone is then smaller by the same factor. In one that adds up times and
counts the times are weighted with the unit, so it keeps its value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import gcd

from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import Job, Problem

__all__ = ["factors", "in_minutes", "in_units", "time_unit_min"]

_COUNTS = ("cost", "changeovers", "people")


def time_unit_min(problem: Problem) -> int:
    """The largest number of minutes that divides all times of a problem; 1 if it has none."""
    return gcd(*_times(problem)) or 1


def _times(problem: Problem) -> Iterator[int]:
    for job in problem.jobs:
        yield from (job.release_min, job.wait_min, job.locked[1] if job.locked else 0)
        yield from (value or 0 for value in (job.due_min, job.deadline_min, job.preferred_min, job.planned_min))
        yield job.locked_teardown_min or 0
        for link in job.after:
            yield from (link.min_lag_min, link.max_lag_min or 0)
        for mode in job.modes:
            yield from (mode.duration_min, mode.setup_min, mode.teardown_min)
    for bench in problem.benches:
        yield from (edge for window in bench.closed for edge in window)
    for resource in problem.resources:
        yield from (edge for window in resource.open or () for edge in window)
        yield from (edge for start, end, _ in resource.closed for edge in (start, end))
    for table in problem.changeovers.values():
        yield from table.values()


def in_units(problem: Problem, unit_min: int) -> Problem:
    """The same problem with all times counted in so many minutes."""
    if unit_min == 1:
        return problem

    def short(value: int | None) -> int | None:
        return None if value is None else value // unit_min

    def windows(pairs: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        return tuple((start // unit_min, end // unit_min) for start, end in pairs)

    def job(one: Job) -> Job:
        return replace(
            one,
            modes=tuple(
                replace(
                    mode,
                    duration_min=mode.duration_min // unit_min,
                    setup_min=mode.setup_min // unit_min,
                    teardown_min=mode.teardown_min // unit_min,
                )
                for mode in one.modes
            ),
            release_min=one.release_min // unit_min,
            due_min=short(one.due_min),
            deadline_min=short(one.deadline_min),
            preferred_min=short(one.preferred_min),
            planned_min=short(one.planned_min),
            wait_min=one.wait_min // unit_min,
            after=tuple(
                replace(link, min_lag_min=link.min_lag_min // unit_min, max_lag_min=short(link.max_lag_min))
                for link in one.after
            ),
            locked_teardown_min=short(one.locked_teardown_min),
            locked=(one.locked[0], one.locked[1] // unit_min) if one.locked else None,
        )

    return replace(
        problem,
        jobs=tuple(map(job, problem.jobs)),
        benches=tuple(replace(bench, closed=windows(bench.closed)) for bench in problem.benches),
        resources=tuple(
            replace(
                resource,
                open=None if resource.open is None else windows(resource.open),
                closed=tuple((start // unit_min, end // unit_min, much) for start, end, much in resource.closed),
            )
            for resource in problem.resources
        ),
        changeovers={
            name: {pair: minutes // unit_min for pair, minutes in table.items()}
            for name, table in problem.changeovers.items()
        },
        objective=tuple(tier if _is_time(tier) else _weighted(tier, unit_min) for tier in problem.objective),
    )


def _is_time(tier: Mapping[str, int]) -> bool:
    return not set(_COUNTS) & set(tier)


def _weighted(tier: Mapping[str, int], unit_min: int) -> dict[str, int]:
    return {name: weight * (1 if name in _COUNTS else unit_min) for name, weight in tier.items()}


def factors(problem: Problem, unit_min: int) -> list[int]:
    """By what the tiers of the objective in units have to be multiplied."""
    return [unit_min if _is_time(tier) else 1 for tier in problem.objective]


def in_minutes(parts: Sequence[Interval], unit_min: int) -> list[Interval]:
    """A plan in minutes again."""
    return [
        replace(
            part,
            begin_min=part.begin_min * unit_min,
            start_min=part.start_min * unit_min,
            end_min=part.end_min * unit_min,
            teardown_min=part.teardown_min * unit_min,
            free_min=part.free_min * unit_min,
        )
        for part in parts
    ]
