"""What a run leaves behind: a Parquet file of its signals, and a summary beside it.

results/run-0001.parquet   ``time_s``, the metric signals that are valid, and the same as columns of the Battery Data
                           Format, one row per communication point; the unit of each is in the Arrow field's metadata
results/run-0001.json      how the run went; written last, so a run with a summary is a run that is over
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbench.core.battery.bdf import COUNTED_LABELS, BdfCounter
from twinbench.core.errors import UnreachableError
from twinbench.core.identity import run_uuid
from twinbench.core.request import TestRequest
from twinbench.core.telemetry import METRIC_SIGNALS, RunLabel, is_valid
from twinbench.workflow.lab import Area, Courier, Document, Lab

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from twinbench.core.evaluation import Counted

__all__ = [
    "SignalTable",
    "account_of",
    "await_acknowledgements",
    "keep_run",
    "label_of",
    "read_counted",
    "read_signals",
    "read_summary",
    "result_name",
    "say_progress",
]

FLUSH_TIMEOUT_S = 60.0


def result_name(run: int, ending: str) -> str:
    """Name of a run's result file in the request's area."""
    return f"results/run-{run:04d}.{ending}"


class SignalTable:
    """Writes the rows of a run into a Parquet file, block by block, so memory does not grow with the run.

    A signal whose first value is invalid (its port is not connected) gets no column.

    Args:
        path: The file to make.
        label: What the file says about the run.
    """

    def __init__(self, path: Path, label: RunLabel) -> None:
        self.path, self.rows = path, 0
        self._label = label
        self._writer: Any = None
        self._schema: Any = None
        self._bdf = BdfCounter()

    def __enter__(self) -> SignalTable:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()

    def add(
        self,
        time_s: NDArray[np.float64],
        signals: Mapping[str, NDArray[np.float64]],
        cycler: Mapping[str, NDArray[np.float64]] | None = None,
    ) -> None:
        """Append rows.

        Args:
            time_s: Shape (n,), after all rows before.
            signals: Metric signals, each of shape (n,); always the same ones.
            cycler: What a battery model with a cycler tells, see :data:`~twinbench.core.battery.bdf.CYCLER_OUTPUTS`.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not len(time_s):
            return
        valid = {name: values for name, values in signals.items() if self._has(name, values)}
        bdf = self._bdf.columns(time_s, valid, cycler)
        if self._writer is None:
            self._schema = self._make_schema([*valid, *bdf])
            self._writer = pq.ParquetWriter(self.path, self._schema, compression="zstd")
        columns = {"time_s": time_s, **signals, **bdf}
        self._writer.write_table(pa.table([columns[name] for name in self._schema.names], schema=self._schema))
        self.rows += len(time_s)

    def _has(self, name: str, values: NDArray[np.float64]) -> bool:
        """Whether a signal has a column: its first value decides."""
        return name in self._schema.names if self._schema is not None else is_valid(float(values[0]))

    def _make_schema(self, names: list[str]) -> pa.Schema:
        import pyarrow as pa

        units = {"time_s": "s", **{name: METRIC_SIGNALS.get(name) or name.partition(" / ")[2] or "1" for name in names}}
        fields = [
            pa.field(name, pa.float64(), nullable=False, metadata={"unit": unit.encode()})
            for name, unit in units.items()
        ]
        label = {"request": self._label.request_uuid, "run": str(self._label.run), "bench": self._label.bench_id}
        return pa.schema(fields, metadata=label)


def keep_run(area: Area, summary: Document, table: SignalTable) -> Document:
    """Put a run's rows and then its summary into the request's area; returns the summary with the file's hash."""
    kept = {**summary, "rows": table.rows, "sha256": None}
    if table.rows:
        content = table.path.read_bytes()
        area.write(result_name(summary["run"], "parquet"), content)
        kept["sha256"] = hashlib.sha256(content).hexdigest()
    area.write_json(result_name(summary["run"], "json"), kept)
    return kept


def read_summary(area: Area, run: int) -> Document | None:
    """How a run went; None if it is not over."""
    name = result_name(run, "json")
    return dict(json.loads(area.read(name))) if area.exists(name) else None


def read_signals(area: Area, run: int) -> dict[str, NDArray[np.float64]]:
    """The metric signals of a run, ``time_s`` first; empty if it has no rows."""
    import io

    import pyarrow.parquet as pq

    name = result_name(run, "parquet")
    if not area.exists(name):
        return {}
    table = pq.read_table(io.BytesIO(area.read(name)))
    names = [name for name in table.column_names if name == "time_s" or name in METRIC_SIGNALS]
    return {name: table[name].to_numpy() for name in names}


def read_counted(area: Area, run: int) -> Counted | None:
    """Charge and energy of a run whose bench has counted them itself: one that tells its stages as well."""
    import io

    import pyarrow.parquet as pq

    from twinbench.core.evaluation import Counted

    name = result_name(run, "parquet")
    if not area.exists(name):
        return None
    file = pq.ParquetFile(io.BytesIO(area.read(name)))
    if "Step ID" not in file.schema_arrow.names:
        return None
    last = file.read_row_group(file.num_row_groups - 1, columns=list(COUNTED_LABELS))
    return Counted(*(last[label][-1].as_py() for label in COUNTED_LABELS))


def label_of(request: TestRequest, run: int, inputs: str, bench: str, *, kind: str = "Virtual") -> RunLabel:
    """What the messages of a run say about it."""
    return RunLabel(
        request_uuid=request.uuid,
        run_uuid=run_uuid(request.uuid, run, inputs),
        run=run,
        bench_id=bench,
        test_name=request.test_name,
        test_uut=request.uut,
        use_case=request.use_case,
        test_bench=kind,
        test_type=f"{request.uut.rsplit(' ', 1)[-1]}-level",
    )


def say_progress(lab: Lab, area: Area, request_uuid: str) -> None:
    """Note how much of the request's runs is over."""
    runs = [int(run["run"]) for run in area.read_json("doe-output/design.json")["runs"]]
    over = sum(area.exists(result_name(run, "json")) for run in runs)
    lab.requests.set_progress(request_uuid, round(100 * over / len(runs)))


def await_acknowledgements(courier: Courier) -> None:
    """Wait until the digital twin has everything.

    Raises:
        UnreachableError: If it has not in time; the messages stay in the outbox.
    """
    waiting = courier.flush(FLUSH_TIMEOUT_S)
    if waiting:
        raise UnreachableError(
            f"{waiting} metrics messages are not acknowledged by the digital twin after {FLUSH_TIMEOUT_S:g} s. "
            "The results are safe and the messages wait in the outbox: see that the twin runs, then clear this task."
        )


def account_of(area: Area, assignment: Mapping[str, Any]) -> Document:
    """What a bench did, in figures; whether failed runs matter is for the evaluation to say."""
    summaries = [summary for run in assignment["runs"] if (summary := read_summary(area, int(run)))]
    return {
        "bench": assignment["bench"],
        "runs": len(summaries),
        "failed": sum(summary["status"] != "completed" for summary in summaries),
        "simulated_s": sum(summary.get("simulated_s", 0.0) for summary in summaries),
        "measured_s": sum(summary.get("measured_s", 0.0) for summary in summaries),
        "wall_s": round(sum(summary.get("wall_s", 0.0) for summary in summaries), 6),
        "published": sum(summary["published"] for summary in summaries),
    }
