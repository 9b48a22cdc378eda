"""What peers of the planner have in common: the same problem in small whole numbers, and how a plan comes back from it.

Times are counted in the greatest common divisor of all times of the problem, jobs are numbered, benches are places:
one each, or, if ``pooled``, one place for benches no job can tell apart. The calendar has become the times at which
set-up and teardown may begin.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import Demand, Job, Mode, Problem

__all__ = ["Answer", "Option", "Small", "SmallJob", "pieces"]

Windows = list[tuple[int, int]]


class Answer(NamedTuple):
    """What a peer found: seconds and objective of ever better plans, the last one, what no plan can be below."""

    trace: tuple[tuple[float, int], ...]
    plan: tuple[Interval, ...] | None
    bound: int


class Option(NamedTuple):
    """A mode, or several that differ in identical benches only."""

    place: str
    duration: int
    demands: tuple[Demand, ...]
    cost: int


class SmallJob(NamedTuple):
    """A job in grains; ``begins`` and ``teardowns`` are closed intervals of when these may begin."""

    name: str
    setup: int
    teardown: int
    wait: int
    options: tuple[Option, ...]
    begins: Windows
    teardowns: Windows
    after: tuple[tuple[int, int, int | None], ...]
    due: int | None
    deadline: int | None
    preferred: int | None
    priority: int

    @property
    def here(self) -> set[str]:
        """Where it may be."""
        return {option.place for option in self.options}


def pieces(during: Sequence[str]) -> list[tuple[str, str]]:
    """From which event to which a demand lasts, contiguous ones together."""
    whole = {"setup": ("begin", "start"), "test": ("start", "end"), "teardown": ("teardown", "free")}
    kept = [whole[phase] for phase in ("setup", "test", "teardown") if phase in during]
    if "test" in during and "teardown" in during:
        kept[-2:] = [("start", "free")]
    if "setup" in during and "test" in during:
        kept[:2] = [("begin", kept[1][1])]
    return kept


class Small:
    """A problem in grains."""

    def __init__(self, problem: Problem, *, pooled: bool) -> None:
        if len(problem.objective) != 1:
            raise ValueError("Peers know one tier of objectives: give them one.")
        self.problem, self.objective = problem, problem.objective[0]
        self.grain = math.gcd(*_times(problem)) or 1
        self.horizon = self._horizon()
        self._resources = {resource.name: resource for resource in problem.resources}
        self.capacity = {
            name: (r.capacity, [(self._in(start), self._in(end), less) for start, end, less in r.closed])
            for name, r in self._resources.items()
        }
        self._place_of = _pools(problem) if pooled else {bench.name: bench.name for bench in problem.benches}
        self.places: dict[str, list[str]] = defaultdict(list)
        for bench in problem.benches:
            self.places[self._place_of[bench.name]].append(bench.name)
        self._benches = {self._place_of[bench.name]: bench for bench in problem.benches}
        self.closed = {p: [(self._in(s), self._in(e)) for s, e in b.closed] for p, b in self._benches.items()}
        self.tables = {p: problem.changeovers[b.changeovers] for p, b in self._benches.items() if b.changeovers}
        self.table_of = {p: b.changeovers for p, b in self._benches.items() if b.changeovers}
        self._numbers = {job.name: n for n, job in enumerate(problem.jobs)}
        self.jobs = [self._job(job) for job in problem.jobs]
        self.shared = self._alike(lambda job: job.unit)
        self.projects = self._alike(lambda job: job.project)

    def changeover(self, place: str, j: int, k: int) -> int:
        """What it takes from one job to another on a bench."""
        return self._needed(place, self.problem.jobs[j].family, k)

    def is_metric(self, place: str) -> bool:
        """Whether no changeover is longer than two that lead to the same family."""
        table = self.tables[place]
        here = [job.family for job, small in zip(self.problem.jobs, self.jobs, strict=True) if place in small.here]
        families = {*here, self._benches[place].family}
        time = {(a, b): table.get((a, b), 0) if a and b and a != b else 0 for a in families for b in families}
        return all(time[a, c] <= time[a, b] + time[b, c] for a in families for b in families for c in families)

    def first_changeover(self, place: str, j: int) -> int:
        """What it takes to a bench's first job."""
        return self._needed(place, self._benches[place].family, j)

    def intervals(self, found: Iterable[tuple[int, Option, int, int]]) -> tuple[Interval, ...]:
        """A plan of job, option, begin and beginning of the teardown; a pool's benches are taken as they get free."""
        free_at: dict[str, int] = defaultdict(int)
        plan = []
        for j, option, begin, ready in sorted(found, key=lambda one: (one[2], one[3])):
            job = self.jobs[j]
            benches = self.places[option.place] if option.place else [""]
            bench = min(benches, key=lambda name: (free_at[name] > begin, -free_at[name]))
            free_at[bench] = ready + job.teardown
            start = begin + job.setup
            times = (begin, start, start + option.duration, ready, ready + job.teardown)
            plan.append(self._interval(job.name, bench, option, *(self.grain * time for time in times)))
        return tuple(plan)

    def _interval(self, name: str, bench: str, option: Option, *times: int) -> Interval:
        modes = self.problem.jobs[self._numbers[name]].modes
        same = (bench, option.duration * self.grain, option.demands, option.cost)
        mode = next(n for n, m in enumerate(modes) if (m.bench, m.duration_min, m.demands, m.cost) == same)
        return Interval(name, mode, bench, *times)

    # ---- how it is made ----

    def _in(self, minutes: int) -> int:
        return minutes // self.grain

    def _maybe(self, minutes: int | None) -> int | None:
        return None if minutes is None else minutes // self.grain

    def _needed(self, place: str, family: str, j: int) -> int:
        to = self.problem.jobs[j].family
        return self._in(self.tables[place].get((family, to), 0)) if family and to else 0

    def _horizon(self) -> int:
        """The last end of a calendar; without one, all jobs after each other."""
        calendars = [r.open[-1][1] for r in self.problem.resources if r.open]
        if calendars:
            return self._in(max(calendars))
        rests = [link.min_lag_min for job in self.problem.jobs for link in job.after]
        tables = [max(table.values(), default=0) for table in self.problem.changeovers.values()]
        lengths = [max(mode.length_min for mode in job.modes) for job in self.problem.jobs]
        last = max((job.release_min for job in self.problem.jobs), default=0)
        return self._in(last + sum(lengths) + sum(rests) + len(lengths) * max(tables, default=0))

    def _job(self, job: Job) -> SmallJob:
        setup, teardown = job.modes[0].setup_min, job.modes[0].teardown_min
        if any((mode.setup_min, mode.teardown_min) != (setup, teardown) for mode in job.modes):
            raise ValueError(f"Modes of {job.name} differ in set-up or teardown: peers want the same ones.")
        modes = [mode for mode in job.modes if job.locked is None or mode.bench == job.locked[0]]
        begins = self._allowed(modes, "setup", setup, job.release_min)
        return SmallJob(
            name=job.name,
            setup=self._in(setup),
            teardown=self._in(teardown),
            wait=self._in(job.wait_min),
            options=tuple(dict.fromkeys(self._option(mode) for mode in modes)),
            begins=[(self._in(job.locked[1]),) * 2] if job.locked else begins,
            teardowns=self._allowed(modes, "teardown", teardown, 0),
            after=tuple((self._numbers[a.job], self._in(a.min_lag_min), self._maybe(a.max_lag_min)) for a in job.after),
            due=self._maybe(job.due_min),
            deadline=self._maybe(job.deadline_min),
            preferred=self._maybe(job.preferred_min),
            priority=job.priority,
        )

    def _option(self, mode: Mode) -> Option:
        return Option(self._place_of.get(mode.bench, ""), self._in(mode.duration_min), mode.demands, mode.cost)

    def _allowed(self, modes: Sequence[Mode], phase: str, length_min: int, earliest_min: int) -> Windows:
        """When a phase may begin for all who must be there."""
        windows = [(self._in(earliest_min), self.horizon)]
        for demand in {demand for mode in modes for demand in mode.demands}:
            hours = self._resources[demand.resource].open
            if hours is None:
                continue
            if "test" in demand.during or any(demand not in mode.demands for mode in modes):
                raise ValueError(f"{demand} is not read: calendars are for set-up and teardown in all modes of a job.")
            if phase in demand.during and length_min:
                fitting = [(self._in(s), self._in(e - length_min)) for s, e in hours if e - length_min >= s]
                windows = [(max(a, c), min(b, d)) for a, b in windows for c, d in fitting if max(a, c) <= min(b, d)]
        return windows

    def _alike(self, key: Any) -> dict[int, list[int]]:
        """Jobs with the same key, by the first of them."""
        members: dict[str, list[int]] = defaultdict(list)
        for n, job in enumerate(self.problem.jobs):
            if key(job):
                members[key(job)].append(n)
        return {numbers[0]: numbers for numbers in members.values()}


