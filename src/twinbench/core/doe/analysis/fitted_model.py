"""What a fitted model says between the runs: the response over one factor, over two, and how factors work together.

Factors that are not looked at are held: a number at the middle of its range, a category at the one most runs have.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.factors import Factor, Level
from twinbench.core.doe.terms import Terms
from twinbench.core.errors import DesignError

__all__ = ["Curve", "FittedModel", "Pair", "Surface", "interaction_strength", "main_effect_curves", "surface"]


@dataclass(frozen=True)
class FittedModel:
    """A model with its coefficients.

    Attributes:
        terms: Its terms, over the factors that were tried.
        coefficients: One per column of its matrix, coded; blocks are averaged.
        held: Share of each factor at which it is held while others are looked at.
        tested: Lowest and highest share of each factor in the runs.
    """

    terms: Terms
    coefficients: tuple[float, ...]
    held: tuple[float, ...]
    tested: tuple[tuple[float, float], ...]

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The factors that were tried."""
        return self.terms.factors

    def place(self, name: str) -> int:
        """Number of a factor.

        Raises:
            DesignError: If it is none of them.
        """
        names = [factor.name for factor in self.factors]
        if name not in names:
            raise DesignError(f"The model has no factor {name!r}: it has {', '.join(names)}.")
        return names.index(name)

    def predict(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The response at points given in shares, shape (n, k)."""
        return np.asarray(self.terms.matrix(points) @ np.array(self.coefficients))

    def around(self, count: int, levels: Mapping[str, Level] | None = None) -> NDArray[np.float64]:
        """So many points with all factors held, or at the levels given."""
        point = list(self.held)
        for name, level in (levels or {}).items():
            place = self.place(name)
            point[place] = self.factors[place].share(level)
        return np.tile(np.array(point, dtype=np.float64), (count, 1))

    def shares(self, place: int, size: int) -> NDArray[np.float64]:
        """Shares at which a factor is looked at: all its categories, or its range and what was tried beyond it."""
        factor = self.factors[place]
        if factor.categories:
            return np.linspace(0, 1, len(factor.categories))
        low, high = self.tested[place]
        return np.linspace(min(0.0, low), max(1.0, high), size)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> FittedModel:
        """Read what :meth:`as_document` wrote."""
        factors = tuple(Factor.from_document(factor) for factor in document["factors"])
        return cls(
            Terms(factors, tuple(tuple(powers) for powers in document["powers"])),
            tuple(document["coefficients"]),
            tuple(document["held"]),
            tuple((low, high) for low, high in document["tested"]),
        )

    def as_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "factors": [factor.as_document() for factor in self.factors],
            "terms": list(self.terms.labels),
            "powers": [list(powers) for powers in self.terms.powers],
            "coefficients": list(self.coefficients),
            "held": list(self.held),
            "tested": [list(range_) for range_ in self.tested],
        }


@dataclass(frozen=True, eq=False)
class Surface:
    """A response over two factors.

    Attributes:
        a: Levels of the first factor, shape (size,).
        b: Levels of the second factor, shape (size,).
        values: The response, shape (size of b, size of a).
    """

    a: NDArray[np.float64]
    b: NDArray[np.float64]
    values: NDArray[np.float64]


def surface(
    fitted: FittedModel, factor_a: str, factor_b: str, size: int = 31, *, at: Mapping[str, Level] | None = None
) -> Surface:
    """The response over two factors that are numbers, the others held or *at* a level.

    Raises:
        DesignError: If a factor is unknown, has categories, or is the other one.
    """
    places = fitted.place(factor_a), fitted.place(factor_b)
    for place in places:
        if fitted.factors[place].categories:
            name = fitted.factors[place].name
            raise DesignError(f"There is no surface over {name}, which has categories: draw one for each.")
    if places[0] == places[1]:
        raise DesignError(f"A surface over {factor_a} and {factor_b} is a line: give two factors.")
    shares = [fitted.shares(place, size) for place in places]
    points = fitted.around(size * size, at)
    for place, grid in zip(places, np.meshgrid(*shares), strict=True):
        points[:, place] = grid.ravel()
    a, b = (_levels(fitted.factors[place], part) for place, part in zip(places, shares, strict=True))
    return Surface(a, b, fitted.predict(points).reshape(size, size))


def _levels(factor: Factor, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """A number's levels at shares, as fine as the shares: the model knows no steps."""
    return factor.low * (1 - shares) + factor.high * shares


@dataclass(frozen=True)
class Curve:
    """The response over one factor, the others held; of a categorical factor one value per category."""

    factor: str
    levels: tuple[Level, ...]
    values: tuple[float, ...]


def main_effect_curves(
    fitted: FittedModel, size: int = 31, *, at: Mapping[str, Level] | None = None
) -> tuple[Curve, ...]:
    """The response over each factor in turn."""
    curves = []
    for place, factor in enumerate(fitted.factors):
        shares = fitted.shares(place, size)
        points = fitted.around(len(shares), at)
        points[:, place] = shares
        levels = factor.categories or tuple(_levels(factor, shares).tolist())
        curves.append(Curve(factor.name, levels, tuple(fitted.predict(points).tolist())))
    return tuple(curves)


@dataclass(frozen=True)
class Pair:
    """How two factors work together.

    Attributes:
        interaction: How much the response changes over both that is not the sum of what each does alone.
        span: How much it changes over both in all.
    """

    a: str
    b: str
    interaction: float
    span: float


def interaction_strength(fitted: FittedModel) -> tuple[Pair, ...]:
    """All pairs of factors, the strongest interaction first; pairs without one by how much they change the response."""
    pairs = []
    for first, second in itertools.combinations(range(len(fitted.factors)), 2):
        shares = [_few(fitted.factors[place]) for place in (first, second)]
        grid = np.array(list(itertools.product(*shares)))
        points = fitted.around(len(grid))
        points[:, [first, second]] = grid
        table = fitted.predict(points).reshape(len(shares[0]), len(shares[1]))
        alone = table.mean(axis=0, keepdims=True) + table.mean(axis=1, keepdims=True) - table.mean()
        names = fitted.factors[first].name, fitted.factors[second].name
        pairs.append(Pair(*names, float(np.ptp(table - alone)), float(np.ptp(table))))
    scale = max((pair.span for pair in pairs), default=0.0)
    return tuple(sorted(pairs, key=lambda pair: (-_rounded(pair.interaction, scale), -pair.span)))


def _few(factor: Factor) -> list[float]:
    return np.linspace(0, 1, len(factor.categories)).tolist() if factor.categories else [0.0, 0.5, 1.0]


def _rounded(value: float, scale: float) -> float:
    """Without what rounding makes of nothing."""
    return round(value / scale, 9) if scale else 0.0
