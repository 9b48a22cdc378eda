"""Plans made anew from the order and the modes of tests, and moved as late and then as early as they can be.

The second is justification (Valls, Ballestin & Quintanilla 2005); Numba compiles both. Taking some tests out and
putting them back leaves gaps before those that stayed. Where earlier is always better, this closes them.
"""

from __future__ import annotations

import numpy as np

from twinbench.core.planning.insertion.compiling_kernel import compiled, lean
from twinbench.core.planning.insertion.fitting_kernel import first_fit, last_fit
from twinbench.core.planning.insertion.lines_kernel import NOWHERE
from twinbench.core.planning.insertion.placing_kernel import limits, place, put_best, ready

__all__ = ["disturb", "insert_in_order", "justify", "pull", "rebuild"]

_FAR = 0.1  # of the whole order
_CHANGES_MODE = 0.3
_MOVED_UP_CHANGES = 0.1
_ANY_MODE = 0.2


@compiled
def _empty(s, base):
    """Leave nothing in a plan but what is locked."""
    s.places[:] = base.places
    s.lines[:] = base.lines
    s.benches[:] = base.benches
    s.steps[:] = base.steps
    s.resources[:] = base.resources
    s.people[:] = base.people
    s.span[:] = base.span
    s.total[:] = base.total


@compiled
def rebuild(p, s, base, places):
    """Make a plan that is known."""
    _empty(s, base)
    for j in range(len(places)):
        if p.jobs[j].lock_mode < 0:
            place(p, s, j, places[j].mode, places[j].begin, places[j].teardown, places[j].free)


@lean
def _insert_first(p, s, j, m):
    """Put a job where it ends first in a mode; its end, NOWHERE if it does not fit."""
    low, high, least_free, most_free = limits(p, s, j)
    begin, teardown, free = first_fit(p, s, j, m, low, high, least_free, most_free)
    if begin == NOWHERE:
        return NOWHERE
    place(p, s, j, m, begin, teardown, free)
    return free


@compiled
def insert_in_order(p, s, base, keys, modes, may_change):
    """Make a plan by inserting one job after the other, the smallest key first, those before others before them.

    Args:
        p: The problem.
        s: What is there is forgotten.
        base: The plan that has nothing but what is locked.
        keys: One for each job.
        modes: Which one each job gets.
        may_change: Which jobs may have another one.

    Returns:
        Whether all found a place, and how many modes were tried.
    """
    _empty(s, base)
    order, first, longest, tried = np.argsort(keys), 0, s.total[0], 0
    while True:
        while first < len(order) and s.places[order[first]].placed:
            first += 1
        if first == len(order):
            return True, tried
        at = first
        while at < len(order) and (s.places[order[at]].placed or not ready(p, s, order[at])):
            at += 1
        if at == len(order):
            return False, tried
        j, looked = order[at], 1
        if may_change[j]:
            placed, free, looked = put_best(p, s, j, longest, 0.0)
            if not placed:
                return False, tried
        else:
            free = _insert_first(p, s, j, modes[j])
            if free == NOWHERE:
                return False, tried
        longest = max(longest, free)
        tried += looked


@compiled
def _push(p, s, base, known):
    """Move every job, the last ones first, to the latest time at which the plan is no longer; whether all fit."""
    longest = 0
    for j in range(len(known)):
        longest = max(longest, known[j].free)
    _empty(s, base)
    for j in np.argsort(-known.free):
        if p.jobs[j].lock_mode >= 0:
            continue
        m = known[j].mode
        low, high, least_free, most_free = limits(p, s, j)
        most_free = min(most_free, longest)
        latest = min(high, most_free - p.modes[m].setup - p.modes[m].test - p.modes[m].teardown)
        begin, teardown, free = last_fit(p, s, j, m, latest, low, least_free, most_free)
        if begin == NOWHERE:
            return False
        place(p, s, j, m, begin, teardown, free)
    return True


@compiled
def pull(p, s, base):
    """Move all jobs up in the order they begin in, a few to other modes: whether all fit, and how many were tried."""
    may_change = np.random.random(len(s.places)) < _MOVED_UP_CHANGES
    return insert_in_order(p, s, base, s.places.begin.astype(np.float64), s.places.mode.copy(), may_change)


@compiled
def justify(p, s, base):
    """Move all jobs back and then up: whether all fit, and how many modes were tried. If not, the plan is not whole."""
    n = len(s.places)
    if not _push(p, s, base, s.places.copy()):
        return False, n
    whole, tried = pull(p, s, base)
    return whole, n + tried


@compiled
def disturb(p, keys, modes, may_change, most, path, length):
    """Have a few jobs, half of the time of a critical path, come earlier or later, some of them in other modes."""
    span = keys.max() - keys.min() + 1.0
    may_change[:] = False
    critical = length > 0 and np.random.random() < 0.5
    for _ in range(1 + int(most * np.random.random() ** 2)):
        j = path[np.random.randint(length)] if critical else np.random.randint(len(keys))
        keys[j] += span * _FAR * np.random.normal()
        draw = np.random.random()
        may_change[j] = draw < _CHANGES_MODE
        if draw > 1.0 - _ANY_MODE and p.jobs[j].lock_mode < 0:
            modes[j] = np.random.randint(p.jobs[j].mode_first, p.jobs[j + 1].mode_first)
