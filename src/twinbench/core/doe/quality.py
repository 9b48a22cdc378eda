"""How good a design is: how well it estimates a model, how well it predicts, and how evenly it fills the region.

X        model matrix of the runs, shape (n, p)
V        covariance of the runs in units of the variance within: the unit matrix; with whole plots their disturbance, of
         the same variance, in addition (Goos & Vandebroek 2003)
M        information matrix ``X' V^-1 X``; with blocks, what is left of it when their effects (which sum to zero) are
         estimated too. Its inverse is the covariance of the estimates
d(x)     variance of the prediction at a point, ``f(x)' M^-1 f(x)``, in units of the variance within
region   where the factors may be: from low to high, at the discrete values and categories, less what is not feasible

Variances at points of the region are taken at fixed points (a scrambled Sobol sequence), so equal designs have equal
figures; averages over a region without constraints are exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.factors import Factor
from twinbench.core.doe.terms import Terms
from twinbench.core.errors import DesignError

__all__ = [
    "VARIANCE_RATIO",
    "Feasible",
    "block_effects",
    "contrast_matrix",
    "design_quality",
    "fraction_of_design_space",
    "indistinguishable",
    "moment_matrix",
    "region_points",
]

Points = NDArray[np.float64]
Feasible = Callable[[Points], NDArray[np.bool_]]

_SAMPLE = 2048
_MOST_DRAWS = 1 << 17
_CORNERS = 6561  # three levels of eight factors
_DEPENDENT = 1e-10  # smallest share of the largest eigenvalue that is no rounding
_DIGITS = 9

VARIANCE_RATIO = 1.0
"""Variance of whole plots to that within, which nobody knows before the experiment (Goos & Vandebroek 2003)."""


def design_quality(
    terms: Terms | None,
    points: Points,
    *,
    feasible: Feasible | None = None,
    blocks: NDArray[np.int64] | None = None,
    groups: NDArray[np.int64] | None = None,
    signal_to_noise: float = 2.0,
    alpha: float = 0.05,
) -> dict[str, Any]:
    """Figures of a design, rounded to nine decimals; None where one is not defined, absent where it has no sense.

    ``centered_l2_discrepancy``, ``minimum_distance``: Hickernell (1998), Euclidean in the unit cube; need no model.
    ``d_efficiency_pct``: ``100 |M|^(1/p) / n``. ``a_efficiency_pct``: ``100 p / (n trace M^-1)``. Both take categories
    as orthonormal contrasts, so 100 is an orthogonal design with its numbers at their ends; designs with squares stay
    below (Mitchell 1974; SAS/QC OPTEX).
    ``maximum_prediction_variance``: the largest d(x) found in the region. ``g_efficiency_pct``: ``100 p / (n max d)``
    (Atkinson, Donev & Tobias 2007, section 10.3). ``average_prediction_variance``: of d(x) over the region, which an
    I-optimal design makes least (Goos & Jones 2011, section 4.3.5). ``i_efficiency_pct``: that of an orthogonal design
    as above over it.
    ``vif``: per term the variance inflation, the generalised one to the power 1/columns where a term has several (Fox &
    Monette 1992); ``largest_vif``. ``largest_alias``: the largest absolute correlation of a main effect with an
    interaction of two factors, in the model or not.
    ``power``: per term the chance to find it at level *alpha* if it changes the response by *signal_to_noise* standard
    deviations between low and high (two of its categories, the others between them; its coefficients are half of that),
    by the non-central F distribution; None without degrees of freedom left. With whole plots the terms of factors that
    are constant in each are tested against the whole plots (containment).
    ``not_estimable``: terms that the design cannot tell apart, if there are any; then the efficiencies are 0.

    Args:
        terms: The model; None if the design has none.
        points: Shares, shape (n, k).
        feasible: Says for points which of them are in the region.
        blocks: Block of each run.
        groups: Whole plot of each run.
        signal_to_noise: Of :data:`power`, in standard deviations within.
        alpha: Chance to find a term that is not there.

    Raises:
        DesignError: If no point of the region is feasible.
    """
    quality = _spread(points)
    if terms is not None and len(points):
        model = _Model(terms, points, blocks, groups)
        quality |= _precision(model, feasible) | _inflation(model)
        quality["power"] = _power(model, signal_to_noise, alpha)
        quality["largest_alias"] = _largest_alias(terms, points)
        if model.covariance is None:
            quality["not_estimable"] = indistinguishable(terms, model.design)
    rounded: dict[str, Any] = _rounded(quality)
    return rounded


def fraction_of_design_space(
    terms: Terms,
    points: Points,
    *,
    feasible: Feasible | None = None,
    blocks: NDArray[np.int64] | None = None,
    groups: NDArray[np.int64] | None = None,
    quantiles: int = 21,
) -> dict[str, list[float]]:
    """Which fraction of the region is predicted with which variance at most (Zahran, Anderson-Cook & Myers 2003).

    Returns:
        ``fraction`` from 0 to 1 and ``prediction_variance`` d(x), rising; both empty if the model cannot be estimated.
    """
    covariance = _Model(terms, points, blocks, groups).covariance
    if covariance is None:
        return {"fraction": [], "prediction_variance": []}
    fractions = np.linspace(0, 1, quantiles)
    variances = _variance(terms.matrix(region_points(terms.factors, feasible, _SAMPLE)), covariance)
    curve = {"fraction": fractions, "prediction_variance": np.quantile(variances, fractions)}
    return {name: [round(float(value), _DIGITS) for value in values] for name, values in curve.items()}


def region_points(factors: Sequence[Factor], feasible: Feasible | None, count: int) -> Points:
    """About so many points that fill the region evenly, always the same; fewer if little of the cube is feasible.

    Raises:
        DesignError: If none of 131,072 points is feasible.
    """
    from scipy.stats import qmc

    if not factors:
        return np.zeros((1, 0))
    sequence = qmc.Sobol(len(factors), rng=np.random.default_rng(0))
    found: list[Points] = []
    drawn = kept = 0
    while kept < count and drawn < _MOST_DRAWS:
        points = _snapped(factors, sequence.random(_SAMPLE))
        drawn += len(points)
        found.append(points if feasible is None else points[np.asarray(feasible(points), dtype=bool)])
        kept += len(found[-1])
    if not kept:
        raise DesignError(
            f"The constraints leave no region: none of {_MOST_DRAWS:,} points of the factors' ranges keeps to all of "
            "them. Widen a range or drop a constraint."
        )
    return np.vstack(found)[:count]


def moment_matrix(terms: Terms, feasible: Feasible | None = None) -> NDArray[np.float64]:
    """Mean of ``f(x) f(x)'`` over the region, shape (p, p): exact without constraints."""
    if feasible is not None:
        matrix = terms.matrix(region_points(terms.factors, feasible, 4 * _SAMPLE))
        return np.asarray(matrix.T @ matrix / len(matrix))
    exponents = terms.exponents
    moments = _category_moments(terms)
    for factor, column in _own_columns(terms):
        if not factor.categories:
            powers = exponents[:, column]
            moments *= _powers(factor)[powers[:, None] + powers[None, :]]
    return moments


