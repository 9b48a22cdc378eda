"""The figures of an analysis: effects with their intervals, the response surface, interactions, residuals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinbench.workflow.rendering.svg import colour, drawing, inline_svg, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Bar",
    "InteractionPanel",
    "SurfacePanel",
    "effects_svg",
    "interactions_svg",
    "residuals_svg",
    "surface_svg",
]

_WIDTH_in = 9.0
_NARROW_in = 5.6
_MOST_BARS = 16
_LEVELS = 9  # of a contour plot, about
_FAINTEST, _STRONGEST = 0.04, 0.55
_NUMBERED = 3  # residuals, the largest
_SMALL = 8  # points

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Bar:
    """An effect as it is drawn.

    Attributes:
        interval: None if it is not known.
        is_clear: Whether the interval leaves out zero.
    """

    title: str
    change: float
    interval: tuple[float, float] | None
    is_clear: bool


def effects_svg(bars: Sequence[Bar], *, axis: str, name: str, label: str) -> str:
    """Effects with their intervals, the largest on top; those that may be zero in grey."""
    from matplotlib.figure import Figure

    shown = sorted(bars, key=lambda bar: -abs(bar.change))[:_MOST_BARS]
    with drawing():
        figure = Figure(figsize=(_WIDTH_in, 0.27 * len(shown) + 0.75), layout="constrained")
        axes = figure.add_subplot()
        for row, bar in enumerate(shown):
            hue = colour("series-1" if bar.is_clear else "muted")
            axes.barh(row, bar.change, height=0.5, color=hue, alpha=0.35, linewidth=0)
            if bar.interval:
                axes.hlines(row, *bar.interval, color=hue, linewidth=1.4)
            axes.plot([bar.change], [row], "o", markersize=4.5, color=hue)
        axes.axvline(0, color=colour("muted"), linewidth=0.9)
        axes.set_yticks(range(len(shown)), [bar.title for bar in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0, labelcolor=colour("ink"))
        axes.set_xlabel(axis)
        return inline_svg(figure, name=name, label=label)


@dataclass(frozen=True, eq=False)
class SurfacePanel:
    """A response over two factors, for one category if there are any.

    Attributes:
        title: The category; empty if there are none.
        x: Levels, shape (n,).
        y: Levels, shape (m,).
        values: Shape (m, n).
        runs: Levels of the runs.
        region: Corners of the region they span.
    """

    title: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    values: NDArray[np.float64]
    runs: Points
    region: Points


def surface_svg(panels: Sequence[SurfacePanel], *, axes_titles: tuple[str, str], name: str, label: str) -> str:
    """Contours of the response over two factors, with the runs as dots and the region they span dashed."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    lowest, highest = (float(pick([pick(panel.values) for panel in panels])) for pick in (np.min, np.max))
    steps = np.asarray(MaxNLocator(_LEVELS).tick_values(lowest, highest))
    with drawing():
        width = _WIDTH_in if len(panels) > 1 else _NARROW_in
        figure = Figure(figsize=(width, 3.5 if len(panels) < 3 else 3.0), layout="constrained")
        all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, panel in zip(all_axes, panels, strict=True):
            _draw_surface(axes, panel, steps)
            axes.set_xlabel(axes_titles[0])
        all_axes[0].set_ylabel(axes_titles[1])
        return inline_svg(figure, name=name, label=label)


def _draw_surface(axes: Axes, panel: SurfacePanel, steps: NDArray[np.float64]) -> None:
    from matplotlib.colors import to_rgba

    shades = np.linspace(_FAINTEST, _STRONGEST, max(2, len(steps) - 1))
    fills = [to_rgba(colour("series-1"), float(shade)) for shade in shades[: len(steps) - 1]]
    axes.contourf(panel.x, panel.y, panel.values, levels=steps, colors=fills)
    lines = axes.contour(panel.x, panel.y, panel.values, levels=steps, colors=colour("series-1"), linewidths=0.7)
    axes.clabel(lines, fontsize=_SMALL, colors=colour("ink"), fmt=_number)
    if panel.region:
        corners = np.array([*panel.region, panel.region[0]])
        axes.plot(corners[:, 0], corners[:, 1], color=colour("ink"), linewidth=0.9, linestyle=(0, (4, 3)))
    for x, y in panel.runs:
        axes.plot([x], [y], "o", markersize=4.5, color=colour("series-2"), clip_on=False)
    axes.set_title(panel.title, fontsize=9)
    axes.grid(visible=False)


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


