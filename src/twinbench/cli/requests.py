"""Test requests on the command line, by Airflow's REST API and the lab's own, which is behind the same login."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from twinbench.cli.options import json_option
from twinbench.core.errors import LabError, UnknownError

if TYPE_CHECKING:
    from twinbench.adapters.airflow_api import AirflowApi, LimsApi

__all__ = ["open_airflow", "read_document", "request"]

_which = click.argument("number", metavar="REQUEST")
_WORDS = {"success": "done", "upstream_failed": "not begun", "deferred": "waiting", "None": "to come"}
_COLOURS = {"success": "green", "failed": "red", "running": "yellow", "deferred": "yellow"}


@click.group()
def request() -> None:
    """Submit and follow test requests.

    REQUEST is a number such as TR-000042, or a UUID. The local lab is asked, unless TWINBENCH_AIRFLOW_URL,
    TWINBENCH_AIRFLOW_USER and TWINBENCH_AIRFLOW_PASSWORD name another.
    """


def _open(kind: type[AirflowApi], local_user: str) -> Any:
    """Log in until the command ends: elsewhere as the environment says, at the local lab as one of its users."""
    from twinbench.stack.people import password_of
    from twinbench.stack.site import Site

    variables = os.environ
    url = variables.get("TWINBENCH_AIRFLOW_URL", "")
    user, password = (variables.get(f"TWINBENCH_AIRFLOW_{name}", "") for name in ("USER", "PASSWORD"))
    if not url:
        site = Site.find()
        if not site.ports:
            raise LabError("There is no local lab yet: `twinbench up` starts one; or set TWINBENCH_AIRFLOW_URL.")
        url, user, password = site.airflow_url, local_user, password_of(site, local_user)
    api = kind(url, user=user, password=password)
    click.get_current_context().call_on_close(api.close)
    return api


def open_airflow() -> AirflowApi:
    """Airflow's REST API as the environment's user, or at the local lab as the lab's own."""
    from twinbench.adapters.airflow_api import AirflowApi
    from twinbench.stack.people import LIMS

    opened: AirflowApi = _open(AirflowApi, LIMS)
    return opened


def _lims() -> LimsApi:
    """As a person; whoever may read the local lab's passwords is its admin."""
    from twinbench.adapters.airflow_api import LimsApi
    from twinbench.stack.people import ADMIN

    opened: LimsApi = _open(LimsApi, ADMIN)
    return opened


def _run_id(number: str) -> str:
    """The Airflow run of a request; its UUID unless it was given a number."""
    if not number.upper().startswith("TR-"):
        return number
    row = _lims().request(number.upper())
    return str(row["workflow_id"] or row["uuid"])


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
    asked = read_document(document)
    findings = blocking(validate_document(asked, schema))
    if findings:
        told = "\n".join(f"  {finding.where:<16} {finding.message} ({finding.hint})" for finding in findings)
        raise LabError(f"{document.name} is no request that can be carried out:\n{told}")
    run = open_airflow().submit(_checked(request_uuid) if request_uuid else str(uuid.uuid4()), asked)
    click.echo(json.dumps(run) if as_json else f"{run['dag_run_id']} {run['state']}")
    if not as_json:
        click.secho(f"Follow it with `twinbench request wait {run['dag_run_id']}`.", dim=True, err=True)


def read_document(document: Any) -> Any:
    """The JSON in an opened file."""
    try:
        return json.load(document)
    except ValueError as error:
        raise LabError(f"{document.name} is no JSON: {error}. See docs/dags.md for a request.") from error


def _checked(request_uuid: str) -> str:
    import uuid

    try:
        return str(uuid.UUID(request_uuid))
    except ValueError:
        raise click.BadParameter(f"{request_uuid!r} is no UUID.", param_hint="--uuid") from None


