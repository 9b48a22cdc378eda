"""The planner's problem as a time-indexed mixed-integer program, for the peer ``milp``.

One binary variable per job, place and time its set-up may begin (and its teardown, which may wait), one inventory per
bench, resource and unit: what is taken at a time is what was taken before, plus what begins, less what ends. That is
sparse and needs no big M; of a big-M model the calendars, capacities and waits would make far more of weak constraints.
Identical benches are one place. The horizon is that of a greedy plan and two days, which also is what it begins from.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from planning_model import Small, pieces

from twinbench.core.planning.plan import Interval

__all__ = ["Program"]

MARGIN_MIN = 2 * 24 * 60

Changes = list[tuple[int, int, int]]  # time, variable, amount


class Program:
    """Columns and rows of the program; ``begins`` and ``readies`` have the job, option and time of theirs."""

    def __init__(self, small: Small, greedy: Sequence[Interval]) -> None:
        self.small = small
        self.horizon = min(small.horizon, (max(i.free_min for i in greedy) + MARGIN_MIN) // small.grain)
        self.cost: list[float] = []
        self.upper: list[float] = []
        self.whole: list[bool] = []
        self.rows: list[tuple[float, float, dict[int, float]]] = []
        self.begins: dict[int, tuple[int, int, int]] = {}
        self.readies: dict[int, tuple[int, int, int]] = {}
        self._events: dict[tuple[int, int, str], Changes] = defaultdict(list)
        self._balances: list[tuple[int, dict[int, float]]] = []
        self._span = self._column(self.small.objective.get("makespan", 0), self.horizon, whole=False)
        for j in range(len(small.jobs)):
            self._add_job(j)
        for j in range(len(small.jobs)):
            self._add_relations(j)
        self._add_places()
        self._add_resources()
        self.start = self._start(greedy)

    def _column(self, cost: float, upper: float, *, whole: bool) -> int:
        self.cost.append(cost)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.cost) - 1

    def _row(self, lower: float, upper: float, parts: Mapping[int, float]) -> None:
        self.rows.append((lower, upper, dict(parts)))

    # ---- jobs ----

    def _add_job(self, j: int) -> None:
        job, weights = self.small.jobs[j], self.small.objective
        chosen: dict[int, float] = {}
        for o, option in enumerate(job.options):
            length, first = job.setup + option.duration, 0
            if option.place in self.small.tables:
                first = self.small.first_changeover(option.place, j)
            here = {}
            for t in _times(job.begins, first, self.horizon - length - job.teardown):
                away = abs(t - job.preferred) if job.preferred is not None else 0
                cost = job.priority * away * weights.get("preferred", 0) + t * weights.get("start", 0)
                here[self._column(cost, 1, whole=True)] = t
            ready = {}
            for u in _times(job.teardowns, length, self.horizon - job.teardown):
                late = max(0, u + job.teardown - job.due) if job.due is not None else 0
                ready[self._column(job.priority * late * weights.get("tardiness", 0), 1, whole=True)] = u
            self.begins |= {column: (j, o, t) for column, t in here.items()}
            self.readies |= {column: (j, o, u) for column, u in ready.items()}
            self._row(0, 0, dict.fromkeys(here, 1) | dict.fromkeys(ready, -1))
            for name, columns, plus in (
                *(("begin", here, 0), ("start", here, job.setup), ("end", here, length)),
                *(("teardown", ready, 0), ("free", ready, job.teardown)),
            ):
                self._events[j, o, name] = [(t + plus, column, 1) for column, t in columns.items()]
            chosen |= dict.fromkeys(here, 1)
        self._row(1, 1, chosen)

    def _sum(self, j: int, event: str, sign: int = 1) -> dict[int, float]:
        """When something of a job happens."""
        options = range(len(self.small.jobs[j].options))
        return {column: sign * t for o in options for t, column, _ in self._events[j, o, event]}

    def _add_relations(self, j: int) -> None:
        job = self.small.jobs[j]
        self._row(0, job.wait, self._sum(j, "teardown") | self._sum(j, "end", -1))
        self._row(0, np.inf, {self._span: 1} | self._sum(j, "free", -1))
        for before, least, most in job.after:
            lag = self._sum(j, "begin") | self._sum(before, "free", -1)
            self._row(least, np.inf if most is None else most, lag)
        if j in self.small.shared:
            held = [change for k in self.small.shared[j] for change in self._held(k)]
            self._inventory(held, 1, ())

    # ---- what is shared ----

    def _held(self, j: int, place: str | None = None, later: int = 0) -> Changes:
        """A job takes its bench at its begin and leaves it when it is free, or so much later."""
        changes: Changes = []
        for o, option in enumerate(self.small.jobs[j].options):
            if place in (None, option.place):
                changes += self._events[j, o, "begin"]
                changes += [(t + later, column, -1) for t, column, _ in self._events[j, o, "free"]]
        return changes

    def _inventory(
        self, changes: Changes, capacity: int, closed: Sequence[tuple[int, int, int]], grid: Sequence[int] = ()
    ) -> dict[int, int]:
        """Variables of how much is taken from each time of change on."""
        at = defaultdict(list)
        for t, column, amount in changes:
            at[t].append((column, amount))
        times = sorted({*at, *grid, *(t for window in closed for t in window[:2])})
        level: dict[int, int] = {}
        before = None
        for t in times:
            less = sum(amount for start, end, amount in closed if start <= t < end)
            level[t] = self._column(0, max(0, capacity - less), whole=False)
            balance: dict[int, float] = {level[t]: -1} | ({before: 1} if before is not None else {})
            for column, amount in at[t]:
                balance[column] = balance.get(column, 0) + amount
            self._row(0, 0, balance)
            self._balances.append((level[t], balance))
            before = level[t]
        return level

    def _add_places(self) -> None:
        for place, benches in self.small.places.items():
            here = [j for j, job in enumerate(self.small.jobs) if place in job.here]
            changes = [change for j in here for change in self._held(j, place)]
            closed = [(start, end, 1) for start, end in self.small.closed[place]]
            self._inventory(changes, len(benches), closed)
            if place in self.small.tables:
                self._add_changeovers(place, here)

    def _add_changeovers(self, place: str, here: Sequence[int]) -> None:
        """While a family is there and as long as it takes to change to another one, that one is not."""
        families = defaultdict(list)
        for j in here:
            families[self.small.problem.jobs[j].family].append(j)
        grid = sorted({t for j in here for t, _, amount in self._held(j, place) if amount > 0})
        there = {f: self._levels(members, place, 0, grid) for f, members in families.items()}
        for before, members in families.items():
            needed = {g: self.small.changeover(place, members[0], others[0]) for g, others in families.items()}
            for length in {slots for g, slots in needed.items() if g != before and slots}:
                longer = self._levels(members, place, length, grid)
                most = 1 + math.ceil(
                    length / min(self._shortest(j, place) for j in members)
                )  # one is there, others were
                for other in (g for g, slots in needed.items() if g != before and slots == length):
                    for t in grid:
                        self._row(0, most, {longer[t]: 1, there[other][t]: most})

    def _shortest(self, j: int, place: str) -> int:
        job = self.small.jobs[j]
        return max(1, min(job.setup + o.duration + job.teardown for o in job.options if o.place == place))

    def _levels(self, members: Sequence[int], place: str, later: int, grid: Sequence[int]) -> dict[int, int]:
        return self._inventory([c for j in members for c in self._held(j, place, later)], len(members), (), grid)

    def _add_resources(self) -> None:
        takes: dict[str, Changes] = defaultdict(list)
        for j, job in enumerate(self.small.jobs):
            for o, option in enumerate(job.options):
                for demand in option.demands:
                    for first, last in pieces(demand.during):
                        takes[demand.resource] += [(t, c, demand.amount) for t, c, _ in self._events[j, o, first]]
                        takes[demand.resource] += [(t, c, -demand.amount) for t, c, _ in self._events[j, o, last]]
        for name, changes in takes.items():
            self._inventory(changes, *self.small.capacity[name])

    # ---- there and back ----

    def _start(self, greedy: Sequence[Interval]) -> dict[int, float]:
        """The variables of a plan."""
        grain, placed = self.small.grain, {interval.job: interval for interval in greedy}

        def is_so(j: int, o: int, minutes: int, t: int) -> bool:
            bench, place = placed[self.small.jobs[j].name].bench, self.small.jobs[j].options[o].place
            return bench in self.small.places[place] and minutes == t * grain

        values = dict.fromkeys(range(len(self.cost)), 0.0)
        for column, (j, o, t) in self.begins.items():
            values[column] = float(is_so(j, o, placed[self.small.jobs[j].name].begin_min, t))
        for column, (j, o, t) in self.readies.items():
            values[column] = float(is_so(j, o, placed[self.small.jobs[j].name].teardown_min, t))
        for column, balance in self._balances:
            values[column] = sum(entry * values[other] for other, entry in balance.items() if other != column)
        values[self._span] = max(interval.free_min for interval in greedy) / grain
        return values

    def plan(self, values: Any) -> tuple[Interval, ...]:
        """What the variables say."""
        begin = {j: (o, t) for column, (j, o, t) in self.begins.items() if values[column] > 0.5}
        ready = {j: u for column, (j, _, u) in self.readies.items() if values[column] > 0.5}
        return self.small.intervals((j, self.small.jobs[j].options[o], t, ready[j]) for j, (o, t) in begin.items())

    def matrix(self) -> Any:
        """Rows by columns, sparse."""
        from scipy.sparse import csr_matrix

        starts = np.cumsum([0, *(len(parts) for *_, parts in self.rows)])
        columns = [column for *_, parts in self.rows for column in parts]
        entries = [float(entry) for *_, parts in self.rows for entry in parts.values()]
        return csr_matrix((entries, columns, starts), shape=(len(self.rows), len(self.cost)))


def _times(windows: Sequence[tuple[int, int]], earliest: int, latest: int) -> list[int]:
    return [t for start, end in windows for t in range(max(start, earliest), min(end, latest) + 1)]
