"""What a person sees of a bench plan: how the search goes, a bar per bench, what is late and why."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from twinbench.cli.showing import show_table

if TYPE_CHECKING:
    from twinbench.core.planning.plan import Interval, Plan

__all__ = ["show_plan", "show_search"]

_BAR_WIDTH = 48
_MARKS = "█▒"  # neighbours differ, with or without colours
_MOST_LATE = 10


@contextmanager
def show_search(time_limit_s: float, *, quiet: bool) -> Iterator[Callable[[float, int], None]]:
    """Show the best objective found so far and the time that is left, where somebody watches."""
    if quiet or not sys.stderr.isatty():
        yield lambda seconds, value: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("planning"), BarColumn(), TimeElapsedColumn(), TextColumn("best so far {task.fields[best]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("planning", total=time_limit_s, best="-")
        yield lambda seconds, value: progress.update(task, completed=seconds, best=f"{value:,}")


def show_plan(plan: Plan, late: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> None:
    """Show one bar per bench, the objective tier by tier, what holds back the tests that are late, and what is odd."""
    rows = []
    for bench in sorted({part.bench for part in plan.intervals}):
        parts = [part for part in plan.intervals if part.bench == bench]
        rows.append((bench, _bar(parts, plan.makespan_min), str(len(parts)), str(parts[-1].free_min)))
    span = f"0 to {plan.makespan_min} min"
    show_table({"bench": "left", span: "left", "jobs": "right", "free_min": "right"}, rows)
    show_table(
        {"objective": "left", "value": "right", "at least": "right", "gap": "right"},
        [(t.criteria, f"{t.value:,}", f"{t.bound:,}", f"{100 * t.gap:.1f} %") for t in plan.tiers],
    )
    for note in notes:
        click.secho(note, fg="yellow")
    for entry in late[:_MOST_LATE]:
        late_by = f"late by {entry['late_min']} min"
        click.secho(late_by, fg="yellow", nl=False)
        click.echo("  " + f"\n{' ' * (len(late_by) + 2)}".join(entry["because"]))
    if len(late) > _MOST_LATE:
        click.echo(f"… and {len(late) - _MOST_LATE} more are late, see the file.")


def _bar(parts: Sequence[Interval], makespan_min: int) -> str:
    scale = _BAR_WIDTH / max(1, makespan_min)
    cells = [" "] * _BAR_WIDTH
    for number, part in enumerate(parts):
        first = max(0, math.floor(part.begin_min * scale))
        last = min(max(first + 1, math.ceil(part.free_min * scale)), _BAR_WIDTH)
        cells[first:last] = _MARKS[number % 2] * (last - first)
    return "".join(cells)
