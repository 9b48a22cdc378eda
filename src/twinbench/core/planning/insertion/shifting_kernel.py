"""All tests of a plan moved as early, or as late, as the others leave room (justification), compiled by Numba.

Taking some tests out and putting them back leaves gaps before those that stayed where they were. Where earlier is
always better, moving all of them up afterwards is what makes the plan shorter.
"""

from __future__ import annotations

import numba
import numpy as np

from twinbench.core.planning.insertion.fitting_kernel import first_fit, last_fit
from twinbench.core.planning.insertion.lines_kernel import NOWHERE
from twinbench.core.planning.insertion.placing_kernel import best_place, limits, place, remove

__all__ = ["pull", "push"]

_CHANGES_MODE = 0.1


@numba.njit(cache=True)
def pull(p, s):
    """Move every job, the first ones first, to the earliest time it can begin, some to other modes; modes tried."""
    tried = 0
    longest = s.total[0]
    for j in np.argsort(s.places.begin):
        if p.jobs[j].lock_mode >= 0:
            continue
        m, begin, teardown, free = s.places[j].mode, s.places[j].begin, s.places[j].teardown, s.places[j].free
        remove(p, s, j)
        if np.random.random() < _CHANGES_MODE:
            other, at, late, end, _, looked = best_place(p, s, j, longest, 0.0, True)
            tried += looked
            if other >= 0 and end <= free:
                m, begin, teardown, free = other, at, late, end
        else:
            tried += 1
            low, high, least_free, most_free = limits(p, s, j)
            at, late, end = first_fit(p, s, j, m, low, min(high, begin), least_free, most_free)
            if at != NOWHERE:
                begin, teardown, free = at, late, end
        place(p, s, j, m, begin, teardown, free)
    return tried


@numba.njit(cache=True)
def push(p, s):
    """Move every job, the last ones first, to the latest time at which the plan is no longer; modes tried."""
    tried = 0
    longest = s.total[0]
    for j in np.argsort(-s.places.free):
        if p.jobs[j].lock_mode >= 0:
            continue
        m, begin, teardown, free = s.places[j].mode, s.places[j].begin, s.places[j].teardown, s.places[j].free
        remove(p, s, j)
        tried += 1
        low, high, least_free, most_free = limits(p, s, j)
        most_free = min(most_free, longest)
        latest = min(high, most_free - p.modes[m].setup - p.modes[m].test - p.modes[m].teardown)
        at, late, end = last_fit(p, s, j, m, latest, max(low, begin), least_free, most_free)
        if at != NOWHERE:
            begin, teardown, free = at, late, end
        place(p, s, j, m, begin, teardown, free)
    return tried
