"""A bundle on its own: built into one file (``twinbench build``), or run once (``twinbench simulate``).

Opening of bundles and writing of tables are handed in; nothing here knows where they come from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Protocol

from twinbench.core.battery.stages import Stage
from twinbench.core.bundle import Connection, ModelSummary
from twinbench.core.cosim import Block, Coupling, Experiment, Point, PointResult
from twinbench.core.errors import SimulationError
from twinbench.workflow.lab import OpenBundle
from twinbench.workflow.start_values import parse_settings, with_procedure, with_stimuli
from twinbench.workflow.tables import OpenTable, Table

__all__ = ["BundleOpener", "build_bundle", "simulate_bundle"]


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
        values = with_stimuli(parse_settings(set_values, bundle.check.models), stimuli, bundle.check.models)
        values, experiment = with_procedure(values, experiment, procedure, bundle.check.models)
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