@dataclass(frozen=True)
class InteractionPanel:
    """The response over one factor, a line for each level of another.

    Attributes:
        title: Name and unit of the factor along the axis.
        levels: Its levels; categories are named.
        lines: Level of the other factor, and the response along the axis.
    """

    title: str
    levels: Sequence[float | str]
    lines: Mapping[str, Sequence[float]]


def interactions_svg(panels: Sequence[InteractionPanel], *, axis: str, name: str, label: str) -> str:
    """How the response follows one factor at each level of another: lines that are not parallel interact."""
    from matplotlib.figure import Figure

    with drawing():
        width = _WIDTH_in if len(panels) > 1 else _NARROW_in
        figure = Figure(figsize=(width, 2.9), layout="constrained")
        all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, panel in zip(all_axes, panels, strict=True):
            is_named = isinstance(panel.levels[0], str)
            places: Any = range(len(panel.levels)) if is_named else panel.levels
            for number, (level, values) in enumerate(panel.lines.items()):
                hue, dashes = line_style(number)
                marker = "o" if is_named else ""
                axes.plot(places, values, color=colour(hue), linestyle=dashes, marker=marker, markersize=4, label=level)
            if is_named:
                axes.set_xticks(places, [str(level) for level in panel.levels])
            axes.set_xlabel(panel.title)
            axes.legend(
                loc="lower left",
                bbox_to_anchor=(0, 1),
                ncols=2,
                frameon=False,
                fontsize=_SMALL,
                borderpad=0,
                handlelength=1.5,
            )
        all_axes[0].set_ylabel(axis)
        return inline_svg(figure, name=name, label=label)


def residuals_svg(
    predicted: Sequence[float], studentised: Sequence[float], runs: Sequence[int], *, axis: str, name: str, label: str
) -> str:
    """Studentised residuals over the predicted response, over normal quantiles, and over the order of the runs."""
    from matplotlib.figure import Figure
    from scipy import stats

    values = np.array(studentised)
    order = values.argsort(kind="stable")
    quantiles = np.empty(len(values))
    quantiles[order] = stats.norm.ppf((np.arange(1, len(values) + 1) - 0.375) / (len(values) + 0.25))  # Blom 1958
    with drawing():
        figure = Figure(figsize=(_WIDTH_in, 2.6), layout="constrained")
        all_axes = figure.subplots(1, 3, sharey=True)
        titles = f"Predicted {axis}", "Normal quantile", "Run"
        for axes, title, places in zip(all_axes, titles, (predicted, quantiles.tolist(), runs), strict=True):
            axes.axhline(0, color=colour("muted"), linewidth=0.8)
            axes.plot(places, values, "o", markersize=4.5, color=colour("series-1"))
            for place in np.argsort(-np.abs(values), kind="stable")[:_NUMBERED]:
                point = places[place], values[place]
                axes.annotate(str(runs[place]), point, (5, 4), textcoords="offset points", fontsize=_SMALL)
            axes.set_xlabel(title)
            axes.margins(x=0.1, y=0.12)
        ends = [float(quantiles.min()), float(quantiles.max())]
        all_axes[1].plot(ends, ends, color=colour("muted"), linewidth=0.9, linestyle=(0, (4, 3)))
        all_axes[2].xaxis.get_major_locator().set_params(integer=True)
        all_axes[0].set_ylabel("Studentised residual")
        return inline_svg(figure, name=name, label=label)
