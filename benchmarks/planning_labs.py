"""Generated labs: how a battery test lab of 20 to 1,000 tests looks to the planner, the same for the same seed.

    benches     8 at 20 tests to 20 at 1,000, in groups of identical ones; a third of them is closed for calibration
                for half a day or a day; those of the group ``climate`` are their own chambers and must be changed over
                from one temperature to another
    resources   walk-in chambers, cycler channels, one power budget; operators, Monday to Friday 08:00 to 18:00, for
                set-up and teardown only: a test runs unattended, and its teardown waits up to 96 hours for them
    tests       hours to several days on one group of benches, some on a second one where they take longer; a quarter
                hangs in chains with rests between (some at most so long) whose tests share a unit under test
    wishes      preferred dates spread so that the lab has as much to do as it can; some releases, due dates, priorities

The origin is a Monday 00:00, all times are multiples of 30 minutes. Every lab has a plan: there are no deadlines, the
longest allowed rest exceeds a weekend, and the operators' calendar is twice as long as the work and a month.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from twinbench.core.planning.problem import Bench, Demand, Job, Mode, Precedence, Problem, Resource

__all__ = ["OBJECTIVE", "generated_lab"]

SLOT = 30
HOUR, DAY, WEEK = 60, 24 * 60, 7 * 24 * 60
OPENS, CLOSES = 8 * HOUR, 18 * HOUR
WAIT = 96 * HOUR
LOAD = 1.05
IDLE_WAIT = 14 * HOUR  # what a test waits on average for operators, at its set-up and at its teardown
OBJECTIVE = {"preferred": 1, "tardiness": 2, "makespan": 10}

GROUPS = {"cell": 0.4, "module": 0.25, "pack": 0.15, "climate": 0.2}
"""Share of the benches."""
SECOND = {"cell": "module", "module": "pack", "pack": "", "climate": ""}
"""Where a test may go instead; it takes a fifth longer there."""
CHANNELS = {"cell": (1, 5), "module": (4, 9), "pack": (8, 17), "climate": (1, 5)}
POWER_kW = {"cell": (1, 4), "module": (5, 21), "pack": (20, 81), "climate": (1, 6)}
CHAMBER = {"cell": 0.5, "module": 0.5, "pack": 0.4, "climate": 0.0}
"""Share of tests that need a walk-in chamber."""
TEMPERATURES = (-20, 0, 25, 45)


@dataclass
class _Lab:
    """What is known while a lab is being made."""

    rng: np.random.Generator
    tests: int
    groups: dict[str, list[str]]
    jobs: list[Job] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)


def generated_lab(tests: int, seed: int) -> Problem:
    """A lab with so many tests to do."""
    rng = np.random.default_rng([tests, seed])
    lab = _Lab(rng, tests, _groups(round(8 + 12 * math.log(max(tests, 20) / 20) / math.log(50))))
    for number in range(tests):
        kind = str(
            rng.choice(list(GROUPS), p=[len(lab.groups[g]) / sum(map(len, lab.groups.values())) for g in GROUPS])
        )
        lab.jobs.append(_test(lab, f"T{number + 1:04d}", kind))
        lab.kinds.append(kind)
    weeks_min = _horizon(lab)
    _wishes(lab, weeks_min)
    _chains(lab, weeks_min)
    benches = tuple(_bench(lab, kind, name, weeks_min) for kind, names in lab.groups.items() for name in names)
    table = {(f"{a} °C", f"{b} °C"): _slots(abs(a - b) * 3) for a in TEMPERATURES for b in TEMPERATURES if a != b}
    resources = _resources(lab, weeks_min)
    return Problem(tuple(lab.jobs), benches, resources, {"temperature": table}, (dict(OBJECTIVE),))


def _groups(benches: int) -> dict[str, list[str]]:
    sizes = {kind: max(1, round(share * benches)) for kind, share in GROUPS.items()}
    sizes["cell"] += benches - sum(sizes.values())
    return {kind: [f"{kind}-{n + 1}" for n in range(size)] for kind, size in sizes.items()}


def _slots(minutes: float) -> int:
    """At least one slot, whole ones."""
    return SLOT * max(1, math.ceil(minutes / SLOT))


# ---- tests ----


def _test(lab: _Lab, name: str, kind: str) -> Job:
    """Half a shift to five days, the median a day."""
    rng = lab.rng
    duration = _slots(np.clip(rng.lognormal(math.log(DAY), 0.9), 3 * HOUR, 5 * DAY))
    setup, teardown = SLOT * int(rng.integers(1, 5)), SLOT * int(rng.integers(1, 3))
    demands = [
        Demand("operator", 2 if kind == "pack" else 1, ("setup", "teardown")),
        Demand("channel", int(rng.integers(*CHANNELS[kind])), ("setup", "test", "teardown")),
        Demand("power", int(rng.integers(*POWER_kW[kind])), ("test",)),
    ]
    if rng.random() < CHAMBER[kind]:
        demands.append(Demand("chamber"))
    places = {kind: duration}
    if SECOND[kind] and rng.random() < 0.35:
        places[SECOND[kind]] = _slots(1.2 * duration)
    modes = tuple(
        Mode(bench, minutes, setup, teardown, tuple(demands))
        for place, minutes in places.items()
        for bench in lab.groups[place]
    )
    family = f"{rng.choice(TEMPERATURES)} °C" if kind == "climate" else ""
    priority = int(rng.choice([1, 2, 3, 5], p=[0.5, 0.25, 0.15, 0.1]))
    return Job(name, modes, priority=priority, family=family, wait_min=WAIT)


def _held(job: Job) -> int:
    """How long a bench is taken, waiting for operators included."""
    return job.modes[0].length_min + IDLE_WAIT


def _horizon(lab: _Lab) -> int:
    """How long the benches are busy with all of it, at the load that is wanted."""
    work = sum(_held(job) for job in lab.jobs)
    return _slots(work / sum(map(len, lab.groups.values())) / LOAD)


def _wishes(lab: _Lab, weeks_min: int) -> None:
    rng = lab.rng
    for n, job in enumerate(lab.jobs):
        wish = _in_office_hours(int(rng.integers(0, max(SLOT, weeks_min - job.modes[0].length_min))))
        release = max(0, wish - DAY * int(rng.integers(1, 10))) if rng.random() < 0.2 else 0
        due = wish + _held(job) + DAY * int(rng.integers(1, 8)) if rng.random() < 0.3 else None
        preferred = wish if rng.random() < 0.8 else None
        lab.jobs[n] = replace(job, release_min=release, preferred_min=preferred, due_min=due)


def _in_office_hours(minute: int) -> int:
    """The next start of a slot between 08:00 and 16:00 from Monday to Friday."""
    day, inside = divmod(_slots(minute + 1) - SLOT, DAY)
    day += (7 - day % 7) if day % 7 >= 5 else 0
    return day * DAY + min(max(inside, OPENS), CLOSES - 2 * HOUR)


def _chains(lab: _Lab, weeks_min: int) -> None:
    """Chains of two to four tests on one unit, a rest between each; then some pairs that only share a unit."""
    rng = lab.rng
    free = [int(n) for n in rng.permutation(lab.tests)]
    unit = 0
    while lab.tests >= 4 and len(free) > 0.75 * lab.tests:
        chain, unit = [free.pop() for _ in range(int(rng.integers(2, 5)))], unit + 1
        room = max(SLOT, weeks_min - sum(_held(lab.jobs[n]) for n in chain))
        if lab.jobs[chain[0]].preferred_min is not None:
            wish = _in_office_hours(int(rng.integers(0, room)))
            lab.jobs[chain[0]] = replace(lab.jobs[chain[0]], preferred_min=wish, release_min=0)
        for before, n in zip([None, *chain], chain, strict=False):
            lab.jobs[n] = replace(lab.jobs[n], unit=f"U{unit:03d}")
            if before is not None:
                _follow(lab, before, n)
    for _ in range(lab.tests // 20):
        unit += 1
        for n in (free.pop(), free.pop()):
            lab.jobs[n] = replace(lab.jobs[n], unit=f"U{unit:03d}")


def _follow(lab: _Lab, before: int, n: int) -> None:
    first, rng = lab.jobs[before], lab.rng
    rest = HOUR * int(rng.integers(0, 25))
    longest = rest + DAY * int(rng.integers(5, 11)) if rng.random() < 0.3 else None
    wish = None
    if first.preferred_min is not None:
        wish = _in_office_hours(first.preferred_min + _held(first) + rest)
    due = None if lab.jobs[n].due_min is None or wish is None else wish + _held(lab.jobs[n]) + 3 * DAY
    after = (Precedence(first.name, rest, longest),)
    lab.jobs[n] = replace(lab.jobs[n], release_min=0, preferred_min=wish, due_min=due, after=after)


# ---- benches and resources ----


def _bench(lab: _Lab, kind: str, name: str, weeks_min: int) -> Bench:
    """The first, fourth ... of a group are calibrated once in the time of the plan, the fewer have the first only."""
    closed: list[tuple[int, int]] = []
    if lab.groups[kind].index(name) % 3 == 0:
        start = _in_office_hours(int(lab.rng.integers(weeks_min // 5, 4 * weeks_min // 5 + SLOT)))
        closed.append((start, start + int(lab.rng.choice([12, 24])) * HOUR))
    if kind != "climate":
        return Bench(name, closed=tuple(closed))
    return Bench(name, closed=tuple(closed), family="25 °C", changeovers="temperature")


def _resources(lab: _Lab, weeks_min: int) -> tuple[Resource, ...]:
    """Enough for the wanted load of benches, but not for their every use; each holds the greediest test."""
    days = range(7 * (2 * math.ceil(weeks_min / WEEK) + 4))
    hours = tuple((day * DAY + OPENS, day * DAY + CLOSES) for day in days if day % 7 < 5)
    return (
        Resource("operator", int(np.clip(1 + lab.tests // 50, 2, 6)), open=hours),
        Resource("chamber", _capacity(lab, "chamber", weeks_min)),
        Resource("channel", _capacity(lab, "channel", weeks_min)),
        Resource("power", _capacity(lab, "power", weeks_min)),
    )


def _capacity(lab: _Lab, resource: str, weeks_min: int) -> int:
    """A quarter more than is taken on average if the benches are as busy as wanted."""
    taken = [(job, d.amount) for job in lab.jobs for d in job.modes[0].demands if d.resource == resource]
    mean = sum(amount * _held(job) for job, amount in taken) / weeks_min
    return max(math.ceil(1.25 * mean), *(amount for _, amount in taken), 1)
