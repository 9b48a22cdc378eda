"""A virtual bench: carries out the runs of one assignment by co-simulation, and streams their results meanwhile.

One process carries out the runs one after another. A run that is over already, with the same inputs, is not repeated,
so a task that was interrupted goes on at the first run that is missing.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbench.core.battery.procedure import Procedure
from twinbench.core.bundle import is_interconnection_name
from twinbench.core.errors import SimulationError
from twinbench.core.request import RequestState
from twinbench.core.telemetry import METRIC_SIGNALS, RunLabel, batches, metrics_message
from twinbench.workflow.bench_run import STIMULI_PARAMETER, Stepping
from twinbench.workflow.design import run_folder
from twinbench.workflow.lab import Area, Courier, Document, Lab
from twinbench.workflow.results import (
    SignalTable,
    account_of,
    await_acknowledgements,
    keep_run,
    label_of,
    read_summary,
    say_progress,
)

if TYPE_CHECKING:
    from twinbench.core.bundle import ModelSummary
    from twinbench.core.cosim import Block, StopCondition

__all__ = ["run_virtual"]

_MOST_LOG_LINES = 50
_BLOCK_ROWS = 500


def run_virtual(lab: Lab, request_uuid: str, assignment: Mapping[str, Any]) -> Document:
    """Simulate the runs of an assignment.

    A run that fails has a summary which says why, and the others go on.

    Returns:
        How many runs, simulated seconds, seconds of stepping and messages there were.

    Raises:
        SimulationError: If the models cannot be driven at all.
        UnreachableError: If the digital twin has not acknowledged everything; nothing is simulated again then.
    """
    request, area = lab.request(request_uuid), lab.area(request_uuid)
    lab.requests.set_status(request_uuid, RequestState.RUNNING, at=lab.now())
    with tempfile.TemporaryDirectory(prefix="twinbench-") as scratch:
        models = _Models.fetch(lab, area, Path(scratch))
        labels = [
            label_of(request, int(run), _inputs(area, int(run), models.sha256), assignment["bench"])
            for run in assignment["runs"]
        ]
        with lab.wire.courier([label.run_uuid for label in labels]) as courier:
            for label in labels:
                summary = read_summary(area, label.run)
                if not summary or summary["run_uuid"] != label.run_uuid or summary["status"] != "completed":
                    _carry_out(lab, area, label, models, courier)
                    say_progress(lab, area, request_uuid)
            await_acknowledgements(courier)
    return account_of(area, assignment)


def _inputs(area: Area, run: int, models: str) -> str:
    """Hash of all that decides what a run gives."""
    digest = hashlib.sha256(models.encode())
    for name in ("procedure.json", "input.csv"):
        digest.update(area.read(f"{run_folder(run)}/{name}"))
    return digest.hexdigest()


@dataclass(frozen=True)
class _Models:
    """The request's bundle, copied to this machine.

    Attributes:
        sha256: Of all its files.
        signals: Metric signal -> ``FMU.variable`` that gives it.
        takers: FMUs that read a stimuli file.
    """

    folder: Path
    scratch: Path
    sha256: str
    signals: Mapping[str, str]
    takers: tuple[str, ...]

    @classmethod
    def fetch(cls, lab: Lab, area: Area, scratch: Path) -> _Models:
        folder = scratch / "models"
        folder.mkdir()
        digest = hashlib.sha256()
        for file in sorted(area.fetch("fastest-models", folder)):
            if file.suffix == ".fmu" or is_interconnection_name(file.name):
                digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
        summaries = lab.models.check_bundle(folder).models
        signals = _metric_signals(summaries)
        takers = tuple(model.name for model in summaries if STIMULI_PARAMETER in model.variables)
        if not signals or not takers:
            names = ", ".join(model.name for model in summaries) or "no FMU"
            wanted = f"the parameter {STIMULI_PARAMETER}" if signals else f"an output {' or '.join(METRIC_SIGNALS)}"
            raise SimulationError(
                f"The bundle ({names}) cannot carry out a test: no FMU has {wanted}. Ask the owner of the models."
            )
        return cls(folder, scratch, digest.hexdigest(), signals, takers)


def _metric_signals(summaries: Sequence[ModelSummary]) -> dict[str, str]:
    """Which output of which FMU gives which metric signal; the first counts."""
    found: dict[str, str] = {}
    for model in summaries:
        for variable in model.variables.values():
            if variable.causality == "output" and variable.name in METRIC_SIGNALS and variable.size == 1:
                found.setdefault(variable.name, f"{model.name}.{variable.name}")
    return {name: found[name] for name in METRIC_SIGNALS if name in found}


def _carry_out(lab: Lab, area: Area, label: RunLabel, models: _Models, courier: Courier) -> None:
    """Simulate one run, stream it, and keep what it gave."""
    folder = run_folder(label.run)
    procedure = Procedure.from_document(area.read_json(f"{folder}/procedure.json"))
    stimuli = models.scratch / "input.csv"
    stimuli.write_bytes(area.read(f"{folder}/input.csv"))
    log: list[str] = []
    with SignalTable(models.scratch / "run.parquet", label) as table:
        stream = _Stream(label, table, courier, lab.wire.metrics_topic)
        stepping = Stepping(_blocks(lab, models, stimuli, procedure, log))
        try:
            for block in stepping:
                stream.take(block)
        except SimulationError as error:
            stepping.failure = str(error)
        stream.end()
    outcome = stepping.outcome
    is_completed = outcome is not None and outcome.status == "completed"
    summary = {
        "run": label.run,
        "run_uuid": label.run_uuid,
        "bench": label.bench_id,
        "kind": "virtual",
        "status": "completed" if is_completed else "failed",
        "stop_reason": outcome.stop_reason if outcome else "error",
        "simulated_s": stream.last_s,
        "wall_s": stepping.wall_s,
        "published": stream.seq,
        "messages": log[:_MOST_LOG_LINES],
        "levels": _levels(area, label.run),
    }
    if not is_completed:
        summary["error"] = outcome.message if outcome else stepping.failure
    kept = keep_run(area, summary, table)
    lab.say(
        f"run {label.run} on {label.bench_id}: {kept['status']} ({kept['stop_reason']}), {kept['rows']} rows, "
        f"{stream.last_s:g} s simulated in {stepping.wall_s:.3f} s, {stream.seq} messages"
        + (f": {kept['error']}" if "error" in kept else "")
    )


def _levels(area: Area, run: int) -> Document:
    design = area.read_json("doe-output/design.json")
    return next(dict(entry["levels"]) for entry in design["runs"] if entry["run"] == run)


def _blocks(lab: Lab, models: _Models, stimuli: Path, procedure: Procedure, log: list[str]) -> Iterator[Block]:
    from twinbench.core.cosim import simulate

    with lab.models.open_system(
        models.folder,
        start_values={name: {STIMULI_PARAMETER: str(stimuli)} for name in models.takers},
        on_log=log.append,
        cache=models.scratch / "unpacked",
    ) as system:
        yield from simulate(
            system,
            start_time=0.0,
            stop_time=procedure.duration_s,
            step_size=procedure.step_size_s,
            record=list(models.signals.values()),
            stop_conditions=_limits(models.signals, procedure),
            block_rows=_BLOCK_ROWS,
        )


def _limits(signals: Mapping[str, str], procedure: Procedure) -> list[StopCondition]:
    """The voltage limits, each in the direction in which the current drives the voltage."""
    from twinbench.core.cosim import StopCondition

    if "Cell_Voltage_01" not in signals or "Current_Profile" not in signals:
        return []
    voltage, current = signals["Cell_Voltage_01"], signals["Current_Profile"]
    return [StopCondition(voltage, procedure.voltage_min_V, procedure.voltage_max_V, current=current)]


@dataclass
class _Stream:
    """Passes the blocks of a run on to its file and to the digital twin."""

    label: RunLabel
    table: SignalTable
    courier: Courier
    topic: str
    seq: int = 0
    last_s: float = field(default=0.0)

    def take(self, block: Block) -> None:
        names = [signal.name.rpartition(".")[2] for signal in block.signals]
        signals = {name: block.values[:, column] for column, name in enumerate(names)}
        self.table.add(block.time_s, signals)
        for message in batches(self.label, self.seq, block.time_s.tolist(), _lists(signals)):
            self._send(message)
        if len(block.time_s):
            self.last_s = float(block.time_s[-1])

    def end(self) -> None:
        self._send(metrics_message(self.label, self.seq, final=True))

    def _send(self, message: Document) -> None:
        self.courier.send(self.label.run_uuid, self.seq, self.topic, message)
        self.seq += 1


def _lists(signals: Mapping[str, Any]) -> dict[str, list[float]]:
    return {name: values.tolist() for name, values in signals.items()}
