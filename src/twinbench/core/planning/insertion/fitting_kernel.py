"""When a mode of a test fits into a plan, compiled by Numba: the first time from some time on, or the last before.

The arguments ``p`` and ``s`` are the problem and the state of :mod:`twinbench.core.planning.insertion.arrays`. The
search jumps from conflict to conflict: whatever stands in the way says how far the test has to move at least, so what
it costs grows with the number of conflicts and not with the length of time.
"""

from __future__ import annotations

from twinbench.core.planning.insertion.arrays import SETUP, TEARDOWN, TEST
from twinbench.core.planning.insertion.compiling_kernel import lean
from twinbench.core.planning.insertion.lines_kernel import (
    NOWHERE,
    entry_after,
    first_conflict,
    first_gap,
    last_conflict,
    last_gap,
    neighbours,
)
from twinbench.core.planning.problem import FAR_MIN

__all__ = ["first_fit", "last_fit", "next_teardown"]


@lean
def _changeover(p, b, old, new):
    table = p.benches[b].table
    return p.tables[table, old, new] if table >= 0 else 0


@lean
def _bench_conflict(p, s, b, j, begin, end):
    """What stands in the way on a bench: the job must end by the first time or begin at the second; else both 0."""
    e = entry_after(s, b, begin)
    stop = s.benches[b].first + s.benches[b].count
    if e < stop and s.lines[e].start < end:
        last = e
        while last + 1 < stop and s.lines[last + 1].start < end:
            last += 1
        return s.lines[e].start, s.lines[last].end
    if p.benches[b].table < 0:
        return 0, 0
    before, after = neighbours(s, b, e)
    old = p.jobs[s.lines[before].job].family if before >= 0 else p.benches[b].family
    since = s.lines[before].end if before >= 0 else 0
    gap = _changeover(p, b, old, p.jobs[j].family)
    if gap > 0 and since + gap > begin:
        return (s.lines[before].start if before >= 0 else NOWHERE), since + gap
    if after >= 0:
        gap = _changeover(p, b, p.jobs[j].family, p.jobs[s.lines[after].job].family)
        if end + gap > s.lines[after].start:
            return s.lines[after].start - gap, s.lines[after].end
    return 0, 0


@lean
def next_teardown(p, s, m, t):
    """The first time from t on when those who do nothing but tear down (and set up) are there."""
    length = p.modes[m].teardown
    again = length > 0
    while again and t < FAR_MIN:
        again = False
        for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
            if p.demands[d].phases & TEARDOWN and not p.demands[d].phases & TEST:
                since = last_conflict(s, p.demands[d].resource, t, t + length, p.demands[d].amount)
                if since != NOWHERE:
                    t, again = since, True
    return t


@lean
def _previous_teardown(p, s, m, t):
    """The last time up to t when those who tear down are there."""
    length = p.modes[m].teardown
    again = length > 0
    while again and t > NOWHERE:
        again = False
        for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
            if p.demands[d].phases & TEARDOWN and not p.demands[d].phases & TEST:
                until = first_conflict(s, p.demands[d].resource, t, t + length, p.demands[d].amount)
                if until != FAR_MIN:
                    t, again = until - length, True
    return t


@lean
def _piece(p, m, phases, begin, teardown, free):
    """The part of a job in which a demand of setup and test holds; with the teardown if it holds until then."""
    a, b = begin + p.modes[m].setup, begin + p.modes[m].setup + p.modes[m].test
    if phases & TEST and phases & TEARDOWN:
        return (begin if phases & SETUP else a), free
    if phases & SETUP:
        return begin, (b if phases & TEST else a)
    if phases & TEST:
        return a, b
    return a, a


@lean
def first_fit(p, s, j, m, low, most_begin, least_free, most_free):
    """The earliest place not before low: beginning (NOWHERE if there is none), teardown, end."""
    t = low
    busy = p.modes[m].setup + p.modes[m].test
    length = busy + p.modes[m].teardown
    while True:
        if p.modes[m].bench >= 0 and length > 0:
            t = first_gap(s, p.modes[m].bench, t, length)
        if t > most_begin:
            break
        teardown = next_teardown(p, s, m, t + busy)
        if teardown > t + busy + p.jobs[j].wait:
            t = teardown - p.jobs[j].wait - busy
            continue
        free = teardown + p.modes[m].teardown
        if free > most_free:
            break
        if free < least_free:
            t = max(t + 1, least_free - busy - p.modes[m].teardown - p.jobs[j].wait)
            continue
        moved = t
        if p.modes[m].bench >= 0:
            _, since = _bench_conflict(p, s, p.modes[m].bench, j, t, free)
            moved = max(moved, since)
        for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
            start, end = _piece(p, m, p.demands[d].phases, t, teardown, free)
            since = last_conflict(s, p.demands[d].resource, start, end, p.demands[d].amount)
            if since != NOWHERE:
                moved = max(moved, since - (start - t))
        if moved == t:
            return t, teardown, free
        t = moved
    return NOWHERE, 0, 0


@lean
def last_fit(p, s, j, m, high, least_begin, least_free, most_free):
    """The latest place not after high: beginning (NOWHERE if there is none), teardown, end."""
    t = high
    busy = p.modes[m].setup + p.modes[m].test
    length = busy + p.modes[m].teardown
    while True:
        if p.modes[m].bench >= 0 and length > 0:
            t = last_gap(s, p.modes[m].bench, t, length)
        if t < least_begin:
            break
        teardown = next_teardown(p, s, m, t + busy)
        free = teardown + p.modes[m].teardown
        by = FAR_MIN  # when the job must have left its bench at the latest
        moved = t
        if teardown > t + busy + p.jobs[j].wait:
            moved = _previous_teardown(p, s, m, t + busy - 1) - busy
        elif free > most_free:
            by = most_free
        else:
            if free < least_free:
                break
            if p.modes[m].bench >= 0:
                until, since = _bench_conflict(p, s, p.modes[m].bench, j, t, free)
                if since != 0 or until != 0:
                    by = until
            for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
                start, end = _piece(p, m, p.demands[d].phases, t, teardown, free)
                until = first_conflict(s, p.demands[d].resource, start, end, p.demands[d].amount)
                if until != FAR_MIN:
                    if p.demands[d].phases & TEST and p.demands[d].phases & TEARDOWN:
                        by = min(by, until)
                    else:
                        moved = min(moved, until - (end - t))
        if by != FAR_MIN:
            moved = min(moved, _previous_teardown(p, s, m, by - p.modes[m].teardown) - busy, t - 1)
        if moved == t:
            return t, teardown, free
        t = moved
    return NOWHERE, 0, 0
