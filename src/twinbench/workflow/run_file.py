"""The file of one run of a request: what it was to be, when and where it was, what came out, where all that lies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twinbench.core.errors import UnknownError
from twinbench.core.identity import round_run_id
from twinbench.workflow.carried_out import Go, Planned, goes_of
from twinbench.workflow.design import run_folder
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.lab import Document
from twinbench.workflow.request_file import RequestFile
from twinbench.workflow.results import result_name

__all__ = ["RunFile", "open_run", "raw_file"]

_RAW = {
    "procedure.json": ("application/json", "what the bench is to do, stage by stage"),
    "input.csv": ("text/csv", "the current over time, as far as it is known before"),
    "settings.json": ("application/json", "variables of the models that are set"),
    "summary.json": ("application/json", "how the run went"),
}


@dataclass(frozen=True)
class RunFile:
    """One run, as far as it has come.

    Attributes:
        entry: As :meth:`RequestFile.runs` has it.
        go: What its bench does in the same go; None while nothing is planned.
        factors: ``{name, unit, level}`` of what is varied.
        findings: What was found in its results.
        files: ``{name, what}`` of what can be downloaded beside its rows.
        task_log: Where its task's log stands in Airflow; empty while nothing is planned.
        before: The run before it; None if it is the first.
        after: The one after it.
    """

    entry: Document
    go: Go | None
    factors: list[Document]
    findings: list[Document]
    files: list[Document]
    task_log: str
    before: int | None
    after: int | None

    @property
    def planned(self) -> Planned | None:
        """When it is planned."""
        runs = self.go.runs if self.go else ()
        return next((one for one in runs if one.run == self.entry["run"]), None)

    @property
    def began_at(self) -> datetime | None:
        """When it began indeed, as far as that was noted."""
        return _moment(self.entry["summary"].get("began_at"))

    @property
    def ended_at(self) -> datetime | None:
        """When it ended indeed, as far as that was noted."""
        return _moment(self.entry["summary"].get("ended_at"))

    @property
    def is_under_way(self) -> bool:
        """Whether its bench is at work on its go and it is not over."""
        return not self.entry["summary"] and self.go is not None and self.go.state == "running"


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def open_run(desk: FrontDesk, file: RequestFile, run: int) -> RunFile:
    """The file of a run.

    Raises:
        UnknownError: If the request has no such run.
    """
    entries = {entry["run"]: entry for entry in file.runs()}
    if run not in entries:
        known = f"its runs are {min(entries)} to {max(entries)}" if entries else f"it is {file.row['status']}"
        raise UnknownError(f"{file.row['request_number']} has no run {run}: {known}.")
    entry, goes = entries[run], goes_of(desk.lab, file)
    go = next((one for one in goes if any(planned.run == run for planned in one.runs)), None)
    levels = entry["levels"]
    units = {factor["name"]: factor["unit"] for factor in file.factors()}
    return RunFile(
        entry=entry,
        go=go,
        factors=[{"name": name, "unit": units.get(name, ""), "level": level} for name, level in levels.items()],
        findings=[one for one in file.findings if _is_about(one, run)],
        files=[{"name": name, "what": what} for name, (_, what) in _RAW.items() if file.area.exists(_key(run, name))],
        task_log=_task_log(desk.airflow_url, file, go) if go else "",
        before=run - 1 if run - 1 in entries else None,
        after=run + 1 if run + 1 in entries else None,
    )


def _is_about(finding: Document, run: int) -> bool:
    return finding["about"] == "results" and str(finding["where"]).partition(" / ")[0] == f"run {run}"


def _key(run: int, name: str) -> str:
    return result_name(run, "json") if name == "summary.json" else f"{run_folder(run)}/{name}"


def raw_file(file: RequestFile, run: int, name: str) -> tuple[bytes, str]:
    """One of the run's files, and its media type.

    Raises:
        UnknownError: If there is none of that name, or none yet.
    """
    number = file.row["request_number"]
    if name not in _RAW:
        raise UnknownError(f"A run has no file {name!r}: it has {', '.join(_RAW)}.")
    if not file.area.exists(_key(run, name)):
        raise UnknownError(f"Run {run} of {number} has no {name} yet: the request is {file.row['status']}.")
    return file.area.read(_key(run, name)), _RAW[name][0]


def _task_log(airflow_url: str, file: RequestFile, go: Go) -> str:
    """Address of the task that carries out a go: one mapped task per go of a kind, in the order of the plan."""
    uuid = str(file.row["uuid"])
    parts = [part for part in file.plan["assignments"] if part.get("round", 1) == go.round and part["kind"] == go.kind]
    place = [list(part["runs"]) for part in parts].index([planned.run for planned in go.runs])
    is_first = go.round == 1
    dag = "carry_out_request" if is_first else "carry_out_round"
    run_id = (file.row.get("workflow_id") or uuid) if is_first else round_run_id(uuid, go.round)
    return f"{airflow_url}/dags/{dag}/runs/{run_id}/tasks/run_{go.kind}/mapped/{place}"
