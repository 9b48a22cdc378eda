"""Whose a drop is: the request that its names tell, or its models; nothing is guessed beyond that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twinbench.core.bundle import is_interconnection_name
from twinbench.core.drops import Drop
from twinbench.core.errors import UnknownError
from twinbench.core.request import RequestState
from twinbench.workflow.lab import Document, Lab

__all__ = ["ANNOUNCEMENT", "TAKES_MODELS", "HomelessError", "addressee", "is_the_rest_of", "takes_models"]

ANNOUNCEMENT = "twin-answer.json"
TAKES_MODELS = (RequestState.SUBMITTED, RequestState.FORWARDED, RequestState.FAILED)


class HomelessError(Exception):
    """A drop that is nobody's.

    Attributes:
        requests: Those that it may be for.
    """

    def __init__(self, reason: str, requests: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(reason)
        self.requests = requests


def is_the_rest_of(lab: Lab, drop: Drop, row: Mapping[str, Any]) -> bool:
    """Whether what a drop lacks lies in the request's folder: it was moved there before, or uploaded to it."""
    there = {name.removesuffix(".fmu") for name in lab.pool.names(str(row["uuid"]))}
    return bool(drop.missing) and not drop.is_under_way and set(drop.missing) <= there


def addressee(lab: Lab, drop: Drop) -> tuple[Document, str]:
    """The request that a drop is for, and why; raises :class:`HomelessError` if there is no such one."""
    if drop.request_uuids:
        return takes_models(lab, drop.request_uuids[0]), "its UUID is in the names"
    waiting = lab.requests.in_state(RequestState.FORWARDED)
    begun = {row["uuid"]: set(lab.pool.names(str(row["uuid"]))) for row in waiting}
    rest = [row for row in waiting if drop.missing and is_the_rest_of(lab, drop, row)]
    if len(rest) == 1:
        return rest[0], "the rest of it lies in its folder"
    free = [row for row in waiting if not begun[row["uuid"]]]
    fitting = [row for row in free if _announced(lab, row) == list(drop.models)]
    if len(fitting) == 1:
        return fitting[0], "the digital twin said that these models come for it"
    if len(free) == 1:
        return free[0], "it is the only request that waits for models"
    if not free:
        raise HomelessError("no request waits for models")
    what = "announced these models for all of them" if fitting else "announced these models for none of them"
    which = fitting or free
    raise HomelessError(f"{len(which)} requests wait, the digital twin {what}, and no name has a UUID", which)


def takes_models(lab: Lab, request_uuid: str) -> Document:
    """The request of that UUID if it may be given models now; raises :class:`HomelessError` if not."""
    try:
        row = lab.requests.get(request_uuid)
    except UnknownError:
        raise HomelessError(f"its names name request {request_uuid}, which the lab does not know") from None
    number = row["request_number"]
    if row["status"] not in TAKES_MODELS:
        raise HomelessError(f"{number}, which it is for, is {row['status']} and needs no models", [row])
    if any(is_interconnection_name(name) for name in lab.pool.names(request_uuid)):
        raise HomelessError(f"{number}, which it is for, has another bundle waiting in the pool", [row])
    return row


def _announced(lab: Lab, row: Mapping[str, Any]) -> list[str]:
    """The files that the digital twin said would come for a request, if it did."""
    area = lab.area(str(row["uuid"]))
    answer = area.read_json(ANNOUNCEMENT) if area.exists(ANNOUNCEMENT) else {}
    return sorted(model["file"] for model in answer.get("models", ()))
