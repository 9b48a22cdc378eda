"""Signals of a run over time, for people: thinned out for a plot, or the newest readings while it is under way."""

from __future__ import annotations

from typing import Any

from twinbench.core.errors import UnknownError
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.lab import Document
from twinbench.workflow.request_file import RequestFile
from twinbench.workflow.results import read_signals

__all__ = ["trend"]


def trend(desk: FrontDesk, file: RequestFile, run: int, *, points: int, last_s: float | None = None) -> Document:
    """``{run, status, time_s, series: [{name, unit, values}], shown, of}``; a value that is none is null.

    Raises:
        UnknownError: If the request has no such run.
    """
    known = {entry["run"]: entry for entry in file.runs()}
    if run not in known:
        number = file.row["request_number"]
        raise UnknownError(f"{number} has no run {run}: its runs are {_told(list(known))}.")
    signals = read_signals(file.area, run) if known[run]["has_data"] else _live(desk, file, run)
    return {"run": run, "status": known[run]["status"], **_thinned(_end_of(signals, last_s), points)}


def _told(runs: list[int]) -> str:
    return f"{runs[0]} to {runs[-1]}" if runs else "not designed yet"


def _live(desk: FrontDesk, file: RequestFile, run: int) -> dict[str, Any]:
    import numpy as np

    readings = desk.live.readings(str(file.row["uuid"])).get(run, [])
    names = list(dict.fromkeys(name for reading in readings for name in reading))
    return {name: np.array([reading.get(name, np.nan) for reading in readings], float) for name in names}


def _end_of(signals: dict[str, Any], last_s: float | None) -> dict[str, Any]:
    """The last so many seconds of signals."""
    if last_s is None or not len(signals.get("time_s", ())):
        return signals
    kept = signals["time_s"] >= signals["time_s"][-1] - last_s
    return {name: values[kept] for name, values in signals.items()}


def _thinned(signals: dict[str, Any], points: int) -> Document:
    import numpy as np

    from twinbench.core.telemetry import INVALID, METRIC_SIGNALS
    from twinbench.workflow.rendering.decimation import decimate

    time_s = signals.pop("time_s", np.empty(0))
    rows = len(time_s)
    shown = {
        name: np.where(np.isfinite(values) & (values != INVALID), values, np.nan) for name, values in signals.items()
    }
    each = max(4, points // max(1, len(shown)))
    kept = np.unique(np.concatenate([decimate(values, each) for values in shown.values()])) if shown else np.arange(0)
    series = [
        {"name": name, "unit": METRIC_SIGNALS.get(name, ""), "values": [_number(value) for value in values[kept]]}
        for name, values in shown.items()
        if np.isfinite(values).any()
    ]
    return {"time_s": time_s[kept].tolist(), "series": series, "shown": len(kept), "of": rows}


def _number(value: float) -> float | None:
    return None if value != value else float(value)
