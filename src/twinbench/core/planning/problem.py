"""What a lab's timetable must place: tests on benches, with what they need meanwhile (vocabulary as in PyJobShop).

    job         a test that must be done once, by one of its modes
    mode        one way to do a job: a bench, how long set-up, test and teardown take there, what they demand
    resource    something shared with a capacity that may change with time: chambers, channels, power, operators
    bench       does one job at a time, except while it is closed; going from one family of jobs to another takes time
    precedence  a job begins some minutes after another one has left its bench
    objective   what a plan is judged by, the most important first

A job holds its bench from the beginning of its set-up to the end of its teardown. Set-up and test follow each other at
once; the test runs unattended, and its teardown may wait some time for whoever does it.

All times are whole minutes after the origin of the plan; the caller keeps the origin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "CRITERIA",
    "FAR_MIN",
    "PHASES",
    "Bench",
    "Demand",
    "Job",
    "Mode",
    "Precedence",
    "Problem",
    "Resource",
]

FAR_MIN = 10 * 366 * 24 * 60  # nothing is planned beyond
PHASES = ("setup", "test", "teardown")
CRITERIA = ("makespan", "tardiness", "preferred", "moved", "cost", "changeovers", "start", "span", "people")


@dataclass(frozen=True)
class Demand:
    """What a job takes of a resource, in which phases; waiting for the teardown counts if test and teardown do."""

    resource: str
    amount: int = 1
    during: tuple[str, ...] = PHASES


@dataclass(frozen=True)
class Mode:
    """One way to do a job.

    Attributes:
        cost: What choosing it costs, in units of the criterion ``cost``.
        reason: Why this way is open to the job, for whoever reads the plan.
    """

    bench: str
    duration_min: int
    setup_min: int = 0
    teardown_min: int = 0
    demands: tuple[Demand, ...] = ()
    cost: int = 0
    reason: str = ""

    @property
    def length_min(self) -> int:
        """From the beginning of the set-up to the end of a teardown that does not wait."""
        return self.setup_min + self.duration_min + self.teardown_min


@dataclass(frozen=True)
class Precedence:
    """A job begins at least and at most so long after ``job`` has left its bench."""

    job: str
    min_lag_min: int = 0
    max_lag_min: int | None = None


@dataclass(frozen=True)
class Job:
    """A test that must be done once.

    Attributes:
        release_min: It does not begin (its set-up) before.
        due_min: When it should have left its bench; later is tardy.
        deadline_min: When it must have left its bench.
        preferred_min: When it should begin.
        planned_min: When an earlier plan has it begin: distance from there counts as ``moved``.
        priority: Weight of tardiness, of the distance from the preferred date and of being moved.
        unit: The unit under test; it is in one place at a time.
        project: What it belongs to; ``span`` is from the first beginning in a project to its last end.
        family: What its bench must be changed over to, such as a chamber temperature.
        wait_min: How long its teardown may wait; a test without one leaves its bench at once.
        after: What it comes after.
        locked: The bench and the minute it begins at, if that is settled: the test runs or is promised.
        locked_teardown_min: When its teardown begins then; as soon as it can be if that is None.
    """

    name: str
    modes: tuple[Mode, ...]
    release_min: int = 0
    due_min: int | None = None
    deadline_min: int | None = None
    preferred_min: int | None = None
    planned_min: int | None = None
    priority: int = 1
    unit: str = ""
    project: str = ""
    family: str = ""
    wait_min: int = 0
    after: tuple[Precedence, ...] = ()
    locked: tuple[str, int] | None = None
    locked_teardown_min: int | None = None


@dataclass(frozen=True)
class Resource:
    """Something shared.

    Attributes:
        capacity: How much of it there is when it is open.
        open: Half-open windows of time in which there is that much, in order; None if always.
        closed: Windows in which there is less: ``(start, end, how much is missing)``.
        person: Whether it is somebody: ``people`` is how many different ones each project needs.
    """

    name: str
    capacity: int = 1
    person: bool = False
    open: tuple[tuple[int, int], ...] | None = None
    closed: tuple[tuple[int, int, int], ...] = ()

    def left(self, minute: int) -> int:
        """How much of it there is at a time."""
        is_open = self.open is None or any(start <= minute < end for start, end in self.open)
        missing = sum(much for start, end, much in self.closed if start <= minute < end)
        return max(0, self.capacity - missing) if is_open else 0


@dataclass(frozen=True)
class Bench:
    """Where tests are done, one at a time.

    Attributes:
        closed: Half-open windows in which it can hold no test: calibration, maintenance, failure.
        family: What it is set to at the origin; the empty family needs no changeover.
        changeovers: Name of the table of changeover times that it obeys; without one it needs none, and none count.
    """

    name: str
    kind: str = "physical"
    closed: tuple[tuple[int, int], ...] = ()
    family: str = ""
    changeovers: str = ""


@dataclass(frozen=True)
class Problem:
    """What is to be planned.

    Attributes:
        changeovers: Tables of minutes between jobs that follow each other on a bench: ``{table: {(from, to): min}}``.
            What is not in a table takes no time; the same family again never counts as a changeover.
        objective: Tiers, the most important first: each a weighted sum of criteria, ``{criterion: weight}``:
            ``makespan`` when the last bench is free; ``tardiness`` after due dates and ``preferred`` and ``moved``
            distances of beginnings from preferred and planned ones, all times the priority; ``cost`` of modes;
            ``changeovers``, how many; ``start``, the sum of beginnings; ``span`` and ``people`` of projects.
    """

    jobs: tuple[Job, ...]
    benches: tuple[Bench, ...]
    resources: tuple[Resource, ...] = ()
    changeovers: Mapping[str, Mapping[tuple[str, str], int]] = field(default_factory=dict)
    objective: tuple[Mapping[str, int], ...] = ({"makespan": 1},)
