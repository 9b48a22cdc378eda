"""One bench: what it does, did and will do, when it was out of service, and what it said last."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from twinbench.core.access import Action, Person
from twinbench.core.booking import Booking
from twinbench.core.telemetry import METRIC_SIGNALS
from twinbench.web.gantt import Bar, Lane, gantt_svg
from twinbench.web.rendering import duration, render, root_of
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.bench_file import BenchFile, bench_messages, open_bench
from twinbench.workflow.front_desk import FrontDesk

__all__ = ["router"]

router = APIRouter(prefix="/benches/{name}", include_in_schema=False)

_LEAST = timedelta(hours=8)
_BEFORE = timedelta(hours=24)


@router.get("", response_class=HTMLResponse)
def show_bench(request: Request, desk: Desk, who: Who, name: str) -> HTMLResponse:
    """The page."""
    facts = _facts(request, desk, who, name)
    return render(request, "bench.html", title=name, breadcrumbs=[("Benches", "/benches"), (name, "")], **facts)


@router.get("/part/now", response_class=HTMLResponse)
def show_now(request: Request, desk: Desk, who: Who, name: str) -> HTMLResponse:
    """All that changes on it anew."""
    return render(request, "bench_part.html", **_facts(request, desk, who, name))


@router.get("/part/messages", response_class=HTMLResponse)
def show_messages(request: Request, desk: Desk, who: Who, name: str) -> HTMLResponse:
    """What it said last anew."""
    return render(request, "bench_messages.html", **_messages(desk, who, name))


def _facts(request: Request, desk: FrontDesk, who: Person, name: str) -> dict[str, Any]:
    file = open_bench(desk, name)
    names, current = who.works_in_the_lab, file.line.current
    said = _messages(desk, who, name)
    return {
        "file": file,
        "line": file.line,
        "limits": _limits(file),
        "may_close": who.may(Action.CLOSE_BENCH),
        "shows_requests": names,
        "gantt": _gantt(request, file, root_of(request) if names else ""),
        "past": [{"booking": one, "took": _took(one), "against": _against(one)} for one in file.past],
        "current_uuid": current.request_uuid if current and names else "",
        "run": _run_under_way(file, said["messages"] or ()),
        **said,
    }


def _messages(desk: FrontDesk, who: Person, name: str) -> dict[str, Any]:
    if not who.may(Action.READ_BENCHES):
        return {"messages": None, "bench_name": name}
    said = [{**one, "words": _words(one)} for one in bench_messages(desk, who, name)]
    newest = next((one for one in said if one.get("reading")), None)
    reading = [_reading(*each) for each in newest["reading"].items()] if newest else []
    return {"messages": said, "reading": reading, "reading_of": newest, "bench_name": name}


def _words(said: Mapping[str, Any]) -> str:
    """A message in one sentence."""
    if said["kind"] == "status":
        return f"It is {said.get('state', 'in no state that it tells')}; driver {said.get('driver', 'not told')}."
    if said["kind"] == "event":
        runs = ", ".join(str(run.get("run")) for run in said.get("runs") or () if isinstance(run, Mapping))
        return " ".join(
            filter(None, [str(said.get("event", "")), f"run {runs}" if runs else "", said.get("reason", "")])
        )
    last = ", the last one" if said.get("final") else ""
    return f"Message {said.get('seq')} of run {said.get('run')}{last}."


def _reading(name: str, value: Any) -> tuple[str, str]:
    if name == "time_s":
        return "After the start of the run", duration(value) if isinstance(value, int | float) else str(value)
    unit = METRIC_SIGNALS.get(name, "")
    return name.replace("_", " "), f"{value:.5g} {unit}".strip() if isinstance(value, int | float) else str(value)


def _run_under_way(file: BenchFile, messages: Sequence[Mapping[str, Any]]) -> int | None:
    """The run of which the bench has sent readings last, if it belongs to what it is booked for."""
    runs = file.line.current.document.get("runs", ()) if file.line.current else ()
    return next((one["run"] for one in messages if one.get("run") in runs), None)


def _limits(file: BenchFile) -> list[tuple[str, str]]:
    bench = file.line.bench
    demands = ", ".join(f"{one.get('amount', 1)} of {one['resource']}" for one in bench.demands)
    return [
        ("Kind", bench.kind.capitalize()),
        ("Takes", ", ".join(bench.levels)),
        ("Current", _range(bench.current_A, "A")),
        ("Ambient temperature", _range(bench.ambient_degC, "degC")),
        ("Set-up", duration(60 * bench.setup_min) if bench.setup_min else "none"),
        ("Teardown", duration(60 * bench.teardown_min) if bench.teardown_min else "none"),
        ("Needs of the lab", demands or "nothing else"),
    ]


def _range(limits: tuple[float, float] | None, unit: str) -> str:
    return f"{limits[0]:g} to {limits[1]:g} {unit}" if limits else "no limit known"


def _gantt(request: Request, file: BenchFile, root: str) -> Any:
    now, name = file.now, file.line.bench.name
    begin = now - _BEFORE
    planned = [_bar(one, one.start, one.end, str(one.state), root) for one in file.line.bookings]
    closed = [
        Bar(max(one.start, begin), one.end, "closed", "out of service", f"{name} is out of service: {one.reason}")
        for one in file.closures
        if one.end is None or one.end > begin
    ]
    was = [
        _bar(one, max(one.began_at, begin), one.ended_at, "done" if one.state == "done" else "failed", root)
        for one in file.past
        if one.began_at and one.ended_at and one.ended_at > begin
    ]
    was += [_running(one, max(one.began_at, begin), now) for one in file.line.bookings if one.began_at]
    lanes = [Lane("booked", [*planned, *closed]), Lane("as it was", was, under=True)]
    label = f"What {name} did in the last 24 hours and will do"
    return gantt_svg(lanes, now=now, label=label, zone=request.app.state.time_zone, least=_LEAST)


def _running(one: Booking, start: datetime, now: datetime) -> Bar:
    title = f"Runs since {start:%Y-%m-%d %H:%M} UTC"
    return Bar(start, max(now, start), "running", "runs", title, goes_on=True)


def _bar(one: Booking, start: datetime, end: datetime | None, state: str, root: str) -> Bar:
    """A booking; whose it is only for those who are given an address to go to."""
    who = one.request_number if root else "booked"
    until = f", until {end:%Y-%m-%d %H:%M} UTC" if end else ""
    title = f"{who} on {one.bench}, {state}{until}"
    return Bar(start, end, state, who, title, f"{root}/requests/{one.request_number}" if root else "")


def _took(one: Booking) -> str:
    return duration((one.ended_at - one.began_at).total_seconds()) if one.began_at and one.ended_at else ""


def _against(one: Booking) -> str:
    """How long it was to take by its plan."""
    planned = one.document.get("held_from"), one.document.get("held_until")
    if not all(planned):
        return ""
    first, last = (datetime.fromisoformat(str(moment)) for moment in planned)
    return duration((last - first).total_seconds())
