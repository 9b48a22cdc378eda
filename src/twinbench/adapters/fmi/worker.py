"""What a worker process does: it loads FMUs and runs points on them until it is told to stop, or an FMU takes it along.

It is forked from a server that has imported this module, so the kernel is loaded already and the first result comes
after milliseconds. Messages from the other side, and to it, are tuples whose first element says what they are:

    to the worker      ("open", ModelSet, ways back)    ("run", Point)
                       ("prove", ModelSet, FMUs, start values, Experiment)    ("attempt", ModelSet, ModelSummary, step)
    from the worker    ("log", line)    ("block", Block)    ("proving", FMU)    ("proven", FMU, way)    ("stage", name)
                       ("end", status, message, Outcome, can be used again)
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import tempfile
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from twinbench.adapters.fmi.session import ModelSet, Session, prove_way_back
from twinbench.core.bundle import ModelSummary
from twinbench.core.cosim import Experiment, Point, System, simulate
from twinbench.core.cosim.system import compiled
from twinbench.core.errors import LabError, SimulationError

__all__ = ["TRIAL_STEPS", "serve"]

TRIAL_STEPS = 20
_MOST_LINES = 500

for _ in simulate(System((), (), executor=compiled()), start_time=0.0, stop_time=0.0, step_size=1.0):
    pass  # the kernel is loaded before the fork: what it costs is paid once


def serve(line: Connection, scratch: str) -> None:
    """Work until the line is closed.

    Args:
        line: To whoever gives the work.
        scratch: Folder for temporary files and for what FMUs print; who gives the work removes it.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # an FMU that crashes leaves no dump
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    tempfile.tempdir = os.environ["TMPDIR"] = scratch
    printed = os.open(Path(scratch) / "printed.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    worker = _Worker(line)
    while True:
        try:
            what, *rest = line.recv()
        except EOFError:
            worker.close()
            return
        getattr(worker, what)(*rest)


def _end_with_parent() -> None:
    """Nothing stays behind, even if an FMU hangs at that moment."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Worker:
    def __init__(self, line: Connection) -> None:
        self._line = line
        self._lines = 0
        self._session: Session | None = None

    def close(self) -> None:
        """Free the FMUs."""
        if self._session is not None:
            self._session.close()

    def open(self, models: ModelSet, ways_back: Mapping[str, str]) -> None:
        """Load the FMUs at the next point."""
        self._models, self._ways = models, ways_back

    def run(self, point: Point) -> None:
        """Run a point."""
        self._lines = 0
        try:
            if self._session is None:
                self._session = Session(self._models, self._ways, self._log)
            outcome = None
            for block in self._session.run(point.start_values, point.experiment):
                if len(block.time_s):
                    self._line.send(("block", block))
                outcome = block.outcome
            self._end(outcome.status if outcome else "failed", outcome.message if outcome else "", outcome)
        except LabError as error:
            self._end("failed", str(error), None)

    def prove(
        self,
        models: ModelSet,
        names: tuple[str, ...],
        start_values: Mapping[str, Mapping[str, Any]],
        experiment: Experiment,
    ) -> None:
        """Find the ways back of some FMUs."""
        for model in models.models:
            if model.name not in names:
                continue
            self._line.send(("proving", model.name))
            try:
                instance = models.load(model)
                values = {**models.start_values.get(model.name, {}), **start_values.get(model.name, {})}
                way = prove_way_back(instance, values, start_time=experiment.start_time, step_size=experiment.step_size)
            except LabError:
                way = "process"
            self._line.send(("proven", model.name, way))
        self._end("completed", "", None)

    def attempt(self, models: ModelSet, model: ModelSummary, step_size: float) -> None:
        """Let an FMU do a few steps with its own start values, alone."""
        stage = "load"
        try:
            self._line.send(("stage", stage))
            instance = models.load(model, self._log)
            for stage, act in (
                ("instantiate", instance.instantiate),
                ("initialise", lambda: models.start(instance, {}, 0.0)),
                ("initialise", lambda: System([instance], ()).initialise()),
                ("step", lambda: _steps(instance, step_size)),
                ("free", instance.close),
            ):
                self._line.send(("stage", stage))
                act()
            self._end("completed", "", None)
        except LabError as error:
            self._end("failed", str(error), None)

    def _log(self, text: str) -> None:
        self._lines += 1
        if self._lines <= _MOST_LINES:
            self._line.send(("log", text))

    def _end(self, status: str, message: str, outcome: Any) -> None:
        is_usable = self._session is None or self._session.is_usable
        self._line.send(("end", status, message, outcome, is_usable))


def _steps(instance: Any, step_size: float) -> None:
    system = System([instance], ())
    for block in simulate(system, start_time=0.0, stop_time=TRIAL_STEPS * step_size, step_size=step_size):
        if block.outcome and block.outcome.status == "failed":
            raise SimulationError(f"{instance.name}: {block.outcome.message}.")
