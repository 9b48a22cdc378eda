"""What commands have in common: ``--json``, and errors as words instead of tracebacks."""

from __future__ import annotations

from typing import Any

import click

from twinbench.core.errors import LabError

__all__ = ["LabGroup", "json_option"]

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
