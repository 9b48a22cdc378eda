"""The region of an experiment: which combinations of levels exist and may be run.

Points are *shares* of the factors' ranges, shape (n, k) over those that vary. A point is *snapped* to the levels that
its factors can have, and is *feasible* if its levels meet every constraint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.constraints import Constraint
from twinbench.core.doe.factors import Factor
from twinbench.core.errors import DesignError

__all__ = ["Region"]

Points = NDArray[np.float64]

_MOST_CHOICES = 200  # levels of a factor that are told apart; with more it is as good as continuous
_FIRST_TRIES, _MOST_TRIES = 1 << 12, 1 << 18


@dataclass(frozen=True)
class Region:
    """Factors and the constraints between them."""

    factors: tuple[Factor, ...]
    constraints: tuple[Constraint, ...] = ()

    @property
    def varying(self) -> tuple[Factor, ...]:
        """The factors in which runs differ."""
        return tuple(factor for factor in self.factors if factor.varies)

    @property
    def allowed(self) -> tuple[Points | None, ...]:
        """Per varying factor the shares it may have, rising; None if any."""
        return tuple(_allowed(factor) for factor in self.varying)

    @property
    def is_categorical(self) -> NDArray[np.bool_]:
        """Which of the varying factors are categories, shape (k,)."""
        return np.array([bool(factor.categories) for factor in self.varying], dtype=bool)

    def snap(self, points: Points) -> Points:
        """The nearest points whose factors have levels they can have."""
        snapped = points.copy()
        for column, shares in enumerate(self.allowed):
            if shares is not None:
                middles = (shares[1:] + shares[:-1]) / 2
                snapped[:, column] = shares[np.searchsorted(middles, points[:, column], side="right")]
        return snapped

    def unit(self, points: Points) -> Points:
        """Points of a unit cube where distances have a sense: numbers as shares, a column of 0 and 1 per category."""
        columns = [
            (np.rint(points[:, [place]] * factor.high) == np.arange(len(factor.categories))).astype(np.float64)
            if factor.categories
            else points[:, [place]]
            for place, factor in enumerate(self.varying)
        ]
        return np.hstack(columns) if columns else points

    def columns(self, points: Points) -> dict[str, NDArray[Any]]:
        """Levels of every factor, those that are held included, shape (n,) each."""
        columns: dict[str, NDArray[Any]] = {}
        place = 0
        for factor in self.factors:
            if not factor.varies:
                held = factor.categories[0] if factor.categories else factor.low
                columns[factor.name] = np.full(len(points), held)
                continue
            shares, place = points[:, place], place + 1
            if factor.categories:
                columns[factor.name] = np.array(factor.categories)[np.rint(shares * factor.high).astype(int)]
            else:
                columns[factor.name] = factor.low * (1 - shares) + factor.high * shares
        return columns

    def is_feasible(self, points: Points) -> NDArray[np.bool_]:
        """Whether points meet every constraint, shape (n,)."""
        feasible = np.ones(len(points), dtype=bool)
        if self.constraints:
            columns = self.columns(points)
            for constraint in self.constraints:
                feasible &= constraint.is_met(columns)
        return feasible

    def broken(self, point: Points) -> list[str]:
        """The constraints that a point breaks, as they were given."""
        columns = self.columns(point[None, :])
        return [constraint.text for constraint in self.constraints if not constraint.is_met(columns)[0]]

    def candidates(self, count: int, *, seed: int) -> Points:
        """So many feasible points, evenly spread (a scrambled Sobol' sequence, snapped), or as many as are found.

        Raises:
            DesignError: If there is none, naming the constraints that leave nothing.
        """
        from scipy.stats import qmc

        sampler = qmc.Sobol(len(self.varying), rng=np.random.default_rng(seed))
        kept = np.zeros((0, len(self.varying)))
        tried, more = 0, max(_FIRST_TRIES, 1 << (count - 1).bit_length())
        while len(kept) < count and tried < _MOST_TRIES:
            points = self.snap(sampler.random(more))
            kept = np.vstack([kept, points[self.is_feasible(points)]])
            tried, more = tried + more, max(more, tried)
        if not len(kept):
            raise DesignError(self._why_empty(sampler.reset().random(_FIRST_TRIES)))
        return kept[:count]

    def _why_empty(self, points: Points) -> str:
        columns = self.columns(self.snap(points))
        alone = [constraint.text for constraint in self.constraints if not constraint.is_met(columns).any()]
        culprits = alone or [constraint.text for constraint in self.constraints]
        ranges = ", ".join(f"{factor.name} {described(factor)}" for factor in self.varying)
        one = len(culprits) == 1
        listed = ", ".join(map(repr, culprits))
        subject = f"The constraint {listed} leaves" if one else f"Together the constraints {listed} leave"
        is_continuous = any(factor.kind == "continuous" for factor in self.varying)
        if equal := [text for text in culprits if is_continuous and "==" in text and not set(text) & set("'\"")]:
            return (
                f"{subject} no combination of levels ({ranges}): numbers are hardly ever equal. Leave out one that "
                f"the others decide, or give {equal[0]!r} a tolerance, such as abs(a + b - 1) <= 0.01."
            )
        return (
            f"{subject} no combination of levels ({ranges}): relax them, widen a range, or narrow ranges to the few "
            "levels that meet them."
        )


def described(factor: Factor) -> str:
    """A factor's levels in words."""
    if factor.categories:
        return "/".join(factor.categories)
    return f"{factor.low:g} to {factor.high:g} {factor.unit}".strip()


def _allowed(factor: Factor) -> Points | None:
    if factor.categories:
        return np.arange(len(factor.categories)) / factor.high
    if factor.values:
        return (np.array(factor.values) - factor.low) / (factor.high - factor.low)
    choices = factor.choices
    if choices is None or factor.resolution is None or choices > _MOST_CHOICES:
        return None
    return np.asarray(np.arange(choices) * factor.resolution / (factor.high - factor.low), dtype=np.float64)
