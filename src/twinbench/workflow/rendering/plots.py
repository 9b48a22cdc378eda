"""The figures of the report: signals over time, the bench plan, a response over the factors.

Nothing here keeps state between calls: figures are objects of their own, pyplot is not used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinbench.core.evaluation import INVALID
from twinbench.workflow.rendering.decimation import decimate
from twinbench.workflow.rendering.svg import colour, drawing, inline_svg, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MOST_POINTS", "Line", "Response", "plan_svg", "response_svg", "signals_svg"]

MOST_POINTS = 1500
"""Points of a line at most."""

_FEWEST_POINTS = 100
_ALL_POINTS = 18_000
_WIDTH_in = 9.0
_MINUTES_PER_DAY = 1440
_MOST_NUMBERED = 25
_PANELS = (
    ("Cell_Voltage_01", "Voltage [V]", "default"),
    ("Current_Profile", "Current [A]", "steps-post"),
    ("Cell_Average_Temperature_01", "Temperature [°C]", "default"),
    ("SoC", "SoC [%]", "default"),
)
_TIME_UNITS = ((300.0, "s", 1.0), (3 * 3600.0, "min", 60.0), (3 * 86_400.0, "h", 3600.0), (np.inf, "d", 86_400.0))


@dataclass(frozen=True)
class Line:
    """One run as it is drawn.

    Attributes:
        style: Number of its line style.
        time_s: Shape (n,).
        signals: By name, each of shape (n,).
    """

    style: int
    time_s: NDArray[np.float64]
    signals: Mapping[str, NDArray[np.float64]]


def signals_svg(lines: Sequence[Line], *, name: str, label: str) -> str:
    """Voltage, current, temperature and SoC over time, all runs overlaid; a signal that no run has gets no panel."""
    from matplotlib.figure import Figure

    panels = [panel for panel in _PANELS if any(panel[0] in line.signals for line in lines)] or [_PANELS[0]]
    longest_s = max((float(line.time_s[-1] - line.time_s[0]) for line in lines), default=0.0)
    unit, seconds = next((unit, seconds) for most_s, unit, seconds in _TIME_UNITS if longest_s <= most_s)
    most = min(MOST_POINTS, max(_FEWEST_POINTS, _ALL_POINTS // max(1, len(lines))))
    with drawing():
        figure = Figure(figsize=(_WIDTH_in, 1.55 * len(panels) + 0.5), layout="constrained")
        all_axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
        for axes, (signal, title, drawstyle) in zip(all_axes, panels, strict=True):
            for line in lines:
                if signal in line.signals:
                    _draw_line(axes, line, line.signals[signal], seconds, most, drawstyle)
            axes.set_ylabel(title)
            axes.margins(x=0.01, y=0.08)
        figure.align_ylabels(all_axes)
        all_axes[-1].set_xlabel(f"Time [{unit}]")
        return inline_svg(figure, name=name, label=label)


def _draw_line(axes: Axes, line: Line, values: NDArray[np.float64], seconds: float, most: int, drawstyle: Any) -> None:
    shown = np.where(np.isfinite(values) & (values != INVALID), values, np.nan)
    kept = decimate(shown, most)
    hue, dashes = line_style(line.style)
    time = (line.time_s[kept] - line.time_s[0]) / seconds
    axes.plot(time, shown[kept], color=colour(hue), linestyle=dashes, drawstyle=drawstyle)


def plan_svg(plan: Mapping[str, Any], *, name: str, label: str) -> str:
    """When each bench does which run, in UTC; set-up and teardown in grey."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    assignments = plan["assignments"]
    with drawing():
        benches = list(dict.fromkeys(assignment["bench"] for assignment in assignments))
        figure = Figure(figsize=(_WIDTH_in, 0.42 * len(benches) + 0.7), layout="constrained")
        axes = figure.add_subplot()
        for assignment in assignments:
            _draw_assignment(axes, benches.index(assignment["bench"]), assignment, _day(plan["origin"]))
        axes.set_yticks(range(len(benches)), benches)
        axes.set_ylim(len(benches) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0, labelcolor=colour("ink"))
        axes.margins(x=0.02)
        locator = AutoDateLocator(maxticks=9, tz=UTC)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
        return inline_svg(figure, name=name, label=label)


def _draw_assignment(axes: Axes, row: int, assignment: Mapping[str, Any], origin_day: float) -> None:
    held_from = _day(assignment.get("held_from", assignment["start"]))
    held_until = _day(assignment.get("held_until", assignment["end"]))
    axes.barh(row, held_until - held_from, left=held_from, height=0.5, color=colour("grid"))
    runs = assignment["intervals"]
    for run in runs:
        start, end = (origin_day + run[key] / _MINUTES_PER_DAY for key in ("start_min", "end_min"))
        axes.barh(row, end - start, left=start, height=0.5, color=colour("series-1"), alpha=0.4, linewidth=0)
        axes.vlines(start, row - 0.25, row + 0.25, color=colour("series-1"), linewidth=1.0)
        if len(runs) <= _MOST_NUMBERED:
            axes.text((start + end) / 2, row, str(run["run"]), ha="center", va="center", fontsize=8, clip_on=True)


def _day(moment: str) -> float:
    from matplotlib.dates import date2num

    return float(date2num(datetime.fromisoformat(moment)))


@dataclass(frozen=True)
class Response:
    """A figure of every run over the factors.

    Attributes:
        figure: Name of the figure.
        title: Its name and unit for people.
        values: One per run.
        factors: Name and unit of each factor, and its level in every run.
        runs: Number and style of each run.
        curves: What a model says over a factor, by its name and unit: levels and values.
    """

    figure: str
    title: str
    values: Sequence[float]
    factors: Mapping[str, Sequence[float | str]]
    runs: Sequence[tuple[int, int]]
    curves: Mapping[str, tuple[Sequence[float | str], Sequence[float]]] = field(default_factory=dict)


def response_svg(response: Response, *, name: str, label: str) -> str:
    """The response over each factor, a dot per run with its number."""
    from matplotlib.figure import Figure

    with drawing():
        figure = Figure(figsize=(_WIDTH_in, 2.6), layout="constrained")
        all_axes = figure.subplots(1, len(response.factors), sharey=True, squeeze=False)[0]
        for axes, (title, levels) in zip(all_axes, response.factors.items(), strict=True):
            _draw_response(axes, response, title, levels)
        all_axes[0].set_ylabel(response.title)
        return inline_svg(figure, name=name, label=label)


def _draw_response(axes: Axes, response: Response, title: str, levels: Sequence[float | str]) -> None:
    curve_levels, curve = response.curves.get(title, ((), ()))
    categories = sorted({str(level) for level in (*levels, *curve_levels) if isinstance(level, str)})
    places = [_place(level, categories) for level in levels]
    at = [_place(level, categories) for level in curve_levels]
    if categories:
        axes.plot(at, curve, "_", color=colour("muted"), markersize=22)
    else:
        axes.plot(at, curve, color=colour("muted"), linewidth=1.0)
    for place, value, (run, style) in zip(places, response.values, response.runs, strict=True):
        axes.plot([place], [value], "o", markersize=5, color=colour(line_style(style)[0]))
        axes.annotate(str(run), (place, value), (5, 4), textcoords="offset points", fontsize=8)
    if categories:
        axes.set_xticks(range(len(categories)), categories)
        axes.set_xlim(-0.5, len(categories) - 0.5)
    axes.set_xlabel(title)
    axes.margins(x=0.1, y=0.16)


def _place(level: float | str, categories: Sequence[str]) -> float:
    return categories.index(level) if isinstance(level, str) else level
