"""Why a test does not begin earlier: what stands in the way one unit of time before, and what stands before that.

The answer is a chain of causes as critical paths have it: a job begins when what it waits for ends; what it waits for
is a bench, a resource, a unit under test, another job, its release or its own wish.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twinbench.core.planning.plan import Interval, Plan, pieces_of
from twinbench.core.planning.problem import Demand, Job, Problem
from twinbench.core.planning.scaling import time_unit_min

__all__ = ["Cause", "causes", "late_jobs"]

_LONGEST = 12  # causes in a chain


@dataclass(frozen=True)
class Cause:
    """What holds a job back.

    Attributes:
        job: Which job.
        what: A kind: release, wish, after, bench, closed, unit, resource, calendar.
        name: Of the bench, resource, unit or job it waits for.
        by: The job that has it, if one has.
        until_min: When that ends.
    """

    job: str
    what: str
    name: str
    until_min: int
    by: str = ""

    def __str__(self) -> str:
        texts = {
            "release": "it may not begin before",
            "wish": "it is wanted at",
            "after": f"it comes after {self.by}, until",
            "bench": f"{self.name} is held by {self.by} until",
            "closed": f"{self.name} is closed until",
            "unit": f"{self.name} is under test in {self.by} until",
            "resource": f"{self.name} is taken by {self.by} and others until",
            "calendar": f"{self.name} is not there until",
            "choice": "other jobs are served first, until",
        }
        return f"{self.job}: {texts[self.what]} minute {self.until_min}"


def late_jobs(problem: Problem, plan: Plan) -> list[tuple[str, int]]:
    """The jobs that leave their benches after they are due, and how many minutes, the latest first."""
    free = {part.job: part.free_min for part in plan.intervals}
    late = [(job.name, free[job.name] - job.due_min) for job in problem.jobs if job.due_min is not None]
    return sorted(((name, minutes) for name, minutes in late if minutes > 0), key=lambda entry: -entry[1])


def causes(problem: Problem, plan: Plan, job: str) -> list[Cause]:
    """The chain of what holds a job back: what it waits for, what that waits for, and so on."""
    lab = _Lab(problem, plan.intervals)
    chain: list[Cause] = []
    seen: set[str] = set()
    while job and job not in seen and len(chain) < _LONGEST:
        seen.add(job)
        cause = lab.cause(job)
        chain.append(cause)
        job = cause.by
    return chain


class _Lab:
    """A plan, made ready for questions."""

    def __init__(self, problem: Problem, parts: Sequence[Interval]) -> None:
        self.problem = problem
        self.jobs: Mapping[str, Job] = {job.name: job for job in problem.jobs}
        self.parts = {part.job: part for part in parts}
        self.unit_min = time_unit_min(problem)

    def cause(self, name: str) -> Cause:
        """What holds one job back at first hand; where several do, the one that people can do something about."""
        job, part = self.jobs[name], self.parts[name]
        for find in (self._after, self._unit, self._bench, self._resource):
            found = find(job, part)
            if found is not None:
                return found
        if part.begin_min <= job.release_min:
            return Cause(name, "release", "", job.release_min)
        wish = job.preferred_min if job.preferred_min is not None else job.planned_min
        if wish is not None and part.begin_min <= wish:
            return Cause(name, "wish", "", wish)
        return Cause(name, "choice", "", part.begin_min)

    def _after(self, job: Job, part: Interval) -> Cause | None:
        for link in job.after:
            if self.parts[link.job].free_min + link.min_lag_min == part.begin_min:
                return Cause(job.name, "after", link.job, part.begin_min, link.job)
        return None

    def _unit(self, job: Job, part: Interval) -> Cause | None:
        for other in self.jobs.values():
            if job.unit and other.unit == job.unit and self.parts[other.name].free_min == part.begin_min:
                return Cause(job.name, "unit", job.unit, part.begin_min, other.name)
        return None

    def _bench(self, job: Job, part: Interval) -> Cause | None:
        bench = next((bench for bench in self.problem.benches if bench.name == part.bench), None)
        if bench is None:
            return None
        table = self.problem.changeovers.get(bench.changeovers, {})
        for other in self.parts.values():
            if other.bench == part.bench and other.job != job.name:
                gap = table.get((self.jobs[other.job].family, job.family), 0)
                if part.begin_min - self.unit_min < other.free_min + gap <= part.begin_min:
                    return Cause(job.name, "bench", part.bench, other.free_min + gap, other.job)
        for _, end in bench.closed:
            if part.begin_min - self.unit_min < end <= part.begin_min:
                return Cause(job.name, "closed", part.bench, end)
        return None

    def _resource(self, job: Job, part: Interval) -> Cause | None:
        """A resource of which there would be too little one unit of time earlier."""
        mode = job.modes[part.mode]
        for demand in mode.demands:
            for start, end in pieces_of(part, demand):
                at = start - self.unit_min
                if end > start and self._left(demand, at, job.name) < demand.amount:
                    holders = self._holders(demand, at, job.name)
                    if holders:
                        first = min(holders, key=lambda name: self.parts[name].free_min)
                        return Cause(job.name, "resource", demand.resource, start, first)
                    return Cause(job.name, "calendar", demand.resource, start)
        return None

    def _left(self, demand: Demand, at: int, job: str) -> int:
        resource = next(one for one in self.problem.resources if one.name == demand.resource)
        taken = sum(self._taken(demand.resource, name, at) for name in self._holders(demand, at, job))
        return resource.left(at) - taken

    def _holders(self, demand: Demand, at: int, job: str) -> list[str]:
        return [name for name in self.parts if name != job and self._taken(demand.resource, name, at)]

    def _taken(self, resource: str, job: str, at: int) -> int:
        part = self.parts[job]
        return sum(
            other.amount
            for other in self.jobs[job].modes[part.mode].demands
            if other.resource == resource and any(start <= at < end for start, end in pieces_of(part, other))
        )
