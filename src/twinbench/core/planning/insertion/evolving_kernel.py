"""A population of plans that inherit from each other (Valls, Ballestin & Quintanilla 2008), compiled by Numba.

A plan is described by the order in which its jobs begin, and by their modes. A child has a part of that order, and the
modes of the jobs in it, from one parent, and the rest from another; it is justified, and changed a little where that
does it good. It takes the place of the worst of all if it is better and unlike any other. Good where the length of the
plan is what matters: it takes some jobs of each parent to make it short.
"""

from __future__ import annotations

import numba
import numpy as np

from twinbench.core.planning.insertion.compiling_kernel import compiled
from twinbench.core.planning.insertion.crossing_kernel import cross, parent
from twinbench.core.planning.insertion.pricing_kernel import better, values
from twinbench.core.planning.insertion.ruin_kernel import LONGEST_PATH, critical_path
from twinbench.core.planning.insertion.shifting_kernel import disturb, insert_in_order, justify, rebuild

__all__ = ["breed", "evolve"]

_MUTANTS = 0.7
_MUTATED = 5
_STEPS = 2
_STEPPED = 4


@compiled
def breed(p, s, base, keys, modes, may_change):
    """Make a plan of an order and modes and justify it: whether all fit, and how many modes were tried."""
    whole, tried = insert_in_order(p, s, base, keys, modes, may_change)
    if whole:
        whole, looked = justify(p, s, base)
        tried += looked
    return whole, tried


@compiled
def _climb(p, s, base, value):
    """Change a plan a few times and keep what is no worse: its objective, and how many modes were tried."""
    path, may_change, tried = np.empty(LONGEST_PATH, np.int64), np.zeros(len(s.places), np.bool_), 0
    for _ in range(_STEPS):
        kept = s.places.copy()
        keys = kept.begin.astype(np.float64)
        modes = kept.mode.copy()
        disturb(p, keys, modes, may_change, _STEPPED, path, critical_path(p, s, path))
        whole, looked = breed(p, s, base, keys, modes, may_change)
        tried += looked
        found = values(p, s, len(value))
        if whole and not better(value, found):
            value = found
        else:
            rebuild(p, s, base, kept)
    return value, tried


@compiled
def _replaced(worth, value):
    """The worst plan, if there is none that is worth as much as the new one and that one is better; else -1."""
    worst, alike = 0, False
    for i in range(len(worth)):
        alike = alike or (worth[i] == value).all()
        if better(worth[worst], worth[i]):
            worst = i
    return worst if not alike and better(value, worth[worst]) else -1


@numba.njit(cache=True, nogil=True)
def evolve(p, s, base, plans, worth, effort, seed):
    """Have plans inherit from each other for a while.

    Args:
        p: The problem.
        s: A plan; is another one afterwards.
        base: The plan that has nothing but what is locked.
        plans: Places of each plan: shape (plans, jobs); kept up to date.
        worth: Their objectives: shape (plans, tiers); likewise.
        effort: Modes to be tried, a measure of time that is the same on every machine.
        seed: Of chance.

    Returns:
        How many children there were.
    """
    np.random.seed(seed)
    n = plans.shape[1]
    keys, modes, may_change = np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.bool_)
    of_father, nobody = np.zeros(n, np.bool_), np.empty(0, np.int64)
    children, tried = 0, 0
    while tried < effort:
        children += 1
        mother, father = plans[parent(worth)], plans[parent(worth)]
        cross(mother.begin, father.begin, keys, of_father)
        modes[:] = np.where(of_father, father.mode, mother.mode)
        may_change[:] = False
        if np.random.random() < _MUTANTS:
            disturb(p, keys, modes, may_change, _MUTATED, nobody, 0)
        whole, looked = breed(p, s, base, keys, modes, may_change)
        tried += looked + 1
        if not whole:
            continue
        value, looked = _climb(p, s, base, values(p, s, worth.shape[1]))
        tried += looked
        place = _replaced(worth, value)
        if place >= 0:
            plans[place], worth[place] = s.places, value
    return children
