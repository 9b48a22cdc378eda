"""The lab's timetable as a picture: a row per bench, a bar per test, what is set up, late or out of service.

Blue is a test, grey its set-up, waiting and teardown; red is a test that leaves its bench after it is due; hatched is a
bench that is out of service.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from twinbench.core.planning.explain import late_jobs
from twinbench.core.planning.plan import Plan
from twinbench.core.planning.problem import Problem
from twinbench.workflow.rendering.svg import colour, drawing, inline_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

__all__ = ["lab_gantt_svg"]

_DAY_MIN = 1440
_HOUR_MIN = 60
_WIDTH_in = 11.0
_ROW_in = 0.3
_NAME_in = 0.06  # of a name's width, for each letter
_IN_TIME, _LATE, _PALE, _HATCH = "series-1", "series-2", 0.45, "///"
_STYLE = """<style>
text { font-family: system-ui, sans-serif }
svg { --ink: #1b1f24; --muted: #59636e; --grid: #c9d1d9; --series-1: #0969da; --series-2: #cf222e; background: #fff }
@media (prefers-color-scheme: dark) {
svg { --ink: #f0f6fc; --muted: #9198a1; --grid: #3d444d; --series-1: #4493f8; --series-2: #f85149; background: #0d1117 }
}
</style>"""


def lab_gantt_svg(problem: Problem, plan: Plan) -> str:
    """An SVG file of its own, light or dark as its reader wishes; times are days after the plan's origin, or hours."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    benches = [bench for bench in problem.benches if any(part.bench == bench.name for part in plan.intervals)]
    rows = {bench.name: row for row, bench in enumerate(benches)}
    span_min = max(1, plan.makespan_min)
    unit_min, unit = (_DAY_MIN, "d") if span_min > 3 * _DAY_MIN else (_HOUR_MIN, "h")
    with drawing():
        figure = Figure(figsize=(_WIDTH_in, _ROW_in * max(1, len(rows)) + 1.1), layout="constrained")
        axes = figure.add_subplot()
        for bench in benches:
            closed = [(a / unit_min, (b - a) / unit_min) for a, b in bench.closed if a < span_min]
            axes.broken_barh(
                closed,
                (rows[bench.name] - 0.4, 0.8),
                facecolor="none",
                edgecolor=colour("muted"),
                hatch=_HATCH,
                linewidth=0,
            )
        _draw_tests(axes, problem, plan, rows, unit_min)
        handles = _legend(problem, plan, rows)
        axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(handles), frameon=False)
        axes.set_yticks(range(len(rows)), list(rows))
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0, span_min / unit_min)
        axes.xaxis.set_major_locator(MaxNLocator(16, integer=True))
        axes.set_xlabel(f"time after the plan's origin [{unit}]")
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0, labelcolor=colour("ink"))
        label = f"Bench plan of {len(plan.intervals)} tests on {len(rows)} benches"
        svg = inline_svg(figure, name="gantt", label=label)
    head, _, rest = svg.partition(">")
    return f'{head} xmlns="http://www.w3.org/2000/svg">{_STYLE}{rest}\n'


def _legend(problem: Problem, plan: Plan, rows: Collection[str]) -> list[Patch]:
    """What the colours mean, of those that there are."""
    from matplotlib.patches import Patch

    late = len(late_jobs(problem, plan))
    found = [Patch(color=colour(_IN_TIME), alpha=_PALE, linewidth=0, label="test")] if late < len(problem.jobs) else []
    if late:
        found.append(Patch(color=colour(_LATE), alpha=_PALE, linewidth=0, label="test that is late"))
    if any((part.begin_min, part.free_min) != (part.start_min, part.end_min) for part in plan.intervals):
        found.append(Patch(color=colour("grid"), label="set-up, waiting, teardown"))
    if any(bench.closed and bench.name in rows for bench in problem.benches):
        muted = colour("muted")
        found.append(Patch(facecolor="none", edgecolor=muted, hatch=_HATCH, linewidth=0, label="bench out of service"))
    return found


def _draw_tests(axes: Axes, problem: Problem, plan: Plan, rows: dict[str, int], unit_min: int) -> None:
    late = {name for name, _ in late_jobs(problem, plan)}
    for part in plan.intervals:
        if part.bench not in rows:
            continue
        row, begin = rows[part.bench], part.begin_min / unit_min
        hue = colour(_LATE if part.job in late else _IN_TIME)
        axes.barh(row, part.free_min / unit_min - begin, left=begin, height=0.6, color=colour("grid"))
        start, length = part.start_min / unit_min, (part.end_min - part.start_min) / unit_min
        axes.barh(row, length, left=start, height=0.6, color=hue, alpha=_PALE, linewidth=0)
        axes.vlines(begin, row - 0.3, row + 0.3, color=hue, linewidth=1.0)
        if length * unit_min / plan.makespan_min * _WIDTH_in > _NAME_in * len(part.job):
            axes.text(start + length / 2, row, part.job, ha="center", va="center", fontsize=6, clip_on=True)
