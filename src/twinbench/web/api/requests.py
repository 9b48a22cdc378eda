"""Test requests: submit, list, show, cancel, repeat."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from twinbench.core.request_query import RequestQuery
from twinbench.web.api.documents import FIELDS, gantt_document, request_document
from twinbench.web.downloads import CSV, attachment
from twinbench.web.filters import Filter
from twinbench.web.remembered import remembered
from twinbench.web.rendering import root_of
from twinbench.web.spreadsheet import as_csv
from twinbench.web.visitor import Desk, Who
from twinbench.web.words import Words
from twinbench.workflow.carried_out import goes_of
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.request_file import open_file
from twinbench.workflow.requesting import STAGES, cancel, find_request, retry, submit
from twinbench.workflow.selected_requests import MOST_AT_ONCE, cancel_selected

__all__ = ["Number", "router"]

router = APIRouter(prefix="/api/v1/requests", tags=["requests"])

Number = Annotated[str, Path(description="Number such as TR-000042, or UUID.", max_length=40)]
_EXAMPLE = {
    "preferred_date": "2026-12-01T10:00:00Z",
    "uut": "Gen3b - Cell",
    "use_case": "Automotive",
    "standard": "IEC62660",
    "test_name": "Performance - Capacity",
    "runs": 6,
}


class Reason(BaseModel):
    """Why something is done."""

    reason: Words = Field("", max_length=500)


class Selection(Reason):
    """Several requests."""

    numbers: list[Annotated[Words, Field(max_length=40)]] = Field(min_length=1, max_length=MOST_AT_ONCE)


class From(BaseModel):
    """Where a request is repeated from."""

    stage: str = Field(max_length=50, description=f"One of {', '.join(STAGES)}.", examples=["plan_benches"])


@router.post("", status_code=201, responses={200: {"description": "It had been submitted before with this key."}})
def submit_request(
    request: Request,
    response: Response,
    desk: Desk,
    who: Who,
    document: Annotated[dict[str, Any], Body(description="As test_request.schema.json has it.", examples=[_EXAMPLE])],
    idempotency_key: Annotated[str, Header(max_length=200)] = "",
) -> dict[str, Any]:
    """Ask for a test. The same key and document again are the same request."""
    made = submit(desk, who, document, key=idempotency_key)
    response.status_code = 200 if made.repeated else 201
    shown = request_document(desk.register.get(made.uuid), root_of(request))
    response.headers["Location"] = str(shown["links"]["self"])
    return shown


@router.get("", response_model=None, responses={200: {"content": {"application/json": {}}}})
async def list_requests(request: Request, desk: Desk, who: Who, query: Filter) -> Response:
    """The requests that one may see, filtered and sorted, a page of them."""
    return await remembered(request, desk, who, lambda: JSONResponse(jsonable_encoder(_list(request, desk, query))))


def _list(request: Request, desk: FrontDesk, query: RequestQuery) -> dict[str, Any]:
    found = desk.register.page(query)
    return {
        "items": [request_document(row, root_of(request)) for row in found.rows],
        "total": found.total,
        "page": found.page,
        "pages": found.pages,
        "per_page": found.per_page,
        "counts": dict(found.counts),
    }


@router.get(".csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
def list_as_csv(request: Request, desk: Desk, query: Filter) -> Response:
    """The same page of requests as a table."""
    rows = _list(request, desk, query)["items"]
    table = as_csv(rows, [name for name in FIELDS if name != "uuid"])
    return attachment(table, "requests.csv", CSV)


@router.post("/cancel")
def cancel_requests(desk: Desk, who: Who, which: Selection) -> list[dict[str, Any]]:
    """End several requests, each for itself; returns the state of each, and why it was not ended if so."""
    done = cancel_selected(desk, who, which.numbers, reason=which.reason)
    return [
        {"request_number": one.number, "status": one.row.get("status"), "obstacle": one.obstacle or None}
        for one in done
    ]


@router.get("/{number}")
def show_request(request: Request, desk: Desk, who: Who, number: Number) -> dict[str, Any]:
    """One request, with what was asked for."""
    row = find_request(desk, who, number)
    return request_document(row, root_of(request)) | {"document": row["document"]}


@router.post("/{number}/cancel")
def cancel_request(request: Request, desk: Desk, who: Who, number: Number, why: Reason) -> dict[str, Any]:
    """End a request; what it has stored stays, its benches are given back."""
    return request_document(cancel(desk, who, number, reason=why.reason), root_of(request))


@router.post("/{number}/retry")
def retry_request(request: Request, desk: Desk, who: Who, number: Number, where: From) -> dict[str, Any]:
    """Repeat a request from a stage on."""
    return request_document(retry(desk, who, number, stage=where.stage), root_of(request))


@router.get("/{number}/history")
def show_history(desk: Desk, who: Who, number: Number) -> list[dict[str, Any]]:
    """The states that the request went through, and those to come."""
    file, now = open_file(desk, find_request(desk, who, number)), desk.lab.now()
    return [
        {
            "state": stage.state,
            "at": stage.at,
            "expected": stage.expected,
            "duration_s": stage.duration_s(now),
            "actor": stage.actor,
            "reason": stage.reason,
            "is_current": stage.is_current,
        }
        for stage in file.stages()
    ]


@router.get("/{number}/findings")
def show_findings(desk: Desk, who: Who, number: Number) -> list[dict[str, Any]]:
    """What was found in the request, its bundle and its results, the worst first."""
    return open_file(desk, find_request(desk, who, number)).findings


@router.get("/{number}/gantt")
def show_gantt(desk: Desk, who: Who, number: Number) -> dict[str, Any]:
    """The bench plan of the request, and what became of it."""
    file = open_file(desk, find_request(desk, who, number))
    return gantt_document(file, goes_of(desk.lab, file))
