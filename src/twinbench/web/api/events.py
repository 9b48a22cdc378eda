"""What changes, as server-sent events: which request or bench, and nothing more; what it is now is asked for again.

So rights are checked where the data are, and an event is a few bytes.
"""

from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from twinbench.core.access import Person
from twinbench.core.errors import LabError
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.front_desk import FrontDesk, Register

__all__ = ["router"]

router = APIRouter(tags=["events"])


@router.get("/events", response_class=StreamingResponse)
@router.get("/api/v1/events", response_class=StreamingResponse)
async def stream(desk: Desk, who: Who) -> StreamingResponse:
    """``event: change`` with ``request TR-000042`` or ``bench cycler-1``, as long as one listens."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(desk, who), media_type="text/event-stream", headers=headers)


async def _lines(desk: FrontDesk, who: Person) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    async for subject in desk.live.changes():
        if subject and await _may_hear(desk, who, subject):
            yield f"event: change\ndata: {subject}\n\n"
        else:  # nothing for a while, or nothing for this reader, who learns that the line is alive
            yield "event: alive\ndata: \n\n"


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
