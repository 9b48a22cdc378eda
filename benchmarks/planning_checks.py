"""Whether a plan keeps the rules of its problem, and what it is worth: the judge of our engine and of its peers alike.

Written straight from the definitions in ``twinbench.core.planning.problem``, with sorted sweeps and without anything
clever, and without a line of the engine: a mistake of the engine must not be in here too.

What the definitions leave open is taken thus: the empty family neither needs nor counts as a changeover; a bench that
obeys no table has no changeovers to count; a bench is set to the family of its last job, the empty one too; a closed
bench may be changed over; the empty project has no span and needs no people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import CRITERIA, FAR_MIN, Bench, Demand, Job, Mode, Problem, Resource

__all__ = ["chosen_mode", "value", "violations"]

Pairs = list[tuple[Job, Interval]]


def violations(problem: Problem, intervals: Sequence[Interval]) -> list[str]:
    """What is wrong with a plan, one line each; empty if nothing is."""
    found = list(_complete(problem, intervals))
    if found:
        return found
    plan = {interval.job: interval for interval in intervals}
    pairs = [(job, plan[job.name]) for job in problem.jobs]
    for job, interval in pairs:
        found += _own(job, interval)
        found += _precedences(job, interval, plan)
    for bench in problem.benches:
        found += _bench(bench, problem, [pair for pair in pairs if pair[1].bench == bench.name])
    for unit in sorted({job.unit for job in problem.jobs} - {""}):
        found += _one_at_a_time(f"unit {unit}", [interval for job, interval in pairs if job.unit == unit])
    for resource in problem.resources:
        found += _resource(resource, pairs)
    return found


def value(problem: Problem, intervals: Sequence[Interval]) -> list[int]:
    """The tiers of the objective, by definition."""
    plan = {interval.job: interval for interval in intervals}
    pairs = [(job, plan[job.name]) for job in problem.jobs]
    worth = {name: _criterion(name, problem, pairs) for tier in problem.objective for name in tier}
    return [sum(weight * worth[name] for name, weight in tier.items()) for tier in problem.objective]


def chosen_mode(job: Job, interval: Interval) -> Mode | None:
    """The mode an interval says it is in; None if the job has none of that number, or it is on another bench."""
    mode = job.modes[interval.mode] if 0 <= interval.mode < len(job.modes) else None
    return mode if mode and mode.bench == interval.bench else None


# ---- one job ----


def _complete(problem: Problem, intervals: Sequence[Interval]) -> Iterator[str]:
    wanted = {job.name for job in problem.jobs}
    given = [interval.job for interval in intervals]
    yield from (f"{name}: is not planned" for name in sorted(wanted - set(given)))
    yield from (f"{name}: is no job" for name in sorted(set(given) - wanted))
    yield from (f"{name}: is planned more than once" for name in sorted({n for n in given if given.count(n) > 1}))


def _lengths(mode: Mode, interval: Interval) -> bool:
    return (
        interval.start_min - interval.begin_min == mode.setup_min
        and interval.end_min - interval.start_min == mode.duration_min
        and interval.free_min - interval.teardown_min == mode.teardown_min
    )


def _own(job: Job, interval: Interval) -> Iterator[str]:
    mode = chosen_mode(job, interval)
    if mode is None:
        yield f"{job.name}: has no mode {interval.mode} on {interval.bench!r}"
    elif not _lengths(mode, interval):
        yield f"{job.name}: does not take as long as its mode on {mode.bench!r}"
    wait_min = interval.teardown_min - interval.end_min
    if not 0 <= wait_min <= job.wait_min:
        yield f"{job.name}: waits {wait_min} min for its teardown, not 0..{job.wait_min}"
    if interval.begin_min < max(0, job.release_min):
        yield f"{job.name}: begins at {interval.begin_min}, before its release at {job.release_min}"
    if interval.free_min > (FAR_MIN if job.deadline_min is None else job.deadline_min):
        yield f"{job.name}: leaves its bench at {interval.free_min}, after its deadline"
    if job.locked is not None and job.locked != (interval.bench, interval.begin_min):
        yield f"{job.name}: is locked to {job.locked}, not {(interval.bench, interval.begin_min)}"
    if job.locked is not None and job.locked_teardown_min not in (None, interval.teardown_min):
        yield f"{job.name}: is torn down at {interval.teardown_min}, not at {job.locked_teardown_min} as locked"


def _precedences(job: Job, interval: Interval, plan: Mapping[str, Interval]) -> Iterator[str]:
    for link in job.after:
        lag = interval.begin_min - plan[link.job].free_min
        if lag < link.min_lag_min or (link.max_lag_min is not None and lag > link.max_lag_min):
            yield f"{job.name}: begins {lag} min after {link.job}, not {link.min_lag_min}..{link.max_lag_min}"


# ---- benches and units ----


def _bench(bench: Bench, problem: Problem, pairs: Pairs) -> Iterator[str]:
    intervals = [interval for _, interval in pairs]
    yield from _one_at_a_time(f"bench {bench.name}", intervals)
    for interval in intervals:
        for start, end in bench.closed:
            if interval.begin_min < end and start < interval.free_min and interval.begin_min < interval.free_min:
                yield f"bench {bench.name}: {interval.job} is on it while it is closed, {start}..{end}"
    table = problem.changeovers.get(bench.changeovers, {})
    for before, after, free_min, job, interval in _followers(bench, pairs):
        needed = table.get((before, after), 0) if before != after else 0
        if interval.begin_min < free_min + needed:
            yield f"bench {bench.name}: {job.name} begins before it is changed from {before} to {after}"


def _followers(bench: Bench, pairs: Pairs) -> Iterator[tuple[str, str, int, Job, Interval]]:
    """Families before and after, when the bench was free, and who follows; only where both families are named."""
    family, free_min = bench.family, 0
    for job, interval in sorted(pairs, key=lambda pair: (pair[1].begin_min, pair[1].free_min)):
        if family and job.family:
            yield family, job.family, free_min, job, interval
        family, free_min = job.family, interval.free_min


def _one_at_a_time(what: str, intervals: Sequence[Interval]) -> Iterator[str]:
    held = sorted((i for i in intervals if i.begin_min < i.free_min), key=lambda i: (i.begin_min, i.free_min))
    for earlier, later in pairwise(held):
        if later.begin_min < earlier.free_min:
            yield f"{what}: {earlier.job} and {later.job} are both there at {later.begin_min}"


# ---- resources ----


def _resource(resource: Resource, pairs: Pairs) -> Iterator[str]:
    steps: dict[int, int] = defaultdict(int)  # what is taken less what is there, where that changes
    for start, end in resource.open if resource.open is not None else ((0, FAR_MIN),):
        steps[start] -= resource.capacity
        steps[end] += resource.capacity
    cuts = {time for window in resource.closed for time in window[:2]}
    taken: dict[int, int] = defaultdict(int)
    for job, interval in pairs:
        mode = chosen_mode(job, interval)
        for demand in mode.demands if mode else ():
            if demand.resource == resource.name:
                for start, end in _pieces(demand, interval):
                    taken[start] += demand.amount
                    taken[end] -= demand.amount
    there, used = 0, 0
    for time in sorted(steps.keys() | taken.keys() | cuts):
        there -= steps.get(time, 0)
        used += taken.get(time, 0)
        less = sum(amount for start, end, amount in resource.closed if start <= time < end)
        if used > max(0, there - less):
            yield f"resource {resource.name}: {used} taken of {max(0, there - less)} at {time}"


def _pieces(demand: Demand, interval: Interval) -> list[tuple[int, int]]:
    pieces = []
    if "setup" in demand.during:
        pieces.append((interval.begin_min, interval.start_min))
    if "test" in demand.during:
        pieces.append((interval.start_min, interval.end_min))
    if "test" in demand.during and "teardown" in demand.during:
        pieces.append((interval.end_min, interval.teardown_min))
    if "teardown" in demand.during:
        pieces.append((interval.teardown_min, interval.free_min))
    return pieces


# ---- worth ----


def _criterion(name: str, problem: Problem, pairs: Pairs) -> int:
    if name not in CRITERIA:
        raise ValueError(f"{name} is no criterion; there are {', '.join(CRITERIA)}.")
    if name == "makespan":
        return max((interval.free_min for _, interval in pairs), default=0)
    if name == "changeovers":
        return sum(_changeovers(bench, pairs) for bench in problem.benches)
    if name in ("span", "people"):
        return _of_projects(name, problem, pairs)
    return sum(_of_job(name, job, interval) for job, interval in pairs)


def _of_job(name: str, job: Job, interval: Interval) -> int:
    if name == "start":
        return interval.begin_min
    if name == "cost":
        mode = chosen_mode(job, interval)
        return mode.cost if mode else 0
    if name == "tardiness":
        return 0 if job.due_min is None else job.priority * max(0, interval.free_min - job.due_min)
    wanted = job.preferred_min if name == "preferred" else job.planned_min
    return 0 if wanted is None else job.priority * abs(interval.begin_min - wanted)


def _changeovers(bench: Bench, pairs: Pairs) -> int:
    on_it = [pair for pair in pairs if pair[1].bench == bench.name]
    return sum(before != after for before, after, *_ in _followers(bench, on_it)) if bench.changeovers else 0


def _of_projects(name: str, problem: Problem, pairs: Pairs) -> int:
    persons = {resource.name for resource in problem.resources if resource.person}
    total = 0
    for project in {job.project for job in problem.jobs} - {""}:
        inside = [(job, interval) for job, interval in pairs if job.project == project]
        if name == "span":
            total += max(i.free_min for _, i in inside) - min(i.begin_min for _, i in inside)
        else:
            modes = [chosen_mode(job, interval) for job, interval in inside]
            total += len({d.resource for mode in modes if mode for d in mode.demands} & persons)
    return total
