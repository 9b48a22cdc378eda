"""The end of a request: its provenance, its report, and its books closed."""

from __future__ import annotations

from typing import Any

from twinbench.core.battery.procedures import remark
from twinbench.core.errors import ResultError
from twinbench.core.findings import Severity
from twinbench.core.request import RequestState
from twinbench.workflow.design import ROUNDS
from twinbench.workflow.lab import Area, Document, Lab
from twinbench.workflow.results import read_signals, read_summary

__all__ = ["close", "report"]

REPORT = "results/report.html"
_ANALYSIS = "results/analysis.json"  # requests that are older than the analysis have none
_STAND_IN = (
    "The shipped battery model is a stand-in for a partner's: a single particle model with electrolyte of an LG M50 "
    "cell as published, that ages by its SEI film alone; models/FMU_Battery_Model/README.md says what it leaves out."
)
_PHYSICAL_STAND_IN = (
    "In the local lab the physical bench is a simulated one: its samples come from the same battery model, with noise."
)


def report(lab: Lab, request_uuid: str) -> dict[str, Any]:
    """Write ``provenance.json`` and ``report.html``, and what came of the request into the register."""
    from twinbench.workflow.rendering.report import ReportFacts, RunResult, render_report

    area = lab.area(request_uuid)
    design = area.read_json("doe-output/design.json")
    runs = []
    for run in design["runs"]:
        signals = read_signals(area, run["run"])
        time_s = signals.pop("time_s", _no_rows())
        runs.append(RunResult(_summary(area, run["run"]), time_s, signals))
    provenance = _provenance(lab, area, request_uuid)
    area.write_json("provenance.json", provenance)
    evaluation = area.read_json("results/evaluation.json")
    facts = ReportFacts(
        request=area.read_json("request.json"),
        state=str(lab.requests.get(request_uuid)["status"]),
        models=area.read_json("fastest-models/models.json"),
        findings=area.read_json("fastest-models/findings.json"),
        design=design,
        plan=area.read_json("schedule-output/plan.json"),
        runs=runs,
        evaluation=evaluation,
        analysis=area.read_json(_ANALYSIS) if area.exists(_ANALYSIS) else {},
        rounds=area.read_json(ROUNDS) if area.exists(ROUNDS) else [],
        provenance=provenance,
        messages=_messages(lab, area),
        notes=_notes(lab, area, request_uuid),
    )
    area.write(REPORT, render_report(facts))
    lab.requests.set_results(
        request_uuid,
        metrics=_metrics(evaluation, runs=len(runs)),
        results_path=area.url("results"),
        fmu_path=area.url("fastest-models"),
    )
    return {"report": area.url(REPORT)}


def close(lab: Lab, request_uuid: str) -> dict[str, Any]:
    """Mark the request completed, once the digital twin has every message; what it holds of benches is given back.

    Raises:
        ResultError: If it has not.
    """
    area = lab.area(request_uuid)
    messages = _messages(lab, area)
    if messages["collected"] != messages["published"]:
        raise ResultError(
            f"The digital twin has acknowledged {messages['collected']} of {messages['published']} metrics messages: "
            "see that it runs, then clear the bench's task and this one."
        )
    lab.bookings.release(request_uuid, at=lab.now())
    lab.requests.set_progress(request_uuid, 100)
    lab.requests.set_status(request_uuid, RequestState.COMPLETED, at=lab.now())
    return {**messages, "folder": area.url(""), "report": area.url(REPORT)}


def _metrics(evaluation: Document, *, runs: int) -> Document:
    """The evaluation in short: how many runs, how many findings, and the figures of each run."""
    errors = sum(finding["severity"] == Severity.ERROR for finding in evaluation["findings"])
    figures, findings = evaluation["runs"], len(evaluation["findings"])
    return {"runs": runs, "evaluated": len(figures), "findings": findings, "errors": errors, "figures": figures}


def _no_rows() -> Any:
    import numpy as np

    return np.empty(0)


def _summary(area: Area, run: int) -> Document:
    summary = read_summary(area, run)
    if summary is None:
        raise ResultError(f"Run {run} has no results: clear the task that had it, then this one.")
    return summary


def _summaries(area: Area) -> list[Document]:
    return [_summary(area, run["run"]) for run in area.read_json("doe-output/design.json")["runs"]]


def _messages(lab: Lab, area: Area) -> dict[str, int]:
    """How many metrics messages were published, and how many of them the digital twin has acknowledged."""
    summaries = _summaries(area)
    published = sum(int(summary["published"]) for summary in summaries)
    return {"published": published, "collected": published - lab.wire.waiting([run["run_uuid"] for run in summaries])}


def _notes(lab: Lab, area: Area, request_uuid: str) -> list[str]:
    request = lab.request(request_uuid)
    kinds = {summary["kind"] for summary in _summaries(area)}
    stops_short = "" if request.custom_profile else remark(lab.catalogue.test(request.standard, request.test_name))
    return [note for note in (stops_short, _STAND_IN, _PHYSICAL_STAND_IN if "physical" in kinds else "") if note]


def _provenance(lab: Lab, area: Area, request_uuid: str) -> Document:
    """How every number came about: models, seeds, libraries, and the hashes of the results."""
    request, design = area.read_json("request.json"), area.read_json("doe-output/design.json")
    plan = area.read_json("schedule-output/plan.json")
    return {
        "request": request_uuid,
        "request_number": request["request_number"],
        "dag_id": "carry_out_request",
        "dag_run_id": request["dag_run_id"],
        "models": area.read_json("fastest-models/models.json"),
        "design": {key: design[key] for key in ("kind", "seed", "library")},
        "plan": {key: plan[key] for key in ("solver", "seed", "status")},
        "co_simulation": {"scheme": "sorted propagation, fixed step", "step": "of each run's procedure"},
        "runs": [
            {key: summary.get(key) for key in ("run", "run_uuid", "bench", "kind", "status", "sha256")}
            for summary in _summaries(area)
        ],
        "versions": dict(lab.versions),
    }