def _times(problem: Problem) -> Iterable[int]:
    for job in problem.jobs:
        yield from (job.release_min, job.due_min or 0, job.deadline_min or 0, job.preferred_min or 0, job.wait_min)
        yield from (minutes for mode in job.modes for minutes in (mode.setup_min, mode.duration_min, mode.teardown_min))
        yield from (minutes for link in job.after for minutes in (link.min_lag_min, link.max_lag_min or 0))
        yield job.locked[1] if job.locked else 0
    yield from (minutes for bench in problem.benches for window in bench.closed for minutes in window)
    yield from (minutes for resource in problem.resources for window in resource.open or () for minutes in window)
    yield from (minutes for resource in problem.resources for window in resource.closed for minutes in window[:2])
    yield from (minutes for table in problem.changeovers.values() for minutes in table.values())


def _pools(problem: Problem) -> Mapping[str, str]:
    """The place of each bench: benches that are open for ever, obey no table and do the same jobs alike are one."""
    does: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for job in problem.jobs:
        for mode in job.modes:
            does[mode.bench].append((job.name, repr((mode.duration_min, mode.demands, mode.cost))))
    settled = {job.locked[0] for job in problem.jobs if job.locked}
    names: dict[Any, str] = {}
    place_of = {}
    for bench in problem.benches:
        alone = bench.closed or bench.changeovers or bench.name in settled
        key = bench.name if alone else tuple(sorted(does[bench.name]))
        place_of[bench.name] = names.setdefault(key, bench.name)
    return place_of
