"""Test requests on the command line, by Airflow's REST API."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from twinbench.cli.options import json_option
from twinbench.core.errors import LabError

__all__ = ["request"]


@click.group()
def request() -> None:
    """Submit and follow test requests."""


def _api() -> Any:
    from twinbench.adapters.airflow_api import AirflowApi

    variables = os.environ
    if "TWINBENCH_AIRFLOW_URL" not in variables:
        from twinbench.stack.demo import open_api
        from twinbench.stack.site import Site

        site = Site.find()
        if not site.ports:
            raise LabError("There is no local lab yet: `twinbench up` starts one; or set TWINBENCH_AIRFLOW_URL.")
        return open_api(site)
    return AirflowApi(
        variables["TWINBENCH_AIRFLOW_URL"],
        user=variables.get("TWINBENCH_AIRFLOW_USER", ""),
        password=variables.get("TWINBENCH_AIRFLOW_PASSWORD", ""),
    )


@request.command()
@click.argument("document", type=click.File("r"))
@click.option("--uuid", "request_uuid", help="UUID of the request; asking twice with the same one is refused.")
@json_option
def submit(document: Any, request_uuid: str | None, *, as_json: bool) -> None:
    """Submit the request in DOCUMENT (JSON; - for standard input)."""
    import uuid

    from twinbench.adapters.environment import Settings
    from twinbench.core.findings import blocking
    from twinbench.core.request import validate_document

    schema = json.loads((Settings.from_environment().include / "schemas" / "test_request.schema.json").read_text())
    try:
        asked = json.load(document)
    except ValueError as error:
        raise LabError(f"{document.name} is no JSON: {error}") from error
    findings = blocking(validate_document(asked, schema))
    if findings:
        raise LabError("The request is malformed:\n" + "\n".join(f"  {finding}" for finding in findings))
    run = _api().submit(request_uuid or str(uuid.uuid4()), asked)
    click.echo(json.dumps(run) if as_json else f"{run['dag_run_id']} {run['state']}")


@request.command("list")
@json_option
def list_requests(*, as_json: bool) -> None:
    """Show the newest requests."""
    _show_rows(_api().runs(), as_json=as_json)


def _show_rows(runs: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(runs, indent=1))
        return
    for run in runs:
        test = (run.get("conf") or {}).get("test_name", "")
        click.echo(f"{run['dag_run_id']}  {run['state']:<8} {run['start_date'] or '':<32} {test}")
    if not runs:
        click.echo("No requests yet: `twinbench request submit request.json`.")


@request.command()
@click.argument("request_uuid")
@json_option
def show(request_uuid: str, *, as_json: bool) -> None:
    """Show one request, stage by stage."""
    from twinbench.stack.demo import account
    from twinbench.stack.terminal import console

    api = _api()
    if as_json:
        click.echo(json.dumps({"run": api.run(request_uuid), "tasks": api.tasks(request_uuid)}, indent=1))
        return
    for task in api.tasks(request_uuid):
        click.echo(f"  {task['task_id']:<18} {task['state'] or 'waiting'}")
    console().print(account(api, request_uuid))
    if api.run(request_uuid)["state"] == "failed":
        click.secho(_failure(request_uuid), fg="red")


def _failure(request_uuid: str) -> str:
    """Why a request failed; only the local lab's database can be asked."""
    if "TWINBENCH_AIRFLOW_URL" in os.environ:
        return "The request failed: see diagnosis.json in its folder, or the log of the failed task in Airflow."
    from twinbench.stack.demo import failure_of
    from twinbench.stack.site import Site

    return failure_of(Site.find(), request_uuid)


@request.command()
@click.argument("request_uuid")
def wait(request_uuid: str) -> None:
    """Wait for the end of a request; exit code 1 if it failed."""
    from twinbench.stack.demo import follow

    def tell(task: str, state: str, seconds: float) -> None:
        click.echo(f"  {task:<24} {state:<16} {seconds:6.1f} s")

    if follow(_api(), request_uuid, tell) != "success":
        click.secho(_failure(request_uuid), fg="red", err=True)
        sys.exit(1)


@request.command()
@click.argument("request_uuid")
def cancel(request_uuid: str) -> None:
    """Cancel a request; what it has stored stays."""
    _api().cancel(request_uuid)
    click.echo(f"{request_uuid} cancelled")
