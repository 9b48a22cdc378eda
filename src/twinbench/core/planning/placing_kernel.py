"""Where a test fits into a plan, compiled by Numba: look for its best place, put it there, take it out again.

The arguments ``p`` and ``s`` are the problem and the state of :mod:`twinbench.core.planning.arrays`. A search for a
place jumps from conflict to conflict: whatever stands in the way says how far the test has to move at least, so what
it costs grows with the number of conflicts and not with the length of time.
"""

from __future__ import annotations

import numba
import numpy as np

from twinbench.core.planning.problem import FAR_MIN

__all__ = ["best_place", "place", "put_best", "remove"]

_SETUP, _TEST, _TEARDOWN = 1, 2, 4
_MAKESPAN, _TARDINESS, _PREFERRED, _MOVED, _COST, _CHANGEOVERS, _START, _SPAN, _PEOPLE = range(9)
_NOWHERE = -FAR_MIN


# ---- resources: step functions ----


@numba.njit(cache=True)
def _step_at(s, r, t):
    """The last step of a resource that begins at or before a time."""
    low, high = s.resources[r].first, s.resources[r].first + s.resources[r].count
    while high - low > 1:
        middle = (low + high) // 2
        if s.steps[middle].time <= t:
            low = middle
        else:
            high = middle
    return low


@numba.njit(cache=True)
def _last_conflict(s, r, start, end, amount):
    """When the last step in ``[start, end)`` with too little left ends; _NOWHERE if there is none."""
    if end <= start:
        return _NOWHERE
    first = s.resources[r].first
    i = _step_at(s, r, end - 1)
    while True:
        if s.steps[i].left < amount:
            return s.steps[i + 1].time if i + 1 < first + s.resources[r].count else FAR_MIN
        if s.steps[i].time <= start or i == first:
            return _NOWHERE
        i -= 1


@numba.njit(cache=True)
def _first_conflict(s, r, start, end, amount):
    """When the first step in ``[start, end)`` with too little left begins; FAR_MIN if there is none."""
    if end <= start:
        return FAR_MIN
    stop = s.resources[r].first + s.resources[r].count
    i = _step_at(s, r, start)
    while i < stop and s.steps[i].time < end:
        if s.steps[i].left < amount:
            return s.steps[i].time
        i += 1
    return FAR_MIN


@numba.njit(cache=True)
def _split(s, r, t):
    """A step that begins at t, made if there is none."""
    i = _step_at(s, r, t)
    if s.steps[i].time == t:
        return i
    stop = s.resources[r].first + s.resources[r].count
    for k in range(stop, i + 1, -1):
        s.steps[k].time, s.steps[k].left = s.steps[k - 1].time, s.steps[k - 1].left
    s.steps[i + 1].time, s.steps[i + 1].left = t, s.steps[i].left
    s.resources[r].count += 1
    return i + 1


@numba.njit(cache=True)
def _merge(s, r, i):
    """Take out a step that is as high as the one before it."""
    first = s.resources[r].first
    if i <= first or i >= first + s.resources[r].count or s.steps[i].left != s.steps[i - 1].left:
        return
    for k in range(i, first + s.resources[r].count - 1):
        s.steps[k].time, s.steps[k].left = s.steps[k + 1].time, s.steps[k + 1].left
    s.resources[r].count -= 1


@numba.njit(cache=True)
def _take(s, r, start, end, amount):
    """Take an amount in ``[start, end)``; a negative amount gives it back."""
    if end <= start or amount == 0:
        return
    i = _split(s, r, start)
    j = _split(s, r, end)
    for k in range(i, j):
        s.steps[k].left -= amount
    _merge(s, r, j)
    _merge(s, r, i)


