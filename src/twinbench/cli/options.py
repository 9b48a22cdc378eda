"""What commands have in common: ``--json``, files to write, and errors as words instead of tracebacks."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from twinbench.core.errors import InfeasibleError, LabError

__all__ = ["EXISTING", "FILE", "LabGroup", "OutputFile", "json_option", "told"]

EXISTING = click.Path(exists=True, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def told(command: Callable[..., tuple[dict[str, Any], int]]) -> Callable[..., None]:
    """Print what a command returns, as JSON or for people, and end with its exit code; errors likewise."""

    @functools.wraps(command)
    def run(*, as_json: bool, **arguments: Any) -> None:
        try:
            document, code = command(as_json=as_json, **arguments)
        except LabError as error:
            if not as_json:
                raise
            status = "infeasible" if isinstance(error, InfeasibleError) else "error"
            findings = [finding.as_dict() for finding in error.findings]
            document, code = {"ok": False, "status": status, "error": str(error), "findings": findings}, 1
        if as_json:
            click.echo(json.dumps(document, indent=1))
        sys.exit(code)

    return run


class LabGroup(click.Group):
    """Shows the lab's own errors as words and exit code 1; anything else is a bug and keeps its traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which people come to need them, not of the alphabet."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except LabError as error:
            click.secho(f"error: {error}", fg="red", err=True)
            ctx.exit(1)


class OutputFile(click.Path):
    """A file to write; asked before the work, not after it, whether it can be."""

    def __init__(self, *, dir_okay: bool = False) -> None:
        super().__init__(dir_okay=dir_okay, writable=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse a file in a folder that is not there or may not be written to."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
            self.fail(f"{path.parent} is no folder that can be written to: make it, or name another.", param, ctx)
        return path
