"""Requests: find one's own, see what is stuck."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from twinbench.core.request import RequestState
from twinbench.core.request_query import RequestPage, RequestQuery
from twinbench.web.api.requests import Number
from twinbench.web.filters import FILTERS, Filter
from twinbench.web.remembered import remembered
from twinbench.web.rendering import render, root_of
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.requesting import find_request

__all__ = ["router"]

router = APIRouter(prefix="/requests", include_in_schema=False)

_BEFORE_ALL = "TR-"
_TITLES = {
    "uut": "Unit under test",
    "use_case": "Use case",
    "standard": "Standard",
    "test_name": "Test",
    "test_bench": "Bench",
    "requester": "Requester",
    "text": "Text",
    "created_from": "From",
    "created_to": "To",
}


@router.get("", response_class=HTMLResponse)
async def request_list(request: Request, desk: Desk, who: Who, query: Filter) -> Response:
    """The page."""
    return await remembered(request, desk, who, lambda: _page(request, desk, query))


def _page(request: Request, desk: FrontDesk, query: RequestQuery) -> HTMLResponse:
    page = desk.register.page(query)
    return render(
        request,
        "request_list.html",
        title="Requests",
        page=page,
        query=query,
        facets=desk.register.facets(query.scope),
        tabs=_tabs(request, query, page.counts),
        chips=_chips(request),
        given=request.query_params,
        csv_address=f"{root_of(request)}/api/v1/requests.csv?{request.url.query}",
        address=lambda **changes: _address(request, changes),
        newest=_newest(desk, query, page),
    )


def _newest(desk: FrontDesk, query: RequestQuery, page: RequestPage) -> str:
    """The newest of all requests, shown or not: what comes after it is new."""
    is_first = query == RequestQuery(query.scope, per_page=query.per_page)
    rows = page.rows if is_first else desk.register.page(RequestQuery(query.scope, per_page=1)).rows
    return str(rows[0]["request_number"]) if rows else _BEFORE_ALL


@router.get("/row/{number}", response_class=HTMLResponse)
def request_row(request: Request, desk: Desk, who: Who, number: Number) -> HTMLResponse:
    """One row anew."""
    return render(request, "request_row.html", row=find_request(desk, who, number))


@router.get("/new-ones", response_class=HTMLResponse)
def new_ones(request: Request, desk: Desk, who: Who, since: str = "") -> HTMLResponse:
    """How many requests came after a number: they do not push the table, people ask for them."""
    newest = desk.register.page(RequestQuery(who.scope, per_page=50)).rows
    count = sum(row["request_number"] > since for row in newest) if since.startswith("TR-") else 0
    return render(request, "request_news.html", count=count, newest=since)


@router.get("/by-run/{run_id}", response_class=RedirectResponse)
def by_run(request: Request, desk: Desk, who: Who, run_id: str) -> Response:
    """From a run in Airflow to its request."""
    row = find_request(desk, who, run_id[:36])
    return RedirectResponse(f"{root_of(request)}/requests/{row['request_number']}", status_code=303)


def _tabs(request: Request, query: RequestQuery, counts: Mapping[str, int]) -> list[tuple[str, int, str, bool]]:
    every = ("All", sum(counts.values()), _address(request, {"state": None, "page": None}), not query.states)
    tabs = [
        (
            str(state).replace("-", " ").capitalize(),
            counts.get(state, 0),
            _address(request, {"state": str(state), "page": None}),
            query.states == (state,),
        )
        for state in RequestState
    ]
    return [every, *tabs]


def _chips(request: Request) -> list[tuple[str, str, str]]:
    given = request.query_params
    return [
        (_TITLES[name], given[name], _address(request, {name: None, "page": None}))
        for name in ("text", *FILTERS, "created_from", "created_to")
        if given.get(name)
    ]


def _address(request: Request, changes: Mapping[str, Any]) -> str:
    """This page with other parameters; None takes one away."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in changes and value]
    new = [(name, str(value)) for name, value in changes.items() if value is not None]
    query = urlencode([*kept, *new])
    return f"{root_of(request)}/requests{'?' if query else ''}{query}"
