"""A planning problem as a constraint model for OR-Tools CP-SAT.

Identical benches are one cumulative resource: tests that are never more than the benches at once can always be coloured
with them (an interval graph is perfect), unless it matters what follows what. Calendars of set-up and teardown are
domains of their beginnings, so nights and weekends cost no constraints.

Some jobs may be fixed where an earlier plan has them: then only the others have variables, and the fixed ones are
closures of their benches and take their share of the resources.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from twinbench.core.planning.calendars import joined
from twinbench.core.planning.changeovers import is_metric
from twinbench.core.planning.cp_sat.criteria import Criteria
from twinbench.core.planning.cp_sat.jobs import JobVariables, Placed
from twinbench.core.planning.cp_sat.sequences import Stop, add_circuit, add_orders
from twinbench.core.planning.plan import Interval, pieces_of
from twinbench.core.planning.problem import FAR_MIN, PHASES, Bench, Job, Mode, Problem, Resource

__all__ = ["PlanModel"]

Windows = list[tuple[int, int]]


class PlanModel:
    """Variables and constraints of the jobs that may move.

    Args:
        problem: What is to be planned.
        known: A plan, if there is one; the jobs that do not move stay where it has them.
        value: What that plan has in the first tier of the objective: nothing worse is looked for.
        moving: Names of the jobs that may move; all that are not locked if None.
    """

    def __init__(
        self,
        problem: Problem,
        known: Sequence[Interval],
        *,
        value: int | None = None,
        moving: Iterable[str] | None = None,
    ) -> None:
        from ortools.sat.python import cp_model

        self.problem, self.value, self.known = problem, value, {part.job: part for part in known}
        names = {job.name for job in problem.jobs} if moving is None else set(moving)
        self.moving = [job for job in problem.jobs if job.name in names and job.locked is None]
        self.fixed = [job for job in problem.jobs if job.name not in names or job.locked is not None]
        self.model = cp_model.CpModel()
        self.earliest, self.horizon = -FAR_MIN, max(map(self._latest, self.moving), default=0)
        if moving is not None:
            self._look_nearby()
        self.groups = self._groups()
        self.changes: list[Any] = []
        resources = {resource.name: resource for resource in problem.resources}
        self._variables = JobVariables(self.model, resources, self.earliest, self.horizon)
        self.placed = {job.name: self._add_job(job) for job in self.moving}
        self._add_benches()
        self._add_resources()
        self._add_precedences()
        self.criteria = Criteria(self).expressions()

    # ---- what there is ----

    def _latest(self, job: Job) -> int:
        """When a job has left its bench in any plan that is as good as the known one; FAR_MIN if that says nothing."""
        latest = FAR_MIN if job.deadline_min is None else job.deadline_min
        if self.value is None:
            return latest
        for criterion, weight in self.problem.objective[0].items():
            share = weight * (1 if criterion == "makespan" else job.priority)
            if share <= 0:
                continue
            most = self.value // share
            slack = max(mode.length_min for mode in job.modes) + job.wait_min
            if criterion == "makespan":
                latest = min(latest, most)
            elif criterion == "tardiness" and job.due_min is not None:
                latest = min(latest, job.due_min + most)
            elif criterion == "preferred" and job.preferred_min is not None:
                latest = min(latest, job.preferred_min + most + slack)
            elif criterion == "moved" and job.planned_min is not None:
                latest = min(latest, job.planned_min + most + slack)
        return latest

    def _look_nearby(self) -> None:
        """Whoever looks for small changes does not look far before or after where the jobs are and wish to be."""
        parts = [self.known[job.name] for job in self.moving]
        wishes = [job.preferred_min for job in self.moving if job.preferred_min is not None]
        length = max(mode.length_min + job.wait_min for job in self.moving for mode in job.modes)
        self.earliest = min([part.begin_min for part in parts] + wishes) - length
        self.horizon = min(self.horizon, max([part.free_min for part in parts] + [w + length for w in wishes]) + length)

    def _groups(self) -> dict[str, list[Bench]]:
        """Benches by what tells them apart; the name of a group is that of its first bench."""
        modes: dict[str, list[Any]] = defaultdict(list)
        for job in self.moving:
            for mode in job.modes:
                modes[mode.bench].append(
                    (job.name, mode.duration_min, mode.setup_min, mode.teardown_min, mode.demands, mode.cost)
                )
        held = defaultdict(list)
        for job in self.fixed:
            held[self.known[job.name].bench].append(job.name)
        families = {job.family for job in self.moving} | {bench.family for bench in self.problem.benches}
        groups: dict[Any, list[Bench]] = {}
        for bench in self.problem.benches:
            alike: Any = (tuple(modes[bench.name]), bench.closed)
            table = self.problem.changeovers.get(bench.changeovers, {})
            matters = len(families) > 1 or any((family, family) in table for family in families)
            if held[bench.name] or (matters and self._is_sequenced(bench)):
                alike = bench.name
            groups.setdefault(alike, []).append(bench)
        return {benches[0].name: benches for benches in groups.values()}

    def _is_sequenced(self, bench: Bench) -> bool:
        """Whether it matters what follows what on a bench."""
        return bool(bench.changeovers)

    # ---- jobs ----

    def _add_job(self, job: Job) -> Placed:
        known = {number: mode for number, mode in enumerate(job.modes) if mode.bench == "" or mode.bench in self.groups}
        placed = self._variables.add(job, known, min(self.horizon, self._latest(job)))
        if job.name in self.known:
            self._hint(placed)
        return placed

    def _hint(self, placed: Placed) -> None:
        """Tell the solver where the known plan has a job."""
        known = self.known[placed.job.name]
        times = [(placed.begin, known.begin_min), (placed.end, known.end_min)]
        times += [(placed.teardown, known.teardown_min), (placed.free, known.free_min)]
        for variable in {id(variable): variable for variable, _ in times if hasattr(variable, "index")}.values():
            self.model.add_hint(variable, next(value for other, value in times if other is variable))
        if len(placed.modes) > 1:
            groups = [{bench.name for bench in benches} for benches in self.groups.values()]
            alike = next((names for names in groups if known.bench in names), {""})
            for number, mode in placed.modes.items():
                same = mode == replace(placed.job.modes[known.mode], bench=mode.bench, reason=mode.reason)
                self.model.add_hint(placed.chosen[number], same and mode.bench in alike)

    # ---- benches ----

    def _add_benches(self) -> None:
        for name, benches in self.groups.items():
            here = [
                (placed, number)
                for placed in self.placed.values()
                for number, mode in placed.modes.items()
                if mode.bench == name
            ]
            if not here:
                continue
            intervals = [placed.on[number] for placed, number in here]
            blocks = [self._block(start, end) for start, end in self._blocks(benches[0])]
            if len(benches) > 1:
                heights = [1] * len(intervals) + [len(benches)] * len(blocks)
                self.model.add_cumulative(intervals + blocks, heights, len(benches))
                continue
            self.model.add_no_overlap(intervals + blocks)
            if self._is_sequenced(benches[0]):
                self._add_sequence(benches[0], here)

    def _add_sequence(self, bench: Bench, here: Sequence[tuple[Placed, int]]) -> None:
        table = self.problem.changeovers.get(bench.changeovers, {})
        stops = [
            *self._fixed_stops(bench),
            *(Stop(placed.begin, placed.free, placed.job.family, placed.chosen[number]) for placed, number in here),
        ]
        counted = any("changeovers" in tier for tier in self.problem.objective)
        hasty = any(s.chosen is None and s.begin < table.get((bench.family, s.family), 0) for s in stops)
        if counted or hasty or not is_metric(table, {bench.family, *(stop.family for stop in stops)}):
            self.changes += add_circuit(self.model, bench, table, stops)
        else:
            add_orders(self.model, bench, table, stops, FAR_MIN)

    def _fixed_stops(self, bench: Bench) -> list[Stop]:
        """The jobs that do not move: those nearby, the one before and the one after."""
        fixed = sorted(
            (self.known[job.name].begin_min, self.known[job.name].free_min, job.family, job.locked is not None)
            for job in self.fixed
            if self.known[job.name].bench == bench.name
        )
        over = sum(free <= self.earliest for _, free, *_ in fixed)
        begun = sum(begin < self.horizon for begin, *_ in fixed)
        nearby = fixed[max(0, over - 1) : max(over, begun) + 1]
        return [
            Stop(begin, free, family, None, locked, leads=locked or (number == 0 and over > 1))
            for number, (begin, free, family, locked) in enumerate(nearby)
        ]

    def _blocks(self, bench: Bench) -> Windows:
        """When a bench is closed or held by a job that does not move."""
        held = [self.known[job.name] for job in self.fixed if self.known[job.name].bench == bench.name]
        blocks = [*bench.closed, *((part.begin_min, part.free_min) for part in held)]
        return list(joined((a, b) for a, b in blocks if b > self.earliest and a < self.horizon))

    def _block(self, start: int, end: int) -> Any:
        return self.model.new_fixed_size_interval_var(start, end - start, "")

    # ---- resources ----

    def _add_resources(self) -> None:
        for resource in self.problem.resources:
            takes = self._variables.takes[resource.name]
            used = self._used(resource)
            if takes:
                self._add_cumulative(takes, used, resource.capacity)
        for name, takes in self._variables.takes.items():
            if name.startswith("unit "):
                unit = name.removeprefix("unit ")
                held = [self.known[job.name] for job in self.fixed if job.unit == unit]
                self._add_cumulative(takes, [(part.begin_min, part.free_min, 1) for part in held], 1)

    def _add_cumulative(
        self, takes: Sequence[tuple[Any, int]], used: Sequence[tuple[int, int, int]], capacity: int
    ) -> None:
        steps = [step for step in _stacked(used, capacity) if step[1] > self.earliest and step[0] < self.horizon]
        if sum(amount for _, amount in takes) <= capacity - max((height for *_, height in steps), default=0):
            return
        intervals = [interval for interval, _ in takes] + [self._block(a, b) for a, b, _ in steps]
        if capacity == 1 and all(amount == 1 for _, amount in takes):
            self.model.add_no_overlap(intervals)
            return
        self.model.add_cumulative(
            intervals, [amount for _, amount in takes] + [height for *_, height in steps], capacity
        )

    def _used(self, resource: Resource) -> list[tuple[int, int, int]]:
        """What is missing of a resource: closures, nights that a whole test cannot cross, jobs that do not move."""
        used = list(resource.closed)
        if resource.open is not None and any(
            demand.resource == resource.name and "test" in demand.during
            for job in self.moving
            for mode in job.modes
            for demand in mode.demands
        ):
            edges = [-FAR_MIN, *(edge for window in resource.open for edge in window), FAR_MIN]
            used += [(a, b, resource.capacity) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]
        for job in self.fixed:
            part = self.known[job.name]
            mode = job.modes[part.mode]
            used += [
                (a, b, demand.amount)
                for demand in mode.demands
                if demand.resource == resource.name
                for a, b in pieces_of(part, demand)
            ]
        return used

    # ---- precedences ----

    def _add_precedences(self) -> None:
        for job in self.problem.jobs:
            for link in job.after:
                if job.name not in self.placed and link.job not in self.placed:
                    continue
                begin = self.placed[job.name].begin if job.name in self.placed else self.known[job.name].begin_min
                free = self.placed[link.job].free if link.job in self.placed else self.known[link.job].free_min
                self.model.add(begin >= free + link.min_lag_min)
                if link.max_lag_min is not None:
                    self.model.add(begin <= free + link.max_lag_min)

    def loads(self) -> list[tuple[int, list[tuple[int, Any]]]]:
        """Capacity of each bench and resource, and how long modes take how much of it: implied, but proofs are shorter.

        Nothing is said where only some jobs move.
        """
        if len(self.placed) < len(self.problem.jobs):
            return []
        takes: dict[str, list[tuple[int, Any]]] = defaultdict(list)
        for placed in self.placed.values():
            for number, literal in placed.chosen.items():
                mode = placed.job.modes[number]
                takes["bench " + mode.bench].append((mode.length_min, literal))
                lengths = dict(zip(PHASES, (mode.setup_min, mode.duration_min, mode.teardown_min), strict=True))
                for demand in mode.demands:
                    taken = demand.amount * sum(lengths[phase] for phase in set(demand.during))
                    takes[demand.resource].append((taken, literal))
        found = [(len(benches), takes["bench " + name]) for name, benches in self.groups.items()]
        return found + [(resource.capacity, takes[resource.name]) for resource in self.problem.resources]

    def intervals(self, value: Any) -> list[Interval] | None:
        """The whole plan of a solution, moving jobs on concrete benches; None if they cannot be coloured.

        Args:
            value: Gives the value of a variable or an expression.
        """
        parts = [self.known[job.name] for job in self.fixed]
        last: dict[str, int] = {}
        for placed in sorted(self.placed.values(), key=lambda placed: int(value(placed.begin))):
            number = next(number for number, chosen in placed.chosen.items() if value(chosen))
            mode = placed.job.modes[number]
            begin, free = int(value(placed.begin)), int(value(placed.free))
            bench = ""
            if mode.bench:
                ready = [one.name for one in self.groups[mode.bench] if last.get(one.name, -FAR_MIN) <= begin]
                if not ready:
                    return None
                bench = max(ready, key=lambda name: last.get(name, -FAR_MIN))
                if free > begin:
                    last[bench] = max(free, last.get(bench, -FAR_MIN))
                if len(self.groups[mode.bench]) == 1:
                    last.pop(bench)
            start = begin + mode.setup_min
            end = start + mode.duration_min
            parts.append(
                Interval(
                    placed.job.name,
                    _same_on(placed.job, mode, bench),
                    bench,
                    begin,
                    start,
                    end,
                    int(value(placed.teardown)),
                    free,
                )
            )
        return parts


def _same_on(job: Job, mode: Mode, bench: str) -> int:
    """The number of the mode that is the same on another bench of the group."""
    wanted = replace(mode, bench=bench, reason="")
    return next(number for number, one in enumerate(job.modes) if replace(one, reason="") == wanted)


def _stacked(used: Iterable[tuple[int, int, int]], capacity: int) -> list[tuple[int, int, int]]:
    """What is used, as steps that do not overlap and are no higher than the capacity."""
    changes: dict[int, int] = defaultdict(int)
    for start, end, amount in used:
        changes[start] += amount
        changes[end] -= amount
    steps, height, since = [], 0, 0
    for time in sorted(changes):
        if height > 0 and time > since:
            steps.append((since, time, min(height, capacity)))
        height, since = height + changes[time], time
    return steps
