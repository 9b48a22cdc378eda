"""Optimal designs: the runs that estimate a given model best, by exchange from many beginnings.

D   the determinant of the information matrix M is largest: the joint confidence region of the coefficients is smallest
A   the trace of its inverse is least: the coefficients' mean variance (those of categories as orthonormal contrasts)
I   the mean variance of the prediction over the region is least (also called V or IV)

Without constraints every coordinate is exchanged for the best of its levels (Meyer & Nachtsheim 1995), with
constraints every run for the best of many feasible candidates (Fedorov 1972; Cook & Nachtsheim 1980); numbers then
leave the grid in steps that become smaller. Searches come in chains: some begin anywhere, the others at a good design
so far with one to three runs or a few coordinates thrown anew (iterated local search), until two hundred gain nothing;
there are chains until six end equally well, or a number of searches is reached that follows from the size of the
design. No clock decides, so the same seed gives the same points.

Points are in shares, see :mod:`twinbench.core.doe.terms`. Cost: 20 factors in 100 runs take 7 s on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from twinbench.core.doe.factors import Factor
from twinbench.core.doe.quality import (
    VARIANCE_RATIO,
    Feasible,
    block_effects,
    contrast_matrix,
    indistinguishable,
    moment_matrix,
    region_points,
)
from twinbench.core.doe.terms import MODELS, Terms
from twinbench.core.errors import DesignError
from twinbench.core.kernels import load_kernel

__all__ = ["compile_all", "optimal_design"]

Points = NDArray[np.float64]
Numbers = NDArray[np.int64]
Disturbance = Callable[[Points, Generator], Points]

_CRITERIA = ("D", "A", "I")
_LEVELS = 9  # of a number with squares or more, on the grid; includes both ends and the middle
_MOST_TRIED = 21  # levels of a number that are all tried; of more a grid, and then the neighbours
_SWEEPS = 60
_EFFORT = 6e8  # runs x factors x coefficients^2 over all searches: about 6 s
_SEARCHES = (1, 4000)
_LONGEST = 1e10  # likewise of a single search, by fewer sweeps; of more not one sweep is over within minutes
_POLISHABLE = 1e9  # likewise: the grid is left where it takes seconds
_FRESH = 10  # searches from anywhere, before those from the best so far
_PATIENCE = 200  # searches in a row without a better design
_AGREEING = 6  # chains of searches that end equally well: then it is believed
_RUGGED, _LONG = (17, 18, 19), 12_000  # runs of saturated linear designs where nearly the best is common; searches then
_SAME = 1e-7
_SLACK = 0.02  # of log |M|: a chain goes on from a design that is worse by about so much at most
_SCATTERED = 0.04  # of the coordinates
_POLISHED = 6  # best designs that leave the grid, fewer where that takes long
_FINEST = 1e-5  # step off the grid, in shares
_CANDIDATES = 1500
_BISECTIONS = 12


def optimal_design(
    terms: Terms,
    runs: int,
    *,
    criterion: str,
    seed: int,
    allowed: Sequence[NDArray[np.float64] | None],
    feasible: Feasible | None = None,
    existing: Points | None = None,
    groups: Numbers | None = None,
    hard: Sequence[bool] = (),
    blocks: Numbers | None = None,
    starts: int | None = None,
) -> Points:
    """Choose the runs that estimate a model best.

    Args:
        terms: The model.
        runs: How many runs to choose.
        criterion: ``D``, ``A`` or ``I``.
        seed: Of the beginnings.
        allowed: Per factor the shares it may have, rising; None if any.
        feasible: Says for points which of them may be run.
        existing: Runs that are there already, and count.
        groups: Whole plot of each new run. Whole plots have a disturbance of the variance within; an existing run
            counts as a whole plot of its own (Goos & Vandebroek 2003).
        hard: Per factor whether it has one setting in a whole plot; none unless said.
        blocks: Block of each run, existing ones first; their effects are estimated too.
        starts: How many searches; as many as seem worth their time unless said.

    Returns:
        Shares of the new runs, shape (runs, k).

    Raises:
        DesignError: If the model has more coefficients than there are runs, or nothing in the region tells them apart.
    """
    if criterion not in _CRITERIA:
        raise DesignError(f"There is no criterion {criterion!r}: ask for one of {', '.join(_CRITERIA)}.")
    old = np.zeros((0, len(terms.factors))) if existing is None else np.asarray(existing, dtype=np.float64)
    fixed = _block_columns(blocks, len(old) + runs)
    grouped = groups is not None and any(hard)
    _check_counts(terms, runs, len(old), fixed.shape[1], groups, hard if grouped else ())
    task = _Task(terms, runs, criterion, allowed, feasible, old, fixed, groups, tuple(hard) if grouped else ())
    _check_region(task)
    if not terms.factors:
        return np.zeros((runs, 0))
    return _search(task, np.random.default_rng(seed), starts)


def compile_all() -> None:
    """Have Numba compile everything into its cache (35 s), so that no design has to wait for it."""
    terms = Terms.read("quadratic", (Factor("a", "", -1.0, 1.0), Factor("b", "", -1.0, 1.0)))
    for feasible in (None, lambda points: points[:, 0] <= 1):
        optimal_design(terms, 6, criterion="A", seed=0, allowed=(None, None), feasible=feasible, starts=1)


@dataclass(frozen=True)
class _Task:
    """What is asked for, as checked."""

    terms: Terms
    runs: int
    criterion: str
    allowed: Sequence[NDArray[np.float64] | None]
    feasible: Feasible | None
    old: Points
    fixed: NDArray[np.float64]  # block columns of old and new runs
    groups: Numbers | None
    hard: tuple[bool, ...]

    def matrix(self, points: Points) -> NDArray[np.float64]:
        return np.hstack([self.terms.matrix(points), self.fixed])

    def unit(self, reached: float) -> float:
        """What a change of 1 in log |M| is worth in the criterion."""
        return 1.0 if self.criterion == "D" else abs(reached) / len(self.terms.columns)

    def snapped(self, points: Points) -> Points:
        """The nearest points that the factors may have."""
        snapped = np.clip(points, 0, 1)
        for number, levels in enumerate(self.allowed):
            if levels is not None:
                middles = (levels[1:] + levels[:-1]) / 2
                snapped[..., number] = levels[np.searchsorted(middles, snapped[..., number])]
        return snapped

    def possible(self, points: Points) -> NDArray[np.bool_]:
        if self.feasible is None or not len(points):
            return np.ones(len(points), dtype=bool)
        return np.asarray(self.feasible(points), dtype=bool)

    def free(self, number: int) -> bool:
        """Whether a factor has more levels than are all tried."""
        levels = self.allowed[number]
        return not self.terms.factors[number].categories and (levels is None or len(levels) > _MOST_TRIED)

    def levels(self, number: int) -> NDArray[np.float64]:
        """Shares of a factor that are tried first.

        A determinant is convex in a coordinate of one run that enters linearly (Cauchy-Binet), so its ends are enough.
        """
        own = self.allowed[number]
        if own is not None and not self.free(number):
            return own
        linear = max((powers[number] for powers in self.terms.powers), default=0) < 2
        convex = linear and self.criterion == "D" and self.feasible is None and not (self.hard and self.hard[number])
        count = 2 if convex else _LEVELS
        grid = np.linspace(0, 1, count)
        return grid if own is None else np.unique(own[np.abs(own[None, :] - grid[:, None]).argmin(axis=1)])


def _block_columns(blocks: Numbers | None, runs: int) -> NDArray[np.float64]:
    if blocks is None:
        return np.zeros((runs, 0))
    return block_effects(np.asarray(blocks))


def _check_counts(
    terms: Terms, runs: int, old: int, block_columns: int, groups: Numbers | None, hard: Sequence[bool]
) -> None:
    if runs < 1:
        raise DesignError(f"An optimal design of {runs} runs was asked for: ask for 1 or more.")
    size, count = len(terms.columns), runs + old
    if size + block_columns > count:
        total = size + block_columns
        blocked = f" and {block_columns} for blocks" if block_columns else ""
        kept = f" with the {old} that are there" if old else ""
        raise DesignError(
            f"The model has {size} coefficients{blocked}, more than the {count} runs{kept}: raise runs to "
            f"{total - old}, or {_smaller(terms, count - block_columns)}."
        )
    plots = len(np.unique(groups)) + old if groups is not None and any(hard) else count
    needed = sum(
        all(hard[number] for number, power in enumerate(terms.powers[term]) if power) if any(hard) else False
        for term in terms.columns
    )
    if needed > plots:
        raise DesignError(
            f"The model has {needed} coefficients of factors that are hard to change, more than the {plots} whole "
            f"plots: ask for {needed} or more whole plots, or leave a term out."
        )


def _smaller(terms: Terms, runs: int) -> str:
    """The largest named model that so many runs can estimate."""
    for model in reversed(MODELS):
        size = len(Terms.read(model, terms.factors).columns)
        if size <= runs and size < len(terms.columns):
            return f"take the model {model}, which has {size}"
    return "leave out factors or terms"


def _check_region(task: _Task) -> None:
    points = task.snapped(region_points(task.terms.factors, task.feasible, max(512, 4 * len(task.terms.columns))))
    _refuse_if_alike(task.terms, task.terms.matrix(np.vstack([task.old, points])), "Within the region")


def _refuse_if_alike(terms: Terms, matrix: NDArray[np.float64], where: str) -> None:
    if alike := indistinguishable(terms, matrix):
        names = ", ".join("the mean" if name == "1" else name for name in alike)
        raise DesignError(
            f"{where} nothing tells these terms apart: {names}. Leave one of them out of the model, or widen a range "
            "or a constraint that ties them."
        )


def _search(task: _Task, generator: Generator, starts: int | None) -> Points:
    """Search from many beginnings, then let the best leave the grid."""
    kernel = load_kernel("twinbench.core.doe.kinds.optimal_kernel")
    search = _prepared(task, kernel)
    tool = _Rows(task, kernel, search) if task.feasible and not task.hard else _Coordinates(task, kernel, search)
    if tool.cost > _LONGEST:
        raise DesignError(
            f"A search for {task.runs} runs that estimate {len(task.terms.columns)} coefficients of "
            f"{len(task.allowed)} factors would take hours: ask for fewer runs or factors, or for a smaller model."
        )
    most = starts or int(np.clip(_EFFORT / tool.cost, *_SEARCHES))
    agreeing = _AGREEING
    if starts is None and _is_rugged(task):
        most = agreeing = _LONG
    best: list[tuple[float, Points]] = []
    ends: list[float] = []
    while most > 0 and sum(end >= best[0][0] - _SAME for end in ends) < agreeing:
        done, chain = _chain(tool, tool.disturbances[len(ends) % len(tool.disturbances)], generator, most)
        most -= done
        ends.append(chain[0][0])
        best = sorted([*best, *chain], key=lambda entry: -entry[0])[:_POLISHED]
    best = best[: max(1, int(_EFFORT / (60 * tool.cost)))]
    for number, (_, points) in enumerate(best if tool.cost <= _POLISHABLE else []):
        best[number] = (tool.polish(points, generator), points)
    reached, points = max(best, key=lambda entry: entry[0])
    if not np.isfinite(reached):
        _refuse_if_alike(task.terms, task.matrix(points), "In so many runs, blocks and whole plots")
        raise DesignError("The runs that were found do not estimate the model: ask for more runs, or a smaller model.")
    return points[len(task.old) :]


def _sweeps(cost: float) -> int:
    """All of them, unless the design is so large that they would take minutes."""
    return int(np.clip(2 * _LONGEST / cost, 1, _SWEEPS))


def _is_rugged(task: _Task) -> bool:
    runs, coefficients = task.runs + len(task.old), len(task.terms.exponents)
    is_linear = coefficients == 1 + len(task.terms.factors)
    return is_linear and runs == coefficients and runs in _RUGGED


def _chain(
    tool: _Coordinates | _Rows, disturbed: Disturbance, generator: Generator, most: int
) -> tuple[int, list[tuple[float, Points]]]:
    """Some searches from anywhere, then from a good one with something thrown anew, until nothing is gained.

    Returns:
        How many searches it took, and the best designs with what they reached.
    """
    best: list[tuple[float, Points]] = []
    current = (-np.inf, np.zeros((0, 0)))
    found = number = 0
    while number < most and number - found < _PATIENCE:
        points = tool.beginning(generator) if number < _FRESH else disturbed(current[1], generator)
        reached = tool.improve(points)
        slack = 0.0 if number < _FRESH else _SLACK * generator.exponential()
        if number == 0 or reached >= current[0] - slack * tool.task.unit(current[0]):
            current = (reached, points)
        if not best or reached > best[0][0] + _SAME:
            found = number
        best = sorted([*best, (reached, points)], key=lambda entry: -entry[0])[:_POLISHED]
        number += 1
    return number, best


def _prepared(task: _Task, kernel: ModuleType) -> Any:
    """The model as the kernel reads it."""
    terms, count = task.terms, len(task.old) + task.runs
    exponents, widths = terms.exponents, terms.widths
    size, factors = len(exponents) + task.fixed.shape[1], len(widths)
    slot = np.zeros((size, factors), dtype=np.int64)
    used: list[dict[tuple[int, int], int]] = []
    for number, first in enumerate(np.cumsum([0, *widths[:-1]]).tolist()):
        seen: dict[tuple[int, int], int] = {}
        for column, part in np.argwhere(exponents[:, first : first + widths[number]]).tolist():
            key = (part, int(exponents[column, first + part]))
            slot[column, number] = seen.setdefault(key, len(seen) + 1)
        used.append(seen)
    part_power = np.zeros((2, factors, 1 + max(map(len, used))), dtype=np.int64)
    for number, seen in enumerate(used):
        for key, place in seen.items():
            part_power[:, number, place] = key
    members = np.full((size, max(1, int((slot > 0).sum(axis=1).max()))), -1, dtype=np.int64)
    for column in range(size):
        inside = np.flatnonzero(slot[column])
        members[column, : len(inside)] = inside
    group, shrink = _grouped(task, count)
    return kernel.Search(
        members=members,
        slot=slot,
        part=part_power[0].copy(),
        power=part_power[1].copy(),
        slots=np.array([1 + len(seen) for seen in used], dtype=np.int64),
        categories=np.array([len(factor.categories) for factor in terms.factors], dtype=np.int64),
        hard=np.array(task.hard or [False] * factors, dtype=np.bool_),
        group=group,
        shrink=shrink,
        weight=_weight(task, size),
        kept=len(task.old),
    )


def _grouped(task: _Task, count: int) -> tuple[Numbers, NDArray[np.float64]]:
    if task.groups is None:
        return np.arange(count), np.zeros(count)
    _, number, counts = np.unique(task.groups, return_inverse=True, return_counts=True)
    old = len(task.old)
    sizes = np.concatenate([np.ones(old), counts])
    group = np.concatenate([np.arange(old), old + number]).astype(np.int64)
    return group, VARIANCE_RATIO / (1 + VARIANCE_RATIO * sizes)


def _weight(task: _Task, size: int) -> NDArray[np.float64]:
    if task.criterion == "D":
        return np.zeros((0, 0))
    weight = np.zeros((size, size))
    own = len(task.terms.columns)
    weight[:own, :own] = (
        contrast_matrix(task.terms) if task.criterion == "A" else moment_matrix(task.terms, task.feasible)
    )
    return weight


class _Coordinates:
    """Exchange of coordinates; with constraints each move is checked before, and a run makes one move at a time."""

    def __init__(self, task: _Task, kernel: ModuleType, search: Any) -> None:
        self.task, self.kernel, self.search = task, kernel, search
        self.first = len(task.old)
        levels = [task.levels(number) for number in range(len(task.allowed))]
        self.levels = levels
        self.disturbances = (self.shaken, self.scattered)
        table = np.full((len(levels), max(map(len, levels))), np.nan)
        for number, own in enumerate(levels):
            table[number, : len(own)] = own
        self.table = np.tile(table, (self.first + task.runs, 1, 1))
        self.pool = _candidates(task) if task.feasible else None
        self.cost = task.runs * len(levels) * search.slot.shape[0] ** 2 * (1 if task.criterion == "D" else 2)
        if task.hard:
            trials = len(np.unique(np.asarray(task.groups))) * sum(task.hard) * self.table.shape[2]
            self.cost += trials * search.slot.shape[0] ** 2 * (search.slot.shape[0] + 10)

    def beginning(self, generator: Generator) -> Points:
        task = self.task
        points = np.column_stack([generator.choice(own, len(self.table)) for own in self.levels])
        points[: self.first] = task.old
        if task.hard:
            number = np.unique(np.asarray(task.groups), return_inverse=True)[1]
            drawn = (
                points[self.first :] if self.pool is None else self.pool[generator.choice(len(self.pool), task.runs)]
            )
            hard = np.array(task.hard) if self.pool is None else np.ones(len(task.hard), dtype=bool)
            points[self.first :, hard] = drawn[number][:, hard]
        if self.pool is not None:
            self._throw(points, np.arange(self.first, len(points)), generator)
        return points

    def shaken(self, points: Points, generator: Generator) -> Points:
        """A copy with one to three runs thrown anew, or a whole plot's setting."""
        shaken = points.copy()
        count = min(self.task.runs, int(generator.integers(1, 4)))
        runs = self.first + generator.choice(self.task.runs, count, replace=False)
        if self.task.hard and generator.random() < 0.5:
            plot = np.flatnonzero(self.search.group == self.search.group[runs[0]])
            moved = shaken.copy()
            hard = np.array(self.task.hard)
            moved[np.ix_(plot, hard)] = np.array([generator.choice(own) for own in self.levels])[hard]
            if self.task.possible(moved[plot]).all():
                return moved
        self._throw(shaken, runs, generator)
        return shaken

    def scattered(self, points: Points, generator: Generator) -> Points:
        """A copy with a few coordinates thrown anew, anywhere."""
        scattered = points.copy()
        thrown = points.copy()
        self._throw(thrown, np.arange(self.first, len(points)), generator)
        where = generator.random(points.shape) < _SCATTERED
        scattered[where] = thrown[where]
        missed = ~self.task.possible(scattered)
        scattered[missed] = points[missed]
        scattered[: self.first] = points[: self.first]
        return scattered

    def _throw(self, points: Points, runs: Numbers, generator: Generator) -> None:
        """Give runs other levels of what is easy to change; a run stays where ten throws miss the region."""
        easy = ~np.array(self.task.hard or [False] * points.shape[1])
        waiting = runs
        for _ in range(10):
            thrown = points[waiting]
            thrown[:, easy] = np.column_stack([generator.choice(own, len(waiting)) for own in self.levels])[:, easy]
            hit = self.task.possible(thrown)
            points[waiting[hit]] = thrown[hit]
            waiting = waiting[~hit]
            if not len(waiting):
                return

    def improve(self, points: Points) -> float:
        return self._exchange(points, lambda: self.table, _sweeps(self.cost))

    def polish(self, points: Points, _generator: Generator) -> float:
        reached = -np.inf
        step = 0.5 / (_LEVELS - 1)
        while step > _FINEST:
            reached = self._exchange(points, lambda width=step: self._around(points, width), 3)
            step /= 2
        return reached

    def _exchange(self, points: Points, trials: Any, sweeps: int) -> float:
        rows = self.task.matrix(points)
        once = self.task.feasible is not None
        if not once and trials() is self.table:
            self.kernel.exchange_coordinates(self.search, points, rows, self.table, False, sweeps)
            return float(self.kernel.score(self.search, rows))
        for _ in range(sweeps * (4 if once else 1)):
            trial = self._checked(points, trials())
            if not self.kernel.exchange_coordinates(self.search, points, rows, trial, once, 1):
                break
        return float(self.kernel.score(self.search, rows))

    def _around(self, points: Points, step: float) -> NDArray[np.float64]:
        """Neighbours of each coordinate that is free, shape (n, k, 2)."""
        trial = np.stack([self.task.snapped(points - step), self.task.snapped(points + step)], axis=-1)
        for number in range(points.shape[1]):
            if not self.task.free(number):
                trial[:, number] = np.nan
        return trial

    def _checked(self, points: Points, trial: NDArray[np.float64]) -> NDArray[np.float64]:
        """The trials that stay in the region, all runs of a whole plot with them; the others NaN."""
        if self.task.feasible is None:
            return np.ascontiguousarray(trial)
        where = np.argwhere(~np.isnan(trial))
        moved = points[where[:, 0]]
        moved[np.arange(len(where)), where[:, 1]] = trial[tuple(where.T)]
        checked = trial.copy()
        checked[tuple(where[~self.task.possible(moved)].T)] = np.nan
        for number in np.flatnonzero(self.search.hard):
            for group in np.unique(self.search.group[self.first :]):
                plot = self.search.group == group
                lost = np.isnan(checked[plot, number]).any(axis=0)
                checked[np.ix_(plot, [number], lost)] = np.nan
        return checked


