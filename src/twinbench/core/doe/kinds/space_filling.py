"""Space-filling designs: runs spread over the whole region, for what no polynomial describes.

latin hypercube  each factor's range is cut into as many strata as there are runs, and each has one run. Which strata
                 meet in a run is annealed: ``distance`` keeps runs apart (phi_p of Morris & Mitchell 1995),
                 ``discrepancy`` spreads them as evenly as can be (centred L2, Hickernell 1998)
Sobol', Halton   sequences that stay even however far they are taken (SciPy), scrambled by the seed

For ``distance`` levels go from edge to edge of the range, equally spaced at first, and then move within their strata;
for ``discrepancy`` they are the middles. Levels of steps and categories are each run as often as the others. In a
region with constraints, and beside runs that exist already, runs are chosen among many candidates to lie apart.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.factors import Factor
from twinbench.core.doe.region import Region
from twinbench.core.errors import DesignError
from twinbench.core.kernels import load_kernel

__all__ = ["compile_all", "latin_hypercube", "sequence", "spread", "whole_plot_settings"]

Points = NDArray[np.float64]

_EFFORT = 500_000_000  # runs that swaps look at, in all: about two seconds
_MOST_SWAPS = 800_000  # of a search; more find nothing, but another search may
_SWAPS_PER_LEVEL = 6000  # likewise, for each level of each factor
_MOST_SEARCHES = 8
_MOVES = 1000  # within strata, for each run
_HOTTEST = {"distance": 0.03, "discrepancy": 0.003}
_CANDIDATES_PER_RUN, _FEWEST_CANDIDATES, _MOST_CANDIDATES = 40, 2000, 20_000
_PASSES = 400


def compile_all() -> None:
    """Have Numba compile everything into its cache (8 s), so that no design has to wait for it."""
    numbers = Region(tuple(Factor(name, "1", 0.0, 1.0) for name in "ab"))
    for criterion in _HOTTEST:
        latin_hypercube(numbers, 3, seed=1, criterion=criterion)


def latin_hypercube(
    region: Region, runs: int, *, seed: int, criterion: str = "distance", whole_plots: int | None = None
) -> Points:
    """Annealed Latin hypercube, in shares, shape (runs, k).

    Args:
        region: Its constraints are not looked at.
        runs: How many.
        seed: The same gives the same points.
        criterion: ``distance`` or ``discrepancy``.
        whole_plots: Settings of the factors that are hard to change; runs of a whole plot stand side by side.
    """
    random = np.random.default_rng(seed)
    hard = np.array([factor.hard_to_change for factor in region.varying])
    movable = np.flatnonzero(~hard) if whole_plots is not None else np.arange(len(hard))
    best, farthest = np.zeros((0, len(hard))), -1.0
    swaps = min(_MOST_SWAPS, _EFFORT // (4 * runs), _SWAPS_PER_LEVEL * runs * max(1, len(movable)))
    searches = min(_MOST_SEARCHES, max(1, _EFFORT // (4 * runs * swaps)))
    for _ in range(searches if criterion == "distance" else 1):
        points = np.column_stack([random.permutation(_column(region, c, runs, criterion)) for c in range(len(hard))])
        if whole_plots is not None:
            settings = whole_plot_settings(region, whole_plots, seed=seed)
            points[:, hard] = settings[np.arange(runs) * len(settings) // runs]
        if runs < 3 or not len(movable):
            return points
        own = int(random.integers(2**32))
        if criterion == "discrepancy":
            return np.asarray(_kernel().anneal_discrepancy(points, movable, swaps, _HOTTEST[criterion], own))
        points = _apart(region, points, movable, swaps, own)
        nearest = _nearest(region, points)
        if nearest > farthest:
            best, farthest = points, nearest
    return best


def _kernel() -> ModuleType:
    return load_kernel("twinbench.core.doe.kinds.space_filling_kernel")


def _apart(region: Region, points: Points, movable: NDArray[np.int64], swaps: int, seed: int) -> Points:
    """Exchange levels between runs, then move them within their strata."""
    runs, factors = points.shape
    near = factors / 6 * runs ** (-2 / factors)
    categorical = region.is_categorical
    annealed = _kernel().anneal_distance(points, categorical, movable, near, swaps, _HOTTEST["distance"], seed)
    free = np.array([column for column in movable if region.allowed[column] is None], dtype=np.int64)
    if not len(free):
        return np.asarray(annealed)
    stratum = np.rint(annealed * (runs - 1))
    low, high = stratum / runs, (stratum + 1) / runs
    return np.asarray(_kernel().move_within(annealed, low, high, categorical, free, near, _MOVES * runs, seed))


def _nearest(region: Region, points: Points) -> float:
    apart = _distances(region, points, points)
    return float(apart[np.triu_indices(len(points), 1)].min())


def _column(region: Region, column: int, runs: int, criterion: str) -> Points:
    """Levels of a factor: each as often as the others, or nearly so."""
    shares = region.allowed[column]
    place = np.arange(runs)
    if shares is not None and len(shares) < runs:
        return np.asarray(shares[place * len(shares) // runs])
    middles = (place + 0.5) / runs
    return middles if criterion == "discrepancy" or runs == 1 else place / (runs - 1)


def whole_plot_settings(region: Region, whole_plots: int, *, seed: int) -> Points:
    """Settings of the h factors that are hard to change, a row for each whole plot, shape (w, h)."""
    hard = Region(tuple(factor for factor in region.varying if factor.hard_to_change))
    settings = hard.snap(latin_hypercube(hard, whole_plots, seed=seed))
    return np.asarray(settings[np.lexsort(settings.T[::-1])])


def sequence(region: Region, runs: int, *, seed: int, name: str) -> Points:
    """The first feasible points of a scrambled Sobol' or Halton sequence, shape (runs, k).

    Raises:
        DesignError: If the region holds no such number of them.
    """
    from scipy.stats import qmc

    sampler_of = {"sobol": qmc.Sobol, "halton": qmc.Halton}[name]
    sampler = sampler_of(len(region.varying), rng=np.random.default_rng(seed))
    found = np.zeros((0, len(region.varying)))
    for power in range((runs - 1).bit_length(), 19):
        points = sampler.random((1 << power) - (sampler.num_generated))
        found = np.vstack([found, points[region.is_feasible(region.snap(points))]])
        if len(found) >= runs:
            return found[:runs]
    if not len(found):
        region.candidates(1, seed=seed)  # says why there is none
    raise DesignError(
        f"Only {len(found)} of {1 << 18} points of the {name} sequence meet the constraints, and {runs} are asked for: "
        "ask for fewer runs, or for latin-hypercube."
    )


def spread(
    region: Region, runs: int, *, seed: int, existing: Points | None = None, settings: Points | None = None
) -> Points:
    """Feasible points far from each other, and from those that exist, chosen among many candidates.

    The farthest candidate is taken again and again (Kennard & Stone 1969); then the closest pairs are broken up, as
    long as it helps.

    Args:
        region: Factors and constraints.
        runs: How many.
        seed: The same gives the same points.
        existing: Shape (m, k), in shares.
        settings: Whole-plot settings of the factors that are hard to change, shape (w, h).

    Raises:
        DesignError: If the region is empty, or has fewer points than are asked for.
    """
    wanted = min(_MOST_CANDIDATES, max(_FEWEST_CANDIDATES, _CANDIDATES_PER_RUN * runs))
    candidates = region.candidates(wanted, seed=seed)
    if settings is not None:
        candidates = _at_settings(region, candidates, settings)
    candidates = np.unique(candidates, axis=0)
    held = np.zeros((0, candidates.shape[1])) if existing is None else existing
    if len(held):
        candidates = candidates[_distances(region, candidates, held).min(axis=1) > 1e-6]
    if len(candidates) < runs:
        raise DesignError(
            f"The constraints and steps of the factors leave {len(candidates)} different points, and {runs} runs are "
            "asked for: ask for fewer and for replicates, or relax them."
        )
    return _break_up(region, candidates, _farthest_first(region, candidates, held, runs), held)


def _at_settings(region: Region, candidates: Points, settings: Points) -> Points:
    """Candidates with the nearest of the whole plots' settings, as far as they are feasible."""
    hard = np.array([factor.hard_to_change for factor in region.varying])
    nearest = ((candidates[:, None, hard] - settings[None]) ** 2).sum(axis=2).argmin(axis=1)
    moved = candidates.copy()
    moved[:, hard] = settings[nearest]
    return np.asarray(moved[region.is_feasible(moved)])


