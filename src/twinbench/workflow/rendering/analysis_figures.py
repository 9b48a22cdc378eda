"""The figures of an analysis, from its document: what of it is drawn, and over which factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.analysis.fitted_model import (
    FittedModel,
    Pair,
    interaction_strength,
    main_effect_curves,
    surface,
)
from twinbench.workflow.rendering.analysis_plots import (
    Bar,
    InteractionPanel,
    SurfacePanel,
    effects_svg,
    interactions_svg,
    residuals_svg,
    surface_svg,
)
from twinbench.workflow.rendering.labels import compact
from twinbench.workflow.rendering.tables import Factors

__all__ = ["effects_figure", "interactions_figure", "residuals_figure", "surface_figure"]

Document = Mapping[str, Any]

_SIZE = 25  # of the grid of a surface
_MOST_PANELS = 3
_FEWEST_RESIDUALS = 4
_SMALLEST_INTERACTION = 1e-3  # of the span of the response: less, and lines look parallel


def effects_figure(name: str, title: str, effects: Sequence[tuple[str, Document]]) -> str:
    """Effects with their intervals; of each its title and its part of the document."""
    bars = []
    for effect_title, effect in effects:
        interval = None if effect["low"] is None else (effect["low"], effect["high"])
        is_clear = interval is not None and (interval[0] > 0 or interval[1] < 0)
        bars.append(Bar(effect_title, effect["change"], interval, is_clear))
    label = f"Effects on {title}: " + ", ".join(f"{bar.title} {compact(bar.change, 3)}" for bar in bars)
    return effects_svg(bars, axis=f"Change of {title}", name=f"{name}-effects", label=label)


def surface_figure(
    name: str, title: str, fitted: FittedModel, runs: Sequence[Document], factors: Factors
) -> tuple[str, str]:
    """The response over the two numbers that change it most, and where other factors are held.

    A panel for each of the first categories of the first factor that has any; empty if there are no two numbers.
    """
    pairs = [pair for pair in interaction_strength(fitted) if not _categories(fitted, pair.a, pair.b)]
    if not pairs:
        return "", ""
    pair = max(pairs, key=lambda pair: pair.span)
    a, b = fitted.place(pair.a), fitted.place(pair.b)
    points = np.array([run["point"] for run in runs])
    split = next((place for place, factor in enumerate(fitted.factors) if factor.categories), None)
    panels = []
    for category in fitted.factors[split].categories[:_MOST_PANELS] if split is not None else ("",):
        at = {fitted.factors[split].name: category} if split is not None else {}
        grid = surface(fitted, pair.a, pair.b, _SIZE, at=at)
        here = points if split is None else points[points[:, split] == fitted.factors[split].share(category)]
        dots = _levels(fitted, here[:, [a, b]], (a, b))
        panels.append(SurfacePanel(category, grid.a, grid.b, grid.values, dots, _region(dots)))
    label = f"{title} over {factors.titles[pair.a]} and {factors.titles[pair.b]}"
    drawn = surface_svg(
        panels, axes_titles=(factors.label(pair.a), factors.label(pair.b)), name=f"{name}-surface", label=label
    )
    held = [place for place in range(len(fitted.factors)) if place not in (a, b, split)]
    return drawn, ", ".join(_held(fitted, place, factors) for place in held)


def _categories(fitted: FittedModel, *names: str) -> bool:
    return any(fitted.factors[fitted.place(name)].categories for name in names)


def _levels(fitted: FittedModel, shares: NDArray[np.float64], places: Sequence[int]) -> list[tuple[float, float]]:
    """Levels of runs in two factors that are numbers."""
    low = np.array([fitted.factors[place].low for place in places])
    high = np.array([fitted.factors[place].high for place in places])
    return [(float(x), float(y)) for x, y in (low * (1 - shares) + high * shares).tolist()]


def _region(runs: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Corners of the smallest convex region around the runs; none if they lie on a line."""
    from scipy.spatial import ConvexHull, QhullError

    points = np.array(sorted(set(runs)))
    if len(points) < 3:
        return []
    try:
        corners = ConvexHull((points - points.min(axis=0)) / np.maximum(np.ptp(points, axis=0), 1e-300)).vertices
    except QhullError:
        return []
    return [(float(x), float(y)) for x, y in points[corners].tolist()]


def _held(fitted: FittedModel, place: int, factors: Factors) -> str:
    factor = fitted.factors[place]
    level = factor.level(fitted.held[place])
    if isinstance(level, str):
        return f"{factors.titles[factor.name]} {level}"
    middle = factor.low + fitted.held[place] * (factor.high - factor.low)
    return f"{factors.titles[factor.name]} {compact(middle, 4)} {factors.units[factor.name]}".strip()


def interactions_figure(name: str, title: str, fitted: FittedModel, factors: Factors) -> str:
    """The strongest interactions; empty if the model has none."""
    pairs = interaction_strength(fitted)
    widest = max((pair.span for pair in pairs), default=0.0)
    shown = [pair for pair in pairs if pair.interaction > _SMALLEST_INTERACTION * widest][:_MOST_PANELS]
    if not shown:
        return ""
    label = f"Interactions in {title}: " + ", ".join(f"{factors.titles[p.a]} and {factors.titles[p.b]}" for p in shown)
    panels = [_interaction(fitted, pair, factors) for pair in shown]
    return interactions_svg(panels, axis=title, name=f"{name}-interactions", label=label)


def _interaction(fitted: FittedModel, pair: Pair, factors: Factors) -> InteractionPanel:
    """Numbers along the axis, categories as lines; of two numbers the second at its ends."""
    along, across = (pair.b, pair.a) if _categories(fitted, pair.a) else (pair.a, pair.b)
    other = fitted.factors[fitted.place(across)]
    lines = {}
    for level in other.categories or (other.low, other.high):
        curve = next(c for c in main_effect_curves(fitted, _SIZE, at={across: level}) if c.factor == along)
        prefix = "" if isinstance(level, str) or not factors.units[across] else f"{factors.titles[across]} "
        lines[prefix + factors.level(across, level)] = curve.values
    return InteractionPanel(factors.label(along), curve.levels, lines)


def residuals_figure(name: str, title: str, residuals: Sequence[Document]) -> str:
    """What the model leaves over; empty if that is nothing."""
    known = [run for run in residuals if run["studentised"] is not None]
    if len(known) < _FEWEST_RESIDUALS:
        return ""
    return residuals_svg(
        [run["predicted"] for run in known],
        [run["studentised"] for run in known],
        [run["run"] for run in known],
        axis=title,
        name=f"{name}-residuals",
        label=f"Residuals of {title} over the prediction, over normal quantiles and over the order of the runs",
    )