class _Rows:
    """Exchange of whole runs for feasible candidates, then for neighbours of each run."""

    def __init__(self, task: _Task, kernel: ModuleType, search: Any) -> None:
        self.task, self.kernel, self.search = task, kernel, search
        self.first = len(task.old)
        self.pool = _candidates(task)
        self.disturbances = (self.shaken,)
        self.candidates = task.terms.matrix(self.pool)[None]
        self.usable = np.ones((1, len(self.pool)), dtype=np.bool_)
        self.cost = task.runs * len(self.pool) * search.slot.shape[0] ** 2 / 10
        self.free = np.array([task.free(number) for number in range(len(task.allowed))])

    def beginning(self, generator: Generator) -> Points:
        return np.vstack([self.task.old, self.pool[generator.choice(len(self.pool), self.task.runs)]])

    def shaken(self, points: Points, generator: Generator) -> Points:
        """A copy with one to three runs thrown anew."""
        shaken = points.copy()
        count = min(self.task.runs, int(generator.integers(1, 4)))
        runs = self.first + generator.choice(self.task.runs, count, replace=False)
        shaken[runs] = self.pool[generator.choice(len(self.pool), count)]
        return shaken

    def improve(self, points: Points) -> float:
        rows = self.task.matrix(points)
        chosen = np.full(len(points), -1)
        self.kernel.exchange_rows(self.search, rows, self.candidates, self.usable, chosen, _sweeps(self.cost))
        points[chosen >= 0] = self.pool[chosen[chosen >= 0]]
        return float(self.kernel.score(self.search, rows))

    def polish(self, points: Points, generator: Generator) -> float:
        rows = self.task.matrix(points)
        step = 0.25
        while self.free.any() and step > _FINEST:
            for _ in range(3):
                trial, usable = self._neighbours(points, step, generator)
                matrix = self.task.terms.matrix(trial.reshape(-1, points.shape[1])).reshape(*trial.shape[:2], -1)
                chosen = np.full(len(points), -1)
                self.kernel.exchange_rows(self.search, rows, matrix, usable, chosen, 1)
                moved = np.flatnonzero(chosen >= 0)
                points[moved] = trial[moved, chosen[moved]]
            step /= 2
        return float(self.kernel.score(self.search, rows))

    def _neighbours(
        self, points: Points, step: float, generator: Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Points around each run, along the axes and in other directions, shape (n, m, k), and which are feasible."""
        axes = np.eye(points.shape[1])[self.free]
        other = generator.standard_normal((len(points), 2 * len(axes), points.shape[1])) * self.free
        moves = np.concatenate([np.tile(np.vstack([axes, -axes]), (len(points), 1, 1)), other], axis=1)
        origin = np.repeat(points[:, None], moves.shape[1], axis=1).reshape(-1, points.shape[1])
        trial = _pulled_back(self.task, origin, np.clip(origin + step * moves.reshape(origin.shape), 0, 1))
        return trial.reshape(moves.shape), self.task.possible(trial).reshape(moves.shape[:2])


def _candidates(task: _Task) -> Points:
    """Feasible points: on a grid, inside the region, and on its boundary."""
    generator = np.random.default_rng(0)
    levels = [task.levels(number) for number in range(len(task.allowed))]
    ends = [own if task.terms.factors[number].categories else own[[0, -1]] for number, own in enumerate(levels)]
    drawn = 8 * _CANDIDATES
    grid = np.unique(np.column_stack([generator.choice(own, drawn) for own in levels]), axis=0)
    corners = np.unique(np.column_stack([generator.choice(own, drawn) for own in ends]), axis=0)
    inside = task.snapped(region_points(task.terms.factors, task.feasible, _CANDIDATES))
    inside = inside[task.possible(inside)]
    found = [corners[task.possible(corners)][:_CANDIDATES], grid[task.possible(grid)]]
    found[1] = found[1][generator.permutation(len(found[1]))[:_CANDIDATES]]
    if len(inside):
        free = np.array([task.free(number) for number in range(len(levels))])
        outside = inside[generator.choice(len(inside), _CANDIDATES)]
        target = np.column_stack([generator.choice(own, _CANDIDATES) for own in ends])
        edge = _pulled_back(task, outside, np.where(free, target, outside))
        found += [inside[: _CANDIDATES // 4], edge[task.possible(edge)]]
    pool = np.unique(np.vstack(found), axis=0)
    if not len(pool):
        raise DesignError(
            "The constraints leave no point that the factors can be set to: widen a range, or a factor's values."
        )
    return pool


def _pulled_back(task: _Task, inside: Points, outside: Points) -> Points:
    """Points as near to *outside* as the region allows on the way from *inside*, by bisection."""
    reach = np.zeros(len(inside))
    width = 1.0
    hit = task.possible(task.snapped(outside))
    reach[hit] = 1.0
    for _ in range(_BISECTIONS):
        width /= 2
        further = np.where(hit, 1.0, reach + width)
        reach = np.where(task.possible(task.snapped(inside + further[:, None] * (outside - inside))), further, reach)
    return task.snapped(inside + reach[:, None] * (outside - inside))
