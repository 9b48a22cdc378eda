"""Which model the runs of an experiment can carry: the largest whose terms they tell apart, with runs to spare.

hierarchical   a model that has a:b has a and b, and one that has a^2 has a; otherwise what it says would depend on
               where the factors have their zero (Peixoto 1987, The American Statistician 41, 311-313)
to spare       a quarter as many runs as there are coefficients, and two at least: a model that has as many coefficients
               as runs passes through all of them, whatever they are

Models are not made smaller by leaving out terms that look weak: p-values and intervals after such a choice promise too
much. A smaller model can be asked for by its terms.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from twinbench.core.doe.analysis.known_runs import KnownRuns
from twinbench.core.doe.terms import MODELS, Terms
from twinbench.core.errors import DesignError

__all__ = ["Choice", "choose_model"]

_FEWEST_TO_SPARE = 2
_WORST_CONDITION = 1e6  # of the coded model matrix: above, two of its columns are the same for all that is known
_LEVELS_FOR_A_SQUARE = 3


@dataclass(frozen=True)
class Choice:
    """A model that the runs carry.

    Attributes:
        name: One of :data:`MODELS`, or ``as asked``.
        terms: Its terms.
        why: Why this one, in words.
    """

    name: str
    terms: Terms
    why: str


def choose_model(runs: KnownRuns, model: str | Sequence[str] | None = None) -> Choice | None:
    """The model asked for if the runs carry it, else the largest named one that they do; None if there is none."""
    reasons: list[str] = []
    for name, terms, added in _candidates(runs, model):
        reason = _refusal(name, runs, terms)
        if not reason:
            given = f"{len(terms.columns)} coefficients from {len(runs.values)} runs"
            told = [f"{_called(name)}, {given}{added}.", *reasons]
            return Choice(name, terms, " ".join(told))
        reasons.append(reason)
    return None


def _candidates(runs: KnownRuns, model: str | Sequence[str] | None) -> Iterator[tuple[str, Terms, str]]:
    if not runs.factors:
        return
    names: Sequence[str] = tuple(reversed(MODELS))
    if isinstance(model, str) and model in MODELS:
        names = names[names.index(model) :]
    elif model:
        asked = _asked(runs, model)
        whole = _hierarchical(asked)
        added = [label for label in whole.labels if label not in asked.labels]
        yield "as asked", whole, f", with {', '.join(added)} as parts of other terms" if added else ""
    smaller: set[tuple[int, ...]] | None = None
    for name in names:
        try:
            terms = _estimable(Terms.read(name, runs.factors), runs)
        except DesignError:
            continue  # thousands of coefficients: no experiment has as many runs
        below = MODELS[: MODELS.index(name)]
        smaller = set(_estimable(Terms.read(below[-1], runs.factors), runs).powers) if below else None
        if smaller != set(terms.powers):
            yield name, terms, ""


def _asked(runs: KnownRuns, model: str | Sequence[str]) -> Terms:
    """The terms asked for, as far as their factors were tried."""
    names = [factor.name for factor in runs.factors]
    tried = [number for number, factor in enumerate(runs.varying) if factor.name in names]
    powers = Terms.read(model, runs.varying).powers
    kept = [term for term in powers if not any(p for number, p in enumerate(term) if number not in tried)]
    return Terms(runs.factors, tuple(tuple(term[number] for number in tried) for term in kept))


def _estimable(terms: Terms, runs: KnownRuns) -> Terms:
    """Without powers of factors that were tried at fewer levels than a power needs."""
    levels = [len(np.unique(runs.points[:, number])) for number in range(len(runs.factors))]
    powers = tuple(
        term
        for term in terms.powers
        if all(power < 2 or count >= _LEVELS_FOR_A_SQUARE for power, count in zip(term, levels, strict=True))
    )
    return Terms(terms.factors, powers)


def _hierarchical(terms: Terms) -> Terms:
    """With every term that is part of another one, the smallest terms first."""
    powers = set(terms.powers)
    for term in terms.powers:
        powers.update(itertools.product(*(range(power + 1) for power in term)))
    return Terms(terms.factors, tuple(sorted(powers, key=lambda term: (sum(term), max(term), [-p for p in term]))))


def _called(name: str) -> str:
    return "The model asked for" if name == "as asked" else f"The {name} model"


def _refusal(name: str, runs: KnownRuns, terms: Terms) -> str:
    """Why the runs cannot carry a model; empty if they can."""
    matrix = runs.matrix(terms)
    needed, spare = matrix.shape[1], len(matrix) - matrix.shape[1]
    least = max(_FEWEST_TO_SPARE, math.ceil(needed / 4))
    who = _called(name)
    if spare < least:
        left = f"leaves {spare} of {len(matrix)}" if spare > 0 else "has none left"
        return f"{who} needs {needed} runs for its coefficients and {left} to judge it by; {least} are the least."
    if np.linalg.cond(matrix) > _WORST_CONDITION:
        return f"{who} has terms that these runs cannot tell apart."
    return ""
