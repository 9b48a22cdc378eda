"""One request: what was asked for, where it is, what came out."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from twinbench.core.access import Action, Person
from twinbench.core.errors import UnknownError
from twinbench.core.request import RequestState
from twinbench.web.api.requests import Number
from twinbench.web.downloads import attachment
from twinbench.web.pages.request_schedule import schedule_facts
from twinbench.web.rendering import duration, render, root_of
from twinbench.web.visitor import Desk, Who
from twinbench.web.words import Words
from twinbench.workflow.approval import approval_needed
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.lab import Document
from twinbench.workflow.request_file import REPORT, RequestFile, open_file
from twinbench.workflow.requesting import STAGES, cancel, find_request, retry

__all__ = ["router"]

router = APIRouter(prefix="/requests/{number}", include_in_schema=False)

_PARTS = ("state", "runs")
_REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
_DOWNLOADS = {
    "plan.json": ("schedule-output/plan.json", "application/json"),
    "design.json": ("doe-output/design.json", "application/json"),
    "runs.csv": ("doe-output/runs.csv", "text/csv"),
    "evaluation.json": ("results/evaluation.json", "application/json"),
    "provenance.json": ("provenance.json", "application/json"),
    "report.html": (REPORT, "text/html"),
}


@router.get("", response_class=HTMLResponse)
def show_request(request: Request, desk: Desk, who: Who, number: Number) -> HTMLResponse:
    """The page."""
    row = find_request(desk, who, number)
    facts = _facts(request, desk, who, row)
    crumbs = [("Requests", "/requests"), (row["request_number"], "")]
    return render(request, "request.html", title=row["request_number"], breadcrumbs=crumbs, **facts)


@router.get("/part/{part}", response_class=HTMLResponse)
def show_part(request: Request, desk: Desk, who: Who, number: Number, part: str) -> HTMLResponse:
    """A part of the page anew."""
    if part not in _PARTS:
        raise UnknownError(f"The page has no part {part!r}.")
    return render(request, f"request_{part}.html", **_facts(request, desk, who, find_request(desk, who, number)))


@router.get("/report", response_class=HTMLResponse)
def show_report(desk: Desk, who: Who, number: Number) -> Response:
    """The report as a page of its own, with no rights."""
    content = _file(open_file(desk, find_request(desk, who, number)), REPORT)
    return Response(content, media_type="text/html", headers={"Content-Security-Policy": _REPORT_POLICY})


@router.get("/files/{name}", response_class=Response)
def download(desk: Desk, who: Who, number: Number, name: Annotated[str, Path(max_length=60)]) -> Response:
    """A file of the request."""
    row = find_request(desk, who, number)
    if name not in _DOWNLOADS:
        raise UnknownError(f"A request has no file {name!r} to download: it has {', '.join(_DOWNLOADS)}.")
    key, media = _DOWNLOADS[name]
    return attachment(_file(open_file(desk, row), key), f"{row['request_number']}-{name}", media)


@router.post("/cancel", response_class=RedirectResponse)
def cancel_it(
    request: Request, desk: Desk, who: Who, number: Number, reason: Annotated[Words, Form(max_length=500)] = ""
) -> Response:
    """End it, and say so on its page."""
    cancel(desk, who, number, reason=reason)
    return RedirectResponse(f"{root_of(request)}/requests/{number}?done=It+is+cancelled.", status_code=303)


@router.post("/retry", response_class=RedirectResponse)
def retry_it(
    request: Request, desk: Desk, who: Who, number: Number, stage: Annotated[str, Form(max_length=50)]
) -> Response:
    """Repeat it from a stage on, and say so on its page."""
    retry(desk, who, number, stage=stage)
    return RedirectResponse(f"{root_of(request)}/requests/{number}?done=It+goes+on+from+there.", status_code=303)


def _file(file: RequestFile, name: str) -> bytes:
    if not file.area.exists(name):
        raise UnknownError(
            f"{file.row['request_number']} has no {name.rpartition('/')[2]} yet: it is {file.row['status']}."
        )
    return file.area.read(name)


def _facts(request: Request, desk: FrontDesk, who: Person, row: Document) -> dict[str, Any]:
    file, now = open_file(desk, row), desk.lab.now()
    return {
        "row": row,
        "file": file,
        "stages": [_stage(stage, now) for stage in file.stages()],
        "runs": file.runs(),
        "figures": _figures(file),
        "schedule": schedule_facts(request, desk, who, file),
        "may_cancel": RequestState(row["status"]).may_be_cancelled and who.may(Action.CANCEL, row),
        "may_retry": who.may(Action.RETRY, row) and row["status"] != RequestState.CANCELLED,
        "from_stages": STAGES,
        "failed_stage": file.diagnosis.get("stage", ""),
        "approval": _approval(desk, file),
        "airflow_run": f"{desk.airflow_url}/dags/carry_out_request/runs/{row.get('workflow_id') or row['uuid']}",
        "downloads": [name for name, (key, _) in _DOWNLOADS.items() if file.area.exists(key)],
        "audit": desk.audit.entries(subject=row["request_number"]) if who.may(Action.READ_AUDIT) else [],
    }


def _approval(desk: FrontDesk, file: RequestFile) -> str:
    """What somebody has to agree to before it can go on; empty if nothing."""
    if file.row["status"] != RequestState.PLANNED:
        return ""
    question = approval_needed(desk.lab, str(file.row["uuid"]))
    if question is None or any(one["round"] == question["round"] and "refused" not in one for one in file.approvals):
        return ""
    return str(question["subject"])


def _stage(stage: Any, now: datetime) -> Document:
    if stage.at is None:
        kind = "to-come"
    elif stage.is_current:
        kind = "failed" if stage.state in (RequestState.FAILED, RequestState.CANCELLED) else "current"
    else:
        kind = "done"
    is_end = stage.is_current and RequestState(stage.state).is_over
    return {
        "state": stage.state,
        "is": kind,
        "at": stage.at,
        "duration": "" if is_end else duration(stage.duration_s(now)),
        "actor": stage.actor,
        "reason": stage.reason,
        "forecast": stage.expected,
    }


def _figures(file: RequestFile) -> list[str]:
    """Names of the figures that any run has, so that a table has no empty columns."""
    names = dict.fromkeys(name for entry in file.evaluation.get("runs", []) for name in entry if name != "run")
    filled = [name for name in names if any(e.get(name) is not None for e in file.evaluation.get("runs", []))]
    return filled[:6]
