"""Campaigns on the command line: many requests for one purpose."""

from __future__ import annotations

import json
from typing import Any

import click

from twinbench.cli.opening import open_this_lab
from twinbench.cli.options import json_option
from twinbench.cli.requests import open_airflow, read_document
from twinbench.core.errors import LabError

__all__ = ["campaign"]


@click.group(short_help="Submit and follow campaigns: many requests at once.")
def campaign() -> None:
    """Submit and follow campaigns: a request as a template, and the fields in which its members differ."""


@campaign.command(short_help="Submit a campaign, a JSON document.")
@click.argument("document", type=click.File("r"))
@json_option
def submit(document: Any, *, as_json: bool) -> None:
    """Submit the campaign in DOCUMENT (JSON as include/schemas/campaign.schema.json has it; - for standard input)."""
    import uuid

    from twinbench.adapters.environment import Settings
    from twinbench.core.campaign import Campaign
    from twinbench.core.findings import blocking
    from twinbench.core.request import validate_document

    schema = json.loads((Settings.from_environment().include / "schemas" / "campaign.schema.json").read_text())
    asked, campaign_uuid = read_document(document), str(uuid.uuid4())
    faults = blocking(validate_document(asked, schema))
    if faults:
        told = "\n".join(f"  {fault.where:<16} {fault.message} ({fault.hint})" for fault in faults)
        raise LabError(f"{document.name} is no campaign that can be carried out:\n{told}")
    members = len(Campaign.from_document(asked, uuid=campaign_uuid).members)
    run = open_airflow().begin_campaign(campaign_uuid, asked)
    click.echo(json.dumps(run) if as_json else f"{campaign_uuid} {run['state']}, {members} members")
    if not as_json:
        click.secho(f"Follow it with `twinbench campaign show {campaign_uuid}`.", dim=True, err=True)


@campaign.command("list")
@json_option
def list_campaigns(*, as_json: bool) -> None:
    """Show all campaigns, the newest first."""
    from twinbench.cli.showing import show_table
    from twinbench.workflow.campaign import campaigns

    found = campaigns(open_this_lab())
    if as_json:
        click.echo(json.dumps(found, indent=1))
    elif not found:
        click.echo("No campaigns yet: `twinbench campaign submit campaign.json`.")
    else:
        rows = [
            (one["uuid"], str(one["members"]), one["begun_at"][:16].replace("T", " "), one["name"]) for one in found
        ]
        show_table({"UUID": "left", "members": "right", "begun (UTC)": "left", "name": "left"}, rows)


@campaign.command()
@click.argument("campaign_uuid", metavar="UUID")
@click.option("--csv", "as_csv", is_flag=True, help="Print a table with the figures of each member.")
@json_option
def show(campaign_uuid: str, *, as_csv: bool, as_json: bool) -> None:
    """Show how far the campaign UUID is, and what came of each member."""
    from twinbench.cli.showing import show_table
    from twinbench.core.campaign import as_table
    from twinbench.workflow.campaign import campaign_summary

    summary = campaign_summary(open_this_lab(), campaign_uuid)
    if as_json or as_csv:
        click.echo(as_table(summary) if as_csv else json.dumps(summary, indent=1), nl=not as_csv)
        return
    counts = ", ".join(f"{count} {state}" for state, count in summary["counts"].items())
    click.echo(f"{summary['name']}: {counts}")
    members = [(one["request_number"] or "–", one["state"], _told(one)) for one in summary["members"]]
    show_table({"request": "left", "state": "left", "differs in": "left"}, members)


def _told(member: dict[str, Any]) -> str:
    differs = ", ".join(f"{name} {value}" for name, value in member["differs"].items())
    return f"{differs}; {member['failure']}" if member["failure"] else differs
