"""Which design suits an experiment: from its factors, what it is for, and how many runs may be made.

screening         which of many factors matter
effects           how large the effects are, and which factors work together
response-surface  where the optimum lies: squares as well
exploration       anything, for what no polynomial describes: a map of the whole region
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from twinbench.core.doe.factors import Factor
from twinbench.core.errors import DesignError

__all__ = ["Aim", "Recommendation", "recommend"]

_RUNS_PER_FACTOR = 10  # of a first map (Loeppky, Sacks & Welch 2009)
_MOST_CORNERS = 64


class Aim(StrEnum):
    """What an experiment is for."""

    SCREENING = "screening"
    EFFECTS = "effects"
    RESPONSE_SURFACE = "response-surface"
    EXPLORATION = "exploration"


@dataclass(frozen=True)
class Recommendation:
    """A design and why.

    Attributes:
        kind: As in a specification.
        runs: How many it has, centre points included; None if it is for the caller to say.
        reason: In words.
    """

    kind: str
    runs: int | None
    reason: str


def recommend(
    factors: Sequence[Factor], aim: Aim | None, budget: int | None, *, constrained: bool = False
) -> Recommendation:
    """The design that makes most of a budget.

    Args:
        factors: Those that are held do not count.
        aim: None: a classical design where the budget is exactly its number of runs, else an exploration.
        budget: Runs at most; None: as many as it takes.
        constrained: Whether some combinations of levels must not be run.

    Raises:
        DesignError: If nothing can be learnt with so few runs.
    """
    varying = [factor for factor in factors if factor.varies]
    if not varying:
        return Recommendation("fixed", budget, "Nothing varies: runs can only be repeated.")
    if aim is None:
        return _by_size(varying, budget, constrained)
    if aim is Aim.EXPLORATION:
        runs = budget or _RUNS_PER_FACTOR * len(varying)
        return Recommendation("latin-hypercube", runs, "A map of the whole region needs runs everywhere, kept apart.")
    if constrained or any(len(factor.categories) > 2 or factor.kind == "discrete" for factor in varying):
        return _optimal(varying, aim, budget)
    found = {Aim.SCREENING: _screening, Aim.EFFECTS: _effects, Aim.RESPONSE_SURFACE: _surface}[aim](varying, budget)
    return found or _optimal(varying, aim, budget)


def _by_size(varying: Sequence[Factor], budget: int | None, constrained: bool) -> Recommendation:
    corners, count = math.prod(factor.levels for factor in varying), len(varying)
    if not constrained and budget is not None and budget > 1:
        if budget == corners:
            return Recommendation("full-factorial", corners, f"{budget} runs are all combinations of the levels.")
        is_numeric = not any(factor.categories for factor in varying)
        if count > 1 and is_numeric and budget == (1 << count) + 2 * count + 1:
            reason = f"{budget} runs are just those of a central-composite design, which shows squares as well."
            return Recommendation("central-composite", budget, reason)
    runs = budget or _RUNS_PER_FACTOR * count
    return Recommendation("latin-hypercube", runs, "It has any number of runs, and they lie apart.")


def _screening(varying: Sequence[Factor], budget: int | None) -> Recommendation | None:
    from twinbench.core.doe.kinds.factorial import choose_fraction

    count = len(varying)
    definitive = 2 * (count + count % 2) + 1
    is_numeric = not any(factor.categories for factor in varying)
    if count >= 4 and is_numeric and (budget is None or budget >= definitive):
        reason = (
            f"{definitive} runs tell {count} main effects apart from each other, from interactions and from squares."
        )
        return Recommendation("definitive-screening", definitive, reason)
    if count < 4 and (budget is None or budget >= 1 << count):
        return Recommendation("full-factorial", 1 << count, f"{count} factors have only {1 << count} corners: run all.")
    plain = 4 * (count // 4 + 1)
    if count >= 3 and (budget is None or budget >= 2 * plain) and count <= 16:
        fraction = choose_fraction(count, runs=None, resolution=4)
        if budget is None or fraction.runs <= budget:
            reason = f"{fraction.runs} runs at two levels keep main effects free of interactions (resolution IV)."
            return Recommendation("fractional-factorial", fraction.runs, reason)
    if budget is None or budget >= plain:
        reason = f"{plain} runs are the fewest at two levels that tell {count} main effects apart."
        return Recommendation("plackett-burman", plain, reason)
    return None


def _effects(varying: Sequence[Factor], budget: int | None) -> Recommendation | None:
    from twinbench.core.doe.kinds.factorial import LETTERS, choose_fraction

    count = len(varying)
    if 1 << count <= min(budget or _MOST_CORNERS, _MOST_CORNERS):
        return Recommendation("full-factorial", 1 << count, f"All {1 << count} corners show every interaction.")
    for resolution, shows in ((5, "interactions of two factors"), (4, "main effects, free of interactions of two,")):
        if not 3 <= count <= len(LETTERS):
            break
        try:
            fraction = choose_fraction(count, runs=None, resolution=resolution)
        except DesignError:
            continue
        if budget is None or fraction.runs <= budget:
            reason = f"{fraction.runs} of {1 << count} corners show {shows} (resolution {resolution})."
            return Recommendation("fractional-factorial", fraction.runs, reason)
    return None


def _surface(varying: Sequence[Factor], budget: int | None) -> Recommendation | None:
    from twinbench.core.doe.kinds.response_surface import BOX_BEHNKEN_CENTRES, box_behnken

    count = len(varying)
    if any(factor.categories for factor in varying) or count < 2:
        return None
    composite = (1 << count) + 2 * count + 1
    behnken = len(box_behnken(count)) + BOX_BEHNKEN_CENTRES[count] if count in BOX_BEHNKEN_CENTRES else None
    if behnken and behnken < composite and (budget is None or budget >= behnken):
        reason = f"{behnken} runs at three levels estimate all squares and interactions, and need no extreme corners."
        return Recommendation("box-behnken", behnken, reason)
    if count <= 5 and (budget is None or budget >= composite):
        reason = f"{composite} runs at three levels, corners included, estimate all squares and interactions."
        return Recommendation("central-composite", composite, reason)
    return None


def _optimal(varying: Sequence[Factor], aim: Aim, budget: int | None) -> Recommendation:
    """Exchange finds a design for any region and number of runs."""
    from twinbench.core.doe.terms import Terms

    model = {Aim.SCREENING: "linear", Aim.EFFECTS: "interactions"}.get(aim, "quadratic")
    needed = len(Terms.read(model, varying).exponents)
    kind = "i-optimal" if aim is Aim.RESPONSE_SURFACE else "d-optimal"
    if budget is not None and budget < needed:
        least = len(Terms.read("linear", varying).exponents)
        if budget < least:
            raise DesignError(
                f"{budget} runs cannot tell the effects of {len(varying)} factors apart: ask for {least} or more, or "
                "hold some factors (low = high)."
            )
        reason = (
            f"{budget} runs are too few for a {model} model with {needed} coefficients, but estimate a smaller one."
        )
        return Recommendation("d-optimal", budget, reason)
    runs = budget or needed + max(4, needed // 4)
    reason = f"{runs} runs, chosen one by one within the region, estimate the {needed} coefficients of a {model} model."
    return Recommendation(kind, runs, reason)
