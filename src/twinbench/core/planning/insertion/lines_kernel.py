"""Resources as step functions and benches as lines of entries, compiled by Numba: what is free, when, how much.

The argument ``s`` is the state of :mod:`twinbench.core.planning.insertion.arrays`.
"""

from __future__ import annotations

from twinbench.core.planning.insertion.compiling_kernel import lean
from twinbench.core.planning.problem import FAR_MIN

__all__ = [
    "NOWHERE",
    "entry_after",
    "first_conflict",
    "first_gap",
    "last_conflict",
    "last_gap",
    "neighbours",
    "take",
]

NOWHERE = -FAR_MIN
"""No time."""


@lean
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


@lean
def last_conflict(s, r, start, end, amount):
    """When the last step in ``[start, end)`` with too little left ends; NOWHERE if there is none."""
    if end <= start:
        return NOWHERE
    first = s.resources[r].first
    i = _step_at(s, r, end - 1)
    while True:
        if s.steps[i].left < amount:
            return s.steps[i + 1].time if i + 1 < first + s.resources[r].count else FAR_MIN
        if s.steps[i].time <= start or i == first:
            return NOWHERE
        i -= 1


@lean
def first_conflict(s, r, start, end, amount):
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


@lean
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


@lean
def _merge(s, r, i):
    """Take out a step that is as high as the one before it."""
    first = s.resources[r].first
    if i <= first or i >= first + s.resources[r].count or s.steps[i].left != s.steps[i - 1].left:
        return
    for k in range(i, first + s.resources[r].count - 1):
        s.steps[k].time, s.steps[k].left = s.steps[k + 1].time, s.steps[k + 1].left
    s.resources[r].count -= 1


@lean
def take(s, r, start, end, amount):
    """Take an amount in ``[start, end)``; a negative amount gives it back."""
    if end <= start or amount == 0:
        return
    i = _split(s, r, start)
    j = _split(s, r, end)
    for k in range(i, j):
        s.steps[k].left -= amount
    _merge(s, r, j)
    _merge(s, r, i)


@lean
def entry_after(s, b, t):
    """The first entry of a bench that ends after a time; may be one beyond the last."""
    low, high = s.benches[b].first, s.benches[b].first + s.benches[b].count
    while low < high:
        middle = (low + high) // 2
        if s.lines[middle].end > t:
            high = middle
        else:
            low = middle + 1
    return low


@lean
def neighbours(s, b, e):
    """The jobs before and from an entry on, closures passed over: their entries, -1 if there is none."""
    first, stop = s.benches[b].first, s.benches[b].first + s.benches[b].count
    before = e - 1
    while before >= first and s.lines[before].job < 0:
        before -= 1
    after = e
    while after < stop and s.lines[after].job < 0:
        after += 1
    return (before if before >= first else -1), (after if after < stop else -1)


@lean
def first_gap(s, b, t, length):
    """The first time from t on when a bench is free for so long, whatever else is wanted."""
    e, stop = entry_after(s, b, t), s.benches[b].first + s.benches[b].count
    while e < stop and s.lines[e].start < t + length:
        t = s.lines[e].end
        e += 1
    return t


@lean
def last_gap(s, b, t, length):
    """The last time up to t when a bench is free for so long, whatever else is wanted."""
    first = s.benches[b].first
    e = min(entry_after(s, b, t + length - 1), first + s.benches[b].count - 1)
    while e >= first:
        if s.lines[e].start < t + length and s.lines[e].end > t:
            t = s.lines[e].start - length
        elif s.lines[e].end <= t:
            break
        e -= 1
    return t
