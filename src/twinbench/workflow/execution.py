"""A bundle on its own, from files to tables: one run (``twinbench simulate``), or many that can be resumed.

Opening of bundles and writing of tables are handed in; nothing here knows where they come from.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from twinbench.core.battery.stages import Stage, matrix_text
from twinbench.core.bundle import Connection, ModelSummary
from twinbench.core.cosim import Block, Coupling, Experiment, Point, PointResult, StopCondition
from twinbench.core.errors import RequestError, SimulationError
from twinbench.workflow.lab import OpenBundle
from twinbench.workflow.tables import OpenTable, Table

__all__ = [
    "PROCEDURE_OVER",
    "PROCEDURE_PARAMETER",
    "STIMULI_PARAMETER",
    "build_bundle",
    "parse_settings",
    "read_points",
    "simulate_bundle",
    "simulate_points",
]

STIMULI_PARAMETER = "Stimuli_File"
PROCEDURE_PARAMETER, PROCEDURE_OVER = "Test_Procedure", "Procedure_Over_Out"

StartValues = dict[str, dict[str, str]]


class BundleOpener(Protocol):
    """Unpacks and checks a bundle; see ``twinbench.adapters.fmi.open_bundle``."""

    def __call__(self, path: Path) -> AbstractContextManager[OpenBundle]:
        """Open it."""


class SspWriter(Protocol):
    """Writes an SSP archive; see ``twinbench.adapters.ssp.write_ssp``."""

    def __call__(
        self,
        output: Path,
        *,
        name: str,
        models: Sequence[ModelSummary],
        files: Mapping[str, Path],
        connections: Sequence[Connection],
        start_values: Mapping[str, Mapping[str, str]],
    ) -> None:
        """Write it."""


def build_bundle(
    path: Path, *, open_bundle: BundleOpener, write_ssp: SspWriter, output: Path, set_values: Sequence[str] = ()
) -> dict[str, Any]:
    """Build one file from a bundle that has everything to be run: FMUs, wiring, start values.

    Returns:
        ``{ok, output, models, connections, findings}``; nothing is written if the bundle has errors.
    """
    with open_bundle(path) as bundle:
        check = bundle.check
        findings = [finding.as_dict() for finding in check.findings]
        if check.ok:
            given = parse_settings(set_values, check.models)
            names = {model.name for model in check.models}
            values = {name: {**bundle.start_values.get(name, {}), **given.get(name, {})} for name in names}
            write_ssp(
                output,
                name=path.stem,
                models=check.models,
                files=bundle.archives,
                connections=check.connections,
                start_values={name: of_model for name, of_model in sorted(values.items()) if of_model},
            )
    return {
        "ok": check.ok,
        "output": str(output) if check.ok else None,
        "models": len(check.models),
        "connections": len(check.connections),
        "findings": findings,
    }


def simulate_bundle(
    path: Path,
    *,
    open_bundle: BundleOpener,
    open_table: OpenTable,
    experiment: Experiment,
    output: Path,
    coupling: Coupling | None = None,
    stimuli: Path | None = None,
    procedure: Sequence[Stage] = (),
    set_values: Sequence[str] = (),
    on_block: Callable[[Block], None] = lambda block: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Simulate a bundle once and write what it recorded.

    Args:
        path: Folder, zip or SSP.
        open_bundle: Opens it.
        open_table: Opens *output*.
        experiment: What is simulated.
        output: File to write.
        coupling: How the FMUs exchange their signals.
        stimuli: Goes to each FMU that has a parameter ``Stimuli_File``.
        procedure: Goes to each FMU that has a parameter ``Test_Procedure``; the run ends when it is over.
        set_values: Start values, each ``FMU.variable=value``.
        on_block: Is told each block of rows.
        cancelled: Asked several times a second.

    Returns:
        ``{status, communication_steps, wall_s, steps_per_s, output, findings}`` and ``reason``, ``real_time_factor``,
        ``busy_s`` (time spent in each FMU), ``messages`` (of FMUs). The status is ``completed``; ``refused`` if the
        bundle has errors (nothing is written); ``failed`` or ``crashed`` if an FMU failed on the way (what was
        recorded until then is written). *wall_s* is the stepping alone.

    Raises:
        RequestError: If a start value is not readable or no FMU takes the stimuli.
        SimulationError: If the run cannot begin: wrong times, unknown names, an FMU that does not initialise.
    """
    with open_bundle(path) as bundle:
        findings = [finding.as_dict() for finding in bundle.check.findings]
        if not bundle.check.ok:
            reason = {"status": "refused", "reason": "the bundle has errors", "messages": []}
            return {**_figures(None, 0.0), **reason, "findings": findings}
        values = _with_stimuli(parse_settings(set_values, bundle.check.models), stimuli, bundle.check.models)
        values, experiment = _with_procedure(values, experiment, procedure, bundle.check.models)
        with ExitStack() as stack:
            watch = _Watch(lambda: stack.enter_context(open_table(output)), on_block)
            crew = stack.enter_context(bundle.crew(coupling=coupling))
            (result,) = crew.run([Point(1, values, experiment)], on_block=watch.take, cancelled=cancelled)
    if result.status == "failed" and not watch.rows:
        raise SimulationError(result.message)
    return {
        **_figures(result, watch.simulated_s),
        "communication_steps": result.outcome.steps if result.outcome else max(0, watch.rows - 1),
        "output": str(output) if watch.rows else None,
        "findings": findings,
        "messages": list(result.log),
    }


