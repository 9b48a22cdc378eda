"""The models a digital twin sends, on the command line and without a lab: check them, build one file, simulate them."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twinbench.cli.options import EXISTING, FILE, OutputFile, json_option, told
from twinbench.cli.showing import show_facts, show_findings, show_models, show_shares

if TYPE_CHECKING:
    from twinbench.core.battery.stages import Stage
    from twinbench.core.cosim import Block, Coupling, Experiment, PointResult

__all__ = ["build", "check", "simulate"]

_SHOWN = ("status", "reason", "communication_steps", "wall_s", "steps_per_s", "real_time_factor")


@click.command(short_help="Check a bundle: FMUs and how they are wired.")
@click.argument("bundle", type=EXISTING)
@json_option
@told
def check(bundle: Path, *, as_json: bool) -> tuple[dict[str, Any], int]:
    """Check BUNDLE: a folder or zip with FMUs and their interconnection file, or an SSP.

    The exit code is 1 if it cannot be used.
    """
    from twinbench.adapters.fmi import check_bundle

    document = check_bundle(bundle).as_document()
    if not as_json:
        show_models(document["models"])
        click.echo(f"{len(document['connections'])} connections, {len(document['findings'])} findings")
        show_findings(document["findings"])
        click.secho("It can be used." if document["ok"] else "It cannot be used.", bold=True)
    return document, 0 if document["ok"] else 1


@click.command(short_help="Build one runnable file from a bundle.")
@click.argument("bundle", type=EXISTING)
@click.option("--set", "settings", multiple=True, metavar="FMU.VARIABLE=VALUE", help="Start values to build in.")
@click.option("-o", "--output", type=OutputFile(), required=True, help="model.ssp")
@json_option
@told
def build(bundle: Path, *, settings: tuple[str, ...], output: Path, as_json: bool) -> tuple[dict[str, Any], int]:
    """Build one runnable artefact from BUNDLE: an SSP archive with its FMUs, wiring and unit conversions."""
    from twinbench.adapters.fmi import open_bundle
    from twinbench.adapters.ssp import write_ssp
    from twinbench.workflow.execution import build_bundle

    document = build_bundle(bundle, open_bundle=open_bundle, write_ssp=write_ssp, set_values=settings, output=output)
    if not as_json:
        show_findings([finding for finding in document["findings"] if finding["severity"] == "error"])
        show_facts({name: fact for name, fact in document.items() if name != "findings"})
    return document, 0 if document["ok"] else 1


class _ManyValues(click.Command):
    """Lets ``--set`` and ``--record`` take several values in a row, as well as be given several times."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each further value."""
        spread: list[str] = []
        option = ""
        for number, arg in enumerate(args):
            is_further = option and number and args[number - 1] != option and _is_value(option, arg)
            if arg.startswith("-"):
                option = arg if arg in ("--set", "--record") else ""
            elif option and args[number - 1] != option and not is_further:
                option = ""
            spread += [option, arg] if is_further else [arg]
        return super().parse_args(ctx, spread)


def _is_value(option: str, arg: str) -> bool:
    """Whether a word after an option's first value is another value, and not the bundle."""
    return not arg.startswith("-") and ("=" in arg if option == "--set" else "." in arg and not Path(arg).exists())


@click.command(cls=_ManyValues, short_help="Co-simulate the FMUs of a bundle.")
@click.argument("bundle", type=EXISTING)
@click.option("--stimuli", type=FILE, help="Stimuli for the FMU that reads them, as input.csv.")
@click.option(
    "--procedure",
    type=FILE,
    help="What a cycler does: aurora-unicycler JSON, PyBaMM's experiment strings (JSON, or a line each), or stages.",
)
@click.option(
    "--capacity", type=click.FloatRange(0, min_open=True), default=5.0, show_default=True, help="For C-rates, in Ah."
)
@click.option("--set", "settings", multiple=True, metavar="FMU.VARIABLE=VALUE ...", help="Start values.")
@click.option("--start-time", type=float, default=0.0, show_default=True, help="In s.")
@click.option("--stop-time", type=float, required=True, help="In s.")
@click.option("--step-size", type=float, required=True, help="Communication step size in s.")
@click.option("--record", multiple=True, metavar="FMU.VARIABLE ...", help="What to record; all outputs unless said.")
@click.option("--record-every", type=click.IntRange(1), default=1, show_default=True, help="Steps per row.")
@click.option(
    "--scheme",
    type=click.Choice(["jacobi", "sorted", "gauss-seidel"]),
    default="jacobi",
    show_default=True,
    help="How FMUs exchange signals.",
)
@click.option(
    "--loops",
    type=click.Choice(["delay", "iterate", "refuse"]),
    default="delay",
    show_default=True,
    help="What to do with algebraic loops.",
)
@click.option("--every", multiple=True, metavar="FMU=N", help="Let an FMU take only each N-th step, N times as long.")
@click.option("--events", is_flag=True, help="Use event mode and early return (FMI 3.0).")
@click.option("--wall-limit", type=float, default=float("inf"), help="Give up after so many s of computing.")
@click.option("--points", type=FILE, help="Many runs: a CSV with columns FMU.variable, one row each.")
@click.option(
    "--workers", type=click.IntRange(1), default=None, help="Processes for --points; one per core unless said."
)
@click.option("--deadline", type=float, default=3600.0, show_default=True, help="Time of one of many runs, in s.")
@click.option(
    "-o",
    "--output",
    type=OutputFile(dir_okay=True),
    required=True,
    help="out.csv or out.parquet; with --points a folder.",
)
@json_option
@told
def simulate(
    bundle: Path,
    *,
    output: Path,
    points: Path | None,
    workers: int | None,
    deadline: float,
    as_json: bool,
    stimuli: Path | None,
    procedure: Path | None,
    capacity: float,
    settings: tuple[str, ...],
    scheme: str,
    loops: str,
    every: tuple[str, ...],
    events: bool,
    **times: Any,
) -> tuple[dict[str, Any], int]:
    """Co-simulate the wired FMUs of BUNDLE, a folder, zip or SSP, at fixed communication steps."""
    from twinbench.core.cosim import Coupling

    coupling = Coupling(scheme, loops, _rates(every), events)
    experiment = _experiment(**times)
    given: dict[str, Any] = {"stimuli": stimuli, "set_values": settings}
    if procedure:
        given["procedure"] = _stages(procedure, capacity)
    if points is None:
        return _simulate_once(bundle, output, coupling, experiment, given, as_json=as_json)
    given |= {"workers": workers, "deadline_s": deadline}
    return _simulate_many(bundle, points, output, coupling, experiment, given, as_json=as_json)


