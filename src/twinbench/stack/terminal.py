"""What a person sees in the terminal: the start of the lab, its status, the way of a request."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from twinbench.stack.lab import Part
from twinbench.stack.service import Service

__all__ = ["StartDisplay", "console", "status_table"]

_UNWATCHED_WIDTH = 160  # nothing is folded in a file
_COLOURS = {"RUNNING": "green", "STARTING": "yellow", "BACKOFF": "yellow", "FATAL": "red", "EXITED": "red"}


def console() -> Console:
    """Standard output; colours and moving lines only where somebody watches."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _UNWATCHED_WIDTH)


class StartDisplay:
    """One line per service with a spinner until it answers; plain lines where nobody watches."""

    def __init__(self, output: Console) -> None:
        self._output = output
        self._lines: dict[str, TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=output,
            disable=not output.is_terminal,
        )

    def __enter__(self) -> StartDisplay:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        """Something worth knowing."""
        self._output.print(f"  {text}", style="dim")

    def starting(self, service: Service) -> None:
        """A service is being started."""
        self._lines[service.name] = self._progress.add_task(service.title, total=1)

    def ready(self, service: Service, seconds: float) -> None:
        """A service answers."""
        self._progress.update(self._lines[service.name], completed=1)
        if not self._output.is_terminal:
            self._output.print(f"  ✓ {service.title} ({seconds:.1f} s)")


def status_table(parts: Sequence[Part]) -> Table:
    """The parts of the lab, one a row."""
    table = Table(box=None, pad_edge=False)
    for heading in ("part", "state", "pid", "restarts", "what it is"):
        table.add_column(heading, justify="right" if heading in ("pid", "restarts") else "left", header_style="dim")
    for part in parts:
        colour = _COLOURS.get(part.state, "white")
        restarts = f"[yellow]{part.restarts}[/]" if part.restarts else "0"
        table.add_row(part.name, f"[{colour}]{part.state.lower()}[/]", str(part.pid or "–"), restarts, part.title)
    return table


def seconds_between(start: str | None, end: str | None) -> float | None:
    """Seconds between two times as Airflow's REST API writes them; until now if there is no end yet."""
    if not start:
        return None
    last = datetime.fromisoformat(end) if end else datetime.now(UTC)
    return (last - datetime.fromisoformat(start)).total_seconds()