def contrast_matrix(terms: Terms) -> NDArray[np.float64]:
    """K of ``trace(K M^-1)``, shape (p, p): takes coefficients of categories as those of orthonormal contrasts.

    So it does not matter which category is the last one, and an orthogonal design has an efficiency of 100 %.
    """
    columns = np.array(terms.columns)
    return np.asarray(_category_moments(terms) * (columns[:, None] == columns[None, :]))


def _own_columns(terms: Terms) -> list[tuple[Factor, int]]:
    """Each factor with the first of its coding columns."""
    return list(zip(terms.factors, np.cumsum([0, *terms.widths]).tolist(), strict=False))


def _category_moments(terms: Terms) -> NDArray[np.float64]:
    """Mean of ``f(x) f(x)'`` over all categories alone, numbers taken as 1."""
    exponents = terms.exponents
    moments = np.ones((len(exponents), len(exponents)))
    for factor, first in _own_columns(terms):
        if factor.categories:
            width = len(factor.categories) - 1
            own = exponents[:, first : first + width]
            values = np.column_stack([np.ones(width + 1), np.vstack([np.eye(width), -np.ones(width)])])
            slots = np.where(own.any(axis=1), 1 + own.argmax(axis=1), 0)
            moments *= (values.T @ values / (width + 1))[np.ix_(slots, slots)]
    return moments


