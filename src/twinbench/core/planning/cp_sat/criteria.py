"""The criteria of a plan's objective as expressions of a CP-SAT model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Protocol

from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import FAR_MIN, Job, Problem

__all__ = ["Criteria"]


class _Model(Protocol):
    """What the criteria need to know of a model; of jobs that are not ``placed`` the plan is ``known``."""

    problem: Problem
    model: Any
    horizon: int
    known: dict[str, Interval]
    fixed: list[Job]
    placed: Any
    changes: list[Any]

    def loads(self) -> list[tuple[int, list[tuple[int, Any]]]]:
        """How much is taken of what."""


class Criteria:
    """The criteria of the objective as expressions of a model; of fixed jobs there is a constant."""

    def __init__(self, owner: _Model) -> None:
        self.owner, self.model = owner, owner.model

    def expressions(self) -> dict[str, Any]:
        """``{criterion: expression}`` for those that the objective uses."""
        used = dict.fromkeys(name for tier in self.owner.problem.objective for name in tier)  # in the same order always
        return {name: getattr(self, name)() for name in used}

    def makespan(self) -> Any:
        """When the last job leaves its bench."""
        latest = max((self.owner.known[job.name].free_min for job in self.owner.fixed), default=0)
        latest = max(0, latest)
        makespan = self.model.new_int_var(latest, max(latest, self.owner.horizon), "makespan")
        for placed in self.owner.placed.values():
            self.model.add(makespan >= placed.free)
        for capacity, takes in self.owner.loads():
            self.model.add(sum(length * literal for length, literal in takes) <= capacity * makespan)
        return makespan

    def tardiness(self) -> Any:
        """Time after due dates, by priority."""
        terms: list[Any] = []
        for job in self.owner.problem.jobs:
            if job.due_min is None:
                continue
            if job.name not in self.owner.placed:
                terms.append(job.priority * max(0, self.owner.known[job.name].free_min - job.due_min))
                continue
            late = self.model.new_int_var(0, max(0, self.owner.horizon - job.due_min), f"{job.name} is late")
            self.model.add(late >= self.owner.placed[job.name].free - job.due_min)
            terms.append(job.priority * late)
        return sum(terms)

    def preferred(self) -> Any:
        """Distance of beginnings from preferred ones, by priority."""
        return self._away({job.name: job.preferred_min for job in self.owner.problem.jobs})

    def moved(self) -> Any:
        """Distance of beginnings from planned ones, by priority."""
        return self._away({job.name: job.planned_min for job in self.owner.problem.jobs})

    def _away(self, wished: Mapping[str, int | None]) -> Any:
        terms: list[Any] = []
        for job in self.owner.problem.jobs:
            wish = wished[job.name]
            if wish is None:
                continue
            if job.name not in self.owner.placed:
                terms.append(job.priority * abs(self.owner.known[job.name].begin_min - wish))
                continue
            away = self.model.new_int_var(0, max(wish, self.owner.horizon), f"{job.name} is away")
            begin = self.owner.placed[job.name].begin
            self.model.add(away >= begin - wish)
            self.model.add(away >= wish - begin)
            terms.append(job.priority * away)
        return sum(terms)

    def start(self) -> Any:
        """Sum of all beginnings."""
        fixed = sum(self.owner.known[job.name].begin_min for job in self.owner.fixed)
        return fixed + sum(placed.begin for placed in self.owner.placed.values())

    def cost(self) -> Any:
        """Of the modes that are chosen."""
        terms: list[Any] = []
        for job in self.owner.problem.jobs:
            if job.name in self.owner.placed:
                chosen = self.owner.placed[job.name].chosen
                terms += [job.modes[number].cost * literal for number, literal in chosen.items()]
            else:
                terms.append(job.modes[self.owner.known[job.name].mode].cost)
        return sum(terms)

    def changeovers(self) -> Any:
        """How many there are."""
        return sum(self.owner.changes)

    def span(self) -> Any:
        """From the first beginning in a project to its last end, of all projects."""
        terms: list[Any] = []
        for members in _projects(self.owner.problem):
            first = self.model.new_int_var(-FAR_MIN, self.owner.horizon, "")
            last = self.model.new_int_var(-FAR_MIN, self.owner.horizon, "")
            for job in members:
                if job.name in self.owner.placed:
                    self.model.add(first <= self.owner.placed[job.name].begin)
                    self.model.add(last >= self.owner.placed[job.name].free)
                else:
                    self.model.add(first <= self.owner.known[job.name].begin_min)
                    self.model.add(last >= self.owner.known[job.name].free_min)
            terms.append(last - first)
        return sum(terms)

    def people(self) -> Any:
        """How many different persons each project needs, of all projects."""
        persons = {resource.name for resource in self.owner.problem.resources if resource.person}
        terms: list[Any] = []
        for members in _projects(self.owner.problem):
            there: dict[str, Any] = {}
            for job in members:
                for number, mode in enumerate(job.modes):
                    for name in sorted(persons & {demand.resource for demand in mode.demands}):
                        needed = there.setdefault(name, self.model.new_bool_var(name))
                        self._need(job, number, needed)
            terms += there.values()
        return sum(terms)

    def _need(self, job: Job, number: int, needed: Any) -> None:
        """A mode of a job, if it is chosen, needs somebody."""
        if job.name not in self.owner.placed:
            if number == self.owner.known[job.name].mode:
                self.model.add(needed == 1)
        elif number in self.owner.placed[job.name].chosen:
            self.model.add_implication(self.owner.placed[job.name].chosen[number], needed)


def _projects(problem: Problem) -> list[list[Job]]:
    members: dict[str, list[Job]] = defaultdict(list)
    for job in problem.jobs:
        if job.project:
            members[job.project].append(job)
    return list(members.values())
