"""What a bench plan is made of (vocabulary as in OR-Tools CP-SAT and PyJobShop).

    job       what must be done: one run of a design
    mode      one way to do a job: a bench, and how long the job takes there
    resource  a bench; it does one job at a time, is set up once before its first job and cleared once after its last
    interval  the half-open time ``[start, end)`` in which a job holds its bench

All times are whole minutes after the origin of the plan; the caller keeps the origin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinbench.core.errors import PlanError

__all__ = ["Interval", "Job", "Mode", "Plan", "Resource", "jobs_from_document", "resources_from_document"]


@dataclass(frozen=True)
class Mode:
    """One way to do a job: the bench it would hold, and for how long."""

    bench: str
    duration_min: int


@dataclass(frozen=True)
class Job:
    """What must be done once, by one of its modes, not before its release."""

    name: str
    modes: tuple[Mode, ...]
    release_min: int = 0


@dataclass(frozen=True)
class Resource:
    """A bench and what it costs to use it at all; a bench that is not described costs nothing."""

    name: str
    setup_min: int = 0
    teardown_min: int = 0


@dataclass(frozen=True)
class Interval:
    """When a job holds which bench: ``[start_min, end_min)``."""

    job: str
    bench: str
    start_min: int
    end_min: int


@dataclass(frozen=True)
class Plan:
    """Where and when every job is done.

    Attributes:
        status: ``optimal`` if no plan has a smaller makespan, else ``feasible``.
        bound: No plan can have a smaller makespan than this.
        solver: Name and version.
        intervals: One per job, by start, then bench.
    """

    status: str
    makespan_min: int
    bound: int
    wall_s: float
    solver: str
    seed: int
    intervals: tuple[Interval, ...]
    resources: Mapping[str, Resource]

    @property
    def objective(self) -> int:
        """What was minimised first: the makespan, in minutes."""
        return self.makespan_min

    @property
    def gap(self) -> float:
        """How far the makespan may be from the best one, as a share of it."""
        return (self.makespan_min - self.bound) / self.makespan_min if self.makespan_min else 0.0

    def as_document(self) -> dict[str, Any]:
        """As JSON: the figures, then every interval."""
        return {
            **self.figures(),
            "intervals": [
                {"job": part.job, "bench": part.bench, "start_min": part.start_min, "end_min": part.end_min}
                for part in self.intervals
            ],
        }

    def figures(self) -> dict[str, Any]:
        """How good the plan is and how it was found."""
        return {
            "status": self.status,
            "objective": self.objective,
            "bound": self.bound,
            "gap": round(self.gap, 6),
            "makespan_min": self.makespan_min,
            "wall_s": round(self.wall_s, 3),
            "solver": self.solver,
            "seed": self.seed,
        }


def jobs_from_document(document: Mapping[str, Any]) -> tuple[Job, ...]:
    """Read the jobs of a lab: ``{jobs: [{name, modes: [{bench, duration_min}], release_min?}]}``.

    Raises:
        PlanError: If a field is missing or is not what it should be, naming the job.
    """
    jobs = []
    for number, entry in enumerate(_list(document, "jobs", "The lab"), 1):
        name = _name(entry, f"Job {number}")
        modes = [
            Mode(_name(mode, f"A mode of job {name}", "bench"), _minutes(mode, "duration_min", f"Job {name}"))
            for mode in _list(entry, "modes", f"Job {name}")
        ]
        jobs.append(Job(name, tuple(modes), _minutes(entry, "release_min", f"Job {name}", default=0)))
    return tuple(jobs)


def resources_from_document(document: Mapping[str, Any]) -> tuple[Resource, ...]:
    """Read the benches of a lab: ``{benches?: [{name, setup_min?, teardown_min?}]}``; none if it has no such list.

    Raises:
        PlanError: If a field is not what it should be, naming the bench.
    """
    resources = []
    for number, entry in enumerate(_list(document, "benches", "The lab") if "benches" in document else [], 1):
        name = _name(entry, f"Bench {number}")
        setup, teardown = (_minutes(entry, key, f"Bench {name}", default=0) for key in ("setup_min", "teardown_min"))
        resources.append(Resource(name, setup, teardown))
    return tuple(resources)


def _list(document: Any, key: str, owner: str) -> list[Any]:
    value = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(value, list):
        raise PlanError(f"{owner} has {key} {value!r}: give a list.")
    return value


def _name(document: Any, owner: str, key: str = "name") -> str:
    value = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(value, str) or not value:
        raise PlanError(f"{owner} has {key} {value!r}: give a name.")
    return value


def _minutes(document: Mapping[str, Any], key: str, owner: str, *, default: int | None = None) -> int:
    value = document.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise PlanError(f"{owner} has {key} {value!r}: give whole minutes.")
    return value