def _stages(file: Path, capacity_Ah: float) -> tuple[Stage, ...]:
    """Read a protocol: JSON, or a step in words on each line."""
    import json

    from twinbench.core.battery.protocol import read_protocol

    text = file.read_text(encoding="utf-8-sig")
    if text.lstrip().startswith(("{", "[")):
        try:
            return read_protocol(json.loads(text), capacity_Ah)
        except (ValueError, RecursionError) as error:
            raise click.BadParameter(f"{file.name} is no JSON: {error}", param_hint="--procedure") from error
    return read_protocol([line for line in text.splitlines() if line.strip()], capacity_Ah)


def _rates(texts: tuple[str, ...]) -> dict[str, int]:
    rates = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        if not equals or not number.isdecimal() or int(number) < 1:
            raise click.BadParameter(f"{text!r} is not FMU=N with a whole number N above 0.", param_hint="--every")
        rates[name] = int(number)
    return rates


def _experiment(
    start_time: float, stop_time: float, step_size: float, record: tuple[str, ...], record_every: int, wall_limit: float
) -> Experiment:
    from twinbench.core.cosim import Experiment

    return Experiment(
        start_time=start_time,
        stop_time=stop_time,
        step_size=step_size,
        record=record,
        record_every=record_every,
        wall_limit_s=wall_limit,
    )


def _simulate_once(
    bundle: Path, output: Path, coupling: Coupling, experiment: Experiment, given: dict[str, Any], *, as_json: bool
) -> tuple[dict[str, Any], int]:
    from twinbench.adapters.fmi import open_bundle
    from twinbench.workflow.execution import simulate_bundle
    from twinbench.workflow.tables import CsvTable, OpenTable, ParquetTable

    tables: dict[str, OpenTable] = {".csv": CsvTable, ".parquet": ParquetTable}
    if output.suffix not in tables:
        raise click.BadParameter(f"{output.name} ends neither in .csv nor in .parquet.", param_hint="--output")
    with _progress("simulating", experiment.stop_time - experiment.start_time) as show, _interruptible() as cancelled:

        def on_block(block: Block) -> None:
            show(float(block.time_s[-1]) - experiment.start_time)

        document = simulate_bundle(
            bundle,
            open_bundle=open_bundle,
            open_table=tables[output.suffix],
            experiment=experiment,
            coupling=coupling,
            output=output,
            on_block=on_block,
            cancelled=cancelled,
            **given,
        )
    if not as_json:
        show_findings([finding for finding in document["findings"] if finding["severity"] == "error"])
        show_facts({key: document[key] for key in _SHOWN})
        show_facts({"output": document["output"] or "none"})
        show_shares(document["busy_s"], document["wall_s"])
        for line in document["messages"][-5:] if document["status"] != "completed" else ():
            click.secho(line, dim=True)
    return document, 0 if document["status"] == "completed" else 1


def _simulate_many(
    bundle: Path,
    points: Path,
    output: Path,
    coupling: Coupling,
    experiment: Experiment,
    given: dict[str, Any],
    *,
    as_json: bool,
) -> tuple[dict[str, Any], int]:
    import os

    from twinbench.adapters.fmi import open_bundle
    from twinbench.workflow.simulated_points import simulate_points
    from twinbench.workflow.tables import ParquetTable

    given["workers"] = given["workers"] or os.cpu_count() or 1
    text = points.read_text(encoding="utf-8-sig")
    with _progress("runs", max(1, text.strip().count("\n"))) as show, _interruptible() as cancelled:
        over = 0

        def on_result(number: int, total: int, result: PointResult | None) -> None:
            nonlocal over
            over += 1
            show(over)
            if result and result.status != "completed" and not as_json:
                click.secho(f"run {number}: {result.status}: {result.message}", fg="yellow", err=True)

        document = simulate_points(
            bundle,
            text,
            open_bundle=open_bundle,
            open_table=ParquetTable,
            experiment=experiment,
            coupling=coupling,
            output=output,
            on_result=on_result,
            cancelled=cancelled,
            **given,
        )
    if not as_json:
        show_findings([finding for finding in document["findings"] if finding["severity"] == "error"])
        show_facts({name: fact for name, fact in document.items() if name not in ("findings", "ways_back")})
        show_facts({f"{name} back by": way for name, way in document.get("ways_back", {}).items()})
    return document, 0 if document["status"] == "completed" else 1


@contextlib.contextmanager
def _progress(what: str, total: float) -> Iterator[Callable[[float], None]]:
    """A progress bar, where somebody watches."""
    import sys

    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


@contextlib.contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl-C ends what runs and keeps what was recorded; a second one ends the program."""
    asked = threading.Event()

    def ask(_number: int, _frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
