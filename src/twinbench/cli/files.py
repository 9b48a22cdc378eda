"""The lab's capabilities on files, without a lab: check and simulate a bundle, make a design, make a plan."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twinbench.cli.options import OutputFile, json_option
from twinbench.cli.showing import show_facts, show_findings, show_gantt, show_models
from twinbench.core.errors import BundleError, InfeasibleError, LabError

if TYPE_CHECKING:
    from twinbench.core.cosim import Block

__all__ = ["check", "design", "plan", "simulate"]

_EXISTING = click.Path(exists=True, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUTPUT = OutputFile()


def _told(command: Callable[..., tuple[dict[str, Any], int]]) -> Callable[..., None]:
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


def _refuse_ssp(bundle: Path) -> None:
    if bundle.suffix.lower() == ".ssp":
        raise BundleError(
            f"{bundle} is an SSP archive, and these cannot be read yet: "
            "give a folder or zip with its .fmu files and inter_connection.json."
        )


@click.command()
@click.argument("bundle", type=_EXISTING)
@json_option
@_told
def check(bundle: Path, *, as_json: bool) -> tuple[dict[str, Any], int]:
    """Check BUNDLE, a folder or zip with FMUs and their interconnection file. Exit code 1 if it cannot be used."""
    from twinbench.adapters.fmi import check_bundle

    _refuse_ssp(bundle)
    document = check_bundle(bundle).as_document()
    if not as_json:
        show_models(document["models"])
        click.echo(f"{len(document['connections'])} connections, {len(document['findings'])} findings")
        show_findings(document["findings"])
        click.secho("It can be used." if document["ok"] else "It cannot be used.", bold=True)
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


@click.command(cls=_ManyValues)
@click.argument("bundle", type=_EXISTING)
@click.option("--stimuli", type=_FILE, help="Stimuli for the FMU that reads them, as input.csv.")
@click.option("--set", "settings", multiple=True, metavar="FMU.VARIABLE=VALUE ...", help="Start values.")
@click.option("--start-time", type=float, default=0.0, show_default=True, help="In s.")
@click.option("--stop-time", type=float, required=True, help="In s.")
@click.option("--step-size", type=float, required=True, help="Communication step size in s.")
@click.option("--record", multiple=True, metavar="FMU.VARIABLE ...", help="What to record; all outputs unless said.")
@click.option("-o", "--output", type=_OUTPUT, required=True, help="out.csv or out.parquet.")
@json_option
@_told
def simulate(
    bundle: Path,
    *,
    stimuli: Path | None,
    settings: tuple[str, ...],
    start_time: float,
    stop_time: float,
    step_size: float,
    record: tuple[str, ...],
    output: Path,
    as_json: bool,
) -> tuple[dict[str, Any], int]:
    """Co-simulate the wired FMUs of BUNDLE, a folder or zip, at fixed communication steps."""
    from twinbench.adapters.fmi import check_bundle, open_system
    from twinbench.workflow import bench_run

    _refuse_ssp(bundle)
    writers = {".csv": bench_run.write_csv, ".parquet": bench_run.write_parquet}
    if output.suffix not in writers:
        raise click.BadParameter(f"{output.name} ends neither in .csv nor in .parquet.", param_hint="--output")
    document = bench_run.simulate_bundle(
        bundle,
        check_bundle=check_bundle,
        open_system=open_system,
        write_table=_watched(writers[output.suffix], start_time, stop_time),
        start_time=start_time,
        stop_time=stop_time,
        step_size=step_size,
        output=output,
        stimuli=stimuli,
        set_values=settings,
        record=record,
    )
    if not as_json:
        show_findings([finding for finding in document["findings"] if finding["severity"] == "error"])
        show_facts({key: document[key] for key in ("status", "reason", "communication_steps", "wall_s", "steps_per_s")})
        show_facts({"output": document["output"] or "none"})
    return document, 0 if document["status"] == "completed" else 1


def _watched(
    write: Callable[[Path, Iterator[Block]], None], start_s: float, stop_s: float
) -> Callable[[Path, Iterator[Block]], None]:
    """Write with a progress bar, where somebody watches."""
    if not sys.stderr.isatty():
        return write

    def write_watched(output: Path, blocks: Iterator[Block]) -> None:
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("simulating", total=stop_s - start_s)

            def passing() -> Iterator[Block]:
                for block in blocks:
                    progress.update(task, completed=float(block.time_s[-1]) - start_s)
                    yield block

            write(output, passing())

    return write_watched


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise LabError(f"{path} is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise LabError(f"{path} holds no JSON object but {type(document).__name__}.")
    return document


@click.command()
@click.argument("spec", type=_FILE)
@click.option("-o", "--output", type=_OUTPUT, required=True, help="runs.csv: the test points.")
@json_option
@_told
def design(spec: Path, *, output: Path, as_json: bool) -> tuple[dict[str, Any], int]:
    """Make a design of experiment from SPEC, a JSON file: {factors: [{name, unit, low, high}], runs, kind, seed}."""
    from twinbench.core.doe.designs import make_design
    from twinbench.core.doe.factors import DesignSpec

    made = make_design(DesignSpec.from_document(_read(spec)))
    output.write_text(made.runs_csv(), encoding="utf-8")
    document = {"runs": len(made.runs), "kind": made.kind, "quality": dict(made.quality), "output": str(output)}
    if not as_json:
        show_facts({"runs": document["runs"], "kind": made.kind, **made.quality, "output": output})
    return document, 0


@click.command()
@click.argument("lab", type=_FILE)
@click.option("-o", "--output", type=_OUTPUT, required=True, help="plan.json.")
@click.option("--time-limit", type=float, default=10.0, show_default=True, help="Of the solver, in s.")
@click.option("--workers", type=int, default=1, show_default=True, help="Threads; with one, the plan is reproducible.")
@click.option("--seed", type=int, default=1, show_default=True)
@json_option
@_told
def plan(
    lab: Path, *, output: Path, time_limit: float, workers: int, seed: int, as_json: bool
) -> tuple[dict[str, Any], int]:
    """Plan the jobs of LAB, a JSON file, on its benches: {jobs: [{name, modes: [{bench, duration_min}]}], benches}."""
    from twinbench.core.planning.model import jobs_from_document, resources_from_document
    from twinbench.core.planning.solve import solve

    asked = _read(lab)
    made = solve(
        jobs_from_document(asked),
        resources=resources_from_document(asked),
        time_limit_s=time_limit,
        workers=workers,
        seed=seed,
    )
    output.write_text(json.dumps(made.as_document(), indent=1) + "\n", encoding="utf-8")
    document = {**made.figures(), "output": str(output)}
    if not as_json:
        show_gantt(made.intervals, made.makespan_min)
        show_facts(document)
    return document, 0
