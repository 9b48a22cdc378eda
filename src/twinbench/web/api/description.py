"""The description of the REST interface (OpenAPI), and the audit log."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from twinbench.core.access import Action
from twinbench.web.rendering import root_of
from twinbench.web.visitor import Desk, Who

__all__ = ["openapi", "router"]

router = APIRouter(prefix="/api/v1", tags=["description"])


def openapi(request: Request) -> dict[str, Any]:
    """OpenAPI of the routes below ``/api``, with the server where they are."""
    from fastapi.openapi.utils import get_openapi
    from fastapi.routing import APIRoute

    app = request.app
    if not hasattr(app.state, "openapi"):
        routes = [route for route in app.routes if isinstance(route, APIRoute) and route.path.startswith("/api/")]
        app.state.openapi = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=routes
        )
    return {**app.state.openapi, "servers": [{"url": root_of(request) or "/"}]}


@router.get("/openapi.json", include_in_schema=False)
def show_openapi(request: Request) -> dict[str, Any]:
    """OpenAPI of this interface."""
    return openapi(request)


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