def _figures(result: PointResult | None, simulated_s: float) -> dict[str, Any]:
    outcome = result.outcome if result else None
    steps, wall_s = (outcome.steps, outcome.wall_s) if outcome else (0, 0.0)
    return {
        "status": result.status if result else "",
        "reason": result.message if result else "",
        "communication_steps": steps,
        "wall_s": wall_s,
        "steps_per_s": steps / wall_s if wall_s > 0 else 0.0,
        "real_time_factor": simulated_s / wall_s if wall_s > 0 else 0.0,
        "busy_s": dict(outcome.busy_s) if outcome else {},
        "output": None,
    }


class _Watch:
    """Passes the rows of one run on."""

    def __init__(self, open_table: Callable[[], Table], on_block: Callable[[Block], None]) -> None:
        self._open, self._on_block = open_table, on_block
        self._table: Table | None = None
        self.rows = 0
        self.simulated_s = 0.0
        self._begin_s = 0.0

    def take(self, number: int, block: Block) -> None:
        """Take a block."""
        if self._table is None:
            self._table = self._open()
        self._table.add(block)
        self._on_block(block)
        if len(block.time_s):
            self._begin_s = self._begin_s if self.rows else float(block.time_s[0])
            self.simulated_s = float(block.time_s[-1]) - self._begin_s
        self.rows += len(block.time_s)


def parse_settings(settings: Sequence[str], models: Sequence[ModelSummary]) -> StartValues:
    """Read ``FMU.variable=value`` texts; the longest FMU name that fits counts, since names may hold dots.

    Raises:
        RequestError: If one of them has another form or no such FMU is there.
    """
    values: StartValues = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        model, variable = _split(path.strip(), models)
        if not equals or not model:
            known = ", ".join(sorted(model.name for model in models))
            raise RequestError(f"{setting!r} sets nothing: write FMU.variable=value with one of the FMUs {known}.")
        values.setdefault(model, {})[variable] = value
    return values


def _split(path: str, models: Sequence[ModelSummary]) -> tuple[str, str]:
    names = sorted((model.name for model in models), key=len, reverse=True)
    name = next((name for name in names if path.startswith(f"{name}.")), "")
    return name, path.removeprefix(f"{name}.")


def _with_stimuli(values: StartValues, stimuli: Path | None, models: Sequence[ModelSummary]) -> StartValues:
    if stimuli is None:
        return values
    takers = [model.name for model in models if STIMULI_PARAMETER in model.variables]
    if not takers:
        raise RequestError(f"No FMU of the bundle takes {stimuli}: none has a parameter {STIMULI_PARAMETER}.")
    for name in takers:
        values.setdefault(name, {})[STIMULI_PARAMETER] = str(stimuli.resolve())
    return values


