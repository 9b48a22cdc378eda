"""A bundle on its own, many times: ``twinbench simulate --points``, from a table of runs to a file each.

What is done already, from the same inputs, is not done again; a run that fails does not keep the others from being run.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinbench.core.battery.stages import Stage
from twinbench.core.bundle import ModelSummary
from twinbench.core.cosim import Block, Coupling, Experiment, Point, PointResult
from twinbench.workflow.execution import BundleOpener
from twinbench.workflow.start_values import (
    STIMULI_PARAMETER,
    StartValues,
    parse_settings,
    read_points,
    with_procedure,
    with_stimuli,
)
from twinbench.workflow.tables import OpenTable, Table

__all__ = ["simulate_points"]


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
        (experiment,) = {with_procedure(values, experiment, procedure, bundle.check.models)[1] for _, values in rows}
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
    common = with_stimuli(parse_settings(set_values, models), stimuli, models)
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
