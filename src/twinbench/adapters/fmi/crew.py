"""Runs many points of one bundle on several processes, in spite of FMUs that crash, hang or fail.

A point that goes wrong is a result like the others, with the reason and the FMU's own log. Results come in the order of
the points; the rows of a run come while it goes on.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from twinbench.adapters.fmi.session import ModelSet
from twinbench.adapters.fmi.slots import Slot
from twinbench.core.cosim import Block, Outcome, Point, PointResult

__all__ = ["Crew"]

OnBlock = Callable[[int, Block], None]

_POLL_S = 0.05
_PROOF_S = 20.0
_MOST_LINES = 200
_LOOK_AHEAD = 8  # points per worker that are handed out before an earlier one is over
_GREED = 2  # times the memory that a process may keep, while it runs a point
_DEPTH_S = 0.05  # work a worker has in advance


class Crew:
    """Worker processes for one set of models; to be used in a ``with`` statement.

    Args:
        models: The FMUs.
        workers: Processes.
        deadline_s: Time a point may take before its process is killed.
        memory_bytes: A process that has more resident memory after a point is replaced.
    """

    def __init__(
        self, models: ModelSet, *, workers: int, deadline_s: float = 3600.0, memory_bytes: int = 2 << 30
    ) -> None:
        self._models, self._deadline_s, self._memory_bytes = models, deadline_s, memory_bytes
        self._workers = max(1, workers)
        self._stack = ExitStack()
        self._slots: list[_Place] = []
        self.ways_back: dict[str, str] = {}

    def __enter__(self) -> Crew:
        scratch = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="twinbench-crew-")))
        self._slots = [_Place(Slot(scratch)) for _ in range(self._workers)]
        for place in self._slots:
            self._stack.callback(place.slot.stop)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(
        self,
        points: Sequence[Point],
        *,
        on_block: OnBlock = lambda number, block: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[PointResult]:
        """Run points.

        Args:
            points: What is run, each with a number of its own.
            on_block: Is told each block of rows as it comes, with the number of its point; points run side by side.
            cancelled: Asked several times a second; what runs is then ended.

        Yields:
            One result for each point, in their order.
        """
        if not points:
            return
        if not self.ways_back:
            if len(points) > self._workers:
                self._prove(points[0], cancelled)
            else:  # each process is used once
                self.ways_back = {model.name: "process" for model in self._models.models}
        self._waiting, self._over, self._on_block = deque(points), dict[int, PointResult](), on_block
        for position, point in enumerate(points):
            while point.number not in self._over:
                if cancelled():
                    self._cancel()
                    for left in points[position:]:
                        yield self._over.get(left.number) or PointResult(left.number, "cancelled", "cancelled")
                    return
                self._hand_out(len(points) - position - _LOOK_AHEAD * self._workers)
                self._listen()
            yield self._over.pop(point.number)

    def _prove(self, first: Point, cancelled: Callable[[], bool]) -> None:
        """Find out how each FMU gets back to a fresh state; one that crashes meanwhile needs a new process."""
        place = self._slots[0]
        names = [model.name for model in self._models.models]
        while left := [name for name in names if name not in self.ways_back]:
            at = left[0]
            asked = ("prove", self._models, tuple(left), first.start_values, first.experiment)
            place.slot.send(*asked, within_s=min(_PROOF_S, self._deadline_s))
            while (said := self._next(place, cancelled)) is not None and said[0] != "end":
                if said[0] == "proving":
                    at = said[1]
                elif said[0] == "proven":
                    self.ways_back[said[1]] = said[2]
            if said is None:
                self.ways_back[at] = "process"
            place.slot.stop()

    def _next(self, place: _Place, cancelled: Callable[[], bool]) -> tuple[Any, ...] | None:
        """What a worker says next; None if it died or its time is over."""
        while not place.slot.is_late and not cancelled():
            if wait([place.slot.line], _POLL_S):
                return place.slot.receive()
        return None

    def _hand_out(self, keep: int) -> None:
        """Give workers something to do, and keep so many points back."""
        for place in self._slots:
            while self._waiting and len(self._waiting) > keep and len(place.points) < self._depth(place):
                if not place.slot.is_running:
                    place.slot.send("open", self._models, self.ways_back)
                place.add(self._waiting.popleft(), self._deadline_s)

    def _depth(self, place: _Place) -> int:
        """How many points a worker has: quick ones several, so that it need not wait for the next."""
        if "process" in self.ways_back.values():
            return 1
        return max(1, min(_LOOK_AHEAD, int(_DEPTH_S / max(place.last_s, 1e-9))))

    def _listen(self) -> None:
        busy = {place.slot.line: place for place in self._slots if place.points}
        for line in wait(list(busy), _POLL_S):
            place = busy[line]  # type: ignore[index]
            while place.points and (place.slot.line.closed or place.slot.line.poll()):
                self._take(place, place.slot.receive())
        for place in busy.values():
            if place.points and place.slot.is_late:
                self._lose(place, "timeout", f"took longer than {self._deadline_s:g} s: its process was killed")
            elif place.points and place.slot.resident_bytes > _GREED * self._memory_bytes:
                place.slot.deadline_s = -math.inf
                used_GB = _GREED * self._memory_bytes / 1e9
                self._lose(place, "crashed", f"used more than {used_GB:.1f} GB of memory: its process was killed")

    def _take(self, place: _Place, said: tuple[Any, ...] | None) -> None:
        match said:
            case None:
                self._lose(place, "crashed", "its process was lost")
            case ("log", line):
                place.log.append(line)
            case ("block", block):
                self._on_block(place.points[0].number, block)
            case ("end", status, message, outcome, is_usable):
                self._finish(place, status, message, outcome)
                if not is_usable or place.slot.resident_bytes > self._memory_bytes:
                    self._waiting.extendleft(reversed(place.points))
                    place.points.clear()
                    place.slot.stop()

    def _finish(self, place: _Place, status: str, message: str, outcome: Outcome | None) -> None:
        point = place.points.popleft()
        now_s = time.monotonic()
        place.last_s = now_s - place.begun_s
        self._over[point.number] = PointResult(
            point.number, status, message, outcome, tuple(place.log), self.ways_back, place.last_s
        )
        place.begun_s, place.slot.deadline_s = now_s, now_s + self._deadline_s
        place.log.clear()

    def _lose(self, place: _Place, status: str, message: str) -> None:
        """The process of a point is lost; the points that waited for it are handed out again."""
        how = place.slot.stop()
        self._finish(place, status, f"{message} ({how})" if how else message, None)
        self._waiting.extendleft(reversed(place.points))
        place.points.clear()
        place.last_s = 0.0 if status == "cancelled" else self._deadline_s

    def _cancel(self) -> None:
        for place in self._slots:
            if place.points:
                place.slot.deadline_s = -math.inf
                self._lose(place, "cancelled", "cancelled")


@dataclass
class _Place:
    """A slot and the points it has been given; it works on the first."""

    slot: Slot
    points: deque[Point] = field(default_factory=deque)
    begun_s: float = 0.0
    last_s: float = math.inf
    log: deque[str] = field(default_factory=lambda: deque(maxlen=_MOST_LINES))

    def add(self, point: Point, deadline_s: float) -> None:
        """Give it one more."""
        if not self.points:
            self.begun_s = time.monotonic()
        until_s = self.slot.deadline_s
        self.slot.send("run", point, within_s=deadline_s)
        if self.points:
            self.slot.deadline_s = until_s
        self.points.append(point)
