# mypy: ignore-errors
"""Exchanges in a design at native speed: single coordinates, hard-to-change factors of a whole plot, and whole runs.

rows    the model matrix, shape (n, p): p coefficients of the terms and of the blocks
groups  rows with a common disturbance of the same variance as a run's own; with V their covariance, the information is
        ``M = X' V^-1 X = X'X - sum of c s s'``, s the sum of a group's m rows and c = 1 / (1 + m) (Goos & Vandebroek
        2003, appendix); a row on its own has c = 0

A row that goes from f to g changes M by ``(1 - c) u u' + u v' + v u'`` with u = g - f and v = f - c s: rank 2, so the
determinant grows by ``(1 + u'Dv)^2 - u'Du (v'Dv - 1 + c)``, D being the inverse of M (Fedorov 1972, for c = 0), and D
and ``D W D`` follow by Woodbury's formula in p^2 steps. Where only factor j changes, a row is ``sum of phi_s(level)
b_s`` over few vectors b_s that do not depend on the level, so all its levels cost little more than one (Meyer &
Nachtsheim 1995).

Everything compiled is in this file, because Numba's cache notices changes only here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Search", "exchange_coordinates", "exchange_rows", "score"]

_SINGULAR = 1e-11  # what is left of a column's square when the others are taken out
_RIDGE = 1e-5  # per run, added to a singular matrix until the exchanges have made it regular
_GAIN = 1e-9  # relative; less is rounding


class Search(NamedTuple):
    """What does not change while a design is improved.

    Attributes:
        members: Per column of the model matrix the factors in it, then -1; shape (p, most factors).
        slot: Which function phi of the factor stands in the column, 0 for none; shape (p, k).
        part: Per factor and slot the column of a category's coding, shape (k, slots).
        power: Per factor and slot the power of a number, shape (k, slots).
        slots: Per factor how many slots it has, the constant included.
        categories: Per factor how many categories it has, 0 for a number.
        hard: Per factor whether it is the same in a whole plot.
        group: Per run its group.
        shrink: Per group c, see above.
        weight: W of the criterion trace(W D), shape (p, p); empty for the determinant.
        kept: How many runs stay as they are; they are the first.
    """

    members: NDArray[np.int64]
    slot: NDArray[np.int64]
    part: NDArray[np.int64]
    power: NDArray[np.int64]
    slots: NDArray[np.int64]
    categories: NDArray[np.int64]
    hard: NDArray[np.bool_]
    group: NDArray[np.int64]
    shrink: NDArray[np.float64]
    weight: NDArray[np.float64]
    kept: int


@njit(cache=True, nogil=True)
def score(search, rows):
    """What the search makes as large as it can: log |M|, or -trace(W D); minus infinity if M is singular."""
    return _value(search, _information(search, rows, _sums(search, rows)))


@njit(cache=True, nogil=True)
def exchange_coordinates(search, points, rows, trial, once, sweeps):
    """Give each factor of each run the level that is best, in place, until nothing improves or the sweeps are over.

    Args:
        search: The model and the criterion.
        points: Shares, shape (n, k).
        rows: Their model matrix, shape (n, p).
        trial: Shares to try, shape (n, k, levels); NaN for none.
        once: Whether a run changes in one factor at most: its other trials are then no longer known to be feasible.
        sweeps: How often every coordinate has its turn.

    Returns:
        Whether the last sweep changed anything.
    """
    phi = np.ones((points.shape[0], points.shape[1], search.part.shape[1]))
    for i in range(points.shape[0]):
        for j in range(points.shape[1]):
            _phi(search, j, points[i, j], phi[i, j])
    moved = True
    for _ in range(sweeps):
        sums = _sums(search, rows)
        inverse, bent, ridge = _refresh(search, rows, sums)
        touched = np.zeros(len(search.shrink), dtype=np.bool_)
        moved = False
        for i in range(search.kept, points.shape[0]):
            if _improve_row(search, i, points, rows, phi, sums, inverse, bent, trial, once):
                touched[search.group[i]] = True
                moved = True
        for g in range(len(search.shrink)):
            if search.hard.any() and not (once and touched[g]):
                moved |= _improve_plot(search, g, points, rows, phi, ridge, trial, once)
        if not moved:
            break
    return moved


@njit(cache=True, nogil=True)
def exchange_rows(search, rows, candidates, usable, chosen, sweeps):
    """Exchange whole runs for candidates, in place, until nothing improves or the sweeps are over.

    Args:
        search: The model and the criterion.
        rows: Model matrix of the design, shape (n, p).
        candidates: Model matrix of the candidates, shape (1, m, terms) if all runs have the same, else (n, m, terms).
        usable: Which of them are feasible, shape (1 or n, m).
        chosen: Gets the candidate that each run became, shape (n,); untouched where it stays.
        sweeps: How often every run has its turn.

    Returns:
        Whether the last sweep changed anything.
    """
    terms = candidates.shape[2]
    shared = candidates.shape[0] == 1
    moved = True
    for _ in range(sweeps):
        sums = _sums(search, rows)
        inverse, bent, _ridge = _refresh(search, rows, sums)
        own = _products(candidates[0], inverse, bent)
        moved = False
        for i in range(search.kept, rows.shape[0]):
            which = 0 if shared else i
            if not shared:
                own = _products(candidates[which], inverse, bent)
            best = _best_candidate(search, i, rows, sums, inverse, bent, candidates[which], usable[which], own)
            if best < 0:
                continue
            row = rows[i].copy()
            row[:terms] = candidates[which, best]
            _replace(search, i, row, rows, sums, inverse, bent)
            chosen[i] = best
            moved = True
            own = _products(candidates[which], inverse, bent)
        if not moved:
            break
    return moved


@njit(cache=True, nogil=True)
def _phi(search, j, share, out):
    """Functions of factor j's level that stand in columns of the model matrix; the first is the constant 1."""
    categories = search.categories[j]
    index = int(np.rint(share * (categories - 1)))
    for s in range(1, search.slots[j]):
        if categories == 0:
            out[s] = (2.0 * share - 1.0) ** search.power[j, s]
        elif index == categories - 1:
            out[s] = -1.0
        else:
            out[s] = 1.0 if search.part[j, s] == index else 0.0


