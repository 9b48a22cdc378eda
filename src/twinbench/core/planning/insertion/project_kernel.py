"""Schedules of projects, made from an order of jobs or inherited from others, compiled by Numba.

What is left of each resource is kept minute by minute, which makes a schedule in microseconds where it is short. It is
justified until that makes it no shorter (Valls, Ballestin & Quintanilla 2005). The argument ``p`` is the problem, whose
jobs have a mode each, ``left`` is room for what is left: shape (resources, minutes).
"""

from __future__ import annotations

import numba
import numpy as np

from twinbench.core.planning.insertion.compiling_kernel import compiled, lean
from twinbench.core.planning.insertion.crossing_kernel import cross, parent
from twinbench.core.planning.problem import FAR_MIN

__all__ = ["evolve", "scheduled"]

_MUTANTS = 0.7
_MUTATED = 5
_STEPS = 2
_STEPPED = 4
_FAR = 0.1  # of the whole order
_EFFORT = 8  # of this many jobs that are scheduled, as much time as it takes to try a mode


@lean
def _first_fit(p, left, j, t):
    """The earliest beginning from a time on, FAR_MIN if none ends in time."""
    length = p.modes[j].test
    moved = True
    while moved and t + length <= left.shape[1]:
        moved = False
        for d in range(p.modes[j].demand_first, p.modes[j + 1].demand_first):
            u = t + length - 1
            while u >= t and left[p.demands[d].resource, u] >= p.demands[d].amount:
                u -= 1
            if u >= t:
                t, moved = u + 1, True
    return t if not moved and t + length <= left.shape[1] else FAR_MIN


@lean
def _last_fit(p, left, j, t):
    """The latest beginning up to a time, which there is."""
    length = p.modes[j].test
    moved = True
    while moved:
        moved = False
        for d in range(p.modes[j].demand_first, p.modes[j + 1].demand_first):
            u = t
            while u < t + length and left[p.demands[d].resource, u] >= p.demands[d].amount:
                u += 1
            if u < t + length:
                t, moved = u - length, True
    return t


@lean
def _take(p, left, j, t):
    for d in range(p.modes[j].demand_first, p.modes[j + 1].demand_first):
        for u in range(t, t + p.modes[j].test):
            left[p.demands[d].resource, u] -= p.demands[d].amount


@lean
def _open(left, capacity):
    for r in range(len(capacity)):
        for u in range(left.shape[1]):
            left[r, u] = capacity[r]


@lean
def _forward(p, left, capacity, order, begin):
    """Schedule one job after the other, as early as can be: how long it takes, FAR_MIN if there is no room."""
    _open(left, capacity)
    longest = 0
    for j in order:
        t = p.jobs[j].release
        for i in range(p.jobs[j].before_first, p.jobs[j + 1].before_first):
            k = p.links[i].job
            t = max(t, begin[k] + p.modes[k].test + p.links[i].least)
        begin[j] = _first_fit(p, left, j, t)
        if begin[j] == FAR_MIN:
            return FAR_MIN
        _take(p, left, j, begin[j])
        longest = max(longest, begin[j] + p.modes[j].test)
    return longest


@lean
def _backward(p, left, capacity, order, begin, longest):
    """Move one job after the other to the latest time at which the schedule is no longer."""
    _open(left, capacity)
    for j in order:
        t = longest
        for i in range(p.jobs[j].after_first, p.jobs[j + 1].after_first):
            t = min(t, begin[p.links[i].job] - p.links[i].least)
        begin[j] = _last_fit(p, left, j, t - p.modes[j].test)
        _take(p, left, j, begin[j])


