"""Builds the metrics messages of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from twinbench.core.telemetry.streams import Document, message_id

__all__ = ["INVALID", "METRIC_SIGNALS", "RunLabel", "batches", "is_valid", "metrics_message", "signal_type"]

INVALID = -1e9
"""D6.3's value of a signal whose port is not connected."""

METRIC_SIGNALS: Mapping[str, str] = {
    "Current_Profile": "A",
    "Cell_Voltage_01": "V",
    "Cell_Average_Temperature_01": "degC",
    "Cell_Temperature_Gradient_01": "degC",
    "SoC": "%",
    "SoH": "%",
    "Internal_Resistance": "mOhm",
    "Capacity": "Ah",
    "Cell_Voltage_02": "V",
    "Cell_Temperature_02": "degC",
}
"""Name and unit of every signal a bench may report."""

_INPUTS = frozenset({"Current_Profile"})


@dataclass(frozen=True)
class RunLabel:
    """What every metrics message of a run says about it.

    Attributes:
        test_bench: ``Virtual`` or ``Physical``.
    """

    request_uuid: str
    run_uuid: str
    run: int
    bench_id: str
    test_name: str
    test_uut: str
    use_case: str
    test_bench: str = "Virtual"
    test_type: str = "Cell-level"


def is_valid(value: float) -> bool:
    """Whether a value is a measurement: finite, and not :data:`INVALID`."""
    return math.isfinite(value) and value != INVALID


def signal_type(name: str) -> str:
    """``Input`` for what drives the battery, ``Output`` for what it answers."""
    return "Input" if name in _INPUTS else "Output"


def metrics_message(
    label: RunLabel,
    seq: int,
    time_s: Sequence[float] = (),
    signals: Mapping[str, Sequence[float]] | None = None,
    *,
    final: bool = False,
) -> Document:
    """One metrics message; invalid values are left out, and a signal without a valid one altogether.

    Args:
        label: The run.
        seq: Number of the message in the run, from 0.
        time_s: Time of each sample.
        signals: Values of each signal of :data:`METRIC_SIGNALS`, as many as times.
        final: Whether it is the run's last one; it may have no values.
    """
    variables = []
    for name, values in (signals or {}).items():
        samples = [
            {"timestamp": float(time), "value": float(value)}
            for time, value in zip(time_s, values, strict=True)
            if is_valid(float(value))
        ]
        if samples:
            unit = METRIC_SIGNALS[name]
            variables.append({"name": name, "type": signal_type(name), "unit": unit, "values": samples})
    return {
        "message_id": message_id(label.run_uuid, seq),
        "seq": seq,
        "run_uuid": label.run_uuid,
        "run": label.run,
        "bench_id": label.bench_id,
        "final": final,
        "test_name": label.test_name,
        "test_type": label.test_type,
        "test_UUID": label.request_uuid,
        "test_UUT": label.test_uut,
        "test_bench": label.test_bench,
        "use_case": label.use_case,
        "variables": variables,
    }


def batches(
    label: RunLabel,
    first_seq: int,
    time_s: Sequence[float],
    signals: Mapping[str, Sequence[float]],
    *,
    samples: int = 1000,
) -> Iterator[Document]:
    """Turn consecutive rows into messages of at most *samples* values each, numbered from *first_seq*.

    A thousand samples are about 50 kB: more makes messages slower, fewer makes them many.
    """
    rows = max(1, samples // max(1, len(signals)))
    for number, begin in enumerate(range(0, len(time_s), rows)):
        part = slice(begin, begin + rows)
        columns = {name: values[part] for name, values in signals.items()}
        yield metrics_message(label, first_seq + number, time_s[part], columns)
