"""Finds a bench plan: smallest makespan first, then the earliest starts.

A greedy plan comes first: it bounds every start and is the solver's first guess, so there is always a plan. CP-SAT then
looks for a smaller makespan and proves how good it is; a second, short search keeps the makespan and moves starts
forward. With one worker and the same seed the plan is the same, unless the time limit cuts the search short. OR-Tools
is imported by :func:`solve`, not by this module.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from twinbench.core.errors import InfeasibleError, PlanError
from twinbench.core.planning.greedy import greedy_plan, makespan, shortest_first
from twinbench.core.planning.model import Interval, Job, Plan, Resource
from twinbench.core.planning.search import Search

__all__ = ["assignments", "solve"]

_LONGEST_MIN = 10 * 366 * 24 * 60
_EFFORT = 0.2  # of the second search, in CP-SAT's deterministic time: a second or less


def solve(
    jobs: Sequence[Job],
    *,
    resources: Sequence[Resource] = (),
    time_limit_s: float = 10.0,
    workers: int = 1,
    seed: int = 1,
) -> Plan:
    """Give every job a bench and an interval.

    Args:
        jobs: What must be done; durations without set-up and teardown of the bench if *resources* has those.
        resources: The benches that need setting up and clearing away, once each.
        time_limit_s: Wall time of both searches together.
        workers: Threads of the solver.
        seed: The same seed gives the same plan.

    Raises:
        InfeasibleError: If a job has no mode, a duration is not positive, or names are not unique.
        PlanError: If the limits themselves make no sense.
    """
    _check_limits(time_limit_s, workers)
    _check(jobs, resources)
    begin = time.perf_counter()
    benches = _benches(jobs, resources)
    search = Search(jobs, benches, greedy_plan(jobs, benches), workers=workers, seed=seed % 2**31)
    proven, bound = search.shorten(time_limit_s)
    rest_s = time_limit_s - (time.perf_counter() - begin)
    if rest_s > 0:
        search.move_forward(rest_s, effort=_EFFORT)
    best = min(shortest_first(search.best, jobs, benches), search.best, key=_total_start)
    return Plan(
        status="optimal" if proven else "feasible",
        makespan_min=makespan(best, benches),
        bound=bound,
        wall_s=time.perf_counter() - begin,
        solver=f"OR-Tools CP-SAT {version('ortools')}",
        seed=seed,
        intervals=tuple(best),
        resources=benches,
    )


def _benches(jobs: Sequence[Job], resources: Sequence[Resource]) -> dict[str, Resource]:
    named = {mode.bench: Resource(mode.bench) for job in jobs for mode in job.modes}
    return named | {resource.name: resource for resource in resources}


def _total_start(intervals: Sequence[Interval]) -> int:
    return sum(part.start_min for part in intervals)


def _check_limits(time_limit_s: float, workers: int) -> None:
    if not time_limit_s > 0 or workers < 1:  # not a number is no time either
        raise PlanError(f"A plan needs time and a worker, not {time_limit_s} s and {workers}: give more than none.")


def _check(jobs: Sequence[Job], resources: Sequence[Resource]) -> None:
    _refuse_duplicates("Job", (job.name for job in jobs))
    _refuse_duplicates("Bench", (resource.name for resource in resources))
    for resource in resources:
        for what, minutes in (("setup_min", resource.setup_min), ("teardown_min", resource.teardown_min)):
            if not 0 <= minutes <= _LONGEST_MIN:
                raise InfeasibleError(f"Bench {resource.name} has {what} {minutes}: give 0 to {_LONGEST_MIN}.")
    for job in jobs:
        _check_job(job)


def _check_job(job: Job) -> None:
    if not job.modes:
        raise InfeasibleError(f"No bench can take job {job.name}: widen its limits or free a bench.")
    if not 0 <= job.release_min <= _LONGEST_MIN:
        raise InfeasibleError(f"Job {job.name} has release_min {job.release_min}: give 0 to {_LONGEST_MIN}.")
    _refuse_duplicates(f"Job {job.name}: bench", (mode.bench for mode in job.modes))
    for mode in job.modes:
        if not 1 <= mode.duration_min <= _LONGEST_MIN:
            raise InfeasibleError(
                f"Job {job.name} takes {mode.duration_min} min on {mode.bench}: give 1 to {_LONGEST_MIN} minutes."
            )


def _refuse_duplicates(what: str, names: Iterable[str]) -> None:
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    if duplicates:
        raise InfeasibleError(f"{what} {', '.join(duplicates)} is given more than once: keep one of each name.")


def assignments(plan: Plan, origin: datetime, *, kinds: Mapping[str, str]) -> dict[str, Any]:
    """The plan of a request as ``plan.json``: what each bench does in one go, its runs in order.

    Jobs must be named ``run-<n>``. ``start`` is when the first run begins; the bench is held from ``held_from`` to
    ``held_until``, set-up and teardown included.

    Args:
        plan: The plan.
        origin: The moment of minute 0.
        kinds: ``virtual`` or ``physical`` for every bench.

    Raises:
        PlanError: If the origin has no time zone, a job is no run, or a bench has no kind.
    """
    if origin.tzinfo is None:
        raise PlanError(f"The plan's origin {origin.isoformat()} has no time zone: give it in UTC.")
    by_bench: dict[str, list[Interval]] = {}
    for part in plan.intervals:
        by_bench.setdefault(part.bench, []).append(part)
    unknown = sorted(set(by_bench) - set(kinds))
    if unknown:
        raise PlanError(f"Bench {', '.join(unknown)} is planned but has no kind: add it to the catalogue's benches.")
    entries = [
        _assignment(plan.resources[bench], kinds[bench], parts, origin.astimezone(UTC))
        for bench, parts in sorted(by_bench.items())
    ]
    return {**plan.figures(), "origin": origin.astimezone(UTC).isoformat(), "assignments": entries}


def _assignment(bench: Resource, kind: str, parts: Sequence[Interval], origin: datetime) -> dict[str, Any]:
    def moment(minutes: int) -> str:
        return (origin + timedelta(minutes=minutes)).isoformat()

    start_min, end_min = parts[0].start_min, parts[-1].end_min
    return {
        "bench": bench.name,
        "kind": kind,
        "runs": [_run(part.job) for part in parts],
        "start": moment(start_min),
        "end": moment(end_min),
        "held_from": moment(start_min - bench.setup_min),
        "held_until": moment(end_min + bench.teardown_min),
        "intervals": [{"run": _run(part.job), "start_min": part.start_min, "end_min": part.end_min} for part in parts],
    }


def _run(job: str) -> int:
    match = re.fullmatch(r"run-([1-9][0-9]*)", job)
    if match is None:
        raise PlanError(f"Job {job} is no run of a request: name it run-1, run-2 and so on.")
    return int(match[1])
