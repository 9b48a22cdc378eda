"""Tabu search for shops (Mastrolilli & Gambardella 2000), compiled by Numba.

Only moving a job of a critical path can make a plan shorter. The search looks at all of one such path, at all places to
which each could go, and takes what looks shortest, even if that is longer than what it has; for a while a job may not
go back to a mode that it left, unless that looks shorter than anything known.
"""

from __future__ import annotations

import numba
import numpy as np

from twinbench.core.planning.insertion.compiling_kernel import lean
from twinbench.core.planning.insertion.graph_kernel import (
    free_behind,
    head_by_others,
    longest_way,
    measure,
    move,
    rest_before,
    sequence,
    tail_by_others,
)
from twinbench.core.planning.problem import FAR_MIN

__all__ = ["climb", "sequence"]

_FARTHEST = 30  # jobs that a job passes on its bench
_LEAST_FORBIDDEN = 5  # moves
_CHANCE_FORBIDDEN = 10
_LENGTH_FORBIDDEN = 4  # of this many jobs on the path, one move more
_EFFORT = 2  # of this many jobs on the path, as much time as it takes to try a mode

_WAY, _JOB, _MODE, _BEHIND, _ALIKE = range(5)  # of what was found: its longest way, the move, how many are as good


@lean
def _may_follow(p, g, j, x):
    """Whether no job that comes after a job leads to another one, behind which it could then be."""
    for i in range(p.jobs[j].after_first, p.jobs[j + 1].after_first):
        k = p.links[i].job
        if k == x or g[x].head >= g[k].head + g[k].length:
            return False
    return True


@lean
def _may_precede(p, g, j, y):
    """Whether another job leads to none that comes before a job, which could then be before it."""
    for i in range(p.jobs[j].before_first, p.jobs[j + 1].before_first):
        k = p.links[i].job
        if k == y or g[k].head >= g[y].head + g[y].length:
            return False
    return True


@lean
def _last_job(g, longest):
    """One of the jobs with which the plan ends."""
    chosen, seen = -1, 0
    for j in range(len(g)):
        if g[j].head + g[j].length == longest:
            seen += 1
            if np.random.randint(seen) == 0:
                chosen = j
    return chosen


@lean
def _held_up_by(p, g, j):
    """One of the jobs without which another one could begin earlier; -1 if there is none."""
    chosen, seen = -1, 0
    for i in range(p.jobs[j].before_first, p.jobs[j + 1].before_first):
        k = p.links[i].job
        if g[k].head + g[k].length + p.links[i].least == g[j].head:
            seen += 1
            if np.random.randint(seen) == 0:
                chosen = k
    x = g[j].before
    held_up = x >= 0 and free_behind(p, g, g[j].bench, x, j) == g[j].head
    if held_up and np.random.randint(seen + 1) == 0:
        chosen = x
    return chosen


@lean
def _critical_path(p, g, longest, path):
    """Jobs that hold each other up until the end of the plan, the last one first; how many."""
    length, j = 0, _last_job(g, longest)
    while j >= 0:
        path[length] = j
        length += 1
        j = _held_up_by(p, g, j)
    return length


@lean
def _consider(found, way, j, m, x):
    """Remember a move if its longest way is shorter than that of those before, or by chance if it is as long."""
    if way > found[_WAY]:
        return
    found[_ALIKE] = found[_ALIKE] + 1 if way == found[_WAY] else 1
    if np.random.randint(found[_ALIKE]) == 0:
        found[_WAY], found[_JOB], found[_MODE], found[_BEHIND] = way, j, m, x


@lean
def _look_on_bench(p, g, j, found, below, row, heads):
    """Consider other places of a job on its bench, if the longest way is below something."""
    m, x, count = g[j].mode, g[j].behind, 0
    while x >= 0 and count < _FARTHEST and _may_follow(p, g, j, x):
        row[count], row[count + 1] = x, j
        count += 1
        way = longest_way(p, g, j, g[j].before, row, heads, count + 1, g[x].behind)
        if way < below:
            _consider(found, way, j, m, x)
        x = g[x].behind
    y, count = g[j].before, 0
    while y >= 0 and count < _FARTHEST and _may_precede(p, g, j, y):
        count += 1
        row[0], k = j, y
        for i in range(1, count + 1):
            row[i], k = k, g[k].behind
        way = longest_way(p, g, j, g[y].before, row, heads, count + 1, g[j].behind)
        if way < below:
            _consider(found, way, j, m, g[y].before)
        y = g[y].before


@lean
def _look_elsewhere(p, g, firsts, j, m, found, below):
    """Consider all places of a job in another mode, if the longest way is below something."""
    b, own = p.modes[m].bench, p.modes[m].setup + p.modes[m].test + p.modes[m].teardown
    head, tail = head_by_others(p, g, j), tail_by_others(p, g, j)
    x, y = -1, firsts[b]
    if b == g[j].bench:
        x, y = g[j].before, g[j].behind
    while x < 0 or _may_follow(p, g, j, x):
        if y < 0 or _may_precede(p, g, j, y):
            way = max(head, free_behind(p, g, b, x, j)) + own + max(tail, rest_before(p, g, b, j, y))
            if way < below:
                _consider(found, way, j, m, x)
        if y < 0 or b == g[j].bench:
            return
        x, y = y, g[y].behind


@numba.njit(cache=True, nogil=True)
def climb(p, g, firsts, best, forbidden, clock, effort, patience, seed):
    """Search for a while.

    Args:
        p: The problem, a shop.
        g: The nodes of a plan; those of another one afterwards, not always a shorter one.
        firsts: The first job of each bench; likewise.
        best: The nodes of the shortest plan; kept up to date.
        forbidden: For each mode, until when it may not be taken; likewise.
        clock: Moves made, moves since the best plan, length of the best plan (0: none yet); likewise.
        effort: Modes to be tried, or what takes as long.
        patience: Moves without a shorter plan, after which the search ends.
        seed: Of chance.

    Returns:
        Modes tried.
    """
    np.random.seed(seed)
    n = len(g)
    order, room, path = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    row, heads, found = np.empty(n + 1, np.int64), np.empty(n + 1, np.int64), np.empty(5, np.int64)
    longest, tried = measure(p, g, order, room), 0
    if clock[2] == 0:
        clock[2] = longest
        best[:] = g
    while tried < effort and clock[1] < patience:
        length = _critical_path(p, g, longest, path)
        tried += 1 + length // _EFFORT
        clock[0] += 1
        clock[1] += 1
        found[_WAY], found[_ALIKE] = FAR_MIN, 0
        for i in range(length):
            j = path[i]
            for m in range(p.jobs[j].mode_first, p.jobs[j + 1].mode_first):
                below = clock[2] if forbidden[m] > clock[0] else FAR_MIN
                if m == g[j].mode:
                    _look_on_bench(p, g, j, found, below, row, heads)
                else:
                    _look_elsewhere(p, g, firsts, j, m, found, below)
        if found[_ALIKE] == 0:
            continue
        j = found[_JOB]
        forbidden[g[j].mode] = (
            clock[0] + _LEAST_FORBIDDEN + np.random.randint(_CHANCE_FORBIDDEN) + length // _LENGTH_FORBIDDEN
        )
        move(p, g, firsts, j, found[_MODE], found[_BEHIND])
        longest = measure(p, g, order, room)
        if longest < clock[2]:
            best[:] = g
            clock[1], clock[2] = 0, longest
    return tried
