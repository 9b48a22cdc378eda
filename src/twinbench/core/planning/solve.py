"""Finds a bench plan, says how good it is, and why there is none.

The problem is checked, counted in the largest unit of time that fits, given to :class:`Portfolio`, and the plan is
counted in minutes again. Among plans that are equally good the one whose jobs begin earlier is preferred. With one
worker and the same seed the plan is the same, unless the time limit cuts the search short. OR-Tools is imported by
:func:`solve`, not by this module.

The first plan of a process waits for compiled kernels and OR-Tools to be loaded. That counts against the time limit,
but leaves the searches half of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.metadata import version

from twinbench.core.errors import InfeasibleError, PlanError
from twinbench.core.planning.bounds import least
from twinbench.core.planning.check import check
from twinbench.core.planning.insertion.improvers import compile_all
from twinbench.core.planning.plan import Plan, Tier
from twinbench.core.planning.portfolio import Portfolio
from twinbench.core.planning.problem import Problem
from twinbench.core.planning.scaling import factors, in_minutes, in_units, time_unit_min

__all__ = ["solve"]

_EXPLAINING_S = 0.5  # beyond the time limit, for saying why there is no plan
_SEARCHING = 0.5  # of the time limit, at least, is for searches
_MOST_WORKERS = 1_000


def solve(
    problem: Problem,
    *,
    time_limit_s: float = 10.0,
    workers: int = 1,
    seed: int = 1,
    told: Callable[[float, int], None] = lambda seconds, value: None,
) -> Plan:
    """Give every job a bench and an interval.

    Args:
        problem: What is to be planned.
        time_limit_s: Wall time; the searches end sooner if the plan is proven to be the best.
        workers: Threads.
        seed: The same seed gives the same plan.
        told: Is told of every better plan: seconds since the beginning, value of the first tier.

    Raises:
        InfeasibleError: If the problem contradicts itself, or has no plan: names the demands that conflict.
        PlanError: If the limits make no sense, or no plan was found in that time.
    """
    begin = time.perf_counter()
    _check_limits(time_limit_s, workers, seed)
    check(problem)
    _load()
    unit = time_unit_min(problem)
    tiers = [tier for tier in problem.objective if tier] or [{"makespan": 1}]
    tie_break = [] if any("start" in tier for tier in tiers) else [{"start": 1}]
    whole = replace(problem, objective=(*tiers, *tie_break))
    search = Portfolio(in_units(whole, unit), time_limit_s=time_limit_s, workers=workers, seed=seed, judged=len(tiers))
    search.begin = max(begin, search.begin - (1 - _SEARCHING) * time_limit_s)
    search.told = lambda seconds, value: told(seconds, value * factors(whole, unit)[0])
    if not search.run():
        if search.proof.infeasible:
            from twinbench.core.planning.conflict import conflict

            raise InfeasibleError(conflict(problem, left_s=lambda: search.left_s() + _EXPLAINING_S))
        raise PlanError(
            f"No plan was found in {time_limit_s:g} s: "
            f"job {search.stuck or problem.jobs[0].name} fits nowhere. Give more time, or loosen its dates and lags."
        )
    parts = in_minutes(search.best, unit)
    return Plan(
        tiers=_tiers(whole, search, unit)[: len(tiers)],
        intervals=tuple(sorted(parts, key=lambda part: (part.begin_min, part.bench, part.job))),
        makespan_min=max((part.free_min for part in parts), default=0),
        wall_s=time.perf_counter() - begin,
        solver=f"ruin and recreate, OR-Tools CP-SAT {version('ortools')}",
        parameters={"seed": seed, "workers": workers, "time_limit_s": time_limit_s},
        in_time=search.left_s() > 0,
        trace=tuple((seconds, value[0] * factors(whole, unit)[0]) for seconds, value in search.trace),
    )


def _check_limits(time_limit_s: float, workers: int, seed: int) -> None:
    if not time_limit_s > 0 or workers < 1:  # not a number is no time either
        raise PlanError(f"A plan needs time and a worker, not {time_limit_s} s and {workers}: give more than none.")
    if workers > _MOST_WORKERS:
        raise PlanError(f"A plan cannot have {workers} workers: give at most {_MOST_WORKERS}.")
    if seed < 0:
        raise PlanError(f"A plan cannot have seed {seed}: give 0 or more.")


@cache
def _load() -> None:
    """Load what the searches need, once in a process."""
    import_module("ortools.sat.python.cp_model")
    compile_all()


def _tiers(problem: Problem, search: Portfolio, unit: int) -> tuple[Tier, ...]:
    floors = least(search.problem)
    bounds = [*search.proof.bounds, *floors[len(search.proof.bounds) :]]
    if all(job.locked for job in problem.jobs):  # there is no other plan
        bounds = list(search.value)
    names = [" + ".join(name if w == 1 else f"{w} {name}" for name, w in tier.items()) for tier in problem.objective]
    return tuple(
        Tier(name, value * factor, min(max(bound, floor), value) * factor)
        for name, value, bound, floor, factor in zip(
            names, search.value, bounds, floors, factors(problem, unit), strict=True
        )
    )
