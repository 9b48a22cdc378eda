"""Results of a request that nobody made: discharges of a tiny cell, and the documents around them.

The cell is an open-circuit voltage, a resistance and one RC element, warmed by its losses.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import numpy as np

from twinbench.core.evaluation import Limits, evaluate_run
from twinbench.workflow.rendering.report import ReportFacts, RunResult

REQUEST = "c61da39a-ace5-4f92-ad76-9a64516dc84d"
ORIGIN = datetime(2026, 12, 1, 10, tzinfo=UTC)
LEVELS = [(0.33, 41.0), (0.62, 4.0), (1.1, 25.0), (1.43, 12.0), (1.71, 36.0), (2.0, 18.0)]
CAPACITY_Ah = 5.0


def discharge(c_rate: float, ambient_degC: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A discharge to 2.5 V, rest first; the row at which it stops lies below."""
    resistance_Ohm = 0.03 * np.exp(0.02 * (25 - ambient_degC))
    soc, polarised_V, temperature_degC, rows = 1.0, 0.0, ambient_degC, []
    for step in range(5 * 3600):
        current_A = 0.0 if step < 60 else -c_rate * CAPACITY_Ah
        open_V = 3.0 + 1.1 * soc + 0.08 * np.tanh(8 * (soc - 0.9)) - 0.9 * np.exp(-18 * soc)
        voltage_V = open_V + polarised_V + current_A * resistance_Ohm
        state = (current_A, voltage_V, temperature_degC, 0.0, 100 * soc, 100.0, 1000 * resistance_Ohm, CAPACITY_Ah)
        rows.append((float(step), *state))
        if voltage_V < 2.5:
            break
        polarised_V += (current_A * 0.015 - polarised_V) / 40
        temperature_degC += (current_A**2 * resistance_Ohm - 0.09 * (temperature_degC - ambient_degC)) / 65
        soc += current_A / CAPACITY_Ah / 3600
    columns = np.array(rows).T
    return columns[0], dict(zip(SIGNALS, columns[1:], strict=True))


SIGNALS = (
    "Current_Profile",
    "Cell_Voltage_01",
    "Cell_Average_Temperature_01",
    "Cell_Temperature_Gradient_01",
    "SoC",
    "SoH",
    "Internal_Resistance",
    "Capacity",
)


def completed(run: int, levels: tuple[float, float]) -> RunResult:
    time_s, signals = discharge(*levels)
    summary = {
        "run": run,
        "run_uuid": str(uuid5(UUID(REQUEST), f"run-{run}")),
        "bench": f"virtual-{run % 2 + 1}",
        "kind": "virtual",
        "status": "completed",
        "stop_reason": "limit",
        "rows": len(time_s),
        "simulated_s": float(time_s[-1]),
        "wall_s": 0.02,
        "messages": [],
        "sha256": "ab" * 32,
        "levels": {"discharge_c_rate": levels[0], "temperature_degC": levels[1]},
    }
    return RunResult(summary, time_s, signals)


def failed(run: int) -> RunResult:
    levels = {"discharge_c_rate": 2.0, "temperature_degC": 0.0}
    error = "FMU_Battery_Model: Initial_SoC_In is NaN"
    summary = {"run": run, "bench": "virtual-1", "status": "failed", "stop_reason": "", "rows": 0, "levels": levels}
    return RunResult({**summary, "error": error}, np.array([]), {})


def facts_of(runs: list[RunResult], **changes: object) -> ReportFacts:
    figures = [
        {"run": run.summary["run"], **evaluate_run(run.time_s, run.signals, limits=Limits()).as_document()}
        for run in runs
        if len(run.time_s)
    ]
    factors = [
        {"name": "discharge_c_rate", "unit": "C-rate", "low": 0.33, "high": 2.0},
        {"name": "temperature_degC", "unit": "degC", "low": 0.0, "high": 45.0},
    ]
    facts = ReportFacts(
        request={
            "uuid": REQUEST,
            "request_number": "TR-000007",
            "requester_name": "Ada Lovelace",
            "requester_id": "lab-42",
            "preferred_date": "2026-12-01T11:00:00+01:00",
            "uut": "Gen3b - Cell",
            "use_case": "Automotive",
            "standard": "IEC62660",
            "test_name": "Performance - Capacity",
            "runs": len(runs),
            "seed": 1,
        },
        state="evaluated",
        models=[
            {"name": "FMU_Battery_Model", "fmi_version": "3.0", "sha256": "cd" * 32, "description": "2-RC circuit"}
        ],
        design={
            "kind": "latin-hypercube",
            "seed": 1,
            "library": "pyDOE3 1.6.2, scipy 1.17, numpy 2.4",
            "factors": factors,
            "runs": [{"run": run.summary["run"], "levels": run.summary["levels"]} for run in runs],
            "quality": {"minimum_distance": 0.3871, "centered_l2_discrepancy": 0.0123},
        },
        plan=plan_of(runs),
        runs=runs,
        evaluation={"findings": [], "runs": figures},
        provenance={"dag_id": "carry_out_request", "versions": {"twinbench": "0.1.0", "python": "3.11.7"}},
        messages={"published": 412, "collected": 412},
        notes=["The battery model is an equivalent-circuit stand-in."],
    )
    return dataclasses.replace(facts, **changes)


def plan_of(runs: list[RunResult]) -> dict:
    benches: dict[str, list[int]] = {}
    for run in runs:
        benches.setdefault(run.summary["bench"], []).append(run.summary["run"])
    assignments = [
        {
            "bench": bench,
            "kind": "virtual",
            "runs": numbers,
            "start": ORIGIN.isoformat(),
            "end": (ORIGIN + timedelta(minutes=2 * len(numbers))).isoformat(),
            "held_until": (ORIGIN + timedelta(minutes=2 * len(numbers) + 1)).isoformat(),
            "intervals": [{"run": run, "start_min": 2 * n, "end_min": 2 * n + 2} for n, run in enumerate(numbers)],
        }
        for bench, numbers in benches.items()
    ]
    figures = {
        "status": "optimal",
        "gap": 0.0,
        "makespan_min": 6,
        "wall_s": 0.01,
        "solver": "OR-Tools CP-SAT",
        "seed": 1,
    }
    return {**figures, "origin": ORIGIN.isoformat(), "assignments": assignments}
