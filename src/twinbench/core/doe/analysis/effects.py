"""Effects: by how much each term of a fitted model changes the response, with its 95 % interval and p-value.

effect   by how much a term alone changes the response over the range of its factors: of a factor the change from low
         to high, of an interaction half the difference that one factor makes to the other's effect, of a square the
         bend from the middle to the ends. Of three categories or more: each one's distance from the mean of all; of a
         number with them, how its change from low to high differs from the mean

Source: Montgomery, Design and Analysis of Experiments, 8th ed. 2012, section 6.2.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.analysis.regression import Regression
from twinbench.core.doe.factors import Factor
from twinbench.core.doe.terms import Terms

__all__ = ["Effect", "effects_of"]


@dataclass(frozen=True)
class Effect:
    """What a term does to the response.

    Attributes:
        term: Label of the term.
        categories: Which categories it is about, one for each categorical factor of the term.
        change: In units of the response.
        low: Lower end of its 95 % interval; None if there is none.
        high: Upper end of it.
        p: How often chance alone would give as much; None if it cannot be told.
    """

    term: str
    categories: tuple[str, ...]
    change: float
    low: float | None
    high: float | None
    p: float | None


def effects_of(terms: Terms, fit: Regression) -> Iterator[Effect]:
    """The effects of all terms, in their order."""
    for number, (label, powers) in enumerate(zip(terms.labels, terms.powers, strict=True)):
        if not any(powers):
            continue
        columns = [column for column, term in enumerate(terms.columns) if term == number]
        used = [(factor, power) for factor, power in zip(terms.factors, powers, strict=True) if power]
        for parts in itertools.product(*(_contrasts(factor) for factor, _ in used)):
            contrast = np.zeros(fit.matrix.shape[1])
            contrast[columns] = _reach(used) * reduce(_product, [part for _, part in parts])
            change, half, p = fit.t_test(contrast)
            is_known = np.isfinite(half)
            low, high = (change - half, change + half) if is_known else (None, None)
            yield Effect(label, tuple(name for name, _ in parts if name), change, low, high, p)


def _product(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.kron(a, b))


def _contrasts(factor: Factor) -> list[tuple[str, NDArray[np.float64]]]:
    """What is told of a factor: for a number +1, for two categories the second, for more each of them."""
    if not factor.categories:
        return [("", np.ones(1))]
    if len(factor.categories) == 2:
        return [(" → ".join(factor.categories), -np.ones(1))]
    rows = np.vstack([np.eye(len(factor.categories) - 1), -np.ones(len(factor.categories) - 1)])
    return list(zip(factor.categories, rows, strict=True))


def _reach(used: Sequence[tuple[Factor, int]]) -> float:
    """How far a term's coded column goes: from -1 to +1, or for even powers from 0 to 1."""
    return 2.0 if any(power % 2 and len(factor.categories) <= 2 for factor, power in used) else 1.0
