"""The pool of models on the command line: what was dropped there and is nobody's yet, and whose a person says it is."""

from __future__ import annotations

import json
from typing import Any

import click

from twinbench.cli.opening import open_this_lab
from twinbench.cli.options import json_option

__all__ = ["pool"]


@click.group(short_help="Show models that were dropped, and say whose they are.")
def pool() -> None:
    """Show what was dropped into the pool and is nobody's, and give it to a request.

    The local lab's pool is looked at, unless the TWINBENCH_ variables of a lab on servers are set.
    """


@pool.command("list", short_help="Show what lies in quarantine, and why.")
@json_option
def list_drops(*, as_json: bool) -> None:
    """Show what lies in quarantine with the reason, what is not dealt with yet, and what nobody needs."""
    from twinbench.workflow.receiving import left_over, quarantined

    lab = open_this_lab()
    left = left_over(lab)
    aside, lying = quarantined(lab), [entry.shown for entry in lab.drops.entries() if entry.kind != "folder"]
    if as_json:
        click.echo(json.dumps({"quarantined": aside, "not_dealt_with": lying, "left_over": left}, indent=1))
        return
    for drop in aside:
        _show(drop)
    if lying:
        click.echo(f"Not dealt with yet: {', '.join(lying)}")
    for one in left:
        click.echo(f"Left over: folder {one['folder']}, since {one['reason']}. Remove it, or take what is needed.")
    if not aside and not lying and not left:
        click.echo("Nothing lies in the pool but what requests wait for.")


def _show(drop: dict[str, Any]) -> None:
    click.secho(drop["drop"], bold=True)
    click.echo(f"  reason    {drop['reason']}")
    for number, one in enumerate(drop.get("requests", ())):
        click.echo(f"  {'' if number else 'may be':<10}{one}")
    for number, file in enumerate(drop.get("files", ())):
        click.echo(f"  {'' if number else 'files':<10}{file['was']}")
    if drop.get("remedy"):
        click.echo(f"  remedy    {drop['remedy']}")


@pool.command(short_help="Give what is in quarantine to a request.")
@click.argument("drop")
@click.argument("number", metavar="REQUEST")
def assign(drop: str, number: str) -> None:
    """Give DROP, which is in quarantine, to REQUEST (number or UUID): its run goes on with it."""
    from twinbench.workflow.receiving import assign_drop

    told = assign_drop(open_this_lab(), drop, number.upper() if number.upper().startswith("TR-") else number)
    click.echo(f"{told['request']} has {', '.join(told['files'])}.")