def _distances(region: Region, a: Points, b: Points) -> Points:
    """Between points, shape (len(a), len(b)); categories differ by one."""
    squared = np.zeros((len(a), len(b)))
    for column, categorical in enumerate(region.is_categorical):
        difference = np.subtract.outer(a[:, column], b[:, column])
        squared += (np.abs(difference) > 1e-9) if categorical else difference**2
    return np.asarray(np.sqrt(squared))


def _farthest_first(region: Region, candidates: Points, held: Points, runs: int) -> list[int]:
    if len(held):
        nearest = _distances(region, candidates, held).min(axis=1)
        chosen: list[int] = []
    else:
        chosen = [int(((candidates - candidates.mean(axis=0)) ** 2).sum(axis=1).argmax())]
        nearest = _distances(region, candidates, candidates[chosen])[:, 0]
    while len(chosen) < runs:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, _distances(region, candidates, candidates[chosen[-1:]])[:, 0])
    return chosen


def _break_up(region: Region, candidates: Points, chosen: list[int], held: Points) -> Points:
    """Move one of the closest pair to wherever it is farthest from all others, while that is farther."""
    runs = len(chosen)
    away = np.hstack([_distances(region, candidates, candidates[chosen]), _distances(region, candidates, held)])
    for _ in range(_PASSES):
        apart = away[chosen]
        apart[np.arange(runs), np.arange(runs)] = np.inf
        closest = apart.min(axis=1)
        for place in np.flatnonzero(closest <= closest.min() + 1e-12).tolist():
            nearest = np.delete(away, place, axis=1).min(axis=1, initial=np.inf)
            best = int(nearest.argmax())
            if nearest[best] > closest[place] + 1e-9:
                chosen[place] = best
                away[:, place] = _distances(region, candidates, candidates[[best]])[:, 0]
                break
        else:
            break
    return np.asarray(candidates[chosen])