@numba.njit(cache=True)
def _take_all(p, s, j, sign):
    """Take what a placed job demands, or give it back."""
    m = s.places[j].mode
    a, b = s.places[j].begin + p.modes[m].setup, s.places[j].begin + p.modes[m].setup + p.modes[m].test
    for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
        r, amount, phases = p.demands[d].resource, sign * p.demands[d].amount, p.demands[d].phases
        if phases & _TEST and phases & _TEARDOWN:
            _take(s, r, s.places[j].begin if phases & _SETUP else a, s.places[j].free, amount)
            continue
        if phases & _SETUP:
            _take(s, r, s.places[j].begin, b if phases & _TEST else a, amount)
        elif phases & _TEST:
            _take(s, r, a, b, amount)
        if phases & _TEARDOWN:
            _take(s, r, s.places[j].teardown, s.places[j].free, amount)


# ---- benches: entries in order ----


@numba.njit(cache=True)
def _entry_after(s, b, t):
    """The first entry of a bench that ends after a time; may be one beyond the last."""
    low, high = s.benches[b].first, s.benches[b].first + s.benches[b].count
    while low < high:
        middle = (low + high) // 2
        if s.lines[middle].end > t:
            high = middle
        else:
            low = middle + 1
    return low


@numba.njit(cache=True)
def _neighbours(s, b, e):
    """The jobs before and from an entry on, closures passed over: their entries, -1 if there is none."""
    first, stop = s.benches[b].first, s.benches[b].first + s.benches[b].count
    before = e - 1
    while before >= first and s.lines[before].job < 0:
        before -= 1
    after = e
    while after < stop and s.lines[after].job < 0:
        after += 1
    return (before if before >= first else -1), (after if after < stop else -1)


@numba.njit(cache=True)
def _changeover(p, b, old, new):
    table = p.benches[b].table
    return p.tables[table, old, new] if table >= 0 else 0


@numba.njit(cache=True)
def _bench_conflict(p, s, b, j, begin, end):
    """What stands in the way on a bench: the job must end by the first time or begin at the second; else both 0."""
    e = _entry_after(s, b, begin)
    stop = s.benches[b].first + s.benches[b].count
    if e < stop and s.lines[e].start < end:
        last = e
        while last + 1 < stop and s.lines[last + 1].start < end:
            last += 1
        return s.lines[e].start, s.lines[last].end
    if p.benches[b].table < 0:
        return 0, 0
    before, after = _neighbours(s, b, e)
    old = p.jobs[s.lines[before].job].family if before >= 0 else p.benches[b].family
    since = s.lines[before].end if before >= 0 else 0
    gap = _changeover(p, b, old, p.jobs[j].family)
    if gap > 0 and since + gap > begin:
        return (s.lines[before].start if before >= 0 else _NOWHERE), since + gap
    if after >= 0:
        gap = _changeover(p, b, p.jobs[j].family, p.jobs[s.lines[after].job].family)
        if end + gap > s.lines[after].start:
            return s.lines[after].start - gap, s.lines[after].end
    return 0, 0


@numba.njit(cache=True)
def _first_gap(s, b, t, length):
    """The first time from t on when a bench is free for so long, whatever else is wanted."""
    e, stop = _entry_after(s, b, t), s.benches[b].first + s.benches[b].count
    while e < stop and s.lines[e].start < t + length:
        t = s.lines[e].end
        e += 1
    return t


@numba.njit(cache=True)
def _last_gap(s, b, t, length):
    """The last time up to t when a bench is free for so long, whatever else is wanted."""
    first = s.benches[b].first
    e = min(_entry_after(s, b, t + length - 1), first + s.benches[b].count - 1)
    while e >= first:
        if s.lines[e].start < t + length and s.lines[e].end > t:
            t = s.lines[e].start - length
        elif s.lines[e].end <= t:
            break
        e -= 1
    return t


# ---- a place for a mode ----


@numba.njit(cache=True)
def _next_teardown(p, s, m, t):
    """The first time from t on when those who do nothing but tear down (and set up) are there."""
    length = p.modes[m].teardown
    again = length > 0
    while again and t < FAR_MIN:
        again = False
        for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
            if p.demands[d].phases & _TEARDOWN and not p.demands[d].phases & _TEST:
                since = _last_conflict(s, p.demands[d].resource, t, t + length, p.demands[d].amount)
                if since != _NOWHERE:
                    t, again = since, True
    return t


