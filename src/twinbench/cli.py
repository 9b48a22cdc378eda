"""``twinbench``: the lab on the command line. Every capability works alone, on files; the lab's own life is here too.

Exit codes: 0 good, 1 findings or infeasible or an error of the lab, 2 usage.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from twinbench.core.errors import LabError

__all__ = ["main"]

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


class _Lab(click.Group):
    """Shows the lab's own errors as words and exit code 1; anything else is a bug and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LabError as error:
            click.secho(f"error: {error}", fg="red", err=True)
            ctx.exit(1)


@click.group(cls=_Lab, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="twinbench")
def main() -> None:
    """Twinbench: an open hybrid battery test lab on Apache Airflow."""


@main.command()
def up() -> None:
    """Start the local lab; a lab that is up stays as it is."""
    from twinbench.stack import lab
    from twinbench.stack.terminal import StartDisplay, console

    output = console()
    with StartDisplay(output) as display:
        site = lab.up(display)
    _say_where(site, output)


def _say_where(site: Any, output: Any) -> None:
    from twinbench.stack.airflow import ADMIN

    login = f"user {ADMIN}   password {site.secret('airflow-admin')}"
    output.print(f"\n[bold]Airflow[/]   {site.airflow_url}   {login}", soft_wrap=True)
    output.print(f"[bold]Files[/]     {site.root}")


@main.command()
def down() -> None:
    """End the local lab; nothing of it stays behind."""
    from twinbench.stack import lab

    click.echo("The lab is down." if lab.down() else "The lab was not up.")


@main.command()
@_JSON
def status(*, as_json: bool) -> None:
    """Show every part of the local lab. Exit code 1 if one of them is not running."""
    from dataclasses import asdict

    from twinbench.stack import lab
    from twinbench.stack.site import Site
    from twinbench.stack.terminal import console, status_table

    parts = lab.status()
    if as_json:
        click.echo(json.dumps([asdict(part) for part in parts], indent=1))
    elif parts:
        console().print(status_table(parts))
        _say_where(Site.find(), console())
    else:
        click.echo("The lab is down: `twinbench up` starts it.")
    sys.exit(0 if parts and all(part.state == "RUNNING" for part in parts) else 1)


@main.command()
@click.argument("part", required=False)
@click.option("-n", "--lines", default=40, show_default=True, help="How many lines.")
@click.option("-f", "--follow", is_flag=True, help="Keep showing new lines.")
def logs(part: str | None, lines: int, *, follow: bool) -> None:
    """Show the end of the log of one part of the lab, or of all."""
    from twinbench.stack.site import Site

    folder = Site.find().folder("log")
    files = [folder / f"{part}.log"] if part else sorted(folder.glob("*.log"))
    missing = [file for file in files if not file.exists()]
    if missing or not files:
        known = ", ".join(sorted(file.stem for file in folder.glob("*.log"))) or "none yet"
        raise LabError(f"There is no log of {part or 'any part'} in {folder}; there are: {known}.")
    os.execvp("tail", ["tail", *(["-f"] if follow else []), "-n", str(lines), *map(str, files)])


@main.command()
def demo() -> None:
    """Start the lab, carry out one request, say what happened; stay up until Ctrl-C (DEMO_EXIT=1: stop)."""
    import signal

    from twinbench.stack import lab
    from twinbench.stack.demo import run_demo
    from twinbench.stack.terminal import StartDisplay, console

    output, good = console(), False
    try:
        with StartDisplay(output) as display:
            site = lab.up(display)
        good = run_demo(site, output)
        _say_where(site, output)
        if os.environ.get("DEMO_EXIT") != "1":
            output.print("\nThe lab stays up; [bold]Ctrl-C[/] ends it.")
            signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        output.print("\nEnding the lab …")
        lab.down()
    sys.exit(0 if good else 1)


@main.command("bench-agent")
@click.option("--bench", required=True, help="Name of the bench, as in the catalogue.")
@click.option("--driver", required=True, help="Driver of the bench's hardware: simulated.")
@click.option("--speed", default=600.0, show_default=True, help="Simulated seconds per second (driver simulated).")
@click.option("--state-dir", type=click.Path(path_type=Path), help="Where the agent keeps what it must not forget.")
def bench_agent(bench: str, driver: str, speed: float, state_dir: Path | None) -> None:
    """Run the agent of a physical bench until it is told to stop."""
    from twinbench.adapters.environment import Settings
    from twinbench.bench import agent

    folder = state_dir or Path.cwd() / f"bench-{bench}"
    agent.run(bench, driver, Settings.from_environment(), speed=speed, state_dir=folder)


@main.group()
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
@_JSON
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
@_JSON
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
@_JSON
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


@request.command()
@click.argument("request_uuid")
def wait(request_uuid: str) -> None:
    """Wait for the end of a request; exit code 1 if it failed."""
    from twinbench.stack.demo import follow

    tell: Callable[[str, str, float | None], None] = lambda task, state, seconds: click.echo(  # noqa: E731
        f"  {task:<18} {state:<10} {seconds or 0:6.1f} s"
    )
    sys.exit(0 if follow(_api(), request_uuid, tell) == "success" else 1)


@request.command()
@click.argument("request_uuid")
def cancel(request_uuid: str) -> None:
    """Cancel a request; what it has stored stays."""
    _api().cancel(request_uuid)
    click.echo(f"{request_uuid} cancelled")


if __name__ == "__main__":
    main()
