"""Digital twins: which models they have sent, whether those passed their check, and whether they hear the benches."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from twinbench.core.access import Person
from twinbench.web.remembered import remembered
from twinbench.web.rendering import render
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.twin_file import bundles_of, twin_lines, versions_of

__all__ = ["router"]

router = APIRouter(prefix="/twins", include_in_schema=False)


@router.get("", response_class=HTMLResponse)
async def twins(request: Request, desk: Desk, who: Who) -> Response:
    """The page."""
    return await remembered(
        request, desk, who, lambda: render(request, "twins.html", title="Digital twins", **_facts(desk, who))
    )


@router.get("/part/twins", response_class=HTMLResponse)
async def twins_part(request: Request, desk: Desk, who: Who) -> Response:
    """What changes on it."""
    return await remembered(request, desk, who, lambda: render(request, "twins_part.html", **_facts(desk, who)))


def _facts(desk: FrontDesk, who: Person) -> dict[str, Any]:
    bundles = bundles_of(desk, who)
    return {"lines": twin_lines(desk, who), "bundles": bundles, "versions": versions_of(bundles)}