def indistinguishable(terms: Terms, matrix: NDArray[np.float64]) -> list[str]:
    """Terms that rows of the model matrix (first its columns, then any others) cannot tell apart."""
    scale = np.sqrt((matrix**2).mean(axis=0))
    scale[scale == 0] = 1
    scaled = matrix / scale
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    null = vectors[: len(terms.columns), values <= _DEPENDENT * values[-1]]
    involved = np.abs(null).max(axis=1, initial=0) > 1e-5
    columns = np.array(terms.columns)
    return [terms.labels[number] for number in np.unique(columns[involved]).tolist()]


class _Model:
    """Model matrices of a design, and the covariance of its estimates (None if singular)."""

    def __init__(
        self, terms: Terms, points: Points, blocks: NDArray[np.int64] | None, groups: NDArray[np.int64] | None
    ) -> None:
        self.terms, self.points, self.groups = terms, points, groups
        self.plain = terms.matrix(points)
        self.design = self.plain if blocks is None else np.hstack([self.plain, block_effects(blocks)])
        white = self.design if groups is None else self.design - _shrunk(self.design, groups)
        information = self.design.T @ white
        size = np.sqrt(np.diag(information))
        size[size == 0] = 1
        scaled = information / np.outer(size, size)
        self.covariance: NDArray[np.float64] | None = None
        values = np.linalg.eigvalsh(scaled)
        if len(points) >= self.design.shape[1] and values[0] > _DEPENDENT * values[-1]:
            inverse = np.linalg.inv(scaled) / np.outer(size, size)
            self.covariance = inverse[: self.plain.shape[1], : self.plain.shape[1]]


def block_effects(blocks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Effects of blocks which sum to zero: shape (n, blocks - 1)."""
    _, number = np.unique(blocks, return_inverse=True)
    count = int(number.max(initial=0)) + 1
    return np.asarray(np.vstack([np.eye(count - 1), -np.ones(count - 1)])[number])


def _shrunk(matrix: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """What the whole plots' common disturbance takes away from a matrix: the rest is ``V^-1`` times it."""
    _, number, counts = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), matrix.shape[1]))
    np.add.at(sums, number, matrix)
    share = VARIANCE_RATIO / (1 + VARIANCE_RATIO * counts)
    return np.asarray((sums * share[:, None])[number])


def _spread(points: Points) -> dict[str, Any]:
    from scipy.spatial.distance import pdist
    from scipy.stats import qmc

    if points.shape[1] == 0 or len(points) == 0:
        return {}
    inside = np.clip(points, 0, 1)  # axial points may lie beyond; the discrepancy knows the cube only
    spread: dict[str, Any] = {"centered_l2_discrepancy": float(qmc.discrepancy(inside, method="CD"))}
    if len(points) > 1:
        spread["minimum_distance"] = float(pdist(points).min())
    return spread


