"""Peers of the planner: other ways to solve the same problem.

    greedy    what our planner begins from: insertion by several rules, the best of them
    textbook  CP-SAT, one optional interval per job and bench, no overlap on a bench: what one reads everywhere
    grouped   CP-SAT, identical benches are one cumulative resource, the concrete bench is chosen afterwards; begins
              from a greedy plan. A bench that is closed some time, that obeys a table of changeovers or to which a job
              is locked is no longer identical to another one, and modelled as in the textbook
    milp      a time-indexed mixed-integer program, by HiGHS or Gurobi (benchmarks/planning_milp.py)

All work in the greatest common divisor of all times and have the operators' calendar in the domains of set-up and
teardown, which is better than forbidden intervals. Building a model is part of the time. They take what generated labs
and public instances need; of modes of one job they want the same set-up and teardown.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from ortools.sat.python import cp_model
from planning_cpsat import Model
from planning_milp import milp
from planning_model import Answer, Small

from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import Problem

__all__ = ["greedy", "grouped", "milp", "textbook"]


def greedy(problem: Problem) -> Answer:
    from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate

    begun = time.perf_counter()
    search = RuinRecreate(problem)
    if not search.construct():
        return Answer((), None, 0)
    return Answer(((round(time.perf_counter() - begun, 3), search.value[0]),), tuple(search.parts()), 0)


def textbook(problem: Problem, *, time_limit_s: float, workers: int = 2, seed: int = 1) -> Answer:
    return _solve(problem, False, (), time_limit_s, workers, seed)


def grouped(
    problem: Problem, *, greedy: Sequence[Interval] = (), time_limit_s: float, workers: int = 2, seed: int = 1
) -> Answer:
    return _solve(problem, True, greedy, time_limit_s, workers, seed)


def _solve(
    problem: Problem, pooled: bool, greedy: Sequence[Interval], time_limit_s: float, workers: int, seed: int
) -> Answer:
    begun = time.perf_counter()
    model = Model(Small(problem, pooled=pooled))
    model.hint(greedy)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers, solver.parameters.random_seed = workers, seed
    solver.parameters.cp_model_presolve = len(problem.jobs) <= 50  # of large ones it takes longer than it gives
    left_s = time_limit_s - (time.perf_counter() - begun)
    if left_s <= 0:
        return Answer((), None, 0)
    solver.parameters.max_time_in_seconds = left_s
    trace = _Trace(begun)
    status = solver.solve(model.model, trace)
    bound = round(solver.best_objective_bound)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Answer((), None, bound)
    return Answer(tuple(trace.steps), model.plan(solver), bound)


class _Trace(cp_model.CpSolverSolutionCallback):
    def __init__(self, begun: float) -> None:
        super().__init__()
        self.begun, self.steps = begun, []

    def on_solution_callback(self) -> None:
        self.steps.append((round(time.perf_counter() - self.begun, 3), round(self.objective_value)))
