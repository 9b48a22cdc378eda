"""Which tests are taken out of a plan together, compiled by Numba: some that have to do with each other.

Near in time and on the same benches (Christiaens & Vanden Berghe 2020 call it slack induction), placed worst, tied by
precedences, last, in need of the same thing, or on the path that makes the plan as long as it is.
"""

from __future__ import annotations

import numpy as np

from twinbench.core.planning.insertion.compiling_kernel import compiled, lean
from twinbench.core.planning.problem import CRITERIA, FAR_MIN

__all__ = ["ALL", "LONGEST_PATH", "TAIL", "choose_ruin", "critical_path", "shortest_mode"]

_NEAR, _ANY, _WORST, _CHAIN, TAIL, _SHARED, _CRITICAL, ALL = range(8)
LONGEST_PATH = 400  # of jobs, as far as it is looked at

_MAKESPAN = CRITERIA.index("makespan")
_TARDINESS = CRITERIA.index("tardiness")
_PREFERRED = CRITERIA.index("preferred")
_START = CRITERIA.index("start")


@lean
def shortest_mode(p, j):
    """How long a job takes at least, from its set-up to its teardown."""
    least = FAR_MIN
    for m in range(p.jobs[j].mode_first, p.jobs[j + 1].mode_first):
        least = min(least, p.modes[m].setup + p.modes[m].test + p.modes[m].teardown)
    return least


@lean
def _cost_of(p, s, j):
    """How much a job is away from where it would be best, roughly."""
    late = max(0, s.places[j].free - p.jobs[j].due) * p.scalar[_TARDINESS]
    away = abs(s.places[j].begin - p.jobs[j].preferred) * p.scalar[_PREFERRED] if p.jobs[j].preferred >= 0 else 0.0
    return (
        p.jobs[j].priority * (late + away)
        + p.scalar[_START] * (s.places[j].begin - p.jobs[j].release)
        + p.scalar[_MAKESPAN] * s.places[j].free
    )


@compiled
def _nearest(p, s, seed, when, most, jobs, same_bench):
    """The movable jobs that are under way nearest to a time, with some chance; the seed first."""
    distances = np.empty(most)
    mask = p.jobs[seed].benches if same_bench else -1
    jobs[0], count = seed, 1
    for j in range(len(s.places)):
        if j == seed or p.jobs[j].lock_mode >= 0 or p.jobs[j].benches & mask == 0:
            continue
        away = max(0, s.places[j].begin - when, when - s.places[j].free)
        distance = (away + 1.0) * (0.5 + np.random.random())
        if count == most and distance >= distances[count - 1]:
            continue
        at = min(count, most - 1)
        while at > 1 and distances[at - 1] > distance:
            distances[at], jobs[at] = distances[at - 1], jobs[at - 1]
            at -= 1
        if at > 0:
            distances[at], jobs[at] = distance, j
            count = min(count + 1, most)
    return count


@lean
def _chosen_worst(p, s):
    """One of the jobs that cost most, by tournament."""
    best = -1
    for _ in range(6):
        j = np.random.randint(len(s.places))
        if p.jobs[j].lock_mode < 0 and (best < 0 or _cost_of(p, s, j) > _cost_of(p, s, best)):
            best = j
    return best


@lean
def _chosen_any(p, s):
    for _ in range(50):
        j = np.random.randint(len(s.places))
        if p.jobs[j].lock_mode < 0:
            return j
    return -1


@lean
def _chain(p, seed, most, jobs):
    """A job and those tied to it by precedences."""
    jobs[0], count, at = seed, 1, 0
    while at < count and count < most:
        j = jobs[at]
        at += 1
        for before in (True, False):
            first = p.jobs[j].before_first if before else p.jobs[j].after_first
            stop = p.jobs[j + 1].before_first if before else p.jobs[j + 1].after_first
            for i in range(first, stop):
                k = p.links[i].job
                known = p.jobs[k].lock_mode >= 0
                for c in range(count):
                    known = known or jobs[c] == k
                if not known and count < most:
                    jobs[count] = k
                    count += 1
    return count


