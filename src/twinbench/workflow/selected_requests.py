"""Several requests at once: which of a selection may be cancelled, and cancelling those; each stands for itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from twinbench.core.access import Action, Person
from twinbench.core.errors import ForbiddenError, LabError, RequestError
from twinbench.core.request import RequestState
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.lab import Document
from twinbench.workflow.requesting import cancel, find_request

__all__ = ["MOST_AT_ONCE", "Selected", "cancel_selected", "look_at_selected"]

MOST_AT_ONCE = 200


@dataclass(frozen=True)
class Selected:
    """One of them.

    Attributes:
        row: Empty if there is no such request that the person may see.
        obstacle: Why it cannot be, or was not, cancelled; empty if nothing is in the way.
    """

    number: str
    row: Document
    obstacle: str = ""


def look_at_selected(desk: FrontDesk, who: Person, numbers: Iterable[str]) -> list[Selected]:
    """Which of them may be cancelled, each named once.

    Raises:
        RequestError: If they are too many.
    """
    return [_look_at(desk, who, number) for number in _checked(numbers)]


def cancel_selected(desk: FrontDesk, who: Person, numbers: Iterable[str], *, reason: str = "") -> list[Selected]:
    """Cancel those that may be; one that cannot does not keep the others from it.

    Raises:
        RequestError: If they are too many, or none.
        ForbiddenError: If the person may cancel nothing at all.
    """
    wanted = _checked(numbers)
    if not who.cancels:
        raise ForbiddenError(f"{who.name} may not cancel requests: ask their requesters, or somebody of the lab.")
    if not wanted:
        raise RequestError("No request is selected: tick those that are to be cancelled.")
    return [_cancel(desk, who, number, reason) for number in wanted]


def _checked(numbers: Iterable[str]) -> list[str]:
    wanted = list(dict.fromkeys(number.strip() for number in numbers if number.strip()))
    if len(wanted) > MOST_AT_ONCE:
        raise RequestError(f"{len(wanted)} requests are selected: cancel {MOST_AT_ONCE} at once at most.")
    return wanted


def _look_at(desk: FrontDesk, who: Person, number: str) -> Selected:
    try:
        row = find_request(desk, who, number)
    except LabError as error:
        return Selected(number, {}, str(error))
    told = str(row["request_number"])
    if not who.may(Action.CANCEL, row):
        return Selected(told, row, f"{who.name} may not cancel it.")
    if not RequestState(row["status"]).may_be_cancelled:
        return Selected(told, row, f"It is {row['status']}.")
    return Selected(told, row)


def _cancel(desk: FrontDesk, who: Person, number: str, reason: str) -> Selected:
    try:
        row = cancel(desk, who, number, reason=reason)
    except LabError as error:
        return Selected(number, _look_at(desk, who, number).row, str(error))
    return Selected(str(row["request_number"]), row)
