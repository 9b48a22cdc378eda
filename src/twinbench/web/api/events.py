"""What changes, as server-sent events: which request or bench, and nothing more; what it is now is asked for again.

So rights are checked where the data are, and an event is a few bytes.
"""

import time
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from twinbench.core.access import Person
from twinbench.core.errors import LabError
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.front_desk import FrontDesk, Register

__all__ = ["router"]

router = APIRouter(tags=["events"])

_SILENCE_S = 4.0  # after which a reader is told that the line is alive


@router.get("/events", response_class=StreamingResponse)
@router.get("/api/v1/events", response_class=StreamingResponse)
async def stream(
    desk: Desk, who: Who, run: Annotated[str, Query(max_length=36, description="UUID of a request")] = ""
) -> StreamingResponse:
    """``event: change`` with ``request TR-000042`` or ``bench cycler-1``, as long as one listens.

    That the readings of a request's runs go on (``run <uuid>``) is told to those who ask for it.
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(desk, who, run), media_type="text/event-stream", headers=headers)


async def _lines(desk: FrontDesk, who: Person, run: str) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    told = time.monotonic()
    async for subject in desk.live.changes():
        is_for_others = subject.startswith("run ") and subject != f"run {run}"
        if subject and not is_for_others and await _may_hear(desk, who, subject):
            yield f"event: change\ndata: {subject}\n\n"
        elif subject and time.monotonic() - told < _SILENCE_S:
            continue
        else:  # nothing for a while, or nothing for this reader, who learns that the line is alive
            yield "event: alive\ndata: \n\n"
        told = time.monotonic()


async def _may_hear(desk: FrontDesk, who: Person, subject: str) -> bool:
    """Of requests that one may not see one does not hear either."""
    kind, _, name = subject.partition(" ")
    if who.works_in_the_lab or kind not in ("request", "run"):
        return True
    register: Any = desk.register
    try:
        return who.sees(await run_in_threadpool(_owners, register, kind, name))
    except LabError:
        return False


@lru_cache(maxsize=10_000)
def _owners(register: Register, kind: str, name: str) -> dict[str, Any]:
    """Whose a request is: that never changes, and every reader is asked about every event."""
    row = register.by_number(name) if kind == "request" else register.get(name)
    return {"submitted_by": row["submitted_by"], "twin": row["twin"]}
