"""The ways in which a plan is made better, and which of them are good for which problem."""

from __future__ import annotations

from twinbench.core.planning.insertion.improver import Improver
from twinbench.core.planning.insertion.population import Population
from twinbench.core.planning.insertion.project import Project, is_project
from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate
from twinbench.core.planning.insertion.shop import Shop, is_shop
from twinbench.core.planning.problem import Bench, Job, Mode, Problem

__all__ = ["compile_all", "improvers"]


def improvers(search: RuinRecreate) -> list[RuinRecreate | Improver]:
    """For a shop its graph, for a project its schedules; else ruin and recreate, and perhaps a population of plans.

    The last one where the length of the plan is what matters.
    """
    if is_shop(search.problem):
        return [Shop(search)]
    if is_project(search):
        return [Project(search)]
    if set(search.problem.objective[0]) != {"makespan"}:
        return [search]
    other = RuinRecreate(search.problem)
    other.load(search.parts())
    return [search, Population(other)]


def compile_all() -> None:
    """Have the kernels compiled, as `make install` does."""
    for bench in ("bench", ""):
        jobs = tuple(Job(name, (Mode(bench, 1),)) for name in "ab")
        search = RuinRecreate(Problem(jobs, (Bench("bench"),)))
        search.construct()
        search.improve(10, heat=0.1, seed=1)
        search.load(search.parts())
        for way in (Population(search), Shop(search) if bench else Project(search)):
            way.improve(1_000, heat=0.0, seed=1)
