"""One run of a bundle on its own, from files to a table: what ``twinbench simulate`` does, without a lab.

Checking and loading of models and writing of tables are handed in; nothing here knows where they come from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from twinbench.core.bundle import ModelSummary
from twinbench.core.cosim import Block, Outcome, System, simulate
from twinbench.core.errors import LabError, RequestError
from twinbench.core.findings import Finding

__all__ = [
    "STIMULI_PARAMETER",
    "BundleCheck",
    "Stepping",
    "TableWriter",
    "parse_settings",
    "simulate_bundle",
    "write_csv",
    "write_parquet",
]

STIMULI_PARAMETER = "Stimuli_File"

StartValues = Mapping[str, Mapping[str, str]]
TableWriter = Callable[[Path, Iterator[Block]], None]


class BundleCheck(Protocol):
    """What the check of a bundle found."""

    @property
    def ok(self) -> bool:
        """Whether it can be simulated."""

    @property
    def findings(self) -> Sequence[Finding]:
        """All findings at once."""

    @property
    def models(self) -> Sequence[ModelSummary]:
        """Its FMUs."""


class SystemOpener(Protocol):
    """Loads a bundle; see ``twinbench.adapters.fmi.open_system``."""

    def __call__(self, folder: Path, *, start_values: StartValues, start_time: float) -> AbstractContextManager[System]:
        """Open it as a system, initialised at *start_time*."""


def simulate_bundle(
    bundle: Path,
    *,
    check_bundle: Callable[[Path], BundleCheck],
    open_system: SystemOpener,
    write_table: TableWriter,
    start_time: float,
    stop_time: float,
    step_size: float,
    output: Path,
    stimuli: Path | None = None,
    set_values: Sequence[str] = (),
    record: Sequence[str] = (),
) -> dict[str, Any]:
    """Check a bundle, simulate it and write what it recorded.

    Args:
        bundle: Folder or zip.
        check_bundle: Checks it.
        open_system: Loads it.
        write_table: Writes blocks into *output*.
        start_time: In s; likewise *stop_time* and *step_size*.
        stop_time: No row is later.
        step_size: Distance of the communication points.
        output: File to write.
        stimuli: Goes to each FMU that has a parameter ``Stimuli_File``.
        set_values: Start values, each ``FMU.variable=value``.
        record: ``FMU.variable``; all outputs unless said.

    Returns:
        ``{status, communication_steps, wall_s, steps_per_s, output, findings}`` and ``reason``. The status is
        ``completed``; ``refused`` if the bundle has errors (nothing is written); ``failed`` if an FMU failed on the way
        (what was recorded until then is written). *wall_s* is the stepping alone.

    Raises:
        RequestError: If a start value is not readable or no FMU takes the stimuli.
        SimulationError: If the run cannot begin: wrong times, unknown names, an FMU that does not initialise.
    """
    check = check_bundle(bundle)
    findings = [finding.as_dict() for finding in check.findings]
    if not check.ok:
        return _document("refused", "the bundle has errors", Stepping(iter(())), None, findings)
    start_values = _with_stimuli(parse_settings(set_values, check.models), stimuli, check.models)
    with open_system(bundle, start_values=start_values, start_time=start_time) as system:
        stepping = Stepping(
            simulate(system, start_time=start_time, stop_time=stop_time, step_size=step_size, record=record)
        )
        write_table(output, stepping)
    outcome = stepping.outcome
    status = outcome.status if outcome else "failed"
    return _document(status, outcome.message if outcome else stepping.failure, stepping, output, findings)


def _document(
    status: str, reason: str, stepping: Stepping, output: Path | None, findings: list[dict[str, str]]
) -> dict[str, Any]:
    steps, wall_s = stepping.steps, stepping.wall_s
    return {
        "status": status,
        "reason": reason,
        "communication_steps": steps,
        "wall_s": wall_s,
        "steps_per_s": steps / wall_s if wall_s > 0 else 0.0,
        "output": str(output) if output else None,
        "findings": findings,
    }


@dataclass
class Stepping:
    """Passes blocks on and keeps what is worth knowing about the run; an FMU's failure ends the blocks."""

    blocks: Iterator[Block]
    outcome: Outcome | None = None
    failure: str = ""
    rows: int = 0
    wall_s: float = 0.0

    @property
    def steps(self) -> int:
        """Communication steps done so far."""
        return self.outcome.steps if self.outcome else max(0, self.rows - 1)

    def __iter__(self) -> Iterator[Block]:
        return self

    def __next__(self) -> Block:
        begin = time.perf_counter()
        try:
            block = next(self.blocks)
        except LabError as error:
            if not self.rows:
                raise
            self.failure = str(error)
            raise StopIteration from None
        finally:
            self.wall_s += time.perf_counter() - begin
        self.outcome = block.outcome
        self.rows += len(block.time_s)
        return block


def parse_settings(settings: Sequence[str], models: Sequence[ModelSummary]) -> dict[str, dict[str, str]]:
    """Read ``FMU.variable=value`` texts; the longest FMU name that fits counts, since names may hold dots.

    Raises:
        RequestError: If one of them has another form or no such FMU is there.
    """
    names = sorted((model.name for model in models), key=len, reverse=True)
    values: dict[str, dict[str, str]] = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        model = next((name for name in names if path.strip().startswith(f"{name}.")), None)
        if not equals or model is None:
            known = ", ".join(sorted(names))
            raise RequestError(f"{setting!r} sets nothing: write FMU.variable=value with one of the FMUs {known}.")
        values.setdefault(model, {})[path.strip().removeprefix(f"{model}.")] = value
    return values


def _with_stimuli(
    values: dict[str, dict[str, str]], stimuli: Path | None, models: Sequence[ModelSummary]
) -> StartValues:
    if stimuli is None:
        return values
    takers = [model.name for model in models if STIMULI_PARAMETER in model.variables]
    if not takers:
        raise RequestError(f"No FMU of the bundle takes {stimuli}: none has a parameter {STIMULI_PARAMETER}.")
    for name in takers:
        values.setdefault(name, {})[STIMULI_PARAMETER] = str(stimuli.resolve())
    return values


def write_csv(output: Path, blocks: Iterator[Block]) -> None:
    """Write blocks as CSV: ``time``, then one column per signal; numbers as short as they can be read back exactly."""
    with output.open("w", encoding="utf-8", newline="\n") as file:
        for number, block in enumerate(blocks):
            if number == 0:
                file.write(",".join(["time", *(_quoted(signal.name) for signal in block.signals)]) + "\n")
            rows = zip(block.time_s.tolist(), block.values.tolist(), strict=True)
            file.writelines(",".join(map(repr, [time_s, *values])) + "\n" for time_s, values in rows)


def write_parquet(output: Path, blocks: Iterator[Block]) -> None:
    """Write blocks as Parquet: ``time``, then one column per signal, each with its unit in the field's metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with ExitStack() as stack:
        writer: Any = None
        for block in blocks:
            if writer is None:
                units = {"time": "s", **{signal.name: signal.unit or "" for signal in block.signals}}
                fields = [pa.field(name, pa.float64(), metadata={"unit": unit}) for name, unit in units.items()]
                writer = stack.enter_context(pq.ParquetWriter(output, pa.schema(fields)))
            columns = [block.time_s, *(block.values[:, number] for number in range(len(block.signals)))]
            writer.write_table(pa.table(columns, schema=writer.schema))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(sign in name for sign in ',"\n') else name