def _with_procedure(
    values: StartValues, experiment: Experiment, procedure: Sequence[Stage], models: Sequence[ModelSummary]
) -> tuple[StartValues, Experiment]:
    if not procedure:
        return values, experiment
    takers = [model for model in models if PROCEDURE_PARAMETER in model.variables]
    if not takers:
        raise RequestError(f"No FMU of the bundle carries out a procedure: none has a parameter {PROCEDURE_PARAMETER}.")
    for model in takers:
        values.setdefault(model.name, {}).setdefault(PROCEDURE_PARAMETER, matrix_text(procedure))
    over = [f"{model.name}.{PROCEDURE_OVER}" for model in takers if PROCEDURE_OVER in model.variables]
    record = (
        (*experiment.record, *(name for name in over if name not in experiment.record)) if experiment.record else ()
    )
    ends = tuple(StopCondition(name, high=0.5) for name in over)
    return values, replace(experiment, record=record, stop_conditions=(*experiment.stop_conditions, *ends))


# Many runs.


def read_points(text: str, models: Sequence[ModelSummary]) -> list[StartValues]:
    """Read a table of runs: one row each, columns ``FMU.variable``; a column ``run`` is left out.

    Raises:
        RequestError: If a column names no FMU, or a row is too short or too long.
    """
    rows = list(csv.reader(text.splitlines()))
    if len(rows) < 2:
        raise RequestError("The table of points holds no run: give it a line of names and one line for each run.")
    head = [name.strip() for name in rows[0]]
    places = [(number, *_split(name, models)) for number, name in enumerate(head) if name != "run"]
    if wrong := [head[number] for number, model, _ in places if not model]:
        known = ", ".join(sorted(model.name for model in models))
        raise RequestError(f"Column {wrong[0]!r} names no variable: write FMU.variable with one of the FMUs {known}.")
    points = []
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(head):
            raise RequestError(f"Line {line} of the points has {len(row)} values, not {len(head)}: complete it.")
        values: StartValues = {}
        for number, model, variable in places:
            values.setdefault(model, {})[variable] = row[number].strip()
        points.append(values)
    return points