@njit(cache=True, nogil=True)
def _base(search, i, j, rows, phi, out):
    """Each column of run i without its function of factor j."""
    for c in range(rows.shape[1]):
        value = 1.0 if search.members[c, 0] >= 0 else rows[i, c]
        for m in range(search.members.shape[1]):
            other = search.members[c, m]
            if other < 0:
                break
            if other != j:
                value *= phi[i, other, search.slot[c, other]]
        out[c] = value


@njit(cache=True, nogil=True)
def _sums(search, rows):
    sums = np.zeros((len(search.shrink), rows.shape[1]))
    for i in range(rows.shape[0]):
        sums[search.group[i]] += rows[i]
    return sums


@njit(cache=True, nogil=True)
def _information(search, rows, sums):
    information = np.dot(rows.T, rows)
    for g in range(len(search.shrink)):
        if search.shrink[g] > 0.0:
            information -= search.shrink[g] * np.outer(sums[g], sums[g])
    return information


@njit(cache=True, nogil=True)
def _log_determinant(matrix):
    """By Cholesky's decomposition; minus infinity if a column depends on those before it."""
    size = len(matrix)
    lower = np.zeros((size, size))
    total = 0.0
    for j in range(size):
        for i in range(j, size):
            lower[i, j] = matrix[i, j] - np.dot(lower[i, :j], lower[j, :j])
        left = lower[j, j]
        if not left > _SINGULAR * matrix[j, j]:
            return -np.inf
        total += np.log(left)
        lower[j:, j] /= np.sqrt(left)
    return total


@njit(cache=True, nogil=True)
def _value(search, information):
    total = _log_determinant(information)
    if len(search.weight) == 0 or total == -np.inf:
        return total
    return -np.sum(search.weight * np.linalg.inv(information))


@njit(cache=True, nogil=True)
def _refresh(search, rows, sums):
    """D, D W D and the ridge from scratch, so that rounding does not pile up."""
    information = _information(search, rows, sums)
    ridge = 0.0
    if _log_determinant(information) == -np.inf:
        ridge = _RIDGE * rows.shape[0]
        information += ridge * np.eye(len(information))
    inverse = np.linalg.inv(information)
    bent = np.zeros((0, 0))
    if len(search.weight):
        bent = np.dot(np.dot(inverse, search.weight), inverse)
    return inverse, bent, ridge


