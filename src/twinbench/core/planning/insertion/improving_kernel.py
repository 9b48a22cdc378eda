"""Ruin and recreate (Schrimpf et al. 2000), compiled by Numba.

Some jobs are taken out of a plan and put back one after the other, each in its best place. What comes of it is kept if
it is better, or a little worse at first; else the jobs go back where they were.
"""

from __future__ import annotations

import numba
import numpy as np

from twinbench.core.planning.insertion.placing_kernel import best_place, place, put_best, remove, still_changed_over
from twinbench.core.planning.insertion.ruin_kernel import ALL, TAIL, choose_ruin, shortest_mode
from twinbench.core.planning.insertion.shifting_kernel import pull, push
from twinbench.core.planning.problem import FAR_MIN

__all__ = ["construct", "improve", "values"]

_RULES = 6
_BLINK = 0.02
_LONGEST_TAIL = 100
_BACK = 0.7
_DISTURBED = 8
_FAR = 0.1


@numba.njit(cache=True)
def values(p, s, tiers):
    """The tiers of the objective."""
    value = np.zeros(tiers, np.int64)
    for c in range(len(s.total)):
        if p.tier[c] >= 0:
            value[p.tier[c]] += p.weight[c] * s.total[c]
    return value


@numba.njit(cache=True)
def _ready(p, s, j):
    """Whether all that comes before a job is placed."""
    for i in range(p.jobs[j].before_first, p.jobs[j + 1].before_first):
        if not s.places[p.links[i].job].placed:
            return False
    return True


@numba.njit(cache=True)
def _keys(p, jobs, count, rule, kept):
    """What jobs are ordered by when they are put back: the smallest first."""
    keys = np.zeros(count)
    for i in range(count):
        j = jobs[i]
        when = kept[j].begin
        if p.jobs[j].preferred >= 0:
            when = p.jobs[j].preferred
        if rule == 0:
            keys[i] = np.random.random()
        elif rule == 1:
            keys[i] = -float(shortest_mode(p, j)) * (0.8 + 0.4 * np.random.random())
        elif rule == 2:
            keys[i] = kept[j].begin
        elif rule == 3:
            keys[i] = -p.jobs[j].priority * 1e7 + when
        elif rule == 4:
            keys[i] = min(when, p.jobs[j].due - shortest_mode(p, j))
        else:
            keys[i] = -float(p.jobs[j].priority * shortest_mode(p, j)) * (0.8 + 0.4 * np.random.random())
    return keys


@numba.njit(cache=True)
def _recreate(p, s, jobs, count, keys, longest, blink):
    """Put jobs back, those before others first: whether all found a place, and how many modes were tried."""
    tried = 0
    for _ in range(count):
        chosen = -1
        for i in range(count):
            if not s.places[jobs[i]].placed and (chosen < 0 or keys[i] < keys[chosen]) and _ready(p, s, jobs[i]):
                chosen = i
        if chosen < 0:
            return False, tried
        placed, free, looked = put_best(p, s, jobs[chosen], longest, blink)
        tried += looked
        if not placed:
            return False, tried
        longest = max(longest, free)
    return True, tried


@numba.njit(cache=True)
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
            if s.places[k].placed and p.jobs[k].lock_mode < 0 and not _ready(p, s, k):
                remove(p, s, k)
                again = True
    return moved


@numba.njit(cache=True)
def construct(p, s, keys):
    """Place all jobs that are not placed: the locked ones, then the smallest key of those that are ready.

    Returns:
        The first job that fits nowhere, -1 if all do.
    """
    n = len(keys)
    longest = s.total[0]
    for j in range(n):
        if not s.places[j].placed and p.jobs[j].lock_mode >= 0:
            _, free, _ = put_best(p, s, j, longest, 0.0)
            longest = max(longest, free)
    repairs = 0
    while True:
        chosen = -1
        for j in range(n):
            if not s.places[j].placed and (chosen < 0 or keys[j] < keys[chosen]) and _ready(p, s, j):
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


@numba.njit(cache=True)
def _accepted(new, old, heat):
    """Whether a plan is taken: better in the first tier that differs, or worse by little."""
    for tier in range(len(new)):
        if new[tier] < old[tier]:
            return True
        if new[tier] > old[tier]:
            return new[tier] - old[tier] < -heat * old[tier] * np.log(1.0 - np.random.random())
    return True


