"""A bench plan: where and when every job is done, how good that is, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twinbench.core.planning.problem import PHASES, Demand, Problem

__all__ = ["Interval", "Plan", "Tier", "locked_intervals", "pieces_of"]


@dataclass(frozen=True)
class Interval:
    """When a job holds which bench, in minutes after the origin.

    Attributes:
        mode: Number of the job's mode, from 0.
        begin_min: The set-up begins, the bench is held.
        start_min: The test begins.
        end_min: The test ends.
        teardown_min: The teardown begins; between the end and this the test waits on its bench.
        free_min: The bench is free again.
    """

    job: str
    mode: int
    bench: str
    begin_min: int
    start_min: int
    end_min: int
    teardown_min: int
    free_min: int


@dataclass(frozen=True)
class Tier:
    """One tier of the objective: its value in the plan, and what no plan can be below (given the tiers before it)."""

    criteria: str
    value: int
    bound: int

    @property
    def gap(self) -> float:
        """How far the value may be from the best, as a share of it."""
        return (self.value - self.bound) / self.value if self.value > self.bound else 0.0

    @property
    def proven(self) -> bool:
        """Whether there is nothing better."""
        return self.value <= self.bound


@dataclass(frozen=True)
class Plan:
    """Where and when every job is done.

    Attributes:
        tiers: The tiers of the objective, the most important first.
        intervals: One per job, by beginning, then bench.
        parameters: What the search was asked for: seed, workers, time limit.
        in_time: Whether the search was over before its time was; if not, the same seed may give another plan.
        trace: Seconds after the beginning and the objective's first tier, whenever a better plan was found.
    """

    tiers: tuple[Tier, ...]
    intervals: tuple[Interval, ...]
    makespan_min: int
    wall_s: float
    solver: str
    parameters: dict[str, Any]
    in_time: bool = True
    trace: tuple[tuple[float, int], ...] = field(default=(), compare=False)

    @property
    def status(self) -> str:
        """``optimal`` if nothing is better in any tier, else ``feasible``."""
        return "optimal" if all(tier.proven for tier in self.tiers) else "feasible"

    @property
    def ended(self) -> str:
        """What ended the search: that nothing is better was ``proven``, or its ``effort`` or ``time`` was over."""
        return "proven" if self.status == "optimal" else "effort" if self.in_time else "time"

    @property
    def objective(self) -> int:
        """The value of the most important tier."""
        return self.tiers[0].value if self.tiers else 0

    @property
    def bound(self) -> int:
        """What the most important tier cannot be below."""
        return self.tiers[0].bound if self.tiers else 0

    @property
    def gap(self) -> float:
        """How far the most important tier may be from the best, as a share of it."""
        return self.tiers[0].gap if self.tiers else 0.0

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
            **self.parameters,
            "ended": self.ended,
            "objectives": [
                {"criteria": tier.criteria, "value": tier.value, "bound": tier.bound, "gap": round(tier.gap, 6)}
                for tier in self.tiers
            ],
        }


def pieces_of(part: Interval, demand: Demand) -> list[tuple[int, int]]:
    """When an interval takes what a demand says."""
    setup, test, teardown = (phase in demand.during for phase in PHASES)
    if test and teardown:
        return [(part.begin_min if setup else part.start_min, part.free_min)]
    pieces = []
    if setup:
        pieces.append((part.begin_min, part.end_min if test else part.start_min))
    elif test:
        pieces.append((part.start_min, part.end_min))
    if teardown:
        pieces.append((part.teardown_min, part.free_min))
    return [(a, b) for a, b in pieces if b > a]


def locked_intervals(problem: Problem) -> list[Interval]:
    """Where the locked jobs are, if their teardowns do not wait."""
    parts = []
    for job in problem.jobs:
        if job.locked is None:
            continue
        bench, begin = job.locked
        number, mode = next((n, mode) for n, mode in enumerate(job.modes) if mode.bench == bench)
        end = begin + mode.setup_min + mode.duration_min
        teardown = end if job.locked_teardown_min is None else job.locked_teardown_min
        times = (begin, begin + mode.setup_min, end, teardown, teardown + mode.teardown_min)
        parts.append(Interval(job.name, number, bench, *times))
    return parts
