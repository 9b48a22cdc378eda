"""The trigger that waits for a physical bench: one triggerer watches many, and no worker slot is held."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from twinbench.workflow.bench_watch import BenchWatch

__all__ = ["BenchTrigger"]

_LOOK_EVERY_S = 2.0


class BenchTrigger(BaseTrigger):
    """Watches a bench while it carries out its order; fires with the outcome.

    A triggerer that takes this over from another one goes on with the same command. Somebody who clears or ends the
    waiting task has the bench told to abort.

    Args:
        request_uuid: The request.
        bench: The bench.
    """

    def __init__(self, *, request_uuid: str, bench: str) -> None:
        super().__init__()
        self.request_uuid, self.bench = request_uuid, bench

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Where this class is, and its arguments."""
        place = f"{type(self).__module__}.{type(self).__qualname__}"
        return place, {"request_uuid": self.request_uuid, "bench": self.bench}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch; what blocks runs on threads."""
        from twinbench.core.errors import LabError

        try:
            outcome = await self._watch()
        except LabError as error:
            outcome = {"event": "silent", "reason": str(error), "runs": []}
        yield TriggerEvent(outcome)

    async def _watch(self) -> dict[str, Any]:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        watch = await asyncio.to_thread(self._open, lambda: loop.call_soon_threadsafe(ended.set))
        try:
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), timeout=_LOOK_EVERY_S)
                await asyncio.to_thread(watch.look)
        finally:
            await asyncio.to_thread(watch.__exit__)
        return dict(watch.outcome or {})

    def _open(self, on_outcome: Any) -> BenchWatch:
        from twinbench.orchestration.opening import open_lab
        from twinbench.workflow.bench_watch import BenchWatch

        return BenchWatch(open_lab(), self.request_uuid, self.bench, on_outcome=on_outcome).__enter__()

    async def on_kill(self) -> None:
        """Have the bench abort."""
        from twinbench.orchestration.opening import open_lab
        from twinbench.workflow.physical_bench import abort_physical

        await asyncio.to_thread(lambda: abort_physical(open_lab(), self.request_uuid, self.bench))
