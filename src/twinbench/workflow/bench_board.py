"""The bench board: which bench does what, now and next; where is room, what is out of service, who is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from twinbench.core.access import Action, Person
from twinbench.core.booking import Booking, Closure
from twinbench.core.catalogue import Bench
from twinbench.core.errors import RequestError, UnknownError
from twinbench.core.suggestion import did_you_mean
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.lab import Document

__all__ = ["BenchLine", "bench_board", "bench_line", "close_bench", "reopen_bench"]

_FAR = datetime(9999, 1, 1, tzinfo=UTC)
_LONGEST_CLOSURE = timedelta(days=3653)


@dataclass(frozen=True)
class BenchLine:
    """One bench on the board.

    Attributes:
        bookings: What holds it from now on, by start; other people's requests are among them.
        closures: When it is out of service, from now on.
        word: What a physical bench said last, with ``heard_at``; empty if nothing.
    """

    bench: Bench
    bookings: Sequence[Booking]
    closures: Sequence[Closure]
    word: Mapping[str, Any]
    now: datetime

    @property
    def closed(self) -> Closure | None:
        """Why it is out of service at the moment."""
        now = self.now
        return next((one for one in self.closures if one.start <= now and (one.end is None or now < one.end)), None)

    @property
    def current(self) -> Booking | None:
        """What it does."""
        running = [one for one in self.bookings if one.state.begun]
        held = [one for one in self.bookings if one.start <= self.now < one.end]
        return next(iter([*running, *held]), None)

    @property
    def following(self) -> Booking | None:
        """What it does next."""
        return next((one for one in self.bookings if one is not self.current), None)

    @property
    def liveness(self) -> str:
        """``online``, ``offline`` or ``unknown``; a virtual bench is wherever a task runs, so it is always there."""
        if self.bench.kind == "virtual":
            return "online"
        if not self.word:
            return "unknown"
        return "offline" if self.word.get("state") == "offline" else "online"

    @property
    def state(self) -> str:
        """In one word: closed, offline, busy, free or unknown."""
        if self.closed:
            return "closed"
        if self.liveness in ("offline", "unknown"):
            return self.liveness
        return "busy" if self.current else "free"

    @property
    def free_at(self) -> datetime:
        """When it could take something more."""
        free = self.now
        held = [(one.start, one.end) for one in self.bookings] + [(one.start, one.end or _FAR) for one in self.closures]
        for start, end in sorted(held):
            if start <= free + timedelta(minutes=1):
                free = max(free, end)
        return free


def bench_board(desk: FrontDesk) -> list[BenchLine]:
    """All benches, in the catalogue's order."""
    lab, now = desk.lab, desk.lab.now()
    bookings, closures = lab.bookings.active(after=now), lab.bookings.closures(after=now)
    words = desk.live.bench_states()
    return [
        BenchLine(
            bench,
            [one for one in bookings if one.bench == bench.name],
            [one for one in closures if one.bench == bench.name],
            words.get(bench.name, {}),
            now,
        )
        for bench in lab.catalogue.benches
    ]


def bench_line(desk: FrontDesk, name: str) -> BenchLine:
    """One bench.

    Raises:
        UnknownError: If there is none of that name.
    """
    lines = {line.bench.name: line for line in bench_board(desk)}
    if name not in lines:
        raise UnknownError(f"There is no bench {name!r}: {did_you_mean(name, lines)}")
    return lines[name]


def close_bench(desk: FrontDesk, who: Person, name: str, *, reason: str, until: datetime | None = None) -> Document:
    """Take a bench out of service from now on, and have the lab planned again around it.

    Raises:
        RequestError: If no reason is given, or it would be back before now, or after ten years.
    """
    who.require(Action.CLOSE_BENCH)
    bench_line(desk, name)
    now = desk.lab.now()
    if not reason.strip():
        raise RequestError(f"Bench {name} is taken out of service for no reason: say one.")
    if until is not None and (until.tzinfo is None or not now < until < now + _LONGEST_CLOSURE):
        raise RequestError(
            f"Bench {name} cannot be back at {until}: give a moment to come, with its time zone, or none if it is out "
            "of service until further notice."
        )
    laid_over = desk.lab.bookings.close(name, now, until, reason=reason, by=who.id, at=now)
    desk.note(who, "take out of service", name, reason=reason, until=until and until.isoformat())
    run = desk.airflow.replan({"bench": "", "reason": "", "until": None}) if laid_over else ""
    return {"bench": name, "reason": reason, "until": until, "laid_over": len(laid_over), "replanning": run}


def reopen_bench(desk: FrontDesk, who: Person, name: str) -> list[Closure]:
    """Put a bench back into service.

    Raises:
        RequestError: If it is in service.
    """
    who.require(Action.CLOSE_BENCH)
    bench_line(desk, name)
    ended = desk.lab.bookings.reopen(name, at=desk.lab.now())
    if not ended:
        raise RequestError(f"Bench {name} is in service: there is nothing to end.")
    desk.note(who, "put back into service", name, reasons=[one.reason for one in ended])
    return ended
