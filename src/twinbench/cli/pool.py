"""The pool of models on the command line: what was dropped there and is nobody's yet, and whose a person says it is."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from twinbench.cli.options import json_option
from twinbench.core.errors import LabError

if TYPE_CHECKING:
    from twinbench.workflow.lab import Lab

__all__ = ["pool"]


@click.group()
def pool() -> None:
    """Show what was dropped into the pool and is nobody's, and give it to a request.

    The local lab's pool is looked at, unless the TWINBENCH_ variables of a lab on servers are set.
    """


def _open() -> Lab:
    from twinbench.adapters.environment import Settings
    from twinbench.orchestration.opening import open_lab
    from twinbench.stack import parties
    from twinbench.stack.site import Site

    if "TWINBENCH_SFTP_URL" in os.environ:
        return open_lab()
    site = Site.find()
    if not site.ports:
        raise LabError("There is no local lab yet: `twinbench up` starts one.")
    return open_lab(Settings({**Settings.from_environment().variables, **parties.lims_environment(site)}))


@pool.command("list")
@json_option
def list_drops(*, as_json: bool) -> None:
    """Show what lies in quarantine with the reason, and what is not dealt with yet."""
    from twinbench.workflow.receiving import quarantined

    lab = _open()
    aside, lying = quarantined(lab), [entry.shown for entry in lab.drops.entries() if entry.kind != "folder"]
    if as_json:
        click.echo(json.dumps({"quarantined": aside, "not_dealt_with": lying}, indent=1))
        return
    for drop in aside:
        _show(drop)
    if lying:
        click.echo(f"Not dealt with yet: {', '.join(lying)}")
    if not aside and not lying:
        click.echo("Nothing lies in the pool beside the requests' own folders.")


def _show(drop: dict[str, Any]) -> None:
    click.secho(drop["drop"], bold=True)
    click.echo(f"  reason    {drop['reason']}")
    for number, one in enumerate(drop.get("requests", ())):
        click.echo(f"  {'' if number else 'may be':<10}{one}")
    for number, file in enumerate(drop.get("files", ())):
        click.echo(f"  {'' if number else 'files':<10}{file['was']}")
    if drop.get("remedy"):
        click.echo(f"  remedy    {drop['remedy']}")


@pool.command()
@click.argument("drop")
@click.argument("number", metavar="REQUEST")
def assign(drop: str, number: str) -> None:
    """Give DROP, which is in quarantine, to REQUEST (number or UUID): its run goes on with it."""
    from twinbench.workflow.receiving import assign_drop

    told = assign_drop(_open(), drop, number.upper() if number.upper().startswith("TR-") else number)
    click.echo(f"{told['request']} has {', '.join(told['files'])}.")
