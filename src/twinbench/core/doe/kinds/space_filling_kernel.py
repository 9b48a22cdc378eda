"""Annealing of space-filling designs by swaps, compiled by Numba; loaded only where such a design is made.

Two runs exchange their levels of one factor, so each factor keeps its levels: a Latin hypercube stays one. So it does
where a level moves within its stratum. Each costs O(runs). Random numbers are Numba's own, seeded: the same seed gives
the same design.
"""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["anneal_discrepancy", "anneal_distance", "move_within"]

_TOURNAMENT = 3  # of the runs drawn, the one that is crowded most is moved
_REFRESH = 20_000  # swaps after which sums are made anew, so rounding does not add up
_NEAR = 1e-9  # added to squared distances: runs in the same place repel, and do not divide by zero


@numba.njit(cache=True)
def _repulsion(squared: float, scale: float) -> float:
    """(scale / d²)^10: the sum over all pairs is phi_p of Morris & Mitchell (1995) with p = 20, to the power of p."""
    q = scale / (squared + _NEAR)
    q2 = q * q
    q4 = q2 * q2
    return q4 * q4 * q2


@numba.njit(cache=True)
def _gap(a: float, b: float, categorical: bool) -> float:
    """Squared difference in one factor: 0 or 1 between categories."""
    if categorical:
        return 0.0 if a == b else 1.0
    return (a - b) * (a - b)


@numba.njit(cache=True)
def _sums(points, categorical, scale, squared, repulsion):
    """Fill the squared distances and repulsions of all pairs; returns the sum of repulsions of each run."""
    runs, factors = points.shape
    of_run = np.zeros(runs)
    for i in range(runs):
        squared[i, i] = repulsion[i, i] = 0.0
        for j in range(i):
            d = 0.0
            for c in range(factors):
                d += _gap(points[i, c], points[j, c], categorical[c])
            squared[i, j] = squared[j, i] = d
            repulsion[i, j] = repulsion[j, i] = _repulsion(d, scale)
            of_run[i] += repulsion[i, j]
            of_run[j] += repulsion[i, j]
    return of_run


@numba.njit(cache=True)
def anneal_distance(start, categorical, movable, scale, swaps, hottest, seed):
    """Keep runs apart.

    Args:
        start: Levels, shape (n, k), n >= 2, k >= 1.
        categorical: Which factors are categories, shape (k,).
        movable: Numbers of the factors in which levels are exchanged.
        scale: A squared distance that is typical of close runs.
        swaps: How many are tried.
        hottest: Relative increase of the sum that is readily accepted at the beginning.
        seed: Of the random numbers.

    Returns:
        The best design found, shape (n, k): the one whose sum of repulsions was the smallest.
    """
    np.random.seed(seed)
    points = start.copy()
    runs = len(points)
    squared, repulsion = np.zeros((runs, runs)), np.zeros((runs, runs))
    of_run = _sums(points, categorical, scale, squared, repulsion)
    total = of_run.sum() / 2
    best, least = points.copy(), total
    to_a, to_b, rep_a, rep_b = np.zeros(runs), np.zeros(runs), np.zeros(runs), np.zeros(runs)
    for swap in range(swaps):
        if swap % _REFRESH == 0:
            of_run = _sums(points, categorical, scale, squared, repulsion)
            total = of_run.sum() / 2
        cooled = 1.0 - swap / swaps
        a = np.random.randint(runs)
        for _ in range(_TOURNAMENT - 1):
            other = np.random.randint(runs)
            if of_run[other] > of_run[a]:
                a = other
        b, c = np.random.randint(runs), movable[np.random.randint(len(movable))]
        x, y = points[a, c], points[b, c]
        if x == y:
            continue
        change = 0.0
        for j in range(runs):
            if j == a or j == b:
                continue
            z = points[j, c]
            shift = _gap(y, z, categorical[c]) - _gap(x, z, categorical[c])
            to_a[j], to_b[j] = squared[a, j] + shift, squared[b, j] - shift
            rep_a[j], rep_b[j] = _repulsion(to_a[j], scale), _repulsion(to_b[j], scale)
            change += rep_a[j] - repulsion[a, j] + rep_b[j] - repulsion[b, j]
        if change > 0 and change > total * hottest * cooled * cooled * cooled * -np.log(1.0 - np.random.random()):
            continue
        points[a, c], points[b, c] = y, x
        of_run[a] = of_run[b] = repulsion[a, b]
        for j in range(runs):
            if j == a or j == b:
                continue
            of_run[j] += rep_a[j] - repulsion[a, j] + rep_b[j] - repulsion[b, j]
            squared[a, j] = squared[j, a] = to_a[j]
            squared[b, j] = squared[j, b] = to_b[j]
            repulsion[a, j] = repulsion[j, a] = rep_a[j]
            repulsion[b, j] = repulsion[j, b] = rep_b[j]
            of_run[a] += rep_a[j]
            of_run[b] += rep_b[j]
        total += change
        if total < least:
            least = total
            best[:] = points
    return best


