"""Who has children, and what they inherit, compiled by Numba: the order of one parent, but a part of the other's."""

from __future__ import annotations

import numpy as np

from twinbench.core.planning.insertion.compiling_kernel import compiled, lean
from twinbench.core.planning.insertion.pricing_kernel import better

__all__ = ["cross", "parent"]


@lean
def parent(worth):
    """The better one of two that are drawn: its number; what they are worth has shape (plans, tiers)."""
    one, other = np.random.randint(len(worth)), np.random.randint(len(worth))
    return one if better(worth[one], worth[other]) else other


@compiled
def cross(mother, father, keys, of_father):
    """Give a child the mother's order, but that of the father for a part in the middle.

    Args:
        mother: When her jobs begin.
        father: When his do.
        keys: Has the places of the jobs in the child's order afterwards.
        of_father: Which jobs got theirs from him, afterwards.
    """
    n = len(keys)
    first = np.random.randint(n)
    last = min(n, first + int(n * (0.25 + 0.5 * np.random.random())))
    ours, theirs = np.argsort(mother), np.argsort(father)
    taken, place = np.zeros(n, np.bool_), 0
    for part in range(3):
        order, until = (theirs, last) if part == 1 else (ours, first if part == 0 else n)
        for j in order:
            if place < until and not taken[j]:
                taken[j], keys[j], of_father[j] = True, place, part == 1
                place += 1
