"""Variables of one job in a CP-SAT model, and what it demands of resources, as intervals.

What all modes of a job have in common is said once and holds in any case; only what differs depends on the mode. That
makes small models, and presence of an interval is known to the solver without a search.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twinbench.core.planning.problem import FAR_MIN, PHASES, Demand, Job, Mode, Resource

__all__ = ["JobVariables", "Placed"]

_ALL = frozenset(PHASES)


@dataclass
class Placed:
    """The variables of one job.

    Attributes:
        held: The interval for which it holds its bench.
        chosen: Whether a mode is chosen, by number of the mode.
        on: The interval for which a mode holds its bench, likewise.
    """

    job: Job
    modes: Mapping[int, Mode]
    begin: Any
    end: Any
    teardown: Any
    free: Any
    held: Any = None
    chosen: dict[int, Any] = field(default_factory=dict)
    on: dict[int, Any] = field(default_factory=dict)


class JobVariables:
    """Adds jobs to a model.

    Args:
        model: The model.
        resources: By name.
        earliest: Nothing is looked for before.
        horizon: Nor after.
    """

    def __init__(self, model: Any, resources: Mapping[str, Resource], earliest: int, horizon: int) -> None:
        self.model, self.resources, self.earliest, self.horizon = model, resources, earliest, horizon
        self.takes: dict[str, list[tuple[Any, int]]] = defaultdict(list)

    def add(self, job: Job, modes: Mapping[int, Mode], latest: int) -> Placed:
        """Variables of a job that ends by ``latest`` in one of some modes."""
        model = self.model
        begin = self._variable(self._begins(job, modes, latest), f"{job.name} begins")
        placed = Placed(job, modes, begin, begin, begin, begin)
        for number in modes:
            one = len(modes) == 1
            placed.chosen[number] = model.new_constant(1) if one else model.new_bool_var(f"{job.name} {number}")
        if len(modes) > 1:
            model.add_exactly_one(placed.chosen.values())
        busy = {number: mode.setup_min + mode.duration_min for number, mode in modes.items()}
        placed.end = self._after(placed, begin, busy, latest, "ends")
        placed.teardown = placed.end
        if job.wait_min and any(mode.teardown_min for mode in modes.values()):
            domain = self._open(latest, [(mode, mode.teardown_min, "teardown") for mode in modes.values()])
            placed.teardown = self._variable(domain, f"{job.name} is torn down")
            model.add(placed.teardown >= placed.end)
            model.add(placed.teardown <= placed.end + job.wait_min)
        tears = {number: mode.teardown_min for number, mode in modes.items()}
        placed.free = self._after(placed, placed.teardown, tears, latest, "is over")
        model.add(placed.free <= latest)
        self._add_intervals(placed)
        self._add_demands(placed)
        if job.unit:
            self.takes["unit " + job.unit].append((placed.held, 1))
        return placed

    def _variable(self, domain: Any, name: str) -> Any:
        if domain.is_empty():  # CP-SAT calls such a variable invalid, not infeasible
            self.model.add_bool_or([])
            return self.model.new_int_var(0, 0, name)
        return self.model.new_int_var_from_domain(domain, name)

    def _after(self, placed: Placed, since: Any, lengths: Mapping[int, int], latest: int, what: str) -> Any:
        """What comes some time after, however long the chosen mode takes."""
        if len(set(lengths.values())) == 1:
            return since + next(iter(lengths.values()))
        variable = self.model.new_int_var(max(-FAR_MIN, self.earliest), latest, f"{placed.job.name} {what}")
        for number, length in lengths.items():
            self.model.add(variable == since + length).only_enforce_if(placed.chosen[number])
        return variable

    def _add_intervals(self, placed: Placed) -> None:
        job, model = placed.job, self.model
        waits = placed.teardown is not placed.end
        lengths = {mode.length_min for mode in placed.modes.values()}
        size = min(lengths) if len(lengths) == 1 and not waits else None
        if size is None:
            variable = model.new_int_var(min(lengths), max(lengths) + job.wait_min, f"{job.name} takes")
            placed.held = model.new_interval_var(placed.begin, variable, placed.free, job.name)
        else:
            placed.held = model.new_fixed_size_interval_var(placed.begin, size, job.name)
        for number, mode in placed.modes.items():
            chosen, name = placed.chosen[number], f"{job.name} on {mode.bench}"
            if len(placed.modes) == 1:
                placed.on[number] = placed.held
            elif waits:
                placed.on[number] = model.new_optional_interval_var(placed.begin, variable, placed.free, chosen, name)
            else:
                length = mode.length_min
                placed.on[number] = model.new_optional_fixed_size_interval_var(placed.begin, length, chosen, name)

    # ---- demands ----

    def _add_demands(self, placed: Placed) -> None:
        modes = placed.modes
        wanted = {number: [demand for demand in mode.demands if demand.amount] for number, mode in modes.items()}
        common = [demand for demand in next(iter(wanted.values())) if all(demand in own for own in wanted.values())]
        for demand in common:
            if frozenset(demand.during) == _ALL:
                self.takes[demand.resource].append((placed.held, demand.amount))
        alike = len({(mode.setup_min, mode.duration_min, mode.teardown_min) for mode in modes.values()}) == 1
        first = next(iter(modes))
        for demand in common if alike else ():
            if frozenset(demand.during) != _ALL:
                self._add_demand(placed, first, demand, always=True)
        for number in modes:
            for demand in wanted[number]:
                if demand not in common or (frozenset(demand.during) != _ALL and not alike):
                    self._add_demand(placed, number, demand, always=len(modes) == 1)

    def _add_demand(self, placed: Placed, number: int, demand: Demand, *, always: bool) -> None:
        mode, takes = placed.modes[number], self.takes[demand.resource]
        literal = None if always else placed.chosen[number]
        setup, test, teardown = (phase in demand.during for phase in PHASES)
        if setup and test and teardown:
            takes.append((placed.on[number], demand.amount))
            return
        if test and teardown:
            size = self.model.new_int_var(0, FAR_MIN, "")
            since = placed.begin + mode.setup_min
            if literal is None:
                interval = self.model.new_interval_var(since, size, placed.free, "")
            else:
                interval = self.model.new_optional_interval_var(since, size, placed.free, literal, "")
            takes.append((interval, demand.amount))
            return
        for start, length in _pieces(placed, mode, (setup, test, teardown)):
            if literal is None:
                interval = self.model.new_fixed_size_interval_var(start, length, "")
            else:
                interval = self.model.new_optional_fixed_size_interval_var(start, length, literal, "")
            takes.append((interval, demand.amount))
            self._keep_open(start, length, demand, literal)

    def _keep_open(self, start: Any, length: int, demand: Demand, literal: Any) -> None:
        """A phase without the test lies within one of the windows of its resource."""
        resource = self.resources[demand.resource]
        if resource.open is None or "test" in demand.during:
            return
        if literal is None and hasattr(start, "index"):
            return  # the domain of the variable says so
        constraint = self.model.add_linear_expression_in_domain(start, self._starts(resource, length))
        if literal is not None:
            constraint.only_enforce_if(literal)

    # ---- calendars ----

    def _begins(self, job: Job, modes: Mapping[int, Mode], latest: int) -> Any:
        """When a job may begin: from its release on, if those who set it up are there."""
        from ortools.sat.python import cp_model

        domain = self._open(latest, [(mode, mode.setup_min, "setup") for mode in modes.values()])
        first = max(job.release_min, self.earliest)
        return domain.intersection_with(cp_model.Domain(first, max(first, latest)))

    def _open(self, latest: int, phases: Sequence[tuple[Mode, int, str]]) -> Any:
        """When a phase may begin in every mode, if all modes ask for the same; else at any time."""
        from ortools.sat.python import cp_model

        domain = cp_model.Domain(max(-FAR_MIN, self.earliest), latest)
        for resource in self.resources.values():
            lengths = {
                length if any(_is_short(demand, resource, phase) for demand in mode.demands) else 0
                for mode, length, phase in phases
            }
            if resource.open is not None and len(lengths) == 1 and 0 not in lengths:
                domain = domain.intersection_with(self._starts(resource, lengths.pop()))
        return domain

    def _starts(self, resource: Resource, length: int) -> Any:
        from ortools.sat.python import cp_model

        windows = [[a, b - length] for a, b in resource.open or () if b - a >= length and b > self.earliest]
        return cp_model.Domain.from_intervals([window for window in windows if window[0] <= self.horizon])


def _pieces(placed: Placed, mode: Mode, phases: tuple[bool, bool, bool]) -> Iterable[tuple[Any, int]]:
    """When a demand that ends with the test, or does not hold in it, holds: beginnings and lengths."""
    setup, test, teardown = phases
    pieces: list[tuple[Any, int]] = []
    if setup:
        pieces.append((placed.begin, mode.setup_min + (mode.duration_min if test else 0)))
    elif test:
        pieces.append((placed.begin + mode.setup_min, mode.duration_min))
    if teardown:
        pieces.append((placed.teardown, mode.teardown_min))
    return [(start, length) for start, length in pieces if length > 0]


def _is_short(demand: Demand, resource: Resource, phase: str) -> bool:
    """Whether a demand holds in a phase, and not in the test."""
    is_there = demand.resource == resource.name and demand.amount > 0
    return is_there and phase in demand.during and "test" not in demand.during
