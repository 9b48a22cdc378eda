"""About: versions, whether the parts answer, the REST interface, words, keys."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from twinbench.web.api.description import openapi
from twinbench.web.rendering import render
from twinbench.web.visitor import Desk, Who

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/about", response_class=HTMLResponse)
def about(request: Request, desk: Desk, who: Who) -> HTMLResponse:
    """The page."""
    return render(
        request,
        "about.html",
        title="About",
        versions=sorted(desk.lab.versions.items()),
        connected=desk.live.connected(),
    )


@router.get("/docs", response_class=HTMLResponse)
def rest(request: Request, desk: Desk) -> HTMLResponse:
    """The REST interface, from its OpenAPI description."""
    described = openapi(request, desk)
    shown = ("summary", "description", "parameters")
    routes = [
        {"method": method.upper(), "path": path, **{key: told.get(key, []) for key in shown}}
        for path, methods in described["paths"].items()
        for method, told in methods.items()
    ]
    crumbs = [("About", "/about"), ("REST", "")]
    return render(request, "docs.html", title="REST interface", breadcrumbs=crumbs, routes=routes)
