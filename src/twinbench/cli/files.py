"""What the lab works out from a file, on the command line and without a lab: a design of experiment, a plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from twinbench.cli.options import EXISTING, FILE, OutputFile, json_option, told
from twinbench.cli.planned import show_plan, show_search
from twinbench.cli.showing import show_design, show_facts
from twinbench.core.errors import LabError

__all__ = ["design", "plan"]

_SECONDS = click.FloatRange(min=0, min_open=True)
_COUNT = click.IntRange(min=1)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise LabError(f"{path} is no JSON that can be read: {error}") from error
    if not isinstance(document, dict):
        raise LabError(f"{path} holds no JSON object but {type(document).__name__}.")
    return document


@click.command(short_help="Make a design of experiment.")
@click.argument("spec", type=FILE)
@click.option("-o", "--output", type=OutputFile(), required=True, help="runs.csv: the test points.")
@click.option("--document", type=OutputFile(), help="design.json: the same with its quality and how it came about.")
@click.option("--models", type=EXISTING, help="A bundle: are the variables that factors set in it, and in their units?")
@json_option
@told
def design(
    spec: Path, *, output: Path, document: Path | None, models: Path | None, as_json: bool
) -> tuple[dict[str, Any], int]:
    """Make a design of experiment from SPEC, a JSON file: {factors: [{name, unit, low, high}], runs, kind, seed}.

    Its other fields (aim, constraints, model, blocks, ...) are those of include/schemas/doe_spec.schema.json.
    """
    from twinbench.core.doe.designs import make_design
    from twinbench.core.doe.learning.sequential_plan import SequentialPlan
    from twinbench.core.doe.spec import DesignSpec

    written = _read(spec)
    asked = DesignSpec.from_document(written)
    if "sequential" in written:
        SequentialPlan.from_document(written["sequential"])
    if models:
        from twinbench.adapters.fmi import open_bundle
        from twinbench.core.doe.variables import check_variables

        with open_bundle(models) as bundle:
            check_variables(asked.factors, bundle.check.models)
    made = make_design(asked)
    output.write_text(made.runs_csv(), encoding="utf-8")
    if document:
        document.write_text(json.dumps(made.as_document(), indent=1) + "\n", encoding="utf-8")
    figures = {
        "runs": len(made.runs),
        "kind": made.kind,
        "quality": dict(made.quality),
        "model": list(made.terms),
        "notes": list(made.notes),
        "generators": list(made.generators),
        "aliases": dict(made.aliases),
        "output": str(output),
    }
    if not as_json:
        show_design(made)
        show_facts({"output": output})
    return figures, 0


@click.command(short_help="Plan tests on benches.")
@click.argument("lab", type=FILE)
@click.option("-o", "--output", type=OutputFile(), required=True, help="plan.json.")
@click.option("--time-limit", type=_SECONDS, default=10.0, show_default=True, help="Of the solver, in s.")
@click.option("--svg", type=OutputFile(), help="plan.svg: the plan as a picture.")
@click.option(
    "--workers", type=_COUNT, default=1, show_default=True, help="Threads; with one, the plan is reproducible."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@json_option
@told
def plan(
    lab: Path, *, output: Path, svg: Path | None, time_limit: float, workers: int, seed: int, as_json: bool
) -> tuple[dict[str, Any], int]:
    """Plan the tests of LAB, a JSON file, on its benches: {jobs: [{name, modes: [{bench, duration_min}]}], benches}.

    Its other fields (dates, set-up, resources, calendars, changeovers, objective) are those of
    include/schemas/lab_plan.schema.json.
    """
    from twinbench.core.planning.document import problem_from_document
    from twinbench.core.planning.plan_document import plan_document
    from twinbench.core.planning.solve import solve

    asked = _read(lab)
    problem = problem_from_document(asked)
    with show_search(time_limit, quiet=as_json) as told:
        made = solve(problem, time_limit_s=time_limit, workers=workers, seed=seed, told=told)
    document = plan_document(problem, made, lab=asked)
    output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if svg:
        from twinbench.workflow.rendering.lab_gantt import lab_gantt_svg

        svg.write_text(lab_gantt_svg(problem, made), encoding="utf-8")
    figures = {**made.figures(), "output": str(output)}
    if not as_json:
        show_plan(made, document["late"], document["notes"])
        show_facts({key: value for key, value in figures.items() if key != "objectives"})
    return figures, 0
