"""Searches with CP-SAT: the whole plan tier by tier with a proof, or a window of a plan while the rest stays.

A window is a large neighbourhood (Shaw 1998): some jobs that are near each other in time and compete for benches move,
all others stay where they are, so models are small however large the lab is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from twinbench.core.planning.cp_sat.model import PlanModel
from twinbench.core.planning.plan import Interval, locked_intervals
from twinbench.core.planning.problem import Problem

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

__all__ = ["Proof", "building_s", "improve_window", "search_first", "search_whole"]

_EFFORT = 0.2  # of a search that only chooses among equally good plans, in deterministic time: a second or less
_BUILDING_S = 3e-4  # of one mode, on a busy machine
_MOST = 2**53  # of an objective that weighs several tiers in one number


def building_s(problem: Problem) -> float:
    """How long it takes to set up the whole model, before any search can look at the clock."""
    return _BUILDING_S * sum(len(job.modes) for job in problem.jobs)


class Proof:
    """What was proven of each tier of the objective, given that the tiers before it are as good as found.

    Attributes:
        bounds: What a tier cannot be below; as far as tiers were searched.
        complete: Whether all tiers that matter are proven.
        infeasible: Whether there is no plan at all.
    """

    def __init__(self) -> None:
        self.bounds: list[int] = []
        self.complete = False
        self.infeasible = False


def search_whole(
    problem: Problem,
    known: Sequence[Interval],
    value: Sequence[int],
    *,
    seconds: Callable[[], float],
    workers: int,
    seed: int,
    judged: int | None = None,
    effort: float | None = None,
    only_better: bool = False,
    found: Callable[[Sequence[Interval]], None] = lambda parts: None,
) -> Proof:
    """Look for the best plan, one tier of the objective after the other.

    Args:
        problem: What is to be planned.
        known: A plan to start from; may be empty.
        value: The tiers of its objective; empty if there is no plan.
        seconds: How much time is left.
        workers: Threads.
        seed: Of the solver.
        judged: How many tiers matter; those after them get a short search and need no proof.
        effort: Limit of each tier in CP-SAT's deterministic time, if it must not depend on the machine.
        only_better: Look for better plans around the known one and prove nothing of the first tier.
        found: Is told of every plan that is better in the tier that is searched.
    """
    from ortools.sat.python import cp_model

    proof, proven = Proof(), True
    model = PlanModel(problem, known, value=value[0] if value else None)
    for number, tier in enumerate(problem.objective):
        expression = sum(weight * model.criteria[name] for name, weight in tier.items())
        left = seconds()
        if left <= 0:
            break
        model.model.minimize(expression)
        matters = judged is None or number < judged
        more = number + 1 < (len(problem.objective) if judged is None else judged)
        solver = _solver((0.7 if more else 0.97) * left, workers, seed, effort if matters else _EFFORT)
        solver.parameters.use_lns_only = only_better and number == 0
        report = _Report(model, found)
        status = solver.solve(model.model, report.callback())
        if status == cp_model.INFEASIBLE:
            proof.infeasible = True
            break
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            proof.bounds.append(_rounded_up(solver.best_objective_bound))
            break
        proof.bounds.append(_rounded_up(solver.best_objective_bound))
        proven = proven and (status == cp_model.OPTIMAL or not matters)
        reached = round(solver.objective_value)
        model.model.add(expression <= reached)
        model.model.clear_hints()
        for index in range(len(model.model.proto.variables)):
            variable = model.model.get_int_var_from_proto_index(index)
            model.model.add_hint(variable, solver.value(variable))
    else:
        proof.complete = proven
    return proof


def search_first(
    problem: Problem, *, seconds: Callable[[], float], workers: int, seed: int
) -> tuple[list[Interval] | None, bool]:
    """Any plan, and whether it is proven that there is none."""
    from ortools.sat.python import cp_model

    model = PlanModel(problem, locked_intervals(problem))
    left = seconds()
    if left <= 0:
        return None, False
    solver = _solver(left, workers, seed, None)
    status = solver.solve(model.model)
    is_found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return model.intervals(solver.value) if is_found else None, status == cp_model.INFEASIBLE


def improve_window(
    problem: Problem,
    known: Sequence[Interval],
    value: Sequence[int],
    moving: Iterable[str],
    *,
    seconds: float,
    workers: int,
    seed: int,
    effort: float | None = None,
) -> list[Interval] | None:
    """The best plan in which only some jobs move; None if none was found that is as good as the known one."""
    from ortools.sat.python import cp_model

    model = PlanModel(problem, known, value=value[0], moving=moving)
    tiers = [sum(weight * model.criteria[name] for name, weight in tier.items()) for tier in problem.objective]
    scale, objective = 1, 0
    for expression, most in zip(reversed(tiers), reversed(list(value)), strict=False):
        if scale > 1 and scale * max(1, most) > _MOST:
            scale, objective = 1, 0  # the least important tiers are left out
        objective += scale * expression
        scale *= 2 * max(1, most) + 1
    model.model.minimize(objective)
    solver = _solver(seconds, workers, seed, effort)
    status = solver.solve(model.model)
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return model.intervals(solver.value)
    return None


def _solver(seconds: float, workers: int, seed: int, effort: float | None) -> cp_model.CpSolver:
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.max_time_in_seconds = seconds
    if effort is not None:
        solver.parameters.max_deterministic_time = effort
    return solver


def _rounded_up(bound: float) -> int:
    return int(-(-round(bound, 3) // 1))


class _Report:
    """Hands every solution on."""

    def __init__(self, model: PlanModel, found: Callable[[Sequence[Interval]], None]) -> None:
        self._model, self._found = model, found

    def callback(self) -> Any:
        from ortools.sat.python import cp_model

        model, found = self._model, self._found

        class Callback(cp_model.CpSolverSolutionCallback):
            def on_solution_callback(self) -> None:
                parts = model.intervals(self.value)
                if parts is not None:
                    found(parts)

        return Callback()
