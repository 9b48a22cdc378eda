"""The timetable of a request: what is planned, what became of it, and what others do on the same benches."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import Request

from twinbench.core.access import Person
from twinbench.core.booking import Booking
from twinbench.web.gantt import Bar, Lane, gantt_svg
from twinbench.web.rendering import duration, root_of
from twinbench.workflow.carried_out import Attempt, Go, goes_of, others_beside
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.request_file import RequestFile

__all__ = ["schedule_facts"]

_BARS = {"running": "running", "done": "done", "cut short": "failed"}


def schedule_facts(request: Request, desk: FrontDesk, who: Person, file: RequestFile) -> dict[str, Any] | None:
    """What the page's part about the timetable is told; None while nothing is planned."""
    goes, now = goes_of(desk.lab, file), desk.lab.now()
    if not goes:
        return None
    others = others_beside(desk.lab, file, goes)
    label = _label(file, goes)
    lanes = _lanes(goes, others, now, root_of(request) if who.works_in_the_lab else "")
    return {
        "svg": gantt_svg(lanes, now=now, label=label, zone=request.app.state.time_zone),
        "label": label,
        "goes": [{"go": go, "late": _late(go, now)} for go in goes],
        "figures": file.plan,
        "has_others": bool(others),
    }


def _label(file: RequestFile, goes: Sequence[Go]) -> str:
    told = {state: sum(go.state == state for go in goes) for state in ("done", "running", "cut short", "planned")}
    counts = ", ".join(f"{count} {state}" for state, count in told.items() if count)
    runs = sum(len(go.runs) for go in goes)
    benches = ", ".join(dict.fromkeys(go.bench for go in goes))
    return f"{file.row['request_number']}: {runs} runs on {benches}; bookings: {counts}."


def _lanes(goes: Sequence[Go], others: Sequence[Booking], now: datetime, root: str) -> list[Lane]:
    """Two per bench: what is planned, and under it what was."""
    benches = dict.fromkeys([*(go.bench for go in goes), *(one.bench for go in goes for one in go.attempts)])
    lanes = []
    for bench in benches:
        planned = [_other(one, root) for one in others if one.bench == bench]
        planned += [bar for go in goes if go.bench == bench for bar in _planned(go)]
        was = [_was(go, one, now) for go in goes for one in go.attempts if one.bench == bench]
        lanes += [Lane(bench, planned), Lane("as it was", was, under=True)]
    return lanes


def _planned(go: Go) -> list[Bar]:
    return [
        Bar(
            run.start,
            run.end,
            "promised",
            str(run.run),
            f"Run {run.run} is planned on {go.bench}, {run.start:%Y-%m-%d %H:%M} to {run.end:%H:%M} UTC",
        )
        for run in go.runs
    ]


def _was(go: Go, one: Attempt, now: datetime) -> Bar:
    numbers = ", ".join(str(run.run) for run in go.runs)
    runs = f"run {numbers}" if len(go.runs) == 1 else f"runs {numbers}"
    began = f"{one.began_at:%Y-%m-%d %H:%M:%S}"
    until = f"to {one.ended_at:%H:%M:%S} UTC" if one.ended_at else "UTC until now"
    title = f"{runs.capitalize()} on {one.bench} from {began} {until}, {one.state}"
    end = one.ended_at or max(now, one.began_at)
    return Bar(one.began_at, end, _BARS[one.state], runs, title, goes_on=one.ended_at is None)


def _other(one: Booking, root: str) -> Bar:
    """Somebody else's booking: whose it is only for those who work in the lab."""
    name = one.request_number if root else "booked"
    title = f"{name} on {one.bench}, {one.state}, {one.start:%Y-%m-%d %H:%M} to {one.end:%H:%M} UTC"
    return Bar(one.start, one.end, "other", name, title, f"{root}/requests/{name}" if root else "")


def _late(go: Go, now: datetime) -> Mapping[str, str]:
    """How far it is from its plan, in words and as a state; empty if it is neither behind nor over."""
    late = go.late(now)
    if late is None:
        return {}
    seconds = late.total_seconds()
    if abs(seconds) < 60:
        return {"words": "as planned", "tone": "good"}
    behind = seconds > 0
    if go.last is None:
        return {"words": f"should have begun {duration(seconds)} ago", "tone": "warning"}
    if go.last.ended_at is None:
        return {"words": f"{duration(seconds)} over its time", "tone": "warning"}
    told = f"{duration(abs(seconds))} {'later' if behind else 'earlier'} than planned"
    return {"words": told, "tone": "warning" if behind else "good"}
