"""Working hours as windows of minutes: weekdays, hours of the day, holidays, in the lab's own time zone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from twinbench.core.errors import PlanError

__all__ = ["WEEKDAYS", "Hours", "joined", "minutes_after", "open_windows"]

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Hours:
    """From when to when somebody is there on some days of the week; an end of 00:00 is midnight."""

    days: tuple[str, ...]
    start: time
    end: time

    def __post_init__(self) -> None:
        unknown = [day for day in self.days if day not in WEEKDAYS]
        if unknown or not self.days:
            raise PlanError(
                f"Working hours have days {', '.join(unknown) or 'none'}: give some of {', '.join(WEEKDAYS)}."
            )
        if self.end != time(0) and self.start >= self.end:
            raise PlanError(f"Working hours from {self.start:%H:%M} to {self.end:%H:%M}: give an end after the start.")


def open_windows(
    hours: Iterable[Hours], *, origin: datetime, days: int, zone: ZoneInfo, holidays: Collection[date] = ()
) -> tuple[tuple[int, int], ...]:
    """Windows of minutes after the origin, those that touch joined; a day with a change of clocks keeps its wall times.

    Args:
        hours: When it is open.
        origin: Minute 0; with time zone.
        days: How many days from the origin on.
        zone: The lab's time zone.
        holidays: Days of that zone on which it is closed.
    """
    first = origin.astimezone(zone).date() - timedelta(days=1)
    windows: list[tuple[int, int]] = []
    for number in range(days + 2):
        day = first + timedelta(days=number)
        if day in holidays:
            continue
        for entry in hours:
            if WEEKDAYS[day.weekday()] in entry.days:
                end_day = day + timedelta(days=1) if entry.end == time(0) else day
                start = minutes_after(origin, datetime.combine(day, entry.start, zone))
                end = minutes_after(origin, datetime.combine(end_day, entry.end, zone))
                windows.append((start, end))
    # An hour that the clocks leave out is no window.
    return joined((max(0, start), end) for start, end in windows if end > max(0, start))


def joined(windows: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The same windows in order, those that overlap or touch as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(windows):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def minutes_after(origin: datetime, moment: datetime) -> int:
    """Whole minutes from the origin to a moment, a begun minute counted; both have a time zone."""
    return -int((origin.astimezone(UTC) - moment.astimezone(UTC)).total_seconds() // 60)
