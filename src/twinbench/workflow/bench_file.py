"""The file of one bench: what it does and will do, what it did, when it was out of service, what it said last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from twinbench.core.access import Action, Person
from twinbench.core.booking import Booking, Closure
from twinbench.workflow.bench_board import BenchLine, bench_line
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.lab import Document

__all__ = ["BenchFile", "bench_messages", "open_bench"]


@dataclass(frozen=True)
class BenchFile:
    """One bench, as far as the lab knows it.

    Attributes:
        line: As it stands on the board: now and next.
        past: Bookings that are over, the newest first.
        closures: When it was, is and will be out of service, the newest first.
    """

    line: BenchLine
    past: Sequence[Booking]
    closures: Sequence[Closure]

    @property
    def now(self) -> datetime:
        """The time of all that is told."""
        return self.line.now

    def is_over(self, closure: Closure) -> bool:
        """Whether it is back in service since."""
        return closure.end is not None and closure.end <= self.now


def open_bench(desk: FrontDesk, name: str) -> BenchFile:
    """The file of a bench.

    Raises:
        UnknownError: If there is none of that name.
    """
    return BenchFile(bench_line(desk, name), desk.past.bookings(name), desk.past.closures(name))


def bench_messages(desk: FrontDesk, who: Person, name: str) -> list[Document]:
    """The last message of each kind that a bench has sent, the newest first.

    Raises:
        UnknownError: If there is no such bench.
        ForbiddenError: If the person does not work in the lab: they tell of everybody's runs.
    """
    bench_line(desk, name)
    who.require(Action.READ_BENCHES)
    return desk.live.bench_messages(name)