@numba.njit(cache=True)
def _previous_teardown(p, s, m, t):
    """The last time up to t when those who tear down are there."""
    length = p.modes[m].teardown
    again = length > 0
    while again and t > _NOWHERE:
        again = False
        for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
            if p.demands[d].phases & _TEARDOWN and not p.demands[d].phases & _TEST:
                until = _first_conflict(s, p.demands[d].resource, t, t + length, p.demands[d].amount)
                if until != FAR_MIN:
                    t, again = until - length, True
    return t


@numba.njit(cache=True)
def _piece(p, m, phases, begin, teardown, free):
    """The part of a job in which a demand of setup and test holds; with the teardown if it holds until then."""
    a, b = begin + p.modes[m].setup, begin + p.modes[m].setup + p.modes[m].test
    if phases & _TEST and phases & _TEARDOWN:
        return (begin if phases & _SETUP else a), free
    if phases & _SETUP:
        return begin, (b if phases & _TEST else a)
    if phases & _TEST:
        return a, b
    return a, a


@numba.njit(cache=True)
def _first_fit(p, s, j, m, low, most_begin, least_free, most_free):
    """The earliest place not before low: beginning (_NOWHERE if there is none), teardown, end."""
    t = low
    busy = p.modes[m].setup + p.modes[m].test
    length = busy + p.modes[m].teardown
    while True:
        if p.modes[m].bench >= 0 and length > 0:
            t = _first_gap(s, p.modes[m].bench, t, length)
        if t > most_begin:
            break
        teardown = _next_teardown(p, s, m, t + busy)
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
            since = _last_conflict(s, p.demands[d].resource, start, end, p.demands[d].amount)
            if since != _NOWHERE:
                moved = max(moved, since - (start - t))
        if moved == t:
            return t, teardown, free
        t = moved
    return _NOWHERE, 0, 0


@numba.njit(cache=True)
def _last_fit(p, s, j, m, high, least_begin, least_free, most_free):
    """The latest place not after high: beginning (_NOWHERE if there is none), teardown, end."""
    t = high
    busy = p.modes[m].setup + p.modes[m].test
    length = busy + p.modes[m].teardown
    while True:
        if p.modes[m].bench >= 0 and length > 0:
            t = _last_gap(s, p.modes[m].bench, t, length)
        if t < least_begin:
            break
        teardown = _next_teardown(p, s, m, t + busy)
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
                until = _first_conflict(s, p.demands[d].resource, start, end, p.demands[d].amount)
                if until != FAR_MIN:
                    if p.demands[d].phases & _TEST and p.demands[d].phases & _TEARDOWN:
                        by = min(by, until)
                    else:
                        moved = min(moved, until - (end - t))
        if by != FAR_MIN:
            moved = min(moved, _previous_teardown(p, s, m, by - p.modes[m].teardown) - busy, t - 1)
        if moved == t:
            return t, teardown, free
        t = moved
    return _NOWHERE, 0, 0


# ---- what a place costs ----


@numba.njit(cache=True)
def _is_change(old, new):
    return 1 if old > 0 and new > 0 and old != new else 0


@numba.njit(cache=True)
def _changes_added(p, s, b, j, begin):
    """How many changeovers a job adds on a bench where it begins."""
    if b < 0 or p.benches[b].table < 0:
        return 0
    before, after = _neighbours(s, b, _entry_after(s, b, begin))
    old = p.jobs[s.lines[before].job].family if before >= 0 else p.benches[b].family
    new = p.jobs[s.lines[after].job].family if after >= 0 else 0
    own = p.jobs[j].family
    return _is_change(old, own) + _is_change(own, new) - _is_change(old, new)