def _precision(model: _Model, feasible: Feasible | None) -> dict[str, Any]:
    runs, size = model.plain.shape
    if model.covariance is None:
        unknown = dict.fromkeys(("maximum_prediction_variance", "average_prediction_variance"))
        return {f"{letter}_efficiency_pct": 0.0 for letter in "dagi"} | unknown
    largest = _largest_variance(model.terms, model.covariance, feasible)
    contrasts = contrast_matrix(model.terms)
    logarithm = -np.linalg.slogdet(model.covariance)[1] - np.linalg.slogdet(contrasts)[1]
    moments = moment_matrix(model.terms, feasible)
    average = np.sum(moments * model.covariance)
    return {
        "d_efficiency_pct": 100 * np.exp(logarithm / size) / runs,
        "a_efficiency_pct": 100 * size / (runs * np.sum(contrasts * model.covariance)),
        "g_efficiency_pct": 100 * size / (runs * largest),
        "maximum_prediction_variance": largest,
        "average_prediction_variance": average,
        "i_efficiency_pct": 100 * np.sum(moments * np.linalg.inv(contrasts)) / (runs * average),
    }


def _variance(matrix: NDArray[np.float64], covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sum((matrix @ covariance) * matrix, axis=1))


def _largest_variance(terms: Terms, covariance: NDArray[np.float64], feasible: Feasible | None) -> float:
    """Largest d(x): over corners, edges and an even sample, then uphill from the highest, one factor at a time."""
    factors = terms.factors
    points = region_points(factors, feasible, _SAMPLE)
    if not factors:
        return float(covariance[0, 0])
    ends = _ends(factors)
    points = np.vstack([points, ends if feasible is None else ends[np.asarray(feasible(ends), dtype=bool)]])
    variances = _variance(terms.matrix(points), covariance)
    highest = np.argsort(variances)[-8:]
    points, variances = points[highest], variances[highest]
    for number in [*range(len(factors))] * 2:
        levels = _snapped(factors, np.tile(np.linspace(0, 1, 21)[:, None], (1, len(factors))))[:, number]
        trial = np.repeat(points[:, None], len(levels), axis=1)
        trial[:, :, number] = levels
        flat = trial.reshape(-1, len(factors))
        found = _variance(terms.matrix(flat), covariance)
        if feasible is not None:
            found[~np.asarray(feasible(flat), dtype=bool)] = -np.inf
        found = found.reshape(len(points), -1)
        better = found.max(axis=1) > variances
        points[better] = trial[better, found.argmax(axis=1)[better]]
        variances = np.maximum(variances, found.max(axis=1))
    return float(variances.max())


def _ends(factors: Sequence[Factor]) -> Points:
    """Points with each factor at an end or in the middle, or at any of its categories: all, or some if too many."""
    shares = [
        np.linspace(0, 1, len(factor.categories)) if factor.categories else np.array([0.0, 1.0, 0.5])
        for factor in factors
    ]
    count = float(np.prod([float(len(own)) for own in shares]))
    if count <= _CORNERS:
        return _snapped(factors, np.array(list(itertools.product(*shares)), dtype=float).reshape(-1, len(factors)))
    generator = np.random.default_rng(0)
    ends = [own if factor.categories else own[:2] for own, factor in zip(shares, factors, strict=True)]
    return np.column_stack([generator.choice(own, _CORNERS) for own in ends])


def _snapped(factors: Sequence[Factor], points: Points) -> Points:
    """Shares of numbers from 0 to 1 at steps they can have, each category or discrete value with the same chance."""
    snapped = points.copy()
    for number, factor in enumerate(factors):
        if factor.categories or factor.values:
            count = factor.choices or 1
            index = np.minimum((points[:, number] * count).astype(int), count - 1)
            levels = factor.categories or factor.values
            snapped[:, number] = np.array([factor.share(level) for level in levels])[index]
        elif factor.resolution is not None and factor.choices is not None:
            step = factor.resolution / (factor.high - factor.low)
            snapped[:, number] = np.minimum(np.rint(points[:, number] / step), factor.choices - 1) * step
    return snapped


def _powers(factor: Factor) -> NDArray[np.float64]:
    """Means of the powers 0 to 8 of a number coded from -1 to 1."""
    if factor.values:
        coded = np.array([2 * factor.share(value) - 1 for value in factor.values])
        return np.array([np.mean(coded**power) for power in range(9)])
    return np.array([0.0 if power % 2 else 1 / (power + 1) for power in range(9)])


