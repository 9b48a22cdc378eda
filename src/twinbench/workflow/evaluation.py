"""Evaluation of a request's results: data checks, figures per run, whether the books balance, and what they follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinbench.core.battery.procedure import AMBIENT_RANGE_degC, Procedure
from twinbench.core.errors import ResultError
from twinbench.core.findings import Finding, Severity, blocking
from twinbench.core.request import RequestState
from twinbench.workflow.analysis import analyse_responses
from twinbench.workflow.design import run_folder
from twinbench.workflow.lab import Area, Document, Lab
from twinbench.workflow.results import read_counted, read_signals, read_summary

if TYPE_CHECKING:
    from twinbench.workflow.rendering.data_checks import ResultChecker

__all__ = ["check_results"]


def check_results(lab: Lab, request_uuid: str) -> dict[str, Any]:
    """Check the results of all runs, and bring each down to its figures.

    Findings do not fail the request: they are in ``results/evaluation.json`` and in the report, for people to judge.
    How the figures follow the factors is in ``results/analysis.json``.

    Raises:
        ResultError: If a run has left nothing behind at all, or all have failed.
    """
    from twinbench.workflow.rendering.data_checks import ResultChecker

    area, checker = lab.area(request_uuid), ResultChecker()
    design = area.read_json("doe-output/design.json")
    runs = [int(run["run"]) for run in design["runs"]]
    missing = [run for run in runs if read_summary(area, run) is None]
    if missing:
        raise ResultError(f"Runs {missing} have no results: clear the task run_virtual or run_physical that had them.")
    findings: list[Finding] = []
    figures: list[Document] = []
    for run in runs:
        of_run = _check_run(area, run, checker, findings)
        if of_run:
            figures.append({"run": run, **of_run})
    document = {"findings": [finding.as_dict() for finding in findings], "runs": figures}
    area.write_json("results/evaluation.json", document)
    summaries = [read_summary(area, run) or {} for run in runs]
    area.write_json("results/analysis.json", analyse_responses(design, summaries, figures))
    for finding in findings:
        lab.say(str(finding))
    if not any(summary["status"] == "completed" for summary in summaries):
        raise ResultError(f"All {len(runs)} runs failed. The first: {findings[0]}", findings=findings)
    lab.requests.set_status(request_uuid, RequestState.EVALUATED, at=lab.now())
    return {"runs": len(runs), "evaluated": len(figures), "findings": len(findings), "errors": len(blocking(findings))}


def _check_run(area: Area, run: int, checker: ResultChecker, findings: list[Finding]) -> Document:
    """Figures of a run; empty if its rows allow none. What is found is appended."""
    import pandas as pd

    from twinbench.core.evaluation import Limits, check_figures, evaluate_run

    summary = read_summary(area, run) or {}
    if summary["status"] != "completed":
        hint = "see its messages in the report; mend the model or the procedure and clear the run's task"
        findings.append(Finding("RESULT-RUN-FAILED", Severity.ERROR, f"run {run}", str(summary["error"]), hint))
    signals = read_signals(area, run)
    if not signals:
        return {}
    procedure = Procedure.from_document(area.read_json(f"{run_folder(run)}/procedure.json"))
    limits = Limits(procedure.cell_limits_V, AMBIENT_RANGE_degC)
    found = checker.check(
        pd.DataFrame(signals),
        run=run,
        voltage_limits_V=limits.voltage_V,
        temperature_limits_degC=limits.temperature_degC,
    )
    findings.extend(found)
    time_s = signals.pop("time_s")
    try:
        figures = evaluate_run(time_s, signals, limits=limits, counted=read_counted(area, run))
    except ResultError as error:
        if not blocking(found):
            hint = "see the run's rows and its messages"
            findings.append(Finding("RESULT-NO-FIGURES", Severity.ERROR, f"run {run}", str(error), hint))
        return {}
    findings.extend(check_figures(figures, run=run, limits=limits))
    return figures.as_document()
