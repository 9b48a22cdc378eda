"""The planner's problem as a CP-SAT model, for the peers ``textbook`` and ``grouped``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from ortools.sat.python import cp_model
from planning_criteria import Criteria, Event, Placed, later
from planning_model import Small, pieces

from twinbench.core.planning.plan import Interval

__all__ = ["Model"]


class Model:
    """A CP-SAT model of a small problem; what it has on each place and takes of each resource is collected first."""

    def __init__(self, small: Small) -> None:
        self.small, self.model = small, cp_model.CpModel()
        self._sizes: dict[tuple[int, ...], Any] = {}
        self._bounds: dict[int, tuple[Any, Any]] = {}
        self._orders: dict[tuple[str, int, int], Any] = {}
        self._on: dict[str, list[tuple[int, dict[str, Event], Any]]] = defaultdict(list)
        self._takes: dict[str, list[tuple[Any, int]]] = defaultdict(list)
        self._jobs = [self._add_job(j) for j in range(len(small.jobs))]
        for j in range(len(small.jobs)):
            self._add_relations(j)
        for place, parts in self._on.items():
            self._add_place(place, parts)
        for name, parts in self._takes.items():
            capacity, closed = small.capacity[name]
            blocks = [(self._block(start, end), missing) for start, end, missing in closed]
            intervals, amounts = zip(*parts, *blocks, strict=True)
            self.model.add_cumulative(intervals, amounts, capacity)
        self.model.minimize(Criteria(self.model, self.small, self._jobs).objective())

    # ---- jobs ----

    def _add_job(self, j: int) -> Placed:
        job, model = self.small.jobs[j], self.model
        chosen = [model.new_bool_var("") for _ in job.options] if len(job.options) > 1 else [True]
        if len(chosen) > 1:
            model.add_exactly_one(chosen)
        begin = model.new_int_var_from_domain(cp_model.Domain.from_intervals(job.begins), "")
        lengths = [job.setup + option.duration for option in job.options]
        least, most = min(lengths), max(lengths)
        end = Event(begin, least, least, most)
        if least < most:
            end = Event(model.new_int_var(0, self.small.horizon, ""), 0, least, most)
            for length, literal in zip(lengths, chosen, strict=True):
                model.add(end.var == begin + length).only_enforce_if(literal)
        ready = end
        if job.wait:
            domain = cp_model.Domain.from_intervals(job.teardowns)
            ready = Event(model.new_int_var_from_domain(domain, ""), 0, least, most + job.wait)
            model.add(ready.var >= end.time)
            model.add(ready.var <= end.time + job.wait)
        at = {
            **{"begin": Event(begin, 0, 0, 0), "start": Event(begin, job.setup, job.setup, job.setup)},
            **{"end": end, "teardown": ready, "free": later(ready, job.teardown)},
        }
        self._add_options(j, at, chosen)
        return Placed(at, chosen)

    def _add_options(self, j: int, at: dict[str, Event], chosen: Sequence[Any]) -> None:
        job = self.small.jobs[j]
        common = set.intersection(*(set(option.demands) for option in job.options))
        self._add_demands(common, at, True)
        for option, literal in zip(job.options, chosen, strict=True):
            length = job.setup + option.duration
            end = ready = Event(at["begin"].var, length, length, length)
            if job.wait:
                ready = at["teardown"]._replace(least=length, most=length + job.wait)
            own = at | {"end": end, "teardown": ready, "free": later(ready, job.teardown)}
            self._add_demands(set(option.demands) - common, own, literal)
            if option.place:
                self._on[option.place].append((j, own, literal))

    def _add_demands(self, demands: Iterable[Any], at: dict[str, Event], literal: Any) -> None:
        for demand in sorted(demands, key=repr):
            for first, last in pieces(demand.during):
                self._takes[demand.resource].append((self._interval(at[first], at[last], literal), demand.amount))

    def _interval(self, first: Event, last: Event, literal: Any) -> Any:
        model = self.model
        if first.var is last.var:
            return model.new_optional_fixed_size_interval_var(first.time, last.plus - first.plus, literal, "")
        key = (first.var.index, first.plus, last.var.index, last.plus, last.least, last.most)
        if key not in self._sizes:
            self._sizes[key] = model.new_int_var(last.least - first.most, last.most - first.least, "")
        return model.new_optional_interval_var(first.time, self._sizes[key], last.time, literal, "")

    def _block(self, start: int, end: int) -> Any:
        return self.model.new_fixed_size_interval_var(start, end - start, "")

    # ---- what holds between them ----

    def _add_relations(self, j: int) -> None:
        begin = self._jobs[j].at["begin"].var
        for before, least, most in self.small.jobs[j].after:
            free = self._jobs[before].at["free"].time
            self.model.add(begin >= free + least)
            if most is not None:
                self.model.add(begin <= free + most)
        if self.small.jobs[j].deadline is not None:
            self.model.add(self._jobs[j].at["free"].time <= self.small.jobs[j].deadline)
        if j in self.small.shared:
            self.model.add_no_overlap(
                self._interval(self._jobs[k].at["begin"], self._jobs[k].at["free"], True) for k in self.small.shared[j]
            )

    def _add_place(self, place: str, parts: Sequence[tuple[int, dict[str, Event], Any]]) -> None:
        intervals = [self._interval(at["begin"], at["free"], literal) for _, at, literal in parts]
        benches = self.small.places[place]
        if len(benches) > 1:
            self.model.add_cumulative(intervals, [1] * len(intervals), len(benches))
            return
        self.model.add_no_overlap([*intervals, *(self._block(*window) for window in self.small.closed[place])])
        if place in self.small.tables:
            if self.small.is_metric(place):
                self._add_orders(place, parts)
            else:
                self._add_circuit(place, parts)

    def _add_orders(self, place: str, parts: Sequence[tuple[int, dict[str, Event], Any]]) -> None:
        """Where no detour is shorter, of two jobs of different families one is first: smaller than a circuit."""
        for j, at, here in parts:
            self.model.add(at["begin"].var >= self.small.first_changeover(place, j)).only_enforce_if(here)
        for (j, _, here), (k, _, there) in combinations(parts, 2):
            if self.small.changeover(place, j, k) or self.small.changeover(place, k, j):
                absent = [~literal for literal in (here, there) if literal is not True]
                self.model.add_bool_or(*absent, self._in_order(place, j, k))

    def _in_order(self, place: str, j: int, k: int) -> Any:
        """Whether two jobs are on benches of this table one after the other, changeover included."""
        key = (self.small.table_of[place], j, k)
        if key not in self._orders:
            model, one, other = self.model, self._around(j), self._around(k)
            ordered, first = model.new_bool_var(""), model.new_bool_var("")
            there, back = self.small.changeover(place, j, k), self.small.changeover(place, k, j)
            model.add(other[0] >= one[1] + there).only_enforce_if(ordered, first)
            model.add(one[0] >= other[1] + back).only_enforce_if(ordered, ~first)
            self._orders[key] = ordered
        return self._orders[key]

    def _around(self, j: int) -> tuple[Any, Any]:
        """At or before a job's begin, at or after its end: presolve takes long for sums of variables with calendars."""
        if j not in self._bounds:
            low, high = (self.model.new_int_var(0, self.small.horizon, "") for _ in range(2))
            self.model.add(low <= self._jobs[j].at["begin"].var)
            self.model.add(high >= self._jobs[j].at["free"].time)
            self._bounds[j] = low, high
        return self._bounds[j]

    def _add_circuit(self, place: str, parts: Sequence[tuple[int, dict[str, Event], Any]]) -> None:
        """A circuit through the jobs on a bench; where a changeover is needed, the next one begins so much later."""
        model = self.model
        arcs = [(0, 0, model.new_bool_var(""))]
        for n, (j, at, literal) in enumerate(parts, 1):
            first = model.new_bool_var("")
            needed = self.small.first_changeover(place, j)
            if needed:
                model.add(at["begin"].var >= needed).only_enforce_if(first)
            arcs += [(0, n, first), (n, 0, model.new_bool_var("")), (n, n, ~literal if literal is not True else False)]
            for m, (k, other, _) in enumerate(parts, 1):
                if n != m:
                    follows = model.new_bool_var("")
                    arcs.append((n, m, follows))
                    needed = self.small.changeover(place, j, k)
                    model.add(other["begin"].var >= at["free"].time + needed).only_enforce_if(follows)
        model.add_circuit(arcs)

    # ---- hint, plan ----

    def hint(self, plan: Sequence[Interval]) -> None:
        """Begin from a plan: of jobs' variables, the rest follows."""
        numbers = {job.name: j for j, job in enumerate(self.small.jobs)}
        for interval in plan:
            small, own = self.small.jobs[numbers[interval.job]], self._jobs[numbers[interval.job]]
            self.model.add_hint(own.at["begin"].var, interval.begin_min // self.small.grain)
            if small.wait:
                self.model.add_hint(own.at["teardown"].var, interval.teardown_min // self.small.grain)
            for option, literal in zip(small.options, own.chosen, strict=True):
                if literal is not True:
                    self.model.add_hint(literal, interval.bench in self.small.places.get(option.place, [""]))

    def plan(self, solver: cp_model.CpSolver) -> tuple[Interval, ...]:
        """What a solver has found."""
        found = []
        for j, (small, own) in enumerate(zip(self.small.jobs, self._jobs, strict=True)):
            option = next(o for o, literal in zip(small.options, own.chosen, strict=True) if solver.value(literal))
            ready = own.at["teardown"]
            found.append((j, option, solver.value(own.at["begin"].var), solver.value(ready.var) + ready.plus))
        return self.small.intervals(found)
