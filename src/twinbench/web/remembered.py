"""Answers that were just made, for whoever asks the same at the same moment.

Many look at the same page, and each change in the lab has all of them ask for it anew. What one person is told at an
address is the same until something changes, so it is made once: those who ask meanwhile wait for that one. It is kept
for some seconds at most, since times pass as well; while the database does not tell its changes, for one. It is also
packed once, not for everyone anew.
"""

import asyncio
import gzip
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from twinbench.core.access import Person
from twinbench.workflow.front_desk import FrontDesk

__all__ = ["remembered"]

_KEPT_S, _UNSURE_S = 5.0, 1.0
_MOST = 256
_WORTH_PACKING_BYTES = 1024
_LEVEL = 5  # packs as well as higher ones do, in half the time


@dataclass(frozen=True)
class _Answer:
    """An answer as it was made, and packed for those who unpack."""

    plain: Response
    packed: bytes | None

    @classmethod
    def made_by(cls, make: Callable[[], Response]) -> "_Answer":
        plain = make()
        is_long = len(plain.body) >= _WORTH_PACKING_BYTES
        return cls(plain, gzip.compress(plain.body, _LEVEL) if is_long else None)

    def copy(self, request: Request) -> Response:
        """Another one of it, for one who asks."""
        plain, headers = self.plain, _kept_headers(self.plain)
        if self.packed is None or "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(plain.body, plain.status_code, headers, plain.media_type)
        headers |= {"content-encoding": "gzip", "vary": "Accept-Encoding"}
        return Response(self.packed, plain.status_code, headers, plain.media_type)


class _Shelf:
    """Answers by what was asked, the latest ones."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[float, asyncio.Future[_Answer]]] = OrderedDict()

    async def answer(self, asked: Hashable, make: Callable[[], Response], kept_s: float) -> _Answer:
        """The answer that is there, or the one that is made now."""
        made_at, known = self._kept.get(asked, (0.0, None))
        if known is None or time.monotonic() - made_at > kept_s or known.get_loop() is not asyncio.get_running_loop():
            known = asyncio.ensure_future(run_in_threadpool(_Answer.made_by, make))
            known.add_done_callback(lambda done: self._forget_failure(asked, done))
            self._kept[asked] = (time.monotonic(), known)
            self._kept.move_to_end(asked)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return await asyncio.shield(known)

    def _forget_failure(self, asked: Hashable, done: asyncio.Future[_Answer]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._kept.pop(asked, None)


async def remembered(request: Request, desk: FrontDesk, who: Person, make: Callable[[], Response]) -> Response:
    """What *make* answers, once for all who ask the same until something changes."""
    state: Any = request.app.state
    if not hasattr(state, "shelf"):
        state.shelf = _Shelf()
    version = (desk.live.version(), state.writes)
    asked = (who, request.url.path, request.url.query, request.headers.get("accept", ""), version)
    kept_s = _KEPT_S if desk.live.connected().get("database") else _UNSURE_S
    answer: _Answer = await state.shelf.answer(asked, make, kept_s)
    return answer.copy(request)


def _kept_headers(made: Response) -> dict[str, str]:
    return {name: value for name, value in made.headers.items() if name not in ("content-length", "content-type")}
