"""The bench plan as a constraint model for OR-Tools CP-SAT.

One start per job; one optional interval per job and bench; exactly one of a job's intervals is there, and none overlap
on a bench. Set-up and teardown need no variables of their own: a job on a bench starts after its set-up and leaves time
for its teardown, which is the same as one set-up before the first job and one teardown after the last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from twinbench.core.planning.greedy import makespan
from twinbench.core.planning.model import Interval, Job, Resource

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

__all__ = ["Search"]


class Search:
    """A model and the best plan known so far, ``best``; no search ever makes that worse."""

    def __init__(
        self,
        jobs: Sequence[Job],
        resources: Mapping[str, Resource],
        start_from: Sequence[Interval],
        *,
        workers: int,
        seed: int,
    ) -> None:
        from ortools.sat.python import cp_model

        self.jobs, self.resources, self.best = jobs, resources, start_from
        self._workers, self._seed = workers, seed
        self._model = cp_model.CpModel()
        horizon = makespan(start_from, resources)
        self._makespan = self._model.new_int_var(0, horizon, "makespan")
        self._starts = {job.name: self._model.new_int_var(job.release_min, horizon, job.name) for job in jobs}
        self._choices: dict[tuple[str, str], cp_model.IntVar] = {}
        self._add_intervals()

    def _add_intervals(self) -> None:
        by_bench = defaultdict(list)
        for job in self.jobs:
            start = self._starts[job.name]
            for mode in job.modes:
                chosen = self._model.new_bool_var(f"{job.name} on {mode.bench}")
                self._choices[job.name, mode.bench] = chosen
                bench, length = self.resources[mode.bench], mode.duration_min
                self._model.add(start >= bench.setup_min).only_enforce_if(chosen)
                self._model.add(start + length + bench.teardown_min <= self._makespan).only_enforce_if(chosen)
                interval = self._model.new_optional_fixed_size_interval_var(start, length, chosen, job.name)
                by_bench[mode.bench].append((job, chosen, length, interval))
            self._model.add_exactly_one(self._choices[job.name, mode.bench] for mode in job.modes)
        for name, parts in by_bench.items():
            self._model.add_no_overlap(interval for *_, interval in parts)
            earliest = max(self.resources[name].setup_min, min(job.release_min for job, *_ in parts))
            self._bound_load(name, earliest, [(chosen, length) for _, chosen, length, _ in parts])

    def _bound_load(self, bench: str, earliest_min: int, parts: list[tuple[cp_model.IntVar, int]]) -> None:
        """A bench that is used takes as long as all its jobs together: implied, but it makes proofs short."""
        used = self._model.new_bool_var(f"{bench} is used")
        for chosen, _ in parts:
            self._model.add_implication(chosen, used)
        fixed = (earliest_min + self.resources[bench].teardown_min) * used
        self._model.add(sum(chosen * length for chosen, length in parts) + fixed <= self._makespan)

    def shorten(self, time_limit_s: float) -> tuple[bool, int]:
        """Look for the smallest makespan.

        Returns:
            Whether it is proven to be the smallest, and the smallest that was not ruled out.
        """
        from ortools.sat.python import cp_model

        self._model.minimize(self._makespan)
        status, solver = self._solve(time_limit_s)
        found = makespan(self.best, self.resources)
        if status == cp_model.OPTIMAL:
            return True, found
        bound = max((job.release_min + min(mode.duration_min for mode in job.modes) for job in self.jobs), default=0)
        return False, max(bound, round(solver.best_objective_bound)) if status == cp_model.FEASIBLE else bound

    def move_forward(self, time_limit_s: float, *, effort: float) -> None:
        """Keep the makespan and look for earlier starts, with a limited effort that does not depend on the machine."""
        self._model.add(self._makespan <= makespan(self.best, self.resources))
        self._model.minimize(sum(self._starts.values()))
        self._solve(time_limit_s, effort=effort)

    def _solve(
        self, time_limit_s: float, *, effort: float | None = None
    ) -> tuple[cp_model.CpSolverStatus, cp_model.CpSolver]:
        from ortools.sat.python import cp_model

        self._hint()
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = self._workers
        solver.parameters.random_seed = self._seed
        solver.parameters.max_time_in_seconds = time_limit_s
        if effort is not None:
            solver.parameters.max_deterministic_time = effort
        status = solver.solve(self._model)
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            self.best = self._intervals(solver)
        return status, solver

    def _hint(self) -> None:
        self._model.clear_hints()
        chosen = {(part.job, part.bench): part for part in self.best}
        for part in self.best:
            self._model.add_hint(self._starts[part.job], part.start_min)
        for choice, variable in self._choices.items():
            self._model.add_hint(variable, choice in chosen)

    def _intervals(self, solver: cp_model.CpSolver) -> list[Interval]:
        found = []
        for job in self.jobs:
            start = solver.value(self._starts[job.name])
            mode = next(mode for mode in job.modes if solver.value(self._choices[job.name, mode.bench]))
            found.append(Interval(job.name, mode.bench, start, start + mode.duration_min))
        return sorted(found, key=lambda part: (part.start_min, part.bench))