@numba.njit(cache=True)
def move_within(start, low, high, categorical, movable, scale, moves, seed):
    """Move levels within their strata, ever less far, as long as runs come to lie farther apart.

    Args:
        start: Levels, shape (n, k), n >= 2, k >= 1.
        low: Lower edge of the stratum of each level, shape (n, k).
        high: Upper edge.
        categorical: Which factors are categories, shape (k,).
        movable: Numbers of the factors whose levels may be moved; none of them a category.
        scale: As of :func:`anneal_distance`.
        moves: How many are tried.
        seed: Of the random numbers.
    """
    np.random.seed(seed)
    points = start.copy()
    runs = len(points)
    squared, repulsion = np.zeros((runs, runs)), np.zeros((runs, runs))
    of_run = _sums(points, categorical, scale, squared, repulsion)
    to_a, rep_a = np.zeros(runs), np.zeros(runs)
    for move in range(moves):
        if move % _REFRESH == 0:
            of_run = _sums(points, categorical, scale, squared, repulsion)
        a = np.random.randint(runs)
        for _ in range(_TOURNAMENT - 1):
            other = np.random.randint(runs)
            if of_run[other] > of_run[a]:
                a = other
        c = movable[np.random.randint(len(movable))]
        x, reach = points[a, c], (high[a, c] - low[a, c]) * (1.0 - move / moves)
        y = min(max(x + reach * (2.0 * np.random.random() - 1.0), low[a, c]), high[a, c])
        change = 0.0
        for j in range(runs):
            if j == a:
                continue
            z = points[j, c]
            to_a[j] = squared[a, j] + (y - z) * (y - z) - (x - z) * (x - z)
            rep_a[j] = _repulsion(to_a[j], scale)
            change += rep_a[j] - repulsion[a, j]
        if change >= 0:
            continue
        points[a, c] = y
        of_run[a] += change
        for j in range(runs):
            if j == a:
                continue
            of_run[j] += rep_a[j] - repulsion[a, j]
            squared[a, j] = squared[j, a] = to_a[j]
            repulsion[a, j] = repulsion[j, a] = rep_a[j]
    return points


@numba.njit(cache=True)
def _alone(x: float) -> float:
    """A factor's share in the term of one run of the centred L2 discrepancy."""
    away = abs(x - 0.5)
    return 1.0 + away / 2 - away * away / 2


@numba.njit(cache=True)
def _together(x: float, y: float) -> float:
    """A factor's share in the term of two runs."""
    return 1.0 + (abs(x - 0.5) + abs(y - 0.5) - abs(x - y)) / 2


@numba.njit(cache=True)
def _products(points, single, pairs):
    """Fill the products over all factors: of each run, and of each pair (and of a run with itself)."""
    runs, factors = points.shape
    for i in range(runs):
        single[i] = 1.0
        for c in range(factors):
            single[i] *= _alone(points[i, c])
        for j in range(i + 1):
            product = 1.0
            for c in range(factors):
                product *= _together(points[i, c], points[j, c])
            pairs[i, j] = pairs[j, i] = product
    return -2.0 / runs * single.sum() + pairs.sum() / runs**2


@numba.njit(cache=True)
def anneal_discrepancy(start, movable, swaps, hottest, seed):
    """Spread runs evenly: the smallest centred L2 discrepancy (Hickernell 1998, eq. 5b), updated as Jin et al. (2005).

    Args:
        start: Levels as shares, shape (n, k), n >= 2, k >= 1.
        movable: Numbers of the factors in which levels are exchanged.
        swaps: How many are tried.
        hottest: Relative increase of the squared discrepancy that is readily accepted at the beginning.
        seed: Of the random numbers.

    Returns:
        The best design found, shape (n, k).
    """
    np.random.seed(seed)
    points = start.copy()
    runs, factors = points.shape
    single, pairs = np.zeros(runs), np.zeros((runs, runs))
    constant = (13.0 / 12.0) ** factors
    total = constant + _products(points, single, pairs)
    best, least = points.copy(), total
    to_a, to_b = np.zeros(runs), np.zeros(runs)
    for swap in range(swaps):
        if swap % _REFRESH == 0:
            total = constant + _products(points, single, pairs)
        cooled = 1.0 - swap / swaps
        a, b = np.random.randint(runs), np.random.randint(runs)
        c = movable[np.random.randint(len(movable))]
        x, y = points[a, c], points[b, c]
        if x == y:
            continue
        change = 0.0
        for j in range(runs):
            if j == a or j == b:
                continue
            ratio = _together(y, points[j, c]) / _together(x, points[j, c])
            to_a[j], to_b[j] = pairs[a, j] * ratio, pairs[b, j] / ratio
            change += to_a[j] - pairs[a, j] + to_b[j] - pairs[b, j]
        itself = _together(y, y) / _together(x, x)
        alone = _alone(y) / _alone(x)
        own = pairs[a, a] * itself - pairs[a, a] + pairs[b, b] / itself - pairs[b, b]
        ones = single[a] * alone - single[a] + single[b] / alone - single[b]
        change = (2 * change + own) / runs**2 - 2.0 / runs * ones
        if change > 0 and change > total * hottest * cooled * cooled * cooled * -np.log(1.0 - np.random.random()):
            continue
        points[a, c], points[b, c] = y, x
        single[a], single[b] = single[a] * alone, single[b] / alone
        pairs[a, a], pairs[b, b] = pairs[a, a] * itself, pairs[b, b] / itself
        for j in range(runs):
            if j != a and j != b:
                pairs[a, j] = pairs[j, a] = to_a[j]
                pairs[b, j] = pairs[j, b] = to_b[j]
        total += change
        if total < least:
            least = total
            best[:] = points
    return best
