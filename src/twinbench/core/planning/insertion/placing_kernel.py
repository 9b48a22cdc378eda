"""The best place for a test in a plan, compiled by Numba: putting in, taking out.

The arguments ``p`` and ``s`` are the problem and the state of :mod:`twinbench.core.planning.insertion.arrays`.
"""

from __future__ import annotations

import numpy as np

from twinbench.core.planning.insertion.arrays import SETUP, TEARDOWN, TEST
from twinbench.core.planning.insertion.compiling_kernel import lean
from twinbench.core.planning.insertion.fitting_kernel import first_fit, last_fit, next_teardown
from twinbench.core.planning.insertion.lines_kernel import NOWHERE, entry_after, take
from twinbench.core.planning.insertion.pricing_kernel import changes_added, of_time, price_of, span_of, wished_begin
from twinbench.core.planning.problem import CRITERIA, FAR_MIN

__all__ = ["best_place", "limits", "place", "put_best", "ready", "remove", "still_changed_over"]

_MAKESPAN = CRITERIA.index("makespan")
_TARDINESS = CRITERIA.index("tardiness")
_PREFERRED = CRITERIA.index("preferred")
_MOVED = CRITERIA.index("moved")
_COST = CRITERIA.index("cost")
_CHANGEOVERS = CRITERIA.index("changeovers")
_START = CRITERIA.index("start")
_SPAN = CRITERIA.index("span")
_PEOPLE = CRITERIA.index("people")
_LOOKED_AT = 40  # modes of a job at most, on average, where not all have to be


@lean
def limits(p, s, j):
    """What a job's neighbours in precedences and its dates allow: least and most beginning, least and most end."""
    least_begin, most_begin, least_free, most_free = p.jobs[j].release, FAR_MIN, s.places[j].floor, p.jobs[j].deadline
    for i in range(p.jobs[j].before_first, p.jobs[j + 1].before_first):
        k = p.links[i].job
        if s.places[k].placed:
            least_begin = max(least_begin, s.places[k].free + p.links[i].least)
            most_begin = min(most_begin, s.places[k].free + p.links[i].most)
    for i in range(p.jobs[j].after_first, p.jobs[j + 1].after_first):
        k = p.links[i].job
        if s.places[k].placed:
            most_free = min(most_free, s.places[k].begin - p.links[i].least)
            least_free = max(least_free, s.places[k].begin - p.links[i].most)
    return least_begin, most_begin, least_free, most_free


@lean
def best_place(p, s, j, longest, blink, bounded):
    """The cheapest place for a job among those that are there.

    Args:
        p: The problem.
        s: The plan so far.
        j: The job.
        bounded: Whether a job that comes too long after another one is refused.
        longest: The makespan of what is placed.
        blink: Share of the modes that are not looked at (Christiaens & Vanden Berghe 2020), by chance.

    Returns:
        Mode (-1 if it fits nowhere), beginning, teardown, end, price, modes tried.
    """
    least_begin, most_begin, least_free, most_free = limits(p, s, j)
    if not bounded:
        most_begin = FAR_MIN
    found, at, teardown, free, lowest, tried = -1, 0, 0, 0, np.inf, 0
    if p.jobs[j].lock_mode >= 0:
        m = p.jobs[j].lock_mode
        at = p.jobs[j].lock_begin
        teardown = next_teardown(p, s, m, at + p.modes[m].setup + p.modes[m].test)
        if p.jobs[j].lock_teardown != NOWHERE:
            teardown = p.jobs[j].lock_teardown
        elif teardown > at + p.modes[m].setup + p.modes[m].test + p.jobs[j].wait:
            teardown = at + p.modes[m].setup + p.modes[m].test
        free = teardown + p.modes[m].teardown
        return m, at, teardown, free, 0.0, 1
    if least_begin > most_begin:
        return found, at, teardown, free, lowest, tried
    modes = p.jobs[j + 1].mode_first - p.jobs[j].mode_first
    if blink > 0 and modes > _LOOKED_AT:
        blink = 1.0 - _LOOKED_AT / modes
    for m in range(p.jobs[j].mode_first, p.jobs[j + 1].mode_first):
        if blink > 0 and np.random.random() < blink:
            continue
        tried += 1
        wished = min(max(least_begin, wished_begin(p, s, j, m, least_begin, longest)), most_begin)
        if most_free < FAR_MIN:
            wished = max(least_begin, min(wished, most_free - p.modes[m].setup - p.modes[m].test - p.modes[m].teardown))
        begin, late, end = first_fit(p, s, j, m, wished, most_begin, least_free, most_free)
        if begin != NOWHERE:
            price = price_of(p, s, j, m, begin, end, longest)
            if price < lowest:
                found, at, teardown, free, lowest = m, begin, late, end, price
        if begin != wished and wished > least_begin:
            begin, late, end = last_fit(p, s, j, m, wished - 1, least_begin, least_free, most_free)
            if begin != NOWHERE:
                price = price_of(p, s, j, m, begin, end, longest)
                if price < lowest:
                    found, at, teardown, free, lowest = m, begin, late, end, price
    return found, at, teardown, free, lowest, tried


