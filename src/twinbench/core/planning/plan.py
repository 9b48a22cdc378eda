"""A bench plan: where and when every job is done, how good that is, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Interval", "Plan", "Tier"]


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
        trace: Seconds after the beginning and the objective's first tier, whenever a better plan was found.
    """

    tiers: tuple[Tier, ...]
    intervals: tuple[Interval, ...]
    makespan_min: int
    wall_s: float
    solver: str
    parameters: dict[str, Any]
    trace: tuple[tuple[float, int], ...] = field(default=(), compare=False)

    @property
    def status(self) -> str:
        """``optimal`` if nothing is better in any tier, else ``feasible``."""
        return "optimal" if all(tier.proven for tier in self.tiers) else "feasible"

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
            "objectives": [
                {"criteria": tier.criteria, "value": tier.value, "bound": tier.bound, "gap": round(tier.gap, 6)}
                for tier in self.tiers
            ],
        }
