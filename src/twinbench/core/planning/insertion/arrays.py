"""A planning problem as arrays: what the compiled search works on.

Names become numbers in the order of the problem; a bench ``""`` is -1. What a unit under test needs is one more
resource of capacity one, held by its jobs all the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from twinbench.core.planning.calendars import joined
from twinbench.core.planning.changeovers import is_metric
from twinbench.core.planning.openings import levels
from twinbench.core.planning.problem import CRITERIA, FAR_MIN, PHASES, Bench, Demand, Job, Problem, Resource

__all__ = ["SETUP", "TEARDOWN", "TEST", "Fixed", "State", "empty_state", "fixed"]

SETUP, TEST, TEARDOWN = 1, 2, 4
_BITS = dict(zip(PHASES, (SETUP, TEST, TEARDOWN), strict=True))
_UNIT = "unit under test "

Array = Any  # of numpy, with fields
_Link = tuple[int, int, int]


_JOB = (
    *("release", "deadline", "due", "preferred", "planned", "priority", "wait", "family", "project"),
    *("benches", "lock_mode", "lock_begin", "lock_teardown", "mode_first", "before_first", "after_first"),
)
_PLACE = ("mode", "begin", "teardown", "free", "placed", "floor")
_MODE = ("bench", "setup", "test", "teardown", "cost", "demand_first")


class Fixed(NamedTuple):
    """What does not change while a plan is looked for.

    ``jobs`` and ``modes`` have one more record than there are jobs and modes: ``..._first`` says where the entries of
    a record begin in another array, and those of the next record where they end. ``groups`` has the first places of
    all projects (and the end of the last), then their jobs. ``tier`` (-1: none) and ``weight`` are of the criteria;
    ``scalar`` weighs them where one number must do for all tiers. ``benches.detours`` says whether a job that is taken
    out may leave too little time to change over from the one before it to the one after it.
    """

    jobs: Array
    modes: Array
    demands: Array
    links: Array
    benches: Array
    persons: Array
    groups: Array
    tables: Array
    tier: Array
    weight: Array
    scalar: Array


class State(NamedTuple):
    """A plan, whole or in part.

    ``places`` says where each job is, and before when it may not end (``floor``, for repairs); ``lines`` what each
    bench does, in order of time (job -1 is a closure); ``steps`` how much is ``left`` of a resource from a ``time``.
    ``benches`` and ``resources`` say where theirs begin and how many there are. ``total`` has the criteria's values of
    the jobs that are placed.
    """

    places: Array
    lines: Array
    benches: Array
    steps: Array
    resources: Array
    people: Array
    span: Array
    total: Array


def fixed(problem: Problem) -> Fixed:
    """Number everything."""
    jobs = problem.jobs
    resources = _all_resources(problem)
    bench_number = _numbered(bench.name for bench in problem.benches) | {"": -1}
    resource_number = _numbered(resource.name for resource in resources)
    families = _numbered(_families(problem))
    tables = _numbered(problem.changeovers)
    projects = _numbered(job.project for job in jobs if job.project)
    modes = [mode for job in jobs for mode in job.modes]
    demands = [_demands(job, mode.demands) for job in jobs for mode in job.modes]
    before, after = _links(jobs)
    numbers: dict[str, Any] = {
        "release": [job.release_min for job in jobs],
        "deadline": [_or_far(job.deadline_min) for job in jobs],
        "due": [_or_far(job.due_min) for job in jobs],
        "preferred": [-1 if job.preferred_min is None else job.preferred_min for job in jobs],
        "planned": [-1 if job.planned_min is None else job.planned_min for job in jobs],
        "priority": [job.priority for job in jobs],
        "wait": [job.wait_min for job in jobs],
        "family": [families[job.family] for job in jobs],
        "project": [projects.get(job.project, -1) for job in jobs],
        "lock_teardown": [-FAR_MIN if job.locked_teardown_min is None else job.locked_teardown_min for job in jobs],
        "benches": [_mask(bench_number[mode.bench] for mode in job.modes) for job in jobs],
        "mode_first": _first(len(job.modes) for job in jobs),
        "before_first": _first(map(len, before)),
        "after_first": _first(map(len, after)) + sum(map(len, before)),
    }
    locks = [_lock(job, int(first)) for job, first in zip(jobs, numbers["mode_first"], strict=False)]
    numbers |= {"lock_mode": [mode for mode, _ in locks], "lock_begin": [begin for _, begin in locks]}
    ways = {
        "bench": [bench_number[mode.bench] for mode in modes],
        "setup": [mode.setup_min for mode in modes],
        "test": [mode.duration_min for mode in modes],
        "teardown": [mode.teardown_min for mode in modes],
        "cost": [mode.cost for mode in modes],
        "demand_first": _first(map(len, demands)),
    }
    members = [[number for number, job in enumerate(jobs) if job.project == name] for name in projects]
    tier, weight, scalar = _weights(problem.objective)
    return Fixed(
        jobs=_records(_JOB, len(jobs) + 1, numbers),
        modes=_records(_MODE, len(modes) + 1, ways),
        demands=_rows(
            ("resource", "amount", "phases"),
            [
                (resource_number[demand.resource], demand.amount, sum(_BITS[phase] for phase in set(demand.during)))
                for entries in demands
                for demand in entries
            ],
        ),
        links=_rows(("job", "least", "most"), [link for entries in (*before, *after) for link in entries]),
        benches=_rows(
            ("table", "family", "detours"),
            [
                (tables.get(bench.changeovers, -1), families[bench.family], _has_detours(problem, bench, families))
                for bench in problem.benches
            ],
        ),
        persons=np.array([resource.person for resource in resources], np.bool_),
        groups=np.concatenate(
            [
                _first(map(len, members)) + len(members) + 1,
                np.array([number for entries in members for number in entries], np.int64),
            ]
        ),
        tables=_tables(problem.changeovers, families),
        tier=tier,
        weight=weight,
        scalar=scalar,
    )


def empty_state(problem: Problem, arrays: Fixed) -> State:
    """No job placed; benches are held by closures alone, resources are as open as they are."""
    resources = _all_resources(problem)
    closures = [_without_locked(joined(bench.closed), bench.name, problem.jobs) for bench in problem.benches]
    capacities = [levels(resource) for resource in resources]
    on_bench, on_resource = Counter[str](), Counter[str]()
    for job in problem.jobs:
        on_bench.update({mode.bench for mode in job.modes})
        on_resource.update({demand.resource for mode in job.modes for demand in _demands(job, mode.demands)})
    lines = [len(entries) + on_bench[bench.name] + 1 for entries, bench in zip(closures, problem.benches, strict=True)]
    steps = [len(entries) + 6 * on_resource[one.name] + 4 for entries, one in zip(capacities, resources, strict=True)]
    projects = int(arrays.groups[0]) - 1
    state = State(
        places=_records(_PLACE, len(problem.jobs), {"floor": [-FAR_MIN] * len(problem.jobs)}),
        lines=_records(("job", "start", "end"), sum(lines), {}),
        benches=_records(("first", "count"), len(lines), {"first": _first(lines), "count": [*map(len, closures)]}),
        steps=_records(("time", "left"), sum(steps), {}),
        resources=_records(("first", "count"), len(steps), {"first": _first(steps), "count": [*map(len, capacities)]}),
        people=np.zeros((projects, len(resources) if arrays.persons.any() else 0), np.int64),
        span=np.zeros(projects, np.int64),
        total=np.zeros(len(CRITERIA), np.int64),
    )
    for first, entries in zip(state.benches.first, closures, strict=True):
        for place, (start, end) in enumerate(entries, first):
            state.lines[place] = (-1, start, end)
    for first, steps_of_one in zip(state.resources.first, capacities, strict=True):
        for place, level in enumerate(steps_of_one, first):
            state.steps[place] = level
    return state


def _all_resources(problem: Problem) -> list[Resource]:
    units = {job.unit for job in problem.jobs if job.unit}
    return [*problem.resources, *(Resource(_UNIT + unit) for unit in sorted(units))]


def _demands(job: Job, own: Sequence[Demand]) -> list[Demand]:
    return [*own, *([Demand(_UNIT + job.unit)] if job.unit else [])]


def _without_locked(windows: Iterable[tuple[int, int]], bench: str, jobs: Iterable[Job]) -> list[tuple[int, int]]:
    """What is left of closures beside the jobs that are locked there: entries of a bench must not overlap."""
    windows = list(windows)
    for job in jobs:
        if job.locked is None or job.locked[0] != bench:
            continue
        begin, mode = job.locked[1], next(mode for mode in job.modes if mode.bench == bench)
        end = begin + mode.length_min
        if job.locked_teardown_min is not None:
            end = max(end, job.locked_teardown_min + mode.teardown_min)
        parts = ((a, b) for start, stop in windows for a, b in ((start, min(stop, begin)), (max(start, end), stop)))
        windows = [(a, b) for a, b in parts if a < b]
    return windows


def _weights(objective: Sequence[Mapping[str, int]]) -> tuple[Array, Array, Array]:
    """Tier (-1: none) and weight of each criterion, and its weight where one number must do for all tiers."""
    tier, weight = np.full(len(CRITERIA), -1, np.int64), np.zeros(len(CRITERIA), np.int64)
    scalar = np.zeros(len(CRITERIA))
    for number, criteria in enumerate(objective):
        for name, value in criteria.items():
            place = CRITERIA.index(name)
            tier[place], weight[place] = number, value
            scalar[place] = value * 1e6 ** (len(objective) - 1 - number)
    return tier, weight, scalar


def _has_detours(problem: Problem, bench: Bench, families: Iterable[str]) -> bool:
    """Whether some jobs leave time for each other only because of what is done between them."""
    return not is_metric(problem.changeovers.get(bench.changeovers, {}), families)


def _tables(changeovers: Mapping[str, Mapping[tuple[str, str], int]], families: Mapping[str, int]) -> Array:
    tables = np.zeros((max(1, len(changeovers)), len(families), len(families)), np.int64)
    for number, table in enumerate(changeovers.values()):
        for (old, new), minutes in table.items():
            tables[number, families[old], families[new]] = minutes
    return tables


def _mask(benches: Iterable[int]) -> int:
    """Benches as bits; those that share one may be taken for each other where it does no harm."""
    mask = 0
    for bench in benches:
        mask |= 1 << (bench % 62)
    return mask


def _families(problem: Problem) -> list[str]:
    tables = [family for table in problem.changeovers.values() for pair in table for family in pair]
    return ["", *(job.family for job in problem.jobs), *(bench.family for bench in problem.benches), *tables]


def _links(jobs: Sequence[Job]) -> tuple[list[list[_Link]], list[list[_Link]]]:
    """What each job comes after, and what comes after it: job, least and most lag."""
    number_of = _numbered(job.name for job in jobs)
    before = [[(number_of[p.job], p.min_lag_min, _or_far(p.max_lag_min)) for p in job.after] for job in jobs]
    after: list[list[_Link]] = [[] for _ in jobs]
    for number, entries in enumerate(before):
        for earlier, least, most in entries:
            after[earlier].append((number, least, most))
    return before, after


def _lock(job: Job, first_mode: int) -> tuple[int, int]:
    if job.locked is None:
        return -1, 0
    bench, begin_min = job.locked
    return first_mode + next(number for number, mode in enumerate(job.modes) if mode.bench == bench), begin_min


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _or_far(value: int | None) -> int:
    return FAR_MIN if value is None else value


def _first(lengths: Iterable[int]) -> Array:
    return np.cumsum([0, *lengths]).astype(np.int64)


def _records(names: Sequence[str], length: int, columns: Mapping[str, Any]) -> Array:
    """Records of whole numbers, 0 where a column is not given or too short."""
    records = np.zeros(length, [(name, np.int64) for name in names]).view(np.recarray)
    for name, values in columns.items():
        few = np.asarray(values, np.int64)[:length]
        records[name][: len(few)] = few
    return records


def _rows(names: Sequence[str], rows: Sequence[tuple[int, ...]]) -> Array:
    return np.array(rows, [(name, np.int64) for name in names]).view(np.recarray)