@lean
def _take_all(p, s, j, sign):
    """Take what a placed job demands, or give it back."""
    m = s.places[j].mode
    a, b = s.places[j].begin + p.modes[m].setup, s.places[j].begin + p.modes[m].setup + p.modes[m].test
    for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
        r, amount, phases = p.demands[d].resource, sign * p.demands[d].amount, p.demands[d].phases
        if phases & TEST and phases & TEARDOWN:
            take(s, r, s.places[j].begin if phases & SETUP else a, s.places[j].free, amount)
            continue
        if phases & SETUP:
            take(s, r, s.places[j].begin, b if phases & TEST else a, amount)
        elif phases & TEST:
            take(s, r, a, b, amount)
        if phases & TEARDOWN:
            take(s, r, s.places[j].teardown, s.places[j].free, amount)


@lean
def place(p, s, j, m, begin, teardown, free):
    """Put a job where it fits."""
    b = p.modes[m].bench
    s.total[_CHANGEOVERS] += changes_added(p, s, b, j, begin)
    s.places[j].mode, s.places[j].begin, s.places[j].teardown, s.places[j].free, s.places[j].placed = (
        m,
        begin,
        teardown,
        free,
        True,
    )
    _count(p, s, j, 1)
    if b >= 0:
        e = entry_after(s, b, begin)
        for k in range(s.benches[b].first + s.benches[b].count, e, -1):
            s.lines[k].job, s.lines[k].start, s.lines[k].end = (
                s.lines[k - 1].job,
                s.lines[k - 1].start,
                s.lines[k - 1].end,
            )
        s.lines[e].job, s.lines[e].start, s.lines[e].end = j, begin, free
        s.benches[b].count += 1
    _take_all(p, s, j, 1)


@lean
def remove(p, s, j):
    """Take a job out."""
    b = p.modes[s.places[j].mode].bench
    _take_all(p, s, j, -1)
    if b >= 0:
        e = s.benches[b].first
        while s.lines[e].job != j:
            e += 1
        s.benches[b].count -= 1
        for k in range(e, s.benches[b].first + s.benches[b].count):
            s.lines[k].job, s.lines[k].start, s.lines[k].end = (
                s.lines[k + 1].job,
                s.lines[k + 1].start,
                s.lines[k + 1].end,
            )
    s.places[j].placed = False
    s.total[_CHANGEOVERS] -= changes_added(p, s, b, j, s.places[j].begin)
    _count(p, s, j, -1)


@lean
def still_changed_over(p, s, b):
    """Whether there is time for all changeovers of a bench, which jobs that were taken out may have filled."""
    if b < 0 or not p.benches[b].detours:
        return True
    old, free, is_locked = p.benches[b].family, 0, True
    for e in range(s.benches[b].first, s.benches[b].first + s.benches[b].count):
        j = s.lines[e].job
        if j < 0:
            continue
        locked = p.jobs[j].lock_mode >= 0
        gap = p.tables[p.benches[b].table, old, p.jobs[j].family]
        if s.lines[e].start < free + gap and gap > 0 and not (locked and is_locked):
            return False
        old, free, is_locked = p.jobs[j].family, s.lines[e].end, locked
    return True


@lean
def _makespan(s):
    """When the last placed job leaves its bench."""
    longest = 0
    for j in range(len(s.places)):
        if s.places[j].placed and s.places[j].free > longest:
            longest = s.places[j].free
    return longest


@lean
def _count(p, s, j, sign):
    """Add a job to the criteria's values, or take it out."""
    m = s.places[j].mode
    late, away, moved = of_time(p, j, s.places[j].begin, s.places[j].free)
    s.total[_TARDINESS] += sign * late
    s.total[_PREFERRED] += sign * away
    s.total[_MOVED] += sign * moved
    s.total[_COST] += sign * p.modes[m].cost
    s.total[_START] += sign * s.places[j].begin
    if sign > 0:
        s.total[_MAKESPAN] = max(s.total[_MAKESPAN], s.places[j].free)
    elif s.places[j].free == s.total[_MAKESPAN]:
        s.total[_MAKESPAN] = _makespan(s)
    project = p.jobs[j].project
    if project < 0:
        return
    span = span_of(p, s, project, -1, 0, 0)
    s.total[_SPAN] += span - s.span[project]
    s.span[project] = span
    if s.people.shape[1] > 0:
        for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
            r = p.demands[d].resource
            if p.persons[r]:
                before = s.people[project, r] > 0
                s.people[project, r] += sign
                s.total[_PEOPLE] += (s.people[project, r] > 0) - before


@lean
def put_best(p, s, j, longest, blink):
    """Put a job in its best place; whether there is one, its end, modes tried."""
    m, begin, teardown, free, _, tried = best_place(p, s, j, longest, blink, True)
    if m < 0:
        return False, 0, tried
    place(p, s, j, m, begin, teardown, free)
    return True, free, tried


@lean
def ready(p, s, j):
    """Whether all that comes before a job is placed."""
    for i in range(p.jobs[j].before_first, p.jobs[j + 1].before_first):
        if not s.places[p.links[i].job].placed:
            return False
    return True
