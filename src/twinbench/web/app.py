"""The application: routes, who may enter, and what it does with errors."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Depends, FastAPI, Request

from twinbench.core.errors import ConfigurationError
from twinbench.web.api import benches as bench_api
from twinbench.web.api import campaigns as campaign_api
from twinbench.web.api import catalogue as catalogue_api
from twinbench.web.api import description, events, results
from twinbench.web.api import requests as request_api
from twinbench.web.api import twins as twin_api
from twinbench.web.guard import Guard
from twinbench.web.pages import (
    about,
    bench,
    benches,
    campaigns,
    catalogue,
    dashboard,
    files,
    new_request,
    nowhere,
    request,
    request_list,
    run,
    selected_requests,
    twins,
)
from twinbench.web.problems import add_handlers
from twinbench.web.visitor import remember_with
from twinbench.workflow.front_desk import DeskOpener

__all__ = ["create_app"]

_REST = (request_api, results, catalogue_api, bench_api, twin_api, campaign_api, events, description)
_PAGES = (  # the form before the page of a request, whose address it would be taken for
    *(files, dashboard, new_request, request_list, selected_requests, request, run),
    *(benches, bench, twins, campaigns, catalogue, about, nowhere),
)


def create_app(
    open_desk: DeskOpener,
    identify: Callable[..., Any],
    *,
    login_path: str = "/api/v2/auth/login",
    logout_path: str = "/api/v2/auth/logout",
    time_zone: str = "UTC",
) -> FastAPI:
    """Pages and REST of the lab.

    Args:
        open_desk: Opens the front desk; called once, when the first person comes.
        identify: A FastAPI dependency that returns the :class:`~twinbench.core.access.Person` who asks, or raises 401.
        login_path: Where people log in; is given the page they wanted as ``next``.
        logout_path: Where they log out.
        time_zone: The lab's, in which its times are told.

    Raises:
        ConfigurationError: If there is no such time zone.
    """
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(
            f"TWINBENCH_TIME_ZONE is {time_zone!r}, which is no time zone: give a name such as Europe/Berlin."
        ) from None
    app = FastAPI(
        title="Twinbench LIMS",
        version="1",
        description="Test requests, benches and results of the laboratory.",
        dependencies=[Depends(remember_with(identify))],
        openapi_url=None,  # served by a route of our own, which needs a login as all others do
        docs_url=None,
        redoc_url=None,
    )
    app.state.open_desk = open_desk
    app.state.opening = asyncio.Lock()
    app.state.writes = 0
    app.state.time_zone = time_zone
    app.state.logout_path = logout_path

    def login_address(request: Request) -> str:
        query = f"?{request.url.query}" if request.url.query else ""
        return f"{login_path}?next={quote(request.url.path + query, safe='')}"

    app.state.login_address = login_address
    add_handlers(app)
    app.add_middleware(Guard)
    for module in (*_REST, *_PAGES):
        app.include_router(module.router)
    return app
