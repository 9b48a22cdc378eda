"""Whether a plan keeps the rules of its problem, and what it is worth: minute by minute, from the definitions alone.

Nothing of the engine is in here but its vocabulary. What is locked is a fact: it is where it is, and only what is not
locked can break a rule because of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import FAR_MIN, Bench, Demand, Job, Problem, Resource

__all__ = ["value", "violations"]


def violations(problem: Problem, intervals: Sequence[Interval]) -> list[str]:
    """What is wrong with a plan; empty if nothing is."""
    if sorted(part.job for part in intervals) != sorted(job.name for job in problem.jobs):
        return ["not every job is planned once"]
    plan = _Planned(problem, intervals)
    found = [text for job in problem.jobs for text in (*plan.of_job(job), *plan.between(job))]
    for bench in problem.benches:
        found += plan.of_bench(bench)
    for unit in {job.unit for job in problem.jobs} - {""}:
        found += plan.together(unit, [job for job in problem.jobs if job.unit == unit])
    for resource in problem.resources:
        found += plan.of_resource(resource)
    return found


def value(problem: Problem, intervals: Sequence[Interval]) -> tuple[int, ...]:
    """The tiers of the objective."""
    plan = _Planned(problem, intervals)
    return tuple(sum(w * getattr(plan, name)() for name, w in tier.items()) for tier in problem.objective)


class _Planned:
    """A plan as minutes in which something holds."""

    def __init__(self, problem: Problem, intervals: Sequence[Interval]) -> None:
        self.problem = problem
        self.parts = {part.job: part for part in intervals}
        self.first = min([0, *(part.begin_min for part in intervals)])
        self.minutes = max([0, *(part.free_min for part in intervals)]) - self.first
        self.pairs = [(job, self.parts[job.name]) for job in problem.jobs]

    def slice(self, start: int, end: int) -> slice:
        """The minutes from one time to another, as far as there are any."""
        return slice(max(0, start - self.first), max(0, end - self.first))

    def of_job(self, job: Job) -> Iterator[str]:
        part = self.parts[job.name]
        if not 0 <= part.mode < len(job.modes) or job.modes[part.mode].bench != part.bench:
            yield f"{job.name} has no such mode"
            return
        mode = job.modes[part.mode]
        lengths = (part.start_min - part.begin_min, part.end_min - part.start_min, part.free_min - part.teardown_min)
        if lengths != (mode.setup_min, mode.duration_min, mode.teardown_min):
            yield f"{job.name} takes {lengths}"
        if job.locked is None:
            yield from self._of_movable(job, part)
        elif (part.bench, part.begin_min) != job.locked or job.locked_teardown_min not in (None, part.teardown_min):
            yield f"{job.name} is not where it is locked"

    def _of_movable(self, job: Job, part: Interval) -> Iterator[str]:
        if not 0 <= part.teardown_min - part.end_min <= job.wait_min:
            yield f"{job.name} waits {part.teardown_min - part.end_min} min"
        if part.begin_min < max(0, job.release_min):
            yield f"{job.name} begins before its release"
        if job.deadline_min is not None and part.free_min > job.deadline_min:
            yield f"{job.name} ends after its deadline"

    def between(self, job: Job) -> Iterator[str]:
        """What is wrong with the time between a job and those it comes after."""
        for link in job.after:
            before = next(one for one in self.problem.jobs if one.name == link.job)
            lag = self.parts[job.name].begin_min - self.parts[link.job].free_min
            most = FAR_MIN if link.max_lag_min is None else link.max_lag_min
            if not link.min_lag_min <= lag <= most and not (job.locked and before.locked):
                yield f"{job.name} begins {lag} min after {link.job}"

    def together(self, what: str, jobs: Sequence[Job]) -> Iterator[str]:
        """Jobs of which there may be one at a time."""
        held, movable = np.zeros(self.minutes, int), np.zeros(self.minutes, bool)
        for job in jobs:
            minutes = self.slice(self.parts[job.name].begin_min, self.parts[job.name].free_min)
            held[minutes] += 1
            movable[minutes] |= job.locked is None
        if (movable & (held > 1)).any():
            yield f"{what} is held twice"

    def of_bench(self, bench: Bench) -> Iterator[str]:
        on_it = self._in_order(bench)
        yield from self.together(bench.name, on_it)
        for job in on_it:
            part = self.parts[job.name]
            if job.locked is None and any(a < part.free_min and part.begin_min < b for a, b in bench.closed):
                yield f"{bench.name} is closed for {job.name}"
        table = self.problem.changeovers.get(bench.changeovers, {})
        for job in on_it[:1]:
            if job.locked is None and self.parts[job.name].begin_min < table.get((bench.family, job.family), 0):
                yield f"{bench.name} is not changed over to its first job"
        for a, b in pairwise(on_it):
            gap = self.parts[b.name].begin_min - self.parts[a.name].free_min
            if gap < table.get((a.family, b.family), 0) and not (a.locked and b.locked):
                yield f"{bench.name} is not changed over from {a.name} to {b.name}"

    def of_resource(self, resource: Resource) -> Iterator[str]:
        left = np.full(self.minutes, resource.capacity if resource.open is None else 0)
        for start, end in resource.open or ():
            left[self.slice(start, end)] = resource.capacity
        for start, end, missing in resource.closed:
            left[self.slice(start, end)] -= missing
        left = np.maximum(left, 0)
        movable = np.zeros(self.minutes, bool)
        for job, part in self.pairs:
            for demand in job.modes[part.mode].demands:
                if demand.resource == resource.name:
                    for start, end in _held(part, demand):
                        left[self.slice(start, end)] -= demand.amount
                        movable[self.slice(start, end)] |= job.locked is None and demand.amount > 0
        if (movable & (left < 0)).any():
            yield f"{resource.name} is taken too often at {self.first + int(np.argmax(movable & (left < 0)))}"

    def _in_order(self, bench: Bench) -> list[Job]:
        on_it = [(part.begin_min, job.name, job) for job, part in self.pairs if part.bench == bench.name]
        return [job for *_, job in sorted(on_it, key=lambda entry: entry[:2])]

    # ---- criteria ----

    def makespan(self) -> int:
        return max([0, *(part.free_min for _, part in self.pairs)])

    def tardiness(self) -> int:
        return sum(j.priority * max(0, part.free_min - j.due_min) for j, part in self.pairs if j.due_min is not None)

    def preferred(self) -> int:
        return sum(
            job.priority * abs(part.begin_min - job.preferred_min)
            for job, part in self.pairs
            if job.preferred_min is not None
        )

    def moved(self) -> int:
        return sum(
            job.priority * abs(part.begin_min - job.planned_min)
            for job, part in self.pairs
            if job.planned_min is not None
        )

    def cost(self) -> int:
        return sum(job.modes[part.mode].cost for job, part in self.pairs)

    def changeovers(self) -> int:
        benches = [bench for bench in self.problem.benches if bench.changeovers]
        rows = [[bench.family, *(job.family for job in self._in_order(bench))] for bench in benches]
        return sum(bool(a and b and a != b) for row in rows for a, b in pairwise(row))

    def start(self) -> int:
        return sum(part.begin_min for _, part in self.pairs)

    def span(self) -> int:
        rows = [[part for job, part in self.pairs if job.project == name] for name in self._projects()]
        return sum(max(part.free_min for part in row) - min(part.begin_min for part in row) for row in rows)

    def people(self) -> int:
        persons = {resource.name for resource in self.problem.resources if resource.person}
        met = {(j.project, d.resource) for j, part in self.pairs for d in j.modes[part.mode].demands if j.project}
        return sum(resource in persons for _, resource in met)

    def _projects(self) -> set[str]:
        return {job.project for job in self.problem.jobs} - {""}


def _held(part: Interval, demand: Demand) -> list[tuple[int, int]]:
    """When a demand holds, phase by phase."""
    phases = {
        "setup": (part.begin_min, part.start_min),
        "test": (part.start_min, part.end_min),
        "teardown": (part.teardown_min, part.free_min),
    }
    held = [phases[phase] for phase in set(demand.during)]
    if {"test", "teardown"} <= set(demand.during):
        held.append((part.end_min, part.teardown_min))
    return held
