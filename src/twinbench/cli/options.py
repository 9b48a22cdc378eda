"""What commands have in common: ``--json``, files to write, and errors as words instead of tracebacks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from twinbench.core.errors import LabError

__all__ = ["LabGroup", "OutputFile", "json_option"]

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


class LabGroup(click.Group):
    """Shows the lab's own errors as words and exit code 1; anything else is a bug and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except LabError as error:
            click.secho(f"error: {error}", fg="red", err=True)
            ctx.exit(1)


class OutputFile(click.Path):
    """A file to write; asked before the work, not after it, whether it can be."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse a file in a folder that is not there or may not be written to."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
            self.fail(f"{path.parent} is no folder that can be written to: make it, or name another.", param, ctx)
        return path