@njit(cache=True, nogil=True)
def _gain(bent, c, uDu, uDv, vDv, uAu, uAv, vAv, trace):
    """How much better the design becomes: above 0 is better, of the order of the relative gain."""
    ratio = (1.0 + uDv) ** 2 - uDu * (vDv - 1.0 + c)
    if len(bent) == 0:
        return ratio - 1.0
    if ratio < 1e-9:
        return -1.0
    return ((2.0 * (1.0 + uDv)) * uAv - (vDv - 1.0 + c) * uAu - uDu * vAv) / (ratio * trace)


@njit(cache=True, nogil=True)
def _replace(search, i, row, rows, sums, inverse, bent):
    """Put a row in place of run i and bring everything up to date."""
    g = search.group[i]
    c = search.shrink[g]
    u = row - rows[i]
    v = rows[i] - c * sums[g]
    du, dv = np.dot(inverse, u), np.dot(inverse, v)
    uDu, uDv, vDv = np.dot(u, du), np.dot(u, dv), np.dot(v, dv)
    ratio = (1.0 + uDv) ** 2 - uDu * (vDv - 1.0 + c)
    q11, q12, q22 = -(vDv - 1.0 + c) / ratio, (1.0 + uDv) / ratio, -uDu / ratio
    left, right = q11 * du + q12 * dv, q12 * du + q22 * dv  # D U Q
    if len(bent):
        au, av = np.dot(bent, u), np.dot(bent, v)
        t11, t12, t22 = np.dot(u, au), np.dot(u, av), np.dot(v, av)
        for a in range(len(u)):
            for b in range(len(u)):
                bent[a, b] += (
                    left[a] * (t11 * left[b] + t12 * right[b] - au[b])
                    + right[a] * (t12 * left[b] + t22 * right[b] - av[b])
                    - au[a] * left[b]
                    - av[a] * right[b]
                )
    for a in range(len(u)):
        for b in range(len(u)):
            inverse[a, b] -= left[a] * du[b] + right[a] * dv[b]
    sums[g] += u
    rows[i] = row


@njit(cache=True, nogil=True)
def _gather(search, j, base, matrix, half, out):
    """b_s' matrix b_t for all slots s and t of factor j."""
    half[:] = 0.0
    for c in range(len(base)):
        if base[c] != 0.0:
            s = search.slot[c, j]
            for d in range(len(base)):
                half[s, d] += base[c] * matrix[c, d]
    out[:] = 0.0
    for s in range(search.slots[j]):
        for d in range(len(base)):
            out[s, search.slot[d, j]] += half[s, d] * base[d]


@njit(cache=True, nogil=True)
def _project(search, j, base, vector, out):
    out[:] = 0.0
    for c in range(len(base)):
        out[search.slot[c, j]] += base[c] * vector[c]


@njit(cache=True, nogil=True)
def _form(step, matrix, slots):
    total = 0.0
    for s in range(1, slots):
        for t in range(1, slots):
            total += step[s] * matrix[s, t] * step[t]
    return total


@njit(cache=True, nogil=True)
def _improve_row(search, i, points, rows, phi, sums, inverse, bent, trial, once):
    """Give each factor of a run that is easy to change its best level; says whether one changed."""
    size, most = rows.shape[1], search.part.shape[1]
    base, half = np.empty(size), np.empty((most, size))
    quadratic, curved = np.empty((most, most)), np.zeros((most, most))
    slope, bend, level, step = np.empty(most), np.zeros(most), np.ones(most), np.zeros(most)
    c = search.shrink[search.group[i]]
    moved = False
    stale = True
    for j in range(points.shape[1]):
        if search.hard[j]:
            continue
        if stale:
            v = rows[i] - c * sums[search.group[i]]
            dv = np.dot(inverse, v)
            av = np.dot(bent, v) if len(bent) else dv
            vDv, vAv, trace = np.dot(v, dv), np.dot(v, av), 1.0
            if len(bent):
                trace = np.sum(search.weight * inverse)
            stale = False
        _base(search, i, j, rows, phi, base)
        _gather(search, j, base, inverse, half, quadratic)
        _project(search, j, base, dv, slope)
        if len(bent):
            _gather(search, j, base, bent, half, curved)
            _project(search, j, base, av, bend)
        best, best_gain = -1, _GAIN
        slots = search.slots[j]
        for number in range(trial.shape[2]):
            if np.isnan(trial[i, j, number]):
                continue
            _phi(search, j, trial[i, j, number], level)
            uDv, uAv = 0.0, 0.0
            for s in range(1, slots):
                step[s] = level[s] - phi[i, j, s]
                uDv += step[s] * slope[s]
                uAv += step[s] * bend[s]
            uDu = _form(step, quadratic, slots)
            uAu = _form(step, curved, slots) if len(bent) else 0.0
            gain = _gain(bent, c, uDu, uDv, vDv, uAu, uAv, vAv, trace)
            if gain > best_gain:
                best, best_gain = number, gain
        if best >= 0:
            points[i, j] = trial[i, j, best]
            _phi(search, j, points[i, j], phi[i, j])
            row = rows[i].copy()
            for d in range(size):
                row[d] = base[d] * phi[i, j, search.slot[d, j]]
            _replace(search, i, row, rows, sums, inverse, bent)
            moved = stale = True
            if once:
                break
    return moved


