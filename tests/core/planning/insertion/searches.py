"""Searches for tests to begin from, and what holds of every plan that somebody makes of one."""

from itertools import count

import numpy as np

from tests.core.planning.checker import value, violations
from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate
from twinbench.core.planning.problem import Demand, Job, Mode, Precedence, Problem, Resource


def inserted(problem):
    """A search with the plan of greedy insertion, which there is."""
    search = RuinRecreate(problem)
    assert search.construct()
    return search


def project(seed, jobs=30, *, objective=({"makespan": 1},)):
    """Jobs of random length that share three resources, some after others."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(jobs):
        needs = tuple(Demand(f"R{r}", int(rng.integers(1, 7))) for r in range(3) if rng.random() < 0.7)
        after = tuple(Precedence(f"J{k}") for k in range(max(0, number - 6), number) if rng.random() < 0.25)
        found.append(Job(f"J{number}", (Mode("", int(rng.integers(1, 11)), demands=needs),), after=after))
    return Problem(tuple(found), (), tuple(Resource(f"R{r}", 10) for r in range(3)), objective=objective)


def improved(way, effort, seed, *, chunks=3):
    """The way after some improvement, a chunk after the other."""
    for _, chunk in zip(range(chunks), count(seed), strict=False):
        way.improve(effort, heat=0.0, seed=chunk)
    return way


def assert_keeps_rules_and_is_no_worse(way, problem, before):
    """It keeps all rules, is worth what it says, and no worse than what there was before."""
    assert violations(problem, way.parts()) == []
    assert way.value == value(problem, way.parts()) <= before