@dataclass(frozen=True)
class _Folder:
    """Results of many runs: ``run-000001.csv`` and, written last, ``run-000001.json``."""

    path: Path
    suffix: str

    def table(self, number: int) -> Path:
        return self.path / f"run-{number:06d}{self.suffix}"

    def summary(self, number: int) -> Path:
        return self.path / f"run-{number:06d}.json"

    def is_done(self, number: int, inputs: str) -> bool:
        try:
            kept = json.loads(self.summary(number).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(kept.get("inputs") == inputs and kept.get("status") == "completed")


def simulate_points(
    path: Path,
    points: str,
    *,
    open_bundle: BundleOpener,
    open_table: OpenTable,
    experiment: Experiment,
    output: Path,
    suffix: str = ".parquet",
    coupling: Coupling | None = None,
    stimuli: Path | None = None,
    procedure: Sequence[Stage] = (),
    set_values: Sequence[str] = (),
    workers: int = 1,
    deadline_s: float = 3600.0,
    on_result: Callable[[int, int, PointResult | None], None] = lambda number, total, result: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Simulate a bundle once for each row of a table; what is done already, from the same inputs, is not done again.

    Args:
        path: Folder, zip or SSP.
        points: The table, see :func:`read_points`.
        open_bundle: Opens the bundle.
        open_table: Opens the file of a run.
        experiment: What is simulated.
        output: Folder of the results.
        suffix: Of the files of the runs.
        coupling: How the FMUs exchange their signals.
        stimuli: Goes to each FMU that has a parameter ``Stimuli_File``.
        procedure: Goes to each FMU that has a parameter ``Test_Procedure``; a run ends when it is over.
        set_values: Start values of all runs, each ``FMU.variable=value``; the table's count more.
        workers: Processes.
        deadline_s: Time a run may take.
        on_result: Is told the number of each run that is over, how many there are, and its result; None if it was
            done before.
        cancelled: Asked several times a second.

    Returns:
        ``{status, points, done_before, failed, points_per_s, ways_back, output, findings}``; a run that failed is a
        row with its reason in its own JSON file, and does not keep the others from being run.
    """
    with open_bundle(path) as bundle:
        findings = [finding.as_dict() for finding in bundle.check.findings]
        if not bundle.check.ok:
            return {"status": "refused", "points": 0, "failed": 0, "output": None, "findings": findings}
        rows = _merge(read_points(points, bundle.check.models), set_values, stimuli, bundle.check.models)
        (experiment,) = {_with_procedure(values, experiment, procedure, bundle.check.models)[1] for _, values in rows}
        folder = _Folder(output, suffix)
        output.mkdir(parents=True, exist_ok=True)
        inputs = {number: _inputs(bundle.check.models, values, experiment, coupling) for number, values in rows}
        left = [(number, values) for number, values in rows if not folder.is_done(number, inputs[number])]
        for number in sorted({number for number, _ in rows} - {number for number, _ in left}):
            on_result(number, len(rows), None)
        failed, ways, begun_s = 0, dict[str, str](), time.perf_counter()
        with bundle.crew(coupling=coupling, workers=workers, deadline_s=deadline_s) as crew:
            todo = [Point(number, values, experiment) for number, values in left]
            tables = _Tables(folder, open_table)
            for result in crew.run(todo, on_block=tables.take, cancelled=cancelled):
                tables.close(result, inputs[result.number])
                failed += result.status != "completed"
                ways = dict(result.ways_back) or ways
                on_result(result.number, len(rows), result)
        wall_s = time.perf_counter() - begun_s
    return {
        "status": "completed" if not failed else "failed",
        "points": len(rows),
        "done_before": len(rows) - len(left),
        "failed": failed,
        "points_per_s": len(left) / wall_s if left else 0.0,
        "ways_back": ways,
        "output": str(output),
        "findings": findings,
    }


def _merge(
    rows: Sequence[StartValues], set_values: Sequence[str], stimuli: Path | None, models: Sequence[ModelSummary]
) -> list[tuple[int, StartValues]]:
    common = _with_stimuli(parse_settings(set_values, models), stimuli, models)
    return [
        (number, {name: {**common.get(name, {}), **row.get(name, {})} for name in {**common, **row}})
        for number, row in enumerate(rows, start=1)
    ]


def _inputs(
    models: Sequence[ModelSummary], values: StartValues, experiment: Experiment, coupling: Coupling | None
) -> str:
    """Hash of all that decides what a run gives."""
    decides = [sorted((model.name, model.sha256) for model in models), values, repr(experiment), repr(coupling)]
    for variables in values.values():
        file = Path(variables.get(STIMULI_PARAMETER, ""))
        if STIMULI_PARAMETER in variables and file.is_file():
            decides.append(hashlib.sha256(file.read_bytes()).hexdigest())
    return hashlib.sha256(json.dumps(decides, sort_keys=True, default=str).encode()).hexdigest()


class _Tables:
    """The files of the runs that are going on."""

    def __init__(self, folder: _Folder, open_table: OpenTable) -> None:
        self._folder, self._open = folder, open_table
        self._tables: dict[int, Table] = {}
        self._rows: dict[int, int] = {}

    def take(self, number: int, block: Block) -> None:
        """Take rows of a run."""
        if number not in self._tables:
            self._folder.summary(number).unlink(missing_ok=True)
            self._tables[number] = self._open(self._folder.table(number)).__enter__()
        self._tables[number].add(block)
        self._rows[number] = self._rows.get(number, 0) + len(block.time_s)

    def close(self, result: PointResult, inputs: str) -> None:
        """Close a run's file and write its summary beside it."""
        table = self._tables.pop(result.number, None)
        if table is not None:
            table.__exit__(None, None, None)
        outcome = result.outcome
        summary = {
            "run": result.number,
            "inputs": inputs,
            "status": result.status,
            "stop_reason": outcome.stop_reason if outcome else "error",
            "message": result.message,
            "steps": outcome.steps if outcome else 0,
            "rows": self._rows.pop(result.number, 0),
            "wall_s": result.wall_s,
            "ways_back": dict(result.ways_back),
            "messages": list(result.log),
        }
        self._folder.summary(result.number).write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
