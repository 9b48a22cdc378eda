"""The local lab on the command line: its start, its end, how it is, its demonstration, and bench agents."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from twinbench.cli.options import json_option
from twinbench.core.errors import LabError

__all__ = ["bench_agent", "demo", "down", "logs", "status", "up"]


@click.command()
def up() -> None:
    """Start the local lab; a lab that is up stays as it is."""
    from twinbench.stack import lab
    from twinbench.stack.terminal import StartDisplay, console

    _end_in_good_order()
    output = console()
    with StartDisplay(output) as display:
        site = lab.up(display)
    _say_where(site, output)


def _end_in_good_order() -> None:
    """Take a request to end like Ctrl-C; also in a shell's background, where Ctrl-C is ignored unless asked for."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def _say_where(site: Any, output: Any) -> None:
    from twinbench.stack.people import PEOPLE, password_of

    output.print(f"\n[bold]Airflow[/]   {site.airflow_url}", soft_wrap=True)
    for person in PEOPLE:
        login = f"user {person.name:<9}   password {password_of(site, person.name)}"
        output.print(f"          {login}   [dim]{person.role}[/]", soft_wrap=True, highlight=False)
    output.print(f"[bold]Files[/]     {site.root}")


@click.command()
def down() -> None:
    """End the local lab; nothing of it stays behind."""
    from twinbench.stack import lab

    click.echo("The lab is down." if lab.down() else "The lab was not up.")


@click.command()
@json_option
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


@click.command()
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
        known = ", ".join(sorted(file.stem for file in folder.glob("*.log")))
        remedy = f"there are {known}" if known else "`twinbench up` starts the lab"
        raise LabError(f"There is no log of {part or 'any part'} in {folder}: {remedy}.")
    os.execvp("tail", ["tail", *(["-f"] if follow else []), "-n", str(lines), *map(str, files)])


@click.command(short_help="Start the lab and carry out one request.")
def demo() -> None:
    """Start the lab, carry out one request, say what happened; stay up until Ctrl-C (DEMO_EXIT=1: stop)."""
    from twinbench.stack import lab
    from twinbench.stack.demo import run_demo
    from twinbench.stack.terminal import StartDisplay, console

    _end_in_good_order()
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


@click.command("bench-agent")
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
