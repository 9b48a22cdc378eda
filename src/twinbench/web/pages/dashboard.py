"""Dashboard: is the lab all right, and what needs somebody?"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from twinbench.core.access import Person
from twinbench.core.request import RequestState
from twinbench.core.request_query import RequestQuery
from twinbench.web.remembered import remembered
from twinbench.web.rendering import render
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.bench_board import bench_board
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.twin_file import sync_failures

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_UNDER_WAY = tuple(state for state in RequestState if state.is_under_way)
_SHOWN = 10


@router.get("/", response_class=HTMLResponse)
async def dashboard(request: Request, desk: Desk, who: Who) -> Response:
    """The page."""
    return await remembered(
        request, desk, who, lambda: render(request, "dashboard.html", title="Dashboard", **_facts(desk, who))
    )


@router.get("/part/dashboard", response_class=HTMLResponse)
async def dashboard_part(request: Request, desk: Desk, who: Who) -> Response:
    """What changes on it."""
    return await remembered(request, desk, who, lambda: render(request, "dashboard_part.html", **_facts(desk, who)))


def _facts(desk: FrontDesk, who: Person) -> dict[str, Any]:
    scope = who.scope
    counts = desk.register.counts(scope)
    lines = bench_board(desk)
    running = desk.register.page(RequestQuery(scope, states=("running",), sort="updated", per_page=_SHOWN))
    newest = desk.register.page(RequestQuery(scope, per_page=_SHOWN))
    bookings = sorted((one for line in lines for one in line.bookings if not one.state.begun), key=lambda b: b.start)
    return {
        "stats": {
            "total": sum(counts.values()),
            "submitted": counts.get(RequestState.SUBMITTED, 0),
            "under_way": sum(counts.get(state, 0) for state in _UNDER_WAY),
            "running": counts.get(RequestState.RUNNING, 0),
            "completed": counts.get(RequestState.COMPLETED, 0),
            "failed": counts.get(RequestState.FAILED, 0),
        },
        "under_way_query": "&".join(f"state={state}" for state in _UNDER_WAY),
        "lines": lines,
        "broken": [line for line in lines if line.state in ("closed", "offline")],
        "deaf": sync_failures(desk, who),
        "running": running.rows,
        "newest": newest.rows,
        "bookings": bookings[:_SHOWN],
    }
