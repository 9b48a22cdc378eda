"""The linear model that an experiment is to estimate: its terms, and the model matrix of a design.

term      a product of factors: ``temperature``, ``temperature:rate`` (an interaction), ``temperature^2``, or ``1``: the
          mean
coded     a numeric factor runs from -1 (low) to +1 (high), so effects of different quantities compare; a category is
          coded by its effects: one column per category but the last, which is -1 in all of them, so their sum is zero
column    of the model matrix: one for a term of numeric factors, several for a term with categories

Points are given in *shares*: each factor's place in its range from 0 to 1, shape (n, k) over the varying factors.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.factors import Factor
from twinbench.core.errors import DesignError
from twinbench.core.suggestion import did_you_mean

__all__ = ["MODELS", "Terms"]

MODELS = ("linear", "interactions", "quadratic")
"""Models that have a name: the factors alone; with their interactions by pairs; with their squares as well."""

_MOST_COLUMNS = 1000
_POWER = re.compile(r"^(?P<name>.+?)(?:\^(?P<power>[1-4]))?$")

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Terms:
    """A linear model over some factors.

    Attributes:
        factors: Those that vary, in order.
        powers: Per term the power of each factor; the first term is the mean, all zero.
    """

    factors: tuple[Factor, ...]
    powers: tuple[tuple[int, ...], ...]

    @classmethod
    def read(cls, model: str | Sequence[str], factors: Sequence[Factor]) -> Terms:
        """The terms of a named model, or of a list like ``["a", "b", "a:b", "a^2"]``; the mean is always in it.

        Raises:
            DesignError: If a term names no factor that varies, or squares a category.
        """
        varying = tuple(factor for factor in factors if factor.varies)
        if isinstance(model, str):
            powers = _named(model, varying)
        else:
            powers = [_power(term, varying) for term in model if term != "1"]
        if doubled := [term for term in powers if powers.count(term) > 1]:
            raise DesignError(f"The model has {_label(doubled[0], varying)} more than once: keep one of each term.")
        made = cls(varying, ((0,) * len(varying), *powers))
        if len(made.exponents) > _MOST_COLUMNS:
            raise DesignError(
                f"The model has {len(made.exponents)} coefficients, more than {_MOST_COLUMNS}: ask for a smaller model."
            )
        return made

    @property
    def labels(self) -> tuple[str, ...]:
        """Name of each term, the mean's is ``1``."""
        return tuple(_label(powers, self.factors) for powers in self.powers)

    @property
    def widths(self) -> tuple[int, ...]:
        """How many columns a factor's own coding has: 1 for a number, one less than its categories."""
        return tuple(max(1, len(factor.categories) - 1) for factor in self.factors)

    @property
    def columns(self) -> tuple[int, ...]:
        """For each column of the model matrix the number of its term."""
        widths = self.widths
        return tuple(
            number
            for number, powers in enumerate(self.powers)
            for _ in itertools.product(*(range(w) for w, power in zip(widths, powers, strict=True) if power))
        )

    @property
    def exponents(self) -> NDArray[np.int64]:
        """Power of each coding column (see :meth:`coded`) in each column of the model matrix, shape (p, q)."""
        offsets = np.concatenate([[0], np.cumsum(self.widths)]).astype(int)
        rows = []
        for powers in self.powers:
            used = [number for number, power in enumerate(powers) if power]
            for parts in itertools.product(*(range(self.widths[number]) for number in used)):
                row = np.zeros(offsets[-1], dtype=np.int64)
                for number, part in zip(used, parts, strict=True):
                    row[offsets[number] + part] = powers[number]
                rows.append(row)
        return np.array(rows, dtype=np.int64).reshape(len(rows), offsets[-1])

    def coded(self, points: Points) -> Points:
        """Coding columns of points: shape (n, q), q the sum of the factors' widths."""
        columns = [_coding(factor, points[:, number]) for number, factor in enumerate(self.factors)]
        return np.column_stack(columns) if columns else np.zeros((len(points), 0))

    def matrix(self, points: Points) -> Points:
        """The model matrix of points given in shares: shape (n, p)."""
        coded = self.coded(points)
        matrix = np.ones((len(points), len(self.exponents)))
        for column, powers in enumerate(self.exponents):
            for number in np.flatnonzero(powers):
                matrix[:, column] *= coded[:, number] ** powers[number]
        return matrix


def _coding(factor: Factor, shares: Points) -> Points:
    if not factor.categories:
        return (2 * shares - 1)[:, None]
    index = np.rint(shares * factor.high).astype(int)
    effects = np.vstack([np.eye(len(factor.categories) - 1), -np.ones(len(factor.categories) - 1)])
    return np.asarray(effects[index])


def _named(model: str, factors: Sequence[Factor]) -> list[tuple[int, ...]]:
    if model not in MODELS:
        raise DesignError(f"There is no model {model!r}: {did_you_mean(model, MODELS)} Or list its terms.")
    unit = np.eye(len(factors), dtype=int)
    powers = [tuple(row.tolist()) for row in unit]
    if model != "linear":
        powers += [tuple((a + b).tolist()) for a, b in itertools.combinations(unit, 2)]
    if model == "quadratic":
        powers += [
            tuple((2 * row).tolist()) for row, factor in zip(unit, factors, strict=True) if _may_be_squared(factor)
        ]
    return powers


def _may_be_squared(factor: Factor) -> bool:
    """A square needs three levels."""
    return not factor.categories and (factor.choices is None or factor.choices > 2)


def _power(term: str, factors: Sequence[Factor]) -> tuple[int, ...]:
    names = [factor.name for factor in factors]
    powers = [0] * len(names)
    for part in str(term).split(":"):
        found = _POWER.match(part.strip())
        name, power = (found["name"], int(found["power"] or 1)) if found else (part.strip(), 1)
        if name not in names:
            hint = did_you_mean(name, names) if names else "no factor varies."
            raise DesignError(f"The term {term!r} names {name!r}, which is no factor that varies: {hint}")
        powers[names.index(name)] += power
    for factor, power in zip(factors, powers, strict=True):
        if power > 1 and not _may_be_squared(factor):
            raise DesignError(
                f"The term {term!r} has a power of {factor.name}, which has categories or only two levels: leave it "
                "out."
            )
    return tuple(powers)


def _label(powers: Sequence[int], factors: Sequence[Factor]) -> str:
    parts = [
        factor.name if power == 1 else f"{factor.name}^{power}"
        for factor, power in zip(factors, powers, strict=True)
        if power
    ]
    return ":".join(parts) or "1"