@numba.njit(cache=True)
def _better(new, old):
    for tier in range(len(new)):
        if new[tier] != old[tier]:
            return new[tier] < old[tier]
    return False


@numba.njit(cache=True)
def _restore(p, s, jobs, count, kept):
    for i in range(count):
        if s.places[jobs[i]].placed:
            remove(p, s, jobs[i])
    for i in range(count):
        at = kept[jobs[i]]
        place(p, s, jobs[i], at.mode, at.begin, at.teardown, at.free)


@numba.njit(cache=True)
def _shift(p, s):
    """Move all jobs up, at times after all have moved back; modes tried."""
    tried = push(p, s) if np.random.random() < _BACK else 0
    return tried + pull(p, s)


@numba.njit(cache=True)
def _disturb(keys, count):
    """Have a few jobs come earlier or later than they did."""
    span = keys[:count].max() - keys[:count].min() + 1.0
    for _ in range(1 + int(_DISTURBED * np.random.random() ** 2)):
        keys[np.random.randint(count)] += span * _FAR * np.random.normal()


@numba.njit(cache=True)
def _drawn(chances):
    draw = np.random.random() * chances[-1]
    kind = 0
    while chances[kind] < draw:
        kind += 1
    return kind


@numba.njit(cache=True, nogil=True)
def improve(p, s, best, best_value, effort, heat, largest, chances, shifts, seed):
    """Ruin and recreate for a while.

    Args:
        p: The problem.
        s: A complete plan; is another one afterwards, not always a better one.
        best: The places of the best plan; kept up to date.
        best_value: Its objective, tier by tier; likewise.
        effort: Modes to be tried, a measure of time that is the same on every machine.
        heat: Worse plans are taken by so large a share of the objective, on average.
        largest: Most jobs to take out at once.
        chances: Of the kinds of ruin, adding up: near in time, at any bench, worst placed, tied together, last ones,
            sharing a resource or bench, on the critical path.
        shifts: How often all jobs move up after some were put back.
        seed: Of chance.

    Returns:
        Rounds, rounds taken, modes tried.
    """
    np.random.seed(seed)
    n, tiers = len(s.places), len(best_value)
    jobs, movable = np.zeros(n, np.int64), np.flatnonzero(p.jobs.lock_mode[:n] < 0)
    kept = s.places.copy()
    current = values(p, s, tiers)
    rounds, taken, tried = 0, 0, 0
    while tried < effort:
        rounds += 1
        kind = _drawn(chances)
        most = 2 + int((largest - 1) * np.random.random() ** 2)
        if kind == TAIL:
            most = max(most, int(min(n, _LONGEST_TAIL) * np.random.random() ** 2))
        count = choose_ruin(p, s, kind, min(most, n), jobs)
        tried += 1
        if count == 0:
            continue
        for i in range(count):
            remove(p, s, jobs[i])
        rule = np.random.randint(_RULES) if kind not in (TAIL, ALL) else 2
        keys = _keys(p, jobs, count, rule, kept)
        if kind == TAIL:
            for i in range(count):
                keys[i] *= 1.0 + 0.1 * np.random.random()
        elif kind == ALL:
            _disturb(keys, count)
        whole, looked = _recreate(p, s, jobs, count, keys, s.total[0], _BLINK)
        tried += looked
        for i in range(count):
            whole = whole and still_changed_over(p, s, p.modes[kept[jobs[i]].mode].bench)
        shifted = whole and (kind == ALL or np.random.random() < shifts)
        if shifted:
            tried += _shift(p, s)
        if whole:
            value = values(p, s, tiers)
            if _accepted(value, current, heat):
                taken += 1
                current = value
                if shifted:
                    kept[:] = s.places
                for i in range(count):
                    kept[jobs[i]] = s.places[jobs[i]]
                if _better(value, best_value):
                    best[:] = s.places
                    best_value[:] = value
                continue
        if shifted:
            _restore(p, s, movable, len(movable), kept)
        else:
            _restore(p, s, jobs, count, kept)
    return rounds, taken, tried
