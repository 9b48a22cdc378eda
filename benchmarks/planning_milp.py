"""Mixed-integer programming as a peer of the planner: HiGHS, and Gurobi as far as its wheel goes without a licence.

    python benchmarks/planning_milp.py   < question > answer   (pickled; started by ``milp``, not by people)

The program is in benchmarks/planning_program.py. It is solved in a process of its own: OR-Tools and highspy each bring
a libhighs of the same name, and whichever is loaded first breaks the other. Starting the process is not counted.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from planning_model import Answer, Small
from planning_program import Program

from twinbench.core.planning.plan import Interval
from twinbench.core.planning.problem import Problem

__all__ = ["GUROBI_MOST", "TooLargeError", "milp"]

GUROBI_MOST = 2000  # variables, and constraints, without a licence


class TooLargeError(Exception):
    """More variables or constraints than a solver's licence takes."""


def milp(
    problem: Problem,
    *,
    greedy: Sequence[Interval],
    solver: str = "highs",
    time_limit_s: float,
    workers: int = 2,
    seed: int = 1,
) -> Answer:
    """By ``highs`` or ``gurobi``."""
    question = pickle.dumps((problem, tuple(greedy), solver, time_limit_s, workers, seed))
    done = subprocess.run([sys.executable, __file__], input=question, stdout=subprocess.PIPE, check=True)
    answer = pickle.loads(done.stdout)
    if isinstance(answer, str):
        raise TooLargeError(answer)
    return Answer(*answer)


def _solve(
    problem: Problem, greedy: Sequence[Interval], solver: str, time_limit_s: float, workers: int, seed: int
) -> Answer:
    begun = time.perf_counter()
    program = Program(Small(problem, pooled=True), greedy)
    run = {"highs": _by_highs, "gurobi": _by_gurobi}[solver]
    values, trace, bound = run(program, begun, time_limit_s, workers, seed)
    grain = program.small.grain
    steps = tuple((round(seconds, 3), round(grain * value)) for seconds, value in trace)
    plan = program.plan(values) if values is not None else None
    return Answer(steps, plan, round(grain * bound) if abs(bound) < 1e15 else 0)


Found = tuple[Any, list[tuple[float, float]], float]


def _by_highs(program: Program, begun: float, time_limit_s: float, workers: int, seed: int) -> Found:
    import highspy

    lp, matrix = highspy.HighsLp(), program.matrix()
    lp.num_col_, lp.num_row_ = len(program.cost), len(program.rows)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = np.array(program.cost, float), np.zeros(lp.num_col_), program.upper
    lp.row_lower_, lp.row_upper_ = [row[0] for row in program.rows], [row[1] for row in program.rows]
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[whole] for whole in program.whole]
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    highs = highspy.Highs()
    left_s = max(0.1, time_limit_s - (time.perf_counter() - begun))
    highs.setOptionValue("presolve", "off")  # takes half of ten seconds and gives nothing
    highs.setOptionValue("mip_lp_solver", "ipm")  # simplex does not come to the end of the first relaxation
    for name, value in {"output_flag": False, "threads": workers, "random_seed": seed, "time_limit": left_s}.items():
        highs.setOptionValue(name, value)
    highs.passModel(lp)
    highs.setSolution(len(program.start), list(program.start), list(program.start.values()))
    trace: list[tuple[float, float]] = []
    highs.cbMipImprovingSolution.subscribe(
        lambda event: trace.append((time.perf_counter() - begun, event.data_out.objective_function_value))
    )
    highs.run()
    info = highs.getInfo()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if found and (not trace or info.objective_function_value < trace[-1][1] - 0.5):
        trace.append((time.perf_counter() - begun, info.objective_function_value))
    return (highs.getSolution().col_value if found else None), trace, info.mip_dual_bound


def _by_gurobi(program: Program, begun: float, time_limit_s: float, workers: int, seed: int) -> Found:
    import gurobipy

    if max(len(program.cost), len(program.rows)) > GUROBI_MOST:
        raise TooLargeError(f"{len(program.cost)} variables, {len(program.rows)} constraints")
    with gurobipy.Env(params={"OutputFlag": 0}) as env, gurobipy.Model(env=env) as model:
        kinds = np.where(program.whole, gurobipy.GRB.INTEGER, gurobipy.GRB.CONTINUOUS)
        columns = model.addMVar(len(program.cost), ub=program.upper, obj=program.cost, vtype=kinds)
        matrix = program.matrix()
        lower, upper = np.array([row[0] for row in program.rows]), np.array([row[1] for row in program.rows], float)
        model.addConstr(matrix @ columns >= lower)
        model.addConstr(matrix[np.isfinite(upper)] @ columns <= upper[np.isfinite(upper)])
        model.update()
        for column, value in program.start.items():
            columns[column].Start = value
        left_s = max(0.1, time_limit_s - (time.perf_counter() - begun))
        for name, value in {"TimeLimit": left_s, "Threads": workers, "Seed": seed}.items():
            model.setParam(name, value)
        trace: list[tuple[float, float]] = []

        def improved(at: gurobipy.Model, where: int) -> None:
            if where == gurobipy.GRB.Callback.MIPSOL:
                trace.append((time.perf_counter() - begun, at.cbGet(gurobipy.GRB.Callback.MIPSOL_OBJ)))

        model.optimize(improved)
        return (columns.X if model.SolCount else None), trace, model.ObjBound


def _main() -> None:
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a solver prints of itself must not get into the answer
    try:
        answer: Any = tuple(_solve(*pickle.load(sys.stdin.buffer)))
    except TooLargeError as error:
        answer = str(error)
    with told:
        told.write(pickle.dumps(answer))


if __name__ == "__main__":
    _main()