def _inflation(model: _Model) -> dict[str, Any]:
    """Variance inflation of each term but the mean, with blocks among the others."""
    centred = model.design[:, 1:] - model.design[:, 1:].mean(axis=0)
    scale = np.linalg.norm(centred, axis=0)
    columns = np.array(model.terms.columns)[1:]
    labels = model.terms.labels
    if model.covariance is None or (scale == 0).any():
        return {"vif": dict.fromkeys(labels[1:]), "largest_vif": None}
    correlation = (centred / scale).T @ (centred / scale)
    inverse = np.linalg.inv(correlation)
    vif: dict[str, float] = {}
    for number in range(1, len(labels)):
        own = np.flatnonzero(columns == number)
        block = np.ix_(own, own)
        # det R11 det R22 / det R = det R11 det (R^-1)11
        generalised = np.linalg.det(correlation[block]) * np.linalg.det(inverse[block])
        vif[labels[number]] = float(generalised ** (1 / len(own)))
    return {"vif": vif, "largest_vif": max(vif.values(), default=None)}


def _power(model: _Model, signal_to_noise: float, alpha: float) -> dict[str, float | None]:
    from scipy.stats import f, ncf

    columns = np.array(model.terms.columns)
    power: dict[str, float | None] = {}
    for number, label in enumerate(model.terms.labels[1:], 1):
        own = np.flatnonzero(columns == number)
        left = _degrees_of_freedom(model, own)
        if model.covariance is None or left < 1:
            power[label] = None
            continue
        precision = np.linalg.inv(model.covariance[np.ix_(own, own)])
        effects = signal_to_noise / 2 * _least_favourable(model.terms, number)
        noncentrality = float(np.einsum("ij,jk,ik->i", effects, precision, effects).min())
        limit = f.isf(alpha, len(own), left)
        power[label] = float(ncf.sf(limit, len(own), left, noncentrality)) if noncentrality else alpha
    return power


def _degrees_of_freedom(model: _Model, own: NDArray[np.int64]) -> int:
    """What is left to estimate the noise of a term from: the runs, or the whole plots if it is constant in each."""
    runs, size = model.design.shape
    if model.groups is None:
        return int(runs - size)
    _, first, number = np.unique(model.groups, return_index=True, return_inverse=True)
    changes: NDArray[np.bool_] = np.abs(model.design - model.design[first][number]).max(axis=0) > 1e-9
    within = int(np.count_nonzero(changes))
    left: int = runs - len(first) - within if changes[own].any() else len(first) - size + within
    return left


def _least_favourable(terms: Terms, number: int) -> NDArray[np.float64]:
    """Coefficients of a term with an effect of 2 between low and high, or between two categories: each pair a row."""
    patterns = np.ones((1, 1))
    for factor, power in zip(terms.factors, terms.powers[number], strict=True):
        if not power or not factor.categories:
            continue
        count = len(factor.categories)
        pairs = np.array([np.eye(count)[a] - np.eye(count)[b] for a, b in itertools.combinations(range(count), 2)])
        patterns = np.kron(patterns, pairs[:, :-1])
    return patterns


def _largest_alias(terms: Terms, points: Points) -> float | None:
    columns = _standard(terms.coded(points))
    owner = np.repeat(np.arange(len(terms.factors)), terms.widths)
    coded = terms.coded(points)
    pairs = [coded[:, a] * coded[:, b] for a, b in itertools.combinations(range(len(owner)), 2) if owner[a] != owner[b]]
    if not pairs or not columns.size:
        return None
    return float(np.abs(columns.T @ _standard(np.column_stack(pairs))).max())


def _standard(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns less their mean, of length 1; a constant one stays 0."""
    centred = matrix - matrix.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    return np.asarray(centred / np.where(length > 1e-9, length, np.inf))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, float | np.floating):
        return round(float(value), _DIGITS) if np.isfinite(value) else None
    return value
