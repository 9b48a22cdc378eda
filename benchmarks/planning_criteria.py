"""What a CP-SAT model of the planner's problem is judged by, and what its variables are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from planning_model import Small, SmallJob

__all__ = ["Criteria", "Event", "Placed", "later"]


class Event(NamedTuple):
    """Something that happens so long after a variable, and so long after the job has begun: at least, at most."""

    var: Any
    plus: int
    least: int
    most: int

    @property
    def time(self) -> Any:
        """When it happens."""
        return self.var + self.plus


class Placed(NamedTuple):
    """Variables of a job: when what happens, which option it is in."""

    at: dict[str, Event]
    chosen: list[Any]


class Criteria:
    """The objective of a model, as expressions that are at least what they say; minimising makes them exact."""

    def __init__(self, model: Any, small: Small, jobs: Sequence[Placed]) -> None:
        self.model, self.small, self._jobs = model, small, jobs

    def objective(self) -> Any:
        """The weighted sum."""
        return sum(weight * self._criterion(name) for name, weight in self.small.objective.items())

    def _criterion(self, name: str) -> Any:
        jobs = list(zip(self.small.jobs, self._jobs, strict=True))
        if name == "cost":
            return sum(
                o.cost * literal for job, own in jobs for o, literal in zip(job.options, own.chosen, strict=True)
            )
        if name == "people":
            return sum(self._people(members) for members in self.small.projects.values())
        if name == "makespan":
            return self.small.grain * self._above([own.at["free"].time for _, own in jobs])
        if name == "span":
            return self.small.grain * sum(self._span(members) for members in self.small.projects.values())
        return self.small.grain * sum(self._of_job(name, job, own) for job, own in jobs)

    def _of_job(self, name: str, job: SmallJob, own: Placed) -> Any:
        begin = own.at["begin"].var
        if name == "start":
            return begin
        if name == "tardiness" and job.due is not None:
            return job.priority * self._above([own.at["free"].time - job.due])
        if name == "preferred" and job.preferred is not None:
            return job.priority * self._above([begin - job.preferred, job.preferred - begin])
        return 0

    def _above(self, values: Iterable[Any], least: int = 0) -> Any:
        """Something that is at least as much as each; being minimised it is the most of them."""
        most = self.model.new_int_var(least, self.small.horizon, "")
        for one in values:
            self.model.add(most >= one)
        return most

    def _span(self, members: Sequence[int]) -> Any:
        last = self._above(self._jobs[j].at["free"].time for j in members)
        return last + self._above((-self._jobs[j].at["begin"].var for j in members), -self.small.horizon)

    def _people(self, members: Sequence[int]) -> Any:
        persons = {r.name for r in self.small.problem.resources if r.person}
        needed = {name: self.model.new_bool_var("") for name in sorted(persons)}
        for j in members:
            for option, literal in zip(self.small.jobs[j].options, self._jobs[j].chosen, strict=True):
                for name in {demand.resource for demand in option.demands} & persons:
                    self.model.add(needed[name] >= literal)
        return sum(needed.values())


def later(event: Event, by: int) -> Event:
    """Something that happens so long after something else."""
    return Event(event.var, event.plus + by, event.least + by, event.most + by)
