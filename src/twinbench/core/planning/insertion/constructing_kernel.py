"""Greedy insertion, compiled by Numba: one test after the other into an empty plan, each in its best place.

A test that has to follow another one soon may fit nowhere; then the other one is put off, and all that comes after it.
"""

from __future__ import annotations

from twinbench.core.planning.insertion.compiling_kernel import compiled, lean
from twinbench.core.planning.insertion.placing_kernel import best_place, put_best, ready, remove, still_changed_over
from twinbench.core.planning.insertion.pricing_kernel import values
from twinbench.core.planning.problem import FAR_MIN

__all__ = ["construct", "lock", "values"]


@lean
def _put_off(p, s, j, longest):
    """A job comes too long after another one wherever it fits: have the other one end later; whether there is one.

    What comes after the jobs that are taken out for this is taken out too.
    """
    m, begin, _, _, _, _ = best_place(p, s, j, longest, 0.0, False)
    moved = False
    for i in range(p.jobs[j].before_first, p.jobs[j + 1].before_first):
        k = p.links[i].job
        if m >= 0 and s.places[k].free + p.links[i].most < begin and p.jobs[k].lock_mode < 0:
            s.places[k].floor = begin - p.links[i].most
            remove(p, s, k)
            moved = True
    again = moved
    while again:
        again = False
        for k in range(len(s.places)):
            if s.places[k].placed and p.jobs[k].lock_mode < 0 and not ready(p, s, k):
                remove(p, s, k)
                again = True
    return moved


@lean
def lock(p, s):
    """Place the jobs that are locked."""
    for j in range(len(s.places)):
        if not s.places[j].placed and p.jobs[j].lock_mode >= 0:
            put_best(p, s, j, s.total[0], 0.0)


@compiled
def construct(p, s, keys):
    """Place all jobs that are not placed: the locked ones, then the smallest key of those that are ready.

    Returns:
        The first job that fits nowhere, -1 if all do.
    """
    n = len(keys)
    lock(p, s)
    longest = s.total[0]
    repairs = 0
    while True:
        chosen = -1
        for j in range(n):
            if not s.places[j].placed and (chosen < 0 or keys[j] < keys[chosen]) and ready(p, s, j):
                chosen = j
        if chosen < 0:
            break
        placed, free, _ = put_best(p, s, chosen, longest, 0.0)
        if placed:
            longest = max(longest, free)
            continue
        repairs += 1
        if repairs > 10 * n or not _put_off(p, s, chosen, longest):
            return chosen
    for j in range(n):
        s.places[j].floor = -FAR_MIN
        if not s.places[j].placed or not still_changed_over(p, s, p.modes[s.places[j].mode].bench):
            return j
    return -1
