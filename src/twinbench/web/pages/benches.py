"""Bench board: which bench does what, and where is room."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from twinbench.core.access import Action, Person
from twinbench.core.booking import Booking
from twinbench.core.errors import RequestError
from twinbench.web.gantt import Bar, Lane, gantt_svg
from twinbench.web.remembered import remembered
from twinbench.web.rendering import render, root_of
from twinbench.web.visitor import Desk, Who
from twinbench.web.words import Words
from twinbench.workflow.bench_board import BenchLine, bench_board, close_bench, reopen_bench
from twinbench.workflow.front_desk import FrontDesk

__all__ = ["router"]

router = APIRouter(prefix="/benches", include_in_schema=False)

_LEAST = timedelta(hours=8)


@router.get("", response_class=HTMLResponse)
def benches(request: Request, desk: Desk, who: Who) -> HTMLResponse:
    """The page."""
    return render(request, "benches.html", title="Benches", **_facts(request, desk, who))


@router.get("/part/board", response_class=HTMLResponse)
async def board(request: Request, desk: Desk, who: Who) -> Response:
    """The board anew."""
    return await remembered(
        request, desk, who, lambda: render(request, "benches_part.html", **_facts(request, desk, who))
    )


@router.post("/{name}/close", response_class=RedirectResponse)
def close(
    request: Request,
    desk: Desk,
    who: Who,
    name: str,
    reason: Annotated[Words, Form(max_length=500)] = "",
    until: Annotated[str, Form(max_length=40)] = "",
    back: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Take a bench out of service."""
    made = close_bench(desk, who, name, reason=reason, until=_moment(until, request.app.state.time_zone))
    told = f"{name} is out of service; {made['laid_over']} bookings are planned again."
    return _done(request, name, back, told)


@router.post("/{name}/reopen", response_class=RedirectResponse)
def reopen(
    request: Request, desk: Desk, who: Who, name: str, back: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    """Put a bench back into service."""
    reopen_bench(desk, who, name)
    return _done(request, name, back, f"{name} is back in service.")


def _done(request: Request, name: str, back: str, told: str) -> Response:
    """To where one came from: the bench's own page, or the board."""
    page = f"/benches/{quote(name)}" if back == name else "/benches"
    return RedirectResponse(f"{root_of(request)}{page}?done={quote(told)}", status_code=303)


def _moment(text: str, zone: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RequestError(f"{text!r} is no moment: give date and time, or leave it empty.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))


def _facts(request: Request, desk: FrontDesk, who: Person) -> dict[str, Any]:
    lines = bench_board(desk)
    return {
        "lines": lines,
        "may_close": who.may(Action.CLOSE_BENCH),
        "gantt": _gantt(request, lines, who, desk.lab.now()),
        "shows_requests": who.works_in_the_lab,
    }


def _gantt(request: Request, lines: list[BenchLine], who: Person, now: datetime) -> Markup:
    root, names = root_of(request), who.works_in_the_lab
    lanes = []
    for line in lines:
        bars = [_bar(one, now, root if names else "") for one in line.bookings]
        for one in line.closures:
            title = f"{line.bench.name} is out of service: {one.reason}"
            bars.append(Bar(max(one.start, now), one.end, "closed", "out of service", title))
        lanes.append(Lane(line.bench.name, bars))
    label = f"What {len(lines)} benches do from now on"
    return gantt_svg(lanes, now=now, label=label, zone=request.app.state.time_zone, least=_LEAST)


def _bar(one: Booking, now: datetime, root: str) -> Bar:
    """A booking; whose it is only for those who are given an address to go to."""
    who = one.request_number if root else "booked"
    title = f"{who} on {one.bench}, {one.state}, until {one.end:%Y-%m-%d %H:%M} UTC"
    href = f"{root}/requests/{one.request_number}" if root else ""
    return Bar(max(one.start, now - _LEAST), one.end, str(one.state), who, title, href)
