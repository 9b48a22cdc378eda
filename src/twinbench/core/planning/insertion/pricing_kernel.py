"""What a place for a test costs and what a plan is worth, compiled by Numba.

The arguments ``p`` and ``s`` are the problem and the state of :mod:`twinbench.core.planning.insertion.arrays`.
"""

from __future__ import annotations

import numpy as np

from twinbench.core.planning.insertion.compiling_kernel import compiled, lean
from twinbench.core.planning.insertion.lines_kernel import NOWHERE, entry_after, neighbours
from twinbench.core.planning.problem import CRITERIA, FAR_MIN

__all__ = ["better", "changes_added", "of_time", "price_of", "span_of", "values", "wished_begin"]

_MAKESPAN = CRITERIA.index("makespan")
_TARDINESS = CRITERIA.index("tardiness")
_PREFERRED = CRITERIA.index("preferred")
_MOVED = CRITERIA.index("moved")
_COST = CRITERIA.index("cost")
_CHANGEOVERS = CRITERIA.index("changeovers")
_START = CRITERIA.index("start")
_SPAN = CRITERIA.index("span")
_PEOPLE = CRITERIA.index("people")


@compiled
def values(p, s, tiers):
    """The tiers of the objective."""
    value = np.zeros(tiers, np.int64)
    for c in range(len(s.total)):
        if p.tier[c] >= 0:
            value[p.tier[c]] += p.weight[c] * s.total[c]
    return value


@lean
def better(new, old):
    """Whether an objective is better than another: less in the first tier that differs."""
    for tier in range(len(new)):
        if new[tier] != old[tier]:
            return new[tier] < old[tier]
    return False


@lean
def _is_change(old, new):
    return 1 if old > 0 and new > 0 and old != new else 0


@lean
def changes_added(p, s, b, j, begin):
    """How many changeovers a job adds on a bench where it begins."""
    if b < 0 or p.benches[b].table < 0:
        return 0
    before, after = neighbours(s, b, entry_after(s, b, begin))
    old = p.jobs[s.lines[before].job].family if before >= 0 else p.benches[b].family
    new = p.jobs[s.lines[after].job].family if after >= 0 else 0
    own = p.jobs[j].family
    return _is_change(old, own) + _is_change(own, new) - _is_change(old, new)


@lean
def span_of(p, s, project, extra, begin, free):
    """From the first beginning to the last end in a project, with one more job unless that is -1."""
    least, most = (begin, free) if extra >= 0 else (FAR_MIN, NOWHERE)
    for i in range(p.groups[project], p.groups[project + 1]):
        k = p.groups[i]
        if s.places[k].placed:
            least, most = min(least, s.places[k].begin), max(most, s.places[k].free)
    return max(0, most - least)


@lean
def _people_added(p, s, j, m):
    """How many people a mode brings into the job's project who were not in it."""
    if s.people.shape[1] == 0 or p.jobs[j].project < 0:
        return 0
    added = 0
    for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
        if p.persons[p.demands[d].resource] and s.people[p.jobs[j].project, p.demands[d].resource] == 0:
            added += 1
    return added


@lean
def of_time(p, j, begin, free):
    """Tardiness and distances from the preferred and the planned beginning."""
    late = max(0, free - p.jobs[j].due) * p.jobs[j].priority
    away = abs(begin - p.jobs[j].preferred) * p.jobs[j].priority if p.jobs[j].preferred >= 0 else 0
    moved = abs(begin - p.jobs[j].planned) * p.jobs[j].priority if p.jobs[j].planned >= 0 else 0
    return late, away, moved


@lean
def price_of(p, s, j, m, begin, free, longest):
    """What a place adds to the objective, all tiers in one number."""
    late, away, moved = of_time(p, j, begin, free)
    w = p.scalar
    price = w[_TARDINESS] * late + w[_PREFERRED] * away + w[_MOVED] * moved + w[_COST] * p.modes[m].cost
    price += w[_START] * (begin if p.jobs[j].preferred >= 0 else free)  # a fast mode rather than an early one
    price += w[_MAKESPAN] * max(0, free - longest)
    if w[_CHANGEOVERS] > 0:
        price += w[_CHANGEOVERS] * changes_added(p, s, p.modes[m].bench, j, begin)
    if w[_SPAN] > 0 and p.jobs[j].project >= 0:
        price += w[_SPAN] * (span_of(p, s, p.jobs[j].project, j, begin, free) - s.span[p.jobs[j].project])
    if w[_PEOPLE] > 0:
        price += w[_PEOPLE] * _people_added(p, s, j, m)
    return price


@lean
def wished_begin(p, s, j, m, low, longest):
    """The beginning a mode would have if nothing were in the way: the price is convex, so one of its corners."""
    length = p.modes[m].setup + p.modes[m].test + p.modes[m].teardown
    corners = (p.jobs[j].preferred, p.jobs[j].planned, p.jobs[j].due - length, longest - length)
    wished = low
    lowest = price_of(p, s, j, m, low, low + length, longest)
    for corner in corners:
        if low < corner < FAR_MIN - length:
            price = price_of(p, s, j, m, corner, corner + length, longest)
            if price < lowest:
                wished, lowest = corner, price
    if p.scalar[_SPAN] > 0 and p.jobs[j].project >= 0:
        for i in range(p.groups[p.jobs[j].project], p.groups[p.jobs[j].project + 1]):
            k = p.groups[i]
            for corner in (s.places[k].begin, s.places[k].free - length):
                if s.places[k].placed and corner > low:
                    price = price_of(p, s, j, m, corner, corner + length, longest)
                    if price < lowest:
                        wished, lowest = corner, price
    return wished