@request.command("list")
@json_option
def list_requests(*, as_json: bool) -> None:
    """Show the newest requests."""
    from twinbench.cli.showing import show_table

    runs = open_airflow().runs()
    if as_json:
        click.echo(json.dumps(runs, indent=1))
    elif not runs:
        click.echo("No requests yet: `twinbench request submit request.json`.")
    else:
        states = {row["workflow_id"] or row["uuid"]: row["status"] for row in _lims().newest()}
        columns = {"UUID": "left", "state": "left", "submitted (UTC)": "left", "request": "left"}
        rows = [
            (run["dag_run_id"], states.get(run["dag_run_id"], run["state"]), _moment(run), _about(run)) for run in runs
        ]
        show_table(columns, rows)


def _moment(run: dict[str, Any]) -> str:
    return str(run.get("queued_at") or run.get("run_after") or "")[:16].replace("T", " ")


def _about(run: dict[str, Any]) -> str:
    """What a run is for, as its note says once the request is registered."""
    asked = run.get("conf") or {}
    return (run.get("note") or "").partition("\n")[0] or f"{asked.get('test_name', '')} on {asked.get('uut', '')}"


@request.command()
@_which
@json_option
def show(number: str, *, as_json: bool) -> None:
    """Show REQUEST, stage by stage, and what came of it."""
    from twinbench.stack.demo import account
    from twinbench.stack.terminal import console

    api, run_id = open_airflow(), _run_id(number)
    run, tasks = _run(api, run_id), api.tasks(run_id)
    if as_json:
        click.echo(json.dumps({"run": run, "tasks": tasks}, indent=1))
        return
    click.echo(_about(run))
    for task in sorted(tasks, key=lambda task: task["start_date"] or "9999"):
        bench = f" {task['rendered_map_index']}" if task.get("rendered_map_index") else ""
        click.echo(f"  {task['task_id'] + bench:<26} ", nl=False)
        click.secho(_state(task["state"]), fg=_COLOURS.get(str(task["state"])))
    console().print(account(api, run_id))
    if run["state"] == "failed":
        click.secho(_failure(run_id), fg="red")


def _run(api: AirflowApi, run_id: str) -> dict[str, Any]:
    try:
        return api.run(run_id)
    except UnknownError as error:
        raise UnknownError(f"There is no request {run_id}: see `twinbench request list`.") from error


def _state(state: str | None) -> str:
    return _WORDS.get(str(state), str(state).replace("_", " "))


def _failure(run_id: str) -> str:
    """Why a request failed or who has ended it, in the words of its page."""
    try:
        row = _lims().request(run_id)
    except UnknownError:
        return "The request was refused: see the log of its task register in Airflow."
    return f"{row['request_number']} is {row['status']}: {row['failure'] or 'see the logs of its tasks in Airflow'}"


@request.command()
@_which
def wait(number: str) -> None:
    """Wait for the end of REQUEST; exit code 1 if it failed."""
    from twinbench.stack.demo import follow

    def tell(task: str, state: str, seconds: float) -> None:
        click.echo(f"  {task:<26} {_state(state):<12} {seconds:7.1f} s")

    api, run_id = open_airflow(), _run_id(number)
    _run(api, run_id)
    if follow(api, run_id, tell) != "success":
        click.secho(_failure(run_id), fg="red", err=True)
        sys.exit(1)


@request.command(short_help="Cancel a request; what it has stored stays.")
@_which
@click.option("--reason", default="", help="Why; it is kept with the request.")
@json_option
def cancel(number: str, reason: str, *, as_json: bool) -> None:
    """Cancel REQUEST: its run ends, its benches are given back or told to abort; what it has stored stays."""
    api, which = _lims(), number.upper() if number.upper().startswith("TR-") else number
    was = api.request(which)["status"]
    row = api.cancel_request(which, reason=reason)
    if as_json:
        click.echo(json.dumps(row, indent=1))
        return
    click.echo(f"{row['request_number']} is cancelled; it was {was}. What it has stored stays.")