@numba.njit(cache=True)
def _span(p, s, project, extra, begin, free):
    """From the first beginning to the last end in a project, with one more job unless that is -1."""
    least, most = (begin, free) if extra >= 0 else (FAR_MIN, _NOWHERE)
    for i in range(p.groups[project], p.groups[project + 1]):
        k = p.groups[i]
        if s.places[k].placed:
            least, most = min(least, s.places[k].begin), max(most, s.places[k].free)
    return max(0, most - least)


@numba.njit(cache=True)
def _people_added(p, s, j, m):
    """How many people a mode brings into the job's project who were not in it."""
    if s.people.shape[1] == 0 or p.jobs[j].project < 0:
        return 0
    added = 0
    for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
        if p.persons[p.demands[d].resource] and s.people[p.jobs[j].project, p.demands[d].resource] == 0:
            added += 1
    return added


@numba.njit(cache=True)
def _of_time(p, j, begin, free):
    """Tardiness and distances from the preferred and the planned beginning."""
    late = max(0, free - p.jobs[j].due) * p.jobs[j].priority
    away = abs(begin - p.jobs[j].preferred) * p.jobs[j].priority if p.jobs[j].preferred >= 0 else 0
    moved = abs(begin - p.jobs[j].planned) * p.jobs[j].priority if p.jobs[j].planned >= 0 else 0
    return late, away, moved


@numba.njit(cache=True)
def _price(p, s, j, m, begin, free, longest):
    """What a place adds to the objective, all tiers in one number."""
    late, away, moved = _of_time(p, j, begin, free)
    w = p.scalar
    price = (
        w[_TARDINESS] * late + w[_PREFERRED] * away + w[_MOVED] * moved + w[_COST] * p.modes[m].cost + w[_START] * begin
    )
    price += w[_MAKESPAN] * max(0, free - longest)
    if w[_CHANGEOVERS] > 0:
        price += w[_CHANGEOVERS] * _changes_added(p, s, p.modes[m].bench, j, begin)
    if w[_SPAN] > 0 and p.jobs[j].project >= 0:
        price += w[_SPAN] * (_span(p, s, p.jobs[j].project, j, begin, free) - s.span[p.jobs[j].project])
    if w[_PEOPLE] > 0:
        price += w[_PEOPLE] * _people_added(p, s, j, m)
    return price


@numba.njit(cache=True)
def _makespan(s):
    """When the last placed job leaves its bench."""
    longest = 0
    for j in range(len(s.places)):
        if s.places[j].placed and s.places[j].free > longest:
            longest = s.places[j].free
    return longest


@numba.njit(cache=True)
def _limits(p, s, j):
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


@numba.njit(cache=True)
def _wished(p, s, j, m, low, longest):
    """The beginning a mode would have if nothing were in the way: the price is convex, so one of its corners."""
    length = p.modes[m].setup + p.modes[m].test + p.modes[m].teardown
    corners = (p.jobs[j].preferred, p.jobs[j].planned, p.jobs[j].due - length, longest - length)
    wished = low
    lowest = _price(p, s, j, m, low, low + length, longest)
    for corner in corners:
        if low < corner < FAR_MIN - length:
            price = _price(p, s, j, m, corner, corner + length, longest)
            if price < lowest:
                wished, lowest = corner, price
    if p.scalar[_SPAN] > 0 and p.jobs[j].project >= 0:
        for i in range(p.groups[p.jobs[j].project], p.groups[p.jobs[j].project + 1]):
            k = p.groups[i]
            for corner in (s.places[k].begin, s.places[k].free - length):
                if s.places[k].placed and corner > low:
                    price = _price(p, s, j, m, corner, corner + length, longest)
                    if price < lowest:
                        wished, lowest = corner, price
    return wished


