"""Ruin and recreate (Schrimpf et al. 2000), compiled by Numba.

Some jobs are taken out of a plan and put back one after the other, each in its best place. What comes of it is kept if
it is better, or a little worse at first; else the jobs go back where they were.
"""

from __future__ import annotations

import numba
import numpy as np

from twinbench.core.planning.insertion.compiling_kernel import compiled, lean
from twinbench.core.planning.insertion.placing_kernel import place, put_best, ready, remove, still_changed_over
from twinbench.core.planning.insertion.pricing_kernel import better, values
from twinbench.core.planning.insertion.ruin_kernel import (
    ALL,
    LONGEST_PATH,
    TAIL,
    choose_ruin,
    critical_path,
    shortest_mode,
)
from twinbench.core.planning.insertion.shifting_kernel import disturb, insert_in_order, justify, pull, rebuild

__all__ = ["improve"]

_RULES = 6
_BLINK = 0.02
_LONGEST_TAIL = 100
_BACK = 0.7
_DISTURBED = 8


@compiled
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


@lean
def _recreate(p, s, jobs, count, keys, longest, blink):
    """Put jobs back, those before others first: whether all found a place, and how many modes were tried."""
    tried = 0
    for _ in range(count):
        chosen = -1
        for i in range(count):
            if not s.places[jobs[i]].placed and (chosen < 0 or keys[i] < keys[chosen]) and ready(p, s, jobs[i]):
                chosen = i
        if chosen < 0:
            return False, tried
        placed, free, looked = put_best(p, s, jobs[chosen], longest, blink)
        tried += looked
        if not placed:
            return False, tried
        longest = max(longest, free)
    return True, tried


@lean
def _accepted(new, old, heat):
    """Whether a plan is taken: better in the first tier that differs, or worse by little."""
    for tier in range(len(new)):
        if new[tier] < old[tier]:
            return True
        if new[tier] > old[tier]:
            return new[tier] - old[tier] < -heat * old[tier] * np.log(1.0 - np.random.random())
    return True


@lean
def _restore(p, s, jobs, count, kept):
    for i in range(count):
        if s.places[jobs[i]].placed:
            remove(p, s, jobs[i])
    for i in range(count):
        at = kept[jobs[i]]
        place(p, s, jobs[i], at.mode, at.begin, at.teardown, at.free)


@lean
def _drawn(chances):
    draw = np.random.random() * chances[-1]
    kind = 0
    while chances[kind] < draw:
        kind += 1
    return kind


@compiled
def _put_back(p, s, kind, jobs, count, kept):
    """Put the jobs that were taken out back in another order: whether all fit, and how many modes were tried."""
    keys = _keys(p, jobs, count, 2 if kind == TAIL else np.random.randint(_RULES), kept)
    if kind == TAIL:
        keys *= 1.0 + 0.1 * np.random.random(count)
    whole, tried = _recreate(p, s, jobs, count, keys, s.total[0], _BLINK)
    for i in range(count):
        whole = whole and still_changed_over(p, s, p.modes[kept[jobs[i]].mode].bench)
    return whole, tried


@compiled
def _reorder(p, s, base, kept):
    """Make the whole plan anew in a slightly other order: whether all fit, and how many modes were tried."""
    path, keys, may_change = np.empty(LONGEST_PATH, np.int64), kept.begin.astype(np.float64), kept.begin < 0
    modes = kept.mode.copy()
    disturb(p, keys, modes, may_change, _DISTURBED, path, critical_path(p, s, path))
    return insert_in_order(p, s, base, keys, modes, may_change)


@numba.njit(cache=True, nogil=True)
def improve(p, s, base, best, best_value, effort, heat, largest, chances, shifts, seed):
    """Ruin and recreate for a while.

    Args:
        p: The problem.
        s: A complete plan; is another one afterwards, not always a better one.
        base: The plan that has nothing but what is locked.
        best: The places of the best plan; kept up to date.
        best_value: Its objective, tier by tier; likewise.
        effort: Modes to be tried, a measure of time that is the same on every machine.
        heat: Worse plans are taken by so large a share of the objective, on average.
        largest: Most jobs to take out at once.
        chances: Of the kinds of ruin, adding up: near in time, at any bench, worst placed, tied together, last ones,
            sharing a resource or bench, on the critical path, all.
        shifts: How often all jobs move up after some were put back.
        seed: Of chance.

    Returns:
        Rounds, rounds taken, modes tried.
    """
    np.random.seed(seed)
    n, tiers = len(s.places), len(best_value)
    jobs, kept = np.zeros(n, np.int64), s.places.copy()
    current = values(p, s, tiers)
    rounds, taken, tried = 0, 0, 0
    while tried < effort:
        rounds += 1
        tried += 1
        kind, count = _drawn(chances), n
        if kind == ALL:
            whole, looked = _reorder(p, s, base, kept)
        else:
            most = 2 + int((largest - 1) * np.random.random() ** 2)
            if kind == TAIL:
                most = max(most, int(min(n, _LONGEST_TAIL) * np.random.random() ** 2))
            count = choose_ruin(p, s, kind, min(most, n), jobs)
            if count == 0:
                continue
            for i in range(count):
                remove(p, s, jobs[i])
            whole, looked = _put_back(p, s, kind, jobs, count, kept)
        tried += looked
        shifted = whole and (kind == ALL or np.random.random() < shifts)
        if shifted:
            whole, looked = justify(p, s, base) if np.random.random() < _BACK else pull(p, s, base)
            tried += looked
        if whole:
            value = values(p, s, tiers)
            if _accepted(value, current, heat):
                taken += 1
                current = value
                if shifted:
                    kept[:] = s.places
                else:
                    for i in range(count):
                        kept[jobs[i]] = s.places[jobs[i]]
                if better(value, best_value):
                    best[:] = s.places
                    best_value[:] = value
                continue
        if shifted or kind == ALL:
            rebuild(p, s, base, kept)
        else:
            _restore(p, s, jobs, count, kept)
    return rounds, taken, tried
