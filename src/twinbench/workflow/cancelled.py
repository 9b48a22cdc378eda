"""A request that somebody has cancelled takes no bench any more, whatever its run was about to do."""

from __future__ import annotations

from twinbench.core.errors import ConflictError
from twinbench.core.request import RequestState
from twinbench.workflow.lab import Lab

__all__ = ["give_back_if_cancelled"]


def give_back_if_cancelled(lab: Lab, request_uuid: str) -> None:
    """Give back what a request holds if it was cancelled meanwhile.

    Whoever cancels says so first and gives back then. A task that books first and asks here then is in time, whichever
    of the two is quicker.

    Raises:
        ConflictError: If it is cancelled.
    """
    row = lab.requests.get(request_uuid)
    if row["status"] == RequestState.CANCELLED:
        lab.bookings.release(request_uuid, at=lab.now())
        raise ConflictError(f"{row['request_number']} was cancelled: it takes no bench any more.")