@numba.njit(cache=True)
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
    least_begin, most_begin, least_free, most_free = _limits(p, s, j)
    if not bounded:
        most_begin = FAR_MIN
    found, at, teardown, free, lowest, tried = -1, 0, 0, 0, np.inf, 0
    if p.jobs[j].lock_mode >= 0:
        m = p.jobs[j].lock_mode
        at = p.jobs[j].lock_begin
        teardown = _next_teardown(p, s, m, at + p.modes[m].setup + p.modes[m].test)
        if p.jobs[j].lock_teardown != _NOWHERE:
            teardown = p.jobs[j].lock_teardown
        elif teardown > at + p.modes[m].setup + p.modes[m].test + p.jobs[j].wait:
            teardown = at + p.modes[m].setup + p.modes[m].test
        free = teardown + p.modes[m].teardown
        return m, at, teardown, free, 0.0, 1
    if least_begin > most_begin:
        return found, at, teardown, free, lowest, tried
    for m in range(p.jobs[j].mode_first, p.jobs[j + 1].mode_first):
        if blink > 0 and np.random.random() < blink:
            continue
        tried += 1
        wished = min(max(least_begin, _wished(p, s, j, m, least_begin, longest)), most_begin)
        if most_free < FAR_MIN:
            wished = max(least_begin, min(wished, most_free - p.modes[m].setup - p.modes[m].test - p.modes[m].teardown))
        begin, late, end = _first_fit(p, s, j, m, wished, most_begin, least_free, most_free)
        if begin != _NOWHERE:
            price = _price(p, s, j, m, begin, end, longest)
            if price < lowest:
                found, at, teardown, free, lowest = m, begin, late, end, price
        if begin != wished and wished > least_begin:
            begin, late, end = _last_fit(p, s, j, m, wished - 1, least_begin, least_free, most_free)
            if begin != _NOWHERE:
                price = _price(p, s, j, m, begin, end, longest)
                if price < lowest:
                    found, at, teardown, free, lowest = m, begin, late, end, price
    return found, at, teardown, free, lowest, tried


# ---- putting in and taking out ----


@numba.njit(cache=True)
def place(p, s, j, m, begin, teardown, free):
    """Put a job where it fits."""
    b = p.modes[m].bench
    s.total[_CHANGEOVERS] += _changes_added(p, s, b, j, begin)
    s.places[j].mode, s.places[j].begin, s.places[j].teardown, s.places[j].free, s.places[j].placed = (
        m,
        begin,
        teardown,
        free,
        True,
    )
    _count(p, s, j, 1)
    if b >= 0:
        e = _entry_after(s, b, begin)
        for k in range(s.benches[b].first + s.benches[b].count, e, -1):
            s.lines[k].job, s.lines[k].start, s.lines[k].end = (
                s.lines[k - 1].job,
                s.lines[k - 1].start,
                s.lines[k - 1].end,
            )
        s.lines[e].job, s.lines[e].start, s.lines[e].end = j, begin, free
        s.benches[b].count += 1
    _take_all(p, s, j, 1)


@numba.njit(cache=True)
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
    s.total[_CHANGEOVERS] -= _changes_added(p, s, b, j, s.places[j].begin)
    _count(p, s, j, -1)


@numba.njit(cache=True)
def _count(p, s, j, sign):
    """Add a job to the criteria's values, or take it out."""
    m = s.places[j].mode
    late, away, moved = _of_time(p, j, s.places[j].begin, s.places[j].free)
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
    span = _span(p, s, project, -1, 0, 0)
    s.total[_SPAN] += span - s.span[project]
    s.span[project] = span
    if s.people.shape[1] > 0:
        for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
            r = p.demands[d].resource
            if p.persons[r]:
                before = s.people[project, r] > 0
                s.people[project, r] += sign
                s.total[_PEOPLE] += (s.people[project, r] > 0) - before


@numba.njit(cache=True)
def put_best(p, s, j, longest, blink):
    """Put a job in its best place; whether there is one, its end, modes tried."""
    m, begin, teardown, free, _, tried = best_place(p, s, j, longest, blink, True)
    if m < 0:
        return False, 0, tried
    place(p, s, j, m, begin, teardown, free)
    return True, free, tried
