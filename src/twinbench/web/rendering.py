"""Pages from templates: what all of them are given, times in the lab's zone, and what else they need to be told.

A page's address is a path below the application's root, wherever that is mounted.
"""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context

from twinbench.core.access import Action, Person
from twinbench.core.request import RequestState

__all__ = ["STATIC", "TEMPLATES", "environment", "render", "root_of"]

HERE = Path(__file__).parent
TEMPLATES, STATIC = HERE / "templates", HERE / "static"

_NAVIGATION = (
    ("Dashboard", "/", None),
    ("New request", "/requests/new", Action.SUBMIT),
    ("Requests", "/requests", None),
    ("Benches", "/benches", None),
    ("Twins", "/twins", None),
    ("Campaigns", "/campaigns", None),
    ("Catalogue", "/catalogue", None),
    ("About", "/about", None),
)


@cache
def environment() -> Environment:
    """The templates, with autoescape on and what is undefined refused."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"duration": duration, "lab_time": lab_time, "ago": ago, "moment": datetime.fromisoformat}
    made.globals |= {"Action": Action, "cancellable": [state for state in RequestState if state.may_be_cancelled]}
    return made


def root_of(request: Request) -> str:
    """Where the application is mounted, such as ``/lims``; empty if nowhere in particular."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, or a part of one."""
    person: Person = request.state.person
    root = root_of(request)
    here = request.url.path.removeprefix(root) or "/"
    known: dict[str, Any] = {
        "root": root,
        "person": person,
        "navigation": _navigation(person, here),
        "breadcrumbs": [],
        "lab_time_zone": request.app.state.time_zone,
        "log_out": request.app.state.logout_path,
        "notice": _notice(request),
        "draft_done": request.query_params.get("sent", "")[:50],
        "now": datetime.now(UTC),
    }
    return HTMLResponse(environment().get_template(template).render(known | values), status)


def _notice(request: Request) -> str:
    """What an action of ours has said; a link on another site cannot put words into our mouth."""
    from_here = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    return request.query_params.get("done", "")[:200] if from_here else ""


def _navigation(person: Person, here: str) -> list[tuple[str, str, bool]]:
    found = [(title, path) for title, path, needs in _NAVIGATION if needs is None or person.may(needs)]
    current = max((path for _, path in found if here == path or here.startswith(path.rstrip("/") + "/")), key=len)
    return [(title, path, path == current) for title, path in found]


@pass_context
def lab_time(context: Context, moment: datetime | None) -> str:
    """A moment on the clocks of the lab, its zone named."""
    zone = ZoneInfo(str(context.get("lab_time_zone", "UTC")))
    return "" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago, or in how long, roughly."""
    if moment is None:
        return ""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    told = duration(abs(seconds))
    return f"{told} ago" if seconds >= 0 else f"in {told}"


def duration(seconds: float | None) -> str:
    """A length of time in its two largest units at most."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min" if minutes >= 10 or not rest else f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"