@lean
def _needs(p, j, r, b):
    """Whether a job may demand a resource (or, if that is -1, be on a bench)."""
    for m in range(p.jobs[j].mode_first, p.jobs[j + 1].mode_first):
        if r < 0 and p.modes[m].bench == b:
            return True
        if r >= 0:
            for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
                if p.demands[d].resource == r:
                    return True
    return False


@compiled
def _shared(p, s, seed, most, jobs):
    """A job and some others, at whatever time, that need one of the things it needs."""
    m = s.places[seed].mode
    demands = p.modes[m + 1].demand_first - p.modes[m].demand_first
    r, b = -1, p.modes[m].bench
    if demands > 0 and (b < 0 or np.random.random() < 0.7):
        r = p.demands[p.modes[m].demand_first + np.random.randint(demands)].resource
    jobs[0], count = seed, 1
    for j in np.random.permutation(len(s.places)):
        if count == most:
            break
        if j != seed and p.jobs[j].lock_mode < 0 and _needs(p, j, r, b):
            jobs[count] = j
            count += 1
    return count


@compiled
def _tail(p, s, most, jobs):
    """All that begins from some time on, the last ones at most."""
    count = 0
    for j in np.argsort(-s.places.begin):
        if count == most:
            break
        if p.jobs[j].lock_mode < 0:
            jobs[count] = j
            count += 1
    return count


@lean
def _holds_up(p, s, k, j):
    """Whether a job ends where another one begins that needs something it holds, or comes after it."""
    for i in range(p.jobs[j].before_first, p.jobs[j + 1].before_first):
        if p.links[i].job == k:
            return s.places[k].free + p.links[i].least == s.places[j].begin
    if s.places[k].free != s.places[j].begin:
        return False
    m, n = s.places[j].mode, s.places[k].mode
    if p.modes[m].bench >= 0 and p.modes[m].bench == p.modes[n].bench:
        return True
    for d in range(p.modes[m].demand_first, p.modes[m + 1].demand_first):
        for e in range(p.modes[n].demand_first, p.modes[n + 1].demand_first):
            if p.demands[d].resource == p.demands[e].resource:
                return True
    return False


@lean
def critical_path(p, s, path):
    """Jobs that follow each other without a gap up to the end of the plan, the last one first; how many."""
    n, last = len(s.places), 0
    for j in range(n):
        if s.places[j].free > s.places[last].free:
            last = j
    path[0], length = last, 1
    while length < len(path):
        found, seen = -1, 0
        for k in range(n):
            if k != path[length - 1] and _holds_up(p, s, k, path[length - 1]):
                seen += 1
                if np.random.randint(seen) == 0:
                    found = k
        if found < 0:
            break
        path[length] = found
        length += 1
    return length


@compiled
def _critical(p, s, most, jobs):
    """Some jobs of a critical path; how many."""
    path = np.empty(LONGEST_PATH, np.int64)
    length = critical_path(p, s, path)
    count, at = 0, np.random.randint(length)
    for i in range(at, length):
        if count == most:
            break
        if p.jobs[path[i]].lock_mode < 0 and np.random.random() < 0.7:
            jobs[count] = path[i]
            count += 1
    return count


@compiled
def choose_ruin(p, s, kind, most, jobs):
    """Choose jobs to take out; how many."""
    if kind == TAIL:
        return _tail(p, s, most, jobs)
    if kind == _CRITICAL:
        return _critical(p, s, most, jobs)
    worst = kind == _WORST or (kind == _SHARED and np.random.random() < 0.5)
    seed = _chosen_worst(p, s) if worst else _chosen_any(p, s)
    if seed < 0:
        return 0
    if kind == _SHARED:
        return _shared(p, s, seed, most, jobs)
    if kind == _CHAIN:
        count = _chain(p, seed, most, jobs)
        if count > 1:
            return count
    if kind == _ANY:
        return _nearest(p, s, seed, s.places[seed].begin, most, jobs, False)
    when = s.places[seed].begin
    if kind == _WORST and p.jobs[seed].preferred >= 0:
        when = p.jobs[seed].preferred
    elif kind == _WORST and s.places[seed].free > p.jobs[seed].due:
        when = max(p.jobs[seed].release, p.jobs[seed].due - shortest_mode(p, seed))
    return _nearest(p, s, seed, when, most, jobs, True)
