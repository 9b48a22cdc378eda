"""What a request holds of the lab's benches while it is carried out: begun and ended.

A task that waited for its planned start asks where and when its runs are now, since the lab may have planned again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from twinbench.core.booking import Booking, BookingState
from twinbench.core.errors import BenchTakenError, PlanError
from twinbench.workflow.cancelled import give_back_if_cancelled
from twinbench.workflow.lab import Document, Lab
from twinbench.workflow.planning import PLAN

__all__ = ["begin_assignment", "end_assignment", "planned_assignment"]


def planned_assignment(lab: Lab, request_uuid: str, assignment: Mapping[str, Any]) -> Document:
    """An assignment as it is planned now: the lab may have planned again since it was handed out."""
    planned = _planned(lab, request_uuid, assignment["runs"])
    return {key: planned[key] for key in ("bench", "kind", "runs", "start")}


def begin_assignment(lab: Lab, request_uuid: str, assignment: Mapping[str, Any]) -> Document:
    """Say that an assignment begins, unless it is planned for later.

    A request that failed has given its benches back; one that is resumed books them again if they are free.

    Returns:
        The assignment as it is planned now, and ``begun``.

    Raises:
        PlanError: If its bench has been taken by others meanwhile, or nothing is planned for its runs.
        ConflictError: If the request was cancelled.
    """
    planned = _planned(lab, request_uuid, assignment["runs"])
    told = planned_assignment(lab, request_uuid, assignment)
    if datetime.fromisoformat(planned["start"]) > lab.now():
        return {**told, "begun": False}
    booking = _booking(lab, request_uuid, planned["runs"])
    if booking is None:
        _book_again(lab, request_uuid, planned)
        booking = _booking(lab, request_uuid, planned["runs"])
    if booking is not None:
        state = BookingState.RUNNING
        lab.bookings.set_state(request_uuid, booking.round, booking.bench, state, at=lab.now(), only=booking.id)
    give_back_if_cancelled(lab, request_uuid)
    return {**told, "begun": True}


def end_assignment(lab: Lab, request_uuid: str, assignment: Mapping[str, Any]) -> None:
    """Say that an assignment is done; its bench is free from now on."""
    booking = _booking(lab, request_uuid, assignment["runs"])
    if booking is not None:
        state = BookingState.DONE
        lab.bookings.set_state(request_uuid, booking.round, booking.bench, state, at=lab.now(), only=booking.id)


def _planned(lab: Lab, request_uuid: str, runs: Sequence[int]) -> Document:
    for assignment in lab.area(request_uuid).read_json(PLAN)["assignments"]:
        if list(assignment["runs"]) == list(runs):
            return dict(assignment)
    told = ", ".join(map(str, runs))
    raise PlanError(f"Runs {told} are no longer planned in one go: clear the tasks from `plan_benches` on.")


def _booking(lab: Lab, request_uuid: str, runs: Sequence[int]) -> Booking | None:
    """What the request holds for these runs."""
    bookings = lab.bookings.of_request(request_uuid)
    return next((one for one in bookings if one.state.holds and list(one.document["runs"]) == list(runs)), None)


def _book_again(lab: Lab, request_uuid: str, planned: Document) -> None:
    held = datetime.fromisoformat(planned["held_until"]) - datetime.fromisoformat(planned["held_from"])
    number = int(planned.get("round", 1))
    now = lab.now()
    end = now + max(held, timedelta(minutes=1))
    again = {"bench": planned["bench"], "start": now, "end": end, "round": number, "document": planned}
    others = [
        {"bench": one.bench, "start": one.start, "end": one.end, "round": number, "document": one.document}
        for one in lab.bookings.of_request(request_uuid)
        if one.round == number and one.state.holds and not one.state.begun
    ]
    try:
        lab.bookings.book(request_uuid, [again, *others], at=now)
    except BenchTakenError as taken:
        raise PlanError(f"{taken} To resume this request, clear its task `plan_benches` and those after it.") from taken
