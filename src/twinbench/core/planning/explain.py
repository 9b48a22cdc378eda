"""Why a test is not over earlier: what stands in the way one unit of time before, and what stands before that.

The answer is a chain of causes as critical paths have it: a job begins when what it waits for ends; what it waits for
is a bench, a resource, a unit under test, another job, its release or its own wish. If its teardown waits, it is told
first what for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from twinbench.core.planning.plan import Interval, Plan, pieces_of
from twinbench.core.planning.problem import Job, Problem
from twinbench.core.planning.scaling import time_unit_min

__all__ = ["Cause", "causes", "late_causes", "late_jobs"]

_LONGEST = 12  # causes in a chain

_Take = tuple[int, int, int, str]
"""From when to when how much is taken, by which job."""


@dataclass(frozen=True)
class Cause:
    """What holds a job back.

    Attributes:
        job: Which job.
        what: A kind, see the texts.
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
            "locked": "it is locked at",
            "length": "it begins as soon as it may, but takes until",
            "release": "it may not begin before",
            "wish": "it is wanted at",
            "after": f"it comes after {self.by}, until",
            "before": f"{self.by} has to follow in time, and does not begin before",
            "bench": f"{self.name} is held by {self.by} until",
            "changeover": f"{self.name} is changed over{' after ' * bool(self.by)}{self.by} until",
            "closed": f"{self.name} is closed until",
            "unit": f"{self.name} is under test in {self.by} until",
            "resource": f"{self.name} is taken by {self.by} and others until",
            "calendar": f"{self.name} is not there until",
            "teardown": f"its teardown waits for {self.name}, which is taken by {self.by} and others until",
            "weekend": f"its teardown waits for {self.name}, which is not there until",
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
    return _Lab(problem, plan.intervals).chain(job)


def late_causes(problem: Problem, plan: Plan) -> list[tuple[str, int, list[Cause]]]:
    """The jobs that are late, how many minutes, and what holds each of them back; the latest first."""
    lab = _Lab(problem, plan.intervals)
    return [(name, minutes, lab.chain(name)) for name, minutes in late_jobs(problem, plan)]


class _Lab:
    """A plan, made ready for questions."""

    def __init__(self, problem: Problem, parts: Sequence[Interval]) -> None:
        self.problem = problem
        self.jobs: Mapping[str, Job] = {job.name: job for job in problem.jobs}
        self.parts = {part.job: part for part in parts}
        self.benches = {bench.name: bench for bench in problem.benches}
        self.resources = {resource.name: resource for resource in problem.resources}
        self.unit_min = time_unit_min(problem)
        self._takes: dict[str, list[_Take]] = defaultdict(list)
        for name, part in self.parts.items():
            for demand in self.jobs[name].modes[part.mode].demands:
                for start, end in pieces_of(part, demand) if demand.amount else ():
                    self._takes[demand.resource].append((start, end, demand.amount, name))
        self._obstacles: dict[str, list[Cause]] = {}

    def chain(self, name: str) -> list[Cause]:
        """What holds a job back, what holds that back, and so on; nobody is named twice."""
        found: list[Cause] = []
        seen: set[str] = set()
        while name and name not in seen and len(found) < _LONGEST:
            seen.add(name)
            found += self._waiting(name)
            if name not in self._obstacles:
                self._obstacles[name] = self._obstacles_of(name)
            obstacles = self._obstacles[name]
            found.append(next((cause for cause in obstacles if cause.by not in seen), obstacles[0]))
            name = found[-1].by
        return found

    def _obstacles_of(self, name: str) -> list[Cause]:
        """What holds one job back at first hand, first what people can do something about."""
        job, part = self.jobs[name], self.parts[name]
        finds = (self._locked, self._after, self._unit, self._bench, self._resource, self._before)
        return [cause for find in finds if (cause := find(job, part))] or [self._own(job, part)]

    def _own(self, job: Job, part: Interval) -> Cause:
        """Why a job that no other one holds back begins when it does."""
        name = job.name
        if part.begin_min <= job.release_min:
            if job.due_min is not None and part.end_min > job.due_min:
                return Cause(name, "length", "", part.end_min)
            return Cause(name, "release", "", job.release_min)
        wish = job.preferred_min if job.preferred_min is not None else job.planned_min
        if wish is not None and part.begin_min <= wish:
            return Cause(name, "wish", "", wish)
        return Cause(name, "choice", "", part.begin_min)

    def _waiting(self, name: str) -> list[Cause]:
        """What the teardown of a job waits for, if it does: to begin earlier would not help then."""
        job, part = self.jobs[name], self.parts[name]
        if part.teardown_min == part.end_min and not self._may_wait_longer(job, part):
            return []
        found = self._short(job, part, [part.teardown_min])
        return [replace(found, what="teardown" if found.by else "weekend")] if found else []

    def _may_wait_longer(self, job: Job, part: Interval) -> bool:
        return part.teardown_min - part.end_min + self.unit_min <= job.wait_min

    def _locked(self, job: Job, part: Interval) -> Cause | None:
        return Cause(job.name, "locked", part.bench, part.begin_min) if job.locked else None

    def _before(self, job: Job, part: Interval) -> Cause | None:
        """A job that has to follow so soon that this one must not be over earlier."""
        for other in self.jobs.values():
            for link in other.after:
                begin = self.parts[other.name].begin_min
                if link.job == job.name and link.max_lag_min == begin - part.free_min:
                    return Cause(job.name, "before", other.name, begin, other.name)
        return None

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
        bench = self.benches.get(part.bench)
        if bench is None:
            return None
        table = self.problem.changeovers.get(bench.changeovers, {})
        earlier = [other for other in self.parts.values() if other.bench == part.bench and other.job != job.name]
        ends = [
            (other.free_min, table.get((self.jobs[other.job].family, job.family), 0), other.job) for other in earlier
        ]
        for since, gap, by in (*ends, (0, table.get((bench.family, job.family), 0), "")):
            if (by or gap) and part.begin_min - self.unit_min < since + gap <= part.begin_min:
                return Cause(job.name, "changeover" if gap else "bench", part.bench, since + gap, by)
        for _, end in bench.closed:
            if part.begin_min - self.unit_min < end <= part.begin_min:
                return Cause(job.name, "closed", part.bench, end)
        return None

    def _resource(self, job: Job, part: Interval) -> Cause | None:
        """A resource of which there would be too little one unit of time earlier."""
        starts = {part.begin_min, part.start_min}
        return self._short(job, part, starts if self._may_wait_longer(job, part) else starts | {part.teardown_min})

    def _short(self, job: Job, part: Interval, starts: Collection[int]) -> Cause | None:
        """A resource that the job takes from one of these times on and of which there is too little just before."""
        for demand in job.modes[part.mode].demands:
            for start, _ in pieces_of(part, demand):
                at = start - self.unit_min
                if start not in starts:
                    continue
                others = [
                    take for take in self._takes[demand.resource] if take[0] <= at < take[1] and take[3] != job.name
                ]
                left = self.resources[demand.resource].left(at) - sum(amount for _, _, amount, _ in others)
                if left < demand.amount and others:
                    first = min((name for *_, name in others), key=lambda name: self.parts[name].free_min)
                    return Cause(job.name, "resource", demand.resource, start, first)
                if left < demand.amount:
                    return Cause(job.name, "calendar", demand.resource, start)
        return None
