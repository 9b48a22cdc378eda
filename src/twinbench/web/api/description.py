"""The description of the REST interface (OpenAPI), and the audit log."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from twinbench.core.access import Action
from twinbench.web.rendering import root_of
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.front_desk import FrontDesk

__all__ = ["openapi", "router"]

router = APIRouter(prefix="/api/v1", tags=["description"])


def openapi(request: Request, desk: FrontDesk) -> dict[str, Any]:
    """OpenAPI of the routes below ``/api``, with the server where they are, and what a request has to be."""
    from fastapi.openapi.utils import get_openapi
    from fastapi.routing import APIRoute

    app = request.app
    if not hasattr(app.state, "openapi"):
        routes = [route for route in app.routes if isinstance(route, APIRoute) and route.path.startswith("/api/")]
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=routes)
        asked = made["paths"]["/api/v1/requests"]["post"]["requestBody"]["content"]["application/json"]
        schema = dict(desk.lab.schemas["test_request"])
        optional = ("requester_name", "requester_id")  # they are those of whoever is logged in
        schema["required"] = [name for name in schema["required"] if name not in optional]
        examples = asked["schema"].get("examples", [])
        plain = {key: value for key, value in schema.items() if not key.startswith("$")}
        asked["schema"] = {"examples": examples, **plain}
        app.state.openapi = made
    return {**app.state.openapi, "servers": [{"url": root_of(request) or "/"}]}


@router.get("/openapi.json", include_in_schema=False)
def show_openapi(request: Request, desk: Desk) -> dict[str, Any]:
    """OpenAPI of this interface."""
    return openapi(request, desk)


@router.get("/audit")
def show_audit(
    desk: Desk,
    who: Who,
    subject: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[dict[str, Any]]:
    """Who did what, the newest first."""
    who.require(Action.READ_AUDIT)
    return desk.audit.entries(subject=subject, limit=limit)