@compiled
def scheduled(p, left, capacity, sequence, keys, begin):
    """Schedule jobs by their keys, the smallest first, and justify.

    Args:
        p: The problem.
        left: Room for what is left of resources.
        capacity: Of each resource.
        sequence: All jobs, each behind those it comes after.
        keys: One for each job; raised where a job comes after another one.
        begin: Has the beginnings afterwards.

    Returns:
        How long the schedule is, FAR_MIN if longer than there is room for; jobs that were scheduled.
    """
    n = len(keys)
    for j in sequence:
        for i in range(p.jobs[j].before_first, p.jobs[j + 1].before_first):
            k = p.links[i].job
            if keys[j] <= keys[k]:
                keys[j] = np.nextafter(keys[k], np.inf)
    longest, tried, before = _forward(p, left, capacity, np.argsort(keys), begin), n, FAR_MIN
    while longest < before:
        before = longest
        _backward(p, left, capacity, np.argsort(-(begin + p.modes.test[:n])), begin, longest)
        longest = _forward(p, left, capacity, np.argsort(begin), begin)
        tried += 2 * n
    return longest, tried


@lean
def _critical(p, begin, longest, path):
    """Jobs that follow each other without a gap up to the end of a schedule; how many."""
    length, when = 0, longest
    while True:
        chosen, seen = -1, 0
        for k in range(len(begin)):
            if begin[k] + p.modes[k].test == when:
                seen += 1
                if np.random.randint(seen) == 0:
                    chosen = k
        if chosen < 0:
            return length
        path[length], when = chosen, begin[chosen]
        length += 1


@lean
def _disturb(keys, most, path, length):
    """Have a few jobs, half of the time of a critical path, come earlier or later."""
    least, largest = keys[0], keys[0]
    for key in keys:
        least, largest = min(least, key), max(largest, key)
    critical = length > 0 and np.random.random() < 0.5
    for _ in range(1 + int(most * np.random.random() ** 2)):
        j = path[np.random.randint(length)] if critical else np.random.randint(len(keys))
        keys[j] += (largest - least + 1.0) * _FAR * np.random.normal()


@lean
def _replaced(schedules, lengths, begin, longest):
    """The longest schedule, if the new one is shorter and unlike any other; else -1."""
    worst = 0
    for i in range(len(lengths)):
        if lengths[i] > lengths[worst]:
            worst = i
        if lengths[i] == longest:
            alike = True
            for j in range(len(begin)):
                alike = alike and schedules[i, j] == begin[j]
            if alike:
                return -1
    return worst if longest < lengths[worst] else -1


@numba.njit(cache=True, nogil=True)
def evolve(p, left, capacity, sequence, schedules, lengths, effort, seed):
    """Have schedules inherit from each other for a while.

    Args:
        p: The problem.
        left: Room for what is left of resources.
        capacity: Of each resource.
        sequence: All jobs, each behind those it comes after.
        schedules: Beginnings of the jobs: shape (schedules, jobs); kept up to date.
        lengths: How long each schedule is; likewise.
        effort: Modes to be tried, or what takes as long.
        seed: Of chance.

    Returns:
        How many children there were.
    """
    np.random.seed(seed)
    n = schedules.shape[1]
    keys, begin, path = np.zeros(n), np.zeros(n, np.int64), np.empty(n, np.int64)
    of_father, worth = np.zeros(n, np.bool_), lengths.reshape(-1, 1)
    children, tried = 0, 0
    while tried < effort * _EFFORT:
        children += 1
        cross(schedules[parent(worth)], schedules[parent(worth)], keys, of_father)
        if np.random.random() < _MUTANTS:
            _disturb(keys, _MUTATED, path, 0)
        longest, looked = scheduled(p, left, capacity, sequence, keys, begin)
        tried += looked
        for _ in range(_STEPS):
            kept = begin.copy()
            keys[:] = begin
            _disturb(keys, _STEPPED, path, _critical(p, begin, longest, path))
            found, looked = scheduled(p, left, capacity, sequence, keys, begin)
            tried += looked
            if found > longest:
                begin[:] = kept
            else:
                longest = found
        place = _replaced(schedules, lengths, begin, longest)
        if place >= 0:
            schedules[place], lengths[place] = begin, longest
    return children
