"""What is late is told: in the log, in the run's note, and in ``late.json`` in the request's area.

late.json   one entry for each thing that was ever late: ``{stage, what, due, noticed}``
"""

from __future__ import annotations

from datetime import datetime, timedelta

from twinbench.core.errors import RequestError
from twinbench.core.lateness import Patience
from twinbench.workflow.lab import Document, Lab

__all__ = ["LATE", "tell_late_benches", "tell_late_stage"]

LATE = "late.json"
_LOOK_BACK = timedelta(days=30)


def tell_late_stage(lab: Lab, request_uuid: str, patience: Patience, *, stage: str, due: datetime) -> str:
    """Tell that a request has not come to a stage in time, if that is so; returns what is late, empty if nothing."""
    try:
        state = str(lab.requests.get(request_uuid)["status"])
    except RequestError:
        lab.say(f"LATE: run {request_uuid} was to be {stage} by {due.isoformat()}, but is not even registered")
        return "the request is not registered: see the task `register`"
    if not patience.stages[stage].is_late(state):
        return ""
    return _tell(lab, request_uuid, stage, patience.stages[stage].what, due)


def tell_late_benches(lab: Lab, patience: Patience) -> list[Document]:
    """Tell which tests begin or end behind their plan by more than the lab's patience; each only once."""
    now = lab.now()
    told = []
    for booking in lab.bookings.active(after=now - _LOOK_BACK):
        what = patience.on_bench(booking, now)
        if what:
            due, stage = (booking.end, "end") if booking.state.begun else (booking.start, "begin")
            new = _tell(lab, booking.request_uuid, f"{stage} on {booking.bench}", what, due)
            if new:
                run_id = lab.area(booking.request_uuid).read_json("request.json")["dag_run_id"]
                told.append({"request": booking.request_number, "dag_run_id": run_id, "late": new})
    return told


def _tell(lab: Lab, request_uuid: str, stage: str, what: str, due: datetime) -> str:
    """Note it; empty if it was noted before."""
    area = lab.area(request_uuid)
    known = list(area.read_json(LATE)) if area.exists(LATE) else []
    entry = {"stage": stage, "what": what, "due": due.isoformat(), "noticed": lab.now().isoformat()}
    if any((one["stage"], one["due"]) == (stage, entry["due"]) for one in known):
        return ""
    area.write_json(LATE, [*known, entry])
    number = lab.requests.get(request_uuid)["request_number"]
    lab.say(f"LATE: {number}: {what} (due {due:%Y-%m-%d %H:%M} UTC)")
    return what
