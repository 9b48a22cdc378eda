"""What a person sees of the lab's capabilities on files: facts, findings, models, and who does what when."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from twinbench.core.doe.designs import Design

__all__ = ["show_design", "show_facts", "show_findings", "show_models", "show_shares", "show_table"]

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}
_BAR_WIDTH = 48


def show_facts(facts: Mapping[str, Any]) -> None:
    """Show names and values, one a line."""
    for name, fact in facts.items():
        click.echo(f"{name:<28}{fact}")


def show_findings(findings: Sequence[Mapping[str, Any]]) -> None:
    """Show each finding, the worst first: how bad, what, where, and what to do."""
    for finding in sorted(findings, key=lambda finding: list(_COLOURS).index(str(finding["severity"]))):
        severity = str(finding["severity"])
        click.secho(f"{severity:<8}", fg=_COLOURS.get(severity, "white"), nl=False)
        click.echo(f"{finding['code']}  {finding['where']}\n        {finding['message']}")
        if finding["hint"]:
            click.echo(f"        {finding['hint']}")


def show_models(models: Sequence[Mapping[str, Any]]) -> None:
    """Show the FMUs of a bundle, one a row."""
    show_table(
        {"model": "left", "FMI": "left", "sha256": "left"},
        [(str(model["name"]), str(model["fmi_version"]), str(model["sha256"])) for model in models],
    )


_MOST_ROWS = 40


def show_design(design: Design) -> None:
    """Show the runs of a design, what it is good for, and what a reader should know of it."""
    names = [factor.name for factor in design.spec.varying]
    grouped = "block" if design.spec.blocks else "plot" if any(run.whole_plot for run in design.runs) else ""
    rows = [
        (
            str(run.run),
            *([run.block or str(run.whole_plot)] if grouped else []),
            *(_level(run.levels[name]) for name in names),
        )
        for run in design.runs[:_MOST_ROWS]
    ]
    show_table({"run": "right", **({grouped: "left"} if grouped else {}), **dict.fromkeys(names, "right")}, rows)
    if len(design.runs) > _MOST_ROWS:
        click.secho(f"… and {len(design.runs) - _MOST_ROWS} more", dim=True)
    for note in design.notes:
        click.secho(note, fg="blue")
    show_facts({"kind": design.kind, "runs": len(design.runs), "model": " ".join(design.terms) or "none"})
    show_facts({name: _level(value) for name, value in design.quality.items() if isinstance(value, int | float)})
    show_facts({"generators": ", ".join(design.generators)} if design.generators else {})
    show_table(
        {"effect": "left", "power": "right", "VIF": "right", "confounded with": "left"},
        [
            (term, _level(power), _level(design.quality.get("vif", {}).get(term)), _aliases(design, term))
            for term, power in (design.quality.get("power") or {}).items()
        ],
    )


def _aliases(design: Design, term: str) -> str:
    return ", ".join(design.aliases.get(term, ()))


def _level(value: object) -> str:
    return "–" if value is None else value if isinstance(value, str) else f"{value:.6g}"


def show_shares(busy_s: Mapping[str, float], wall_s: float) -> None:
    """Show what share of the computing time each FMU took, the most first."""
    if not busy_s or wall_s <= 0:
        return
    rows = []
    for name, seconds in sorted(busy_s.items(), key=lambda entry: -entry[1]):
        share = min(1.0, seconds / wall_s)
        rows.append((name, f"{100 * share:.0f} %", "█" * round(share * _BAR_WIDTH)))
    show_table({"FMU": "left", "time": "right", "": "left"}, rows)


def show_table(columns: Mapping[str, Any], rows: Sequence[tuple[str, ...]]) -> None:
    """Where nobody watches nothing is folded, so that scripts find whole words; names are no markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(box=None, pad_edge=False)
    for heading, side in columns.items():
        table.add_column(heading, justify=side, header_style="dim", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    widest = sum(max(map(len, column)) + 2 for column in zip(tuple(columns), *rows, strict=True))
    width = None if sys.stdout.isatty() else widest
    Console(width=width, highlight=False).print(table)
