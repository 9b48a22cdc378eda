"""A virtual bench: carries out the runs of one assignment by co-simulation, and streams their results meanwhile.

Processes of their own carry out the runs, so an FMU that crashes costs one run. A run that is over already, with the
same inputs, is not repeated: a task that was interrupted goes on at the first run that is missing.

A battery model that has a cycler (``FMU_Battery_Model`` has) is given the stages of the procedure and ends by itself;
another one is driven by the currents over time, as far as the procedure can be said so.

FMUs are coupled in the scheme *sorted*: voltage and current of a row belong to the same instant, and a limit is seen
at the communication point where it is passed.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbench.core.battery.bdf import CYCLER_OUTPUTS
from twinbench.core.battery.procedure import Procedure
from twinbench.core.battery.stages import matrix_text
from twinbench.core.bundle import is_interconnection_name
from twinbench.core.errors import SimulationError
from twinbench.core.request import RequestState
from twinbench.core.telemetry import METRIC_SIGNALS, RunLabel, batches, metrics_message
from twinbench.workflow.design import read_settings, run_folder
from twinbench.workflow.lab import Area, Courier, Document, Lab, OpenBundle
from twinbench.workflow.results import (
    SignalTable,
    account_of,
    await_acknowledgements,
    keep_run,
    label_of,
    read_summary,
    say_progress,
)
from twinbench.workflow.start_values import PROCEDURE_OVER, PROCEDURE_PARAMETER, STIMULI_PARAMETER

if TYPE_CHECKING:
    from twinbench.core.bundle import ModelSummary
    from twinbench.core.cosim import Block, Point, PointResult, StopCondition

__all__ = ["run_virtual"]

_MOST_LOG_LINES = 50
_BLOCK_ROWS = 500
_REASON = "Stop_Reason_Out"
_REASONS = {1: "end", 2: "limit", 3: "temperature"}
_CYCLER = {PROCEDURE_PARAMETER, PROCEDURE_OVER, "Voltage_Min", "Voltage_Max", "Limit_Action"}


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
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twinbench-")))
        models = _Models.fetch(lab, area, scratch, stack)
        labels = [
            label_of(request, int(run), _inputs(area, int(run), models.sha256), assignment["bench"])
            for run in assignment["runs"]
        ]
        with lab.wire.courier([label.run_uuid for label in labels]) as courier:
            left = [label for label in labels if not _is_over(area, label)]
            _carry_out(lab, area, {label.run: _Run(label, area, models, courier, lab) for label in left}, models)
            await_acknowledgements(courier)
    return account_of(area, assignment)


def _is_over(area: Area, label: RunLabel) -> bool:
    summary = read_summary(area, label.run)
    return bool(summary and summary["run_uuid"] == label.run_uuid and summary["status"] == "completed")


def _inputs(area: Area, run: int, models: str) -> str:
    """Hash of all that decides what a run gives."""
    digest = hashlib.sha256(models.encode())
    for name in ("procedure.json", "input.csv"):
        digest.update(area.read(f"{run_folder(run)}/{name}"))
    if settings := read_settings(area, run):
        digest.update(json.dumps(settings, sort_keys=True).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class _Models:
    """The request's bundle, copied to this machine.

    Attributes:
        sha256: Of all its files.
        signals: Metric signal -> ``FMU.variable`` that gives it.
        takers: FMUs that read a stimuli file.
        cycler: The FMU that carries out procedures by itself; None if there is none.
        told: Its outputs that are recorded beside the signals.
    """

    bundle: OpenBundle
    scratch: Path
    sha256: str
    signals: Mapping[str, str]
    takers: tuple[str, ...]
    cycler: str | None = None
    told: tuple[str, ...] = ()

    def owner(self, path: str) -> str:
        """The FMU that a path ``FMU.variable`` begins with; the longest name counts, since names may hold dots."""
        names = [model.name for model in self.bundle.check.models if path.startswith(f"{model.name}.")]
        return max(names, key=len)

    @classmethod
    def fetch(cls, lab: Lab, area: Area, scratch: Path, stack: ExitStack) -> _Models:
        folder = scratch / "models"
        folder.mkdir()
        digest = hashlib.sha256()
        for file in sorted(area.fetch("fastest-models", folder)):
            if file.suffix == ".fmu" or is_interconnection_name(file.name):
                digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
        bundle = stack.enter_context(lab.models.open_bundle(folder))
        summaries = bundle.check.models
        signals = _metric_signals(summaries)
        takers = tuple(model.name for model in summaries if STIMULI_PARAMETER in model.variables)
        if not signals or not takers:
            names = ", ".join(model.name for model in summaries) or "no FMU"
            wanted = f"the parameter {STIMULI_PARAMETER}" if signals else f"an output {' or '.join(METRIC_SIGNALS)}"
            raise SimulationError(
                f"The bundle ({names}) cannot carry out a test: no FMU has {wanted}. Ask the owner of the models."
            )
        cycler = next((model for model in summaries if set(model.variables) >= _CYCLER), None)
        told = tuple(name for name in (*CYCLER_OUTPUTS, PROCEDURE_OVER, _REASON) if cycler and name in cycler.variables)
        return cls(bundle, scratch, digest.hexdigest(), signals, takers, cycler.name if cycler else None, told)


def _metric_signals(summaries: Sequence[ModelSummary]) -> dict[str, str]:
    """Which output of which FMU gives which metric signal; the first counts."""
    found: dict[str, str] = {}
    for model in summaries:
        for variable in model.variables.values():
            if variable.causality == "output" and variable.name in METRIC_SIGNALS and variable.size == 1:
                found.setdefault(variable.name, f"{model.name}.{variable.name}")
    return {name: found[name] for name in METRIC_SIGNALS if name in found}


def _carry_out(lab: Lab, area: Area, runs: Mapping[int, _Run], models: _Models) -> None:
    """Simulate runs, stream them, and keep what they gave."""
    from twinbench.core.cosim import Coupling

    points = [run.point() for run in runs.values()]
    with models.bundle.crew(
        coupling=Coupling(scheme="sorted"), workers=lab.workers, deadline_s=lab.run_deadline_s
    ) as crew:
        for result in crew.run(points, on_block=lambda number, block: runs[number].take(block)):
            runs[result.number].end(result)
            say_progress(lab, area, runs[result.number].label.request_uuid)


class _Run:
    """One run, from its procedure to its summary."""

    def __init__(self, label: RunLabel, area: Area, models: _Models, courier: Courier, lab: Lab) -> None:
        self.label = label
        self._area, self._models, self._lab = area, models, lab
        self._table = SignalTable(models.scratch / f"run-{label.run}.parquet", label)
        self._stream = _Stream(label, self._table, courier, lab.wire.metrics_topic)
        self._began_at: datetime | None = None

    def point(self) -> Point:
        """What is simulated."""
        from twinbench.core.cosim import Experiment, Point

        folder = run_folder(self.label.run)
        procedure = Procedure.from_document(self._area.read_json(f"{folder}/procedure.json"))
        stimuli = self._models.scratch / f"run-{self.label.run}" / "input.csv"
        stimuli.parent.mkdir()
        stimuli.write_bytes(self._area.read(f"{folder}/input.csv"))
        self._has_stages = bool(procedure.stages)
        experiment = Experiment(
            stop_time=procedure.duration_s,
            step_size=procedure.step_size_s,
            record=(*self._models.signals.values(), *(f"{self._models.cycler}.{name}" for name in self._models.told)),
            stop_conditions=tuple(_limits(self._models, procedure)),
            block_rows=_BLOCK_ROWS,
        )
        values: dict[str, dict[str, Any]] = {name: {STIMULI_PARAMETER: str(stimuli)} for name in self._models.takers}
        if self._models.cycler:
            values.setdefault(self._models.cycler, {}).update(_cycler_values(procedure))
        for path, value in read_settings(self._area, self.label.run).items():
            model = self._models.owner(path)
            values.setdefault(model, {})[path.removeprefix(f"{model}.")] = value
        return Point(self.label.run, values, experiment)

    def take(self, block: Block) -> None:
        """Pass rows on."""
        self._began_at = self._began_at or self._lab.now()
        self._stream.take(block)

    def end(self, result: PointResult) -> None:
        """Keep what it gave, whatever it was."""
        self._stream.end()
        self._table.close()
        outcome, now = result.outcome, self._lab.now()
        summary = {
            "run": self.label.run,
            "run_uuid": self.label.run_uuid,
            "bench": self.label.bench_id,
            "kind": "virtual",
            "status": "completed" if result.status == "completed" else "failed",
            "stop_reason": self._stop_reason(result),
            "began_at": (self._began_at or now).isoformat(),
            "ended_at": now.isoformat(),
            "simulated_s": self._stream.last_s,
            "wall_s": outcome.wall_s if outcome else result.wall_s,
            "busy_s": dict(outcome.busy_s) if outcome else {},
            "ways_back": dict(result.ways_back),
            "published": self._stream.seq,
            "messages": list(result.log[:_MOST_LOG_LINES]),
            "levels": _levels(self._area, self.label.run),
        }
        if summary["status"] != "completed":
            summary["error"] = result.message
        kept = keep_run(self._area, summary, self._table)
        self._table.path.unlink(missing_ok=True)
        self._lab.say(
            f"run {self.label.run} on {self.label.bench_id}: {kept['status']} ({kept['stop_reason']}), "
            f"{kept['rows']} rows, {self._stream.last_s:g} s simulated in {kept['wall_s']:.3f} s, "
            f"{self._stream.seq} messages" + (f": {kept['error']}" if "error" in kept else "")
        )

    def _stop_reason(self, result: PointResult) -> str:
        """A procedure that is over has come to its end; one that is not, when its time is, has not."""
        if result.outcome is None:
            return {"failed": "error"}.get(result.status, result.status)
        reason = result.outcome.stop_reason
        if reason == "limit" and self._stream.cycler_reason in _REASONS:
            return _REASONS[self._stream.cycler_reason]
        return "unfinished" if reason == "end" and self._models.cycler and self._has_stages else reason


def _levels(area: Area, run: int) -> Document:
    design = area.read_json("doe-output/design.json")
    return next(dict(entry["levels"]) for entry in design["runs"] if entry["run"] == run)


def _cycler_values(procedure: Procedure) -> dict[str, Any]:
    """Parameters of a battery model that has a cycler: what to do and what to keep to."""
    low_V, high_V = procedure.cell_limits_V
    values: dict[str, Any] = {"Voltage_Min": low_V, "Voltage_Max": high_V, "Limit_Action": 1.0}
    if procedure.series * procedure.parallel > 1:
        values |= {"Series_Count": procedure.series, "Parallel_Count": procedure.parallel}
    if procedure.stages:
        values[PROCEDURE_PARAMETER] = matrix_text(procedure.stages)
    return values


def _limits(models: _Models, procedure: Procedure) -> list[StopCondition]:
    """The procedure's end; or the voltage limits, each in the direction in which the current drives the voltage."""
    from twinbench.core.cosim import StopCondition

    if models.cycler:
        return [StopCondition(f"{models.cycler}.{PROCEDURE_OVER}", high=0.5)]
    if procedure.stages and not procedure.steps:
        raise SimulationError(
            "The procedure regulates more than currents over time, and no FMU of the bundle has a cycler that could do "
            f"it ({PROCEDURE_PARAMETER}, {PROCEDURE_OVER}). Ask the models' owner, or for a test of currents alone."
        )
    signals = models.signals
    low_V, high_V = procedure.cell_limits_V
    if "Cell_Voltage_01" not in signals or "Current_Profile" not in signals:
        return []
    voltage, current = signals["Cell_Voltage_01"], signals["Current_Profile"]
    return [StopCondition(voltage, low_V, high_V, current=current)]


@dataclass
class _Stream:
    """Passes the blocks of a run on to its file and to the digital twin."""

    label: RunLabel
    table: SignalTable
    courier: Courier
    topic: str
    seq: int = 0
    last_s: float = field(default=0.0)
    cycler_reason: int = 0

    def take(self, block: Block) -> None:
        names = [signal.name.rpartition(".")[2] for signal in block.signals]
        columns = {name: block.values[:, column] for column, name in enumerate(names)}
        signals = {name: values for name, values in columns.items() if name in METRIC_SIGNALS}
        if len(block.time_s) and _REASON in columns:
            self.cycler_reason = int(columns[_REASON][-1])
        self.table.add(block.time_s, signals, columns)
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