@njit(cache=True, nogil=True)
def _improve_plot(search, g, points, rows, phi, ridge, trial, once):
    """Give each hard-to-change factor of a whole plot its best level, each weighed up from scratch."""
    runs = np.flatnonzero(search.group == g)
    if runs[0] < search.kept:
        return False
    base = np.empty(rows.shape[1])
    information = _information(search, rows, _sums(search, rows)) + ridge * np.eye(rows.shape[1])
    before = _value(search, information)
    others = information - _share(search, g, rows[runs])
    moved = False
    for j in range(points.shape[1]):
        if not search.hard[j] or (once and moved):
            continue
        best, kept = points[runs[0], j], points[runs[0], j]
        for number in range(trial.shape[2]):
            share = trial[runs[0], j, number]
            if np.isnan(share) or share == kept:
                continue
            _set_plot(search, runs, j, share, points, rows, phi, base)
            after = _value(search, others + _share(search, g, rows[runs]))
            if after > before + _GAIN * max(1.0, abs(before)):
                best, before = share, after
        _set_plot(search, runs, j, best, points, rows, phi, base)
        moved |= best != kept
    return moved


@njit(cache=True, nogil=True)
def _share(search, g, rows):
    """What the rows of a whole plot bring to the information."""
    total = np.zeros(rows.shape[1])
    for i in range(rows.shape[0]):
        total += rows[i]
    return np.dot(rows.T, rows) - search.shrink[g] * np.outer(total, total)


@njit(cache=True, nogil=True)
def _set_plot(search, runs, j, share, points, rows, phi, base):
    for i in runs:
        _base(search, i, j, rows, phi, base)
        points[i, j] = share
        _phi(search, j, share, phi[i, j])
        for d in range(len(base)):
            rows[i, d] = base[d] * phi[i, j, search.slot[d, j]]


@njit(cache=True, nogil=True)
def _products(candidates, inverse, bent):
    """X'Dx and x'DWDx of all candidates."""
    terms = candidates.shape[1]
    plain = np.sum(np.dot(candidates, np.ascontiguousarray(inverse[:terms, :terms])) * candidates, axis=1)
    if len(bent) == 0:
        return plain, plain
    return plain, np.sum(np.dot(candidates, np.ascontiguousarray(bent[:terms, :terms])) * candidates, axis=1)


@njit(cache=True, nogil=True)
def _best_candidate(search, i, rows, sums, inverse, bent, candidates, usable, own):
    """The candidate that run i had best become; -1 if it had best stay."""
    terms = candidates.shape[1]
    c = search.shrink[search.group[i]]
    v = rows[i] - c * sums[search.group[i]]
    f = np.zeros(rows.shape[1])
    f[:terms] = rows[i, :terms]  # what belongs to the block stays, so it is no part of the step
    plain = _steps(candidates, f, v, inverse, own[0])
    curved = _steps(candidates, f, v, bent, own[1]) if len(bent) else plain
    trace = np.sum(search.weight * inverse) if len(bent) else 1.0
    best, best_gain = -1, _GAIN
    for number in range(len(candidates)):
        if usable[number]:
            gain = _gain(
                bent,
                c,
                plain[0][number],
                plain[1][number],
                plain[2],
                curved[0][number],
                curved[1][number],
                curved[2],
                trace,
            )
            if gain > best_gain:
                best, best_gain = number, gain
    return best


@njit(cache=True, nogil=True)
def _steps(candidates, f, v, matrix, own):
    """U'Au and u'Av for the step u from f to each candidate, and v'Av."""
    terms = candidates.shape[1]
    af, av = np.dot(matrix, f), np.dot(matrix, v)
    forms = own - 2.0 * np.dot(candidates, af[:terms]) + np.dot(f, af)
    return forms, np.dot(candidates, av[:terms]) - np.dot(f, av), np.dot(v, av)
