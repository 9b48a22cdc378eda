"""Timetables as SVG: a lane per bench, a bar per interval, a line where it is now. Drawn in text, without a library.

A lane may stand under another one, as what was stands under what was planned. What goes on has no right edge.

The page's style sheet gives the colours (classes ``bar-running`` and so on), so the picture is right in light and dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

__all__ = ["Bar", "Lane", "gantt_svg"]

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW, _BAR = 960, 110, 12, 26, 30, 20
_LETTER = 7.0  # width of one, roughly
_STEPS = (
    *(timedelta(minutes=m) for m in (1, 2, 5, 10, 30)),
    *(timedelta(hours=h) for h in (1, 2, 4, 8, 12)),
    *(timedelta(days=d) for d in (1, 2, 7, 14, 28, 91, 364)),
)
_MOST_TICKS = 8


@dataclass(frozen=True)
class Bar:
    """One interval; without an end it goes on for ever, and if it *goes on* its end is as far as it has come."""

    start: datetime
    end: datetime | None
    state: str
    text: str = ""
    title: str = ""
    href: str = ""
    goes_on: bool = False


@dataclass(frozen=True)
class Lane:
    """What one bench does; *under* the lane above, it belongs to that one and its name is a remark."""

    name: str
    bars: Sequence[Bar]
    under: bool = False


def gantt_svg(lanes: Sequence[Lane], *, now: datetime, label: str, zone: str, least: timedelta | None = None) -> Markup:
    """A picture of all lanes, from the first bar to the last.

    Args:
        lanes: Top to bottom.
        now: Where the line is, if it lies within.
        label: What it shows, for people who cannot see it.
        zone: In which times are told.
        least: How much time is shown from now on at least.
    """
    starts = [bar.start for lane in lanes for bar in lane.bars] or [now]
    ends = [bar.end or now for lane in lanes for bar in lane.bars] or [now]
    first = min([*starts, *([now] if least else [])])
    last = max([*ends, first + timedelta(minutes=1), *([now + least] if least else [])])
    tops = _tops(lanes)
    height = (tops[-1] if tops else _TOP) + _ROW + 4

    def x(moment: datetime) -> float:
        share = (moment - first) / (last - first)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(1.0, max(0.0, share))

    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="group" '
        f'aria-label="{escape(label)}">'
    ]
    for moment, text in _ticks(first, last, ZoneInfo(zone)):
        parts.append(f'<path class="grid" d="M{x(moment):.1f} {_TOP - 6}V{height - 4}"/>')
        parts.append(f'<text class="soft" x="{x(moment):.1f}" y="12" text-anchor="middle">{text}</text>')
    for y, lane in zip(tops, lanes, strict=True):
        parts.append(f'<rect class="lane" x="{_LEFT}" y="{y}" width="{_WIDTH - _LEFT - _RIGHT}" height="{_ROW - 4}"/>')
        kind = ' class="soft"' if lane.under else ""
        parts.append(f'<text{kind} x="{12 if lane.under else 0}" y="{y + 17}">{escape(lane.name)}</text>')
        parts += [_drawn(bar, x(bar.start), x(bar.end or last), y) for bar in lane.bars]
    if first <= now <= last:
        parts.append(f'<path class="now-line" d="M{x(now):.1f} {_TOP - 8}V{height - 4}"/>')
        beside = f'x="{x(now) + 4:.1f}"' if x(now) < _WIDTH - 40 else f'x="{x(now) - 4:.1f}" text-anchor="end"'
        parts.append(f'<text class="now-text" {beside} y="{_TOP - 2}">now</text>')
    return Markup("".join(parts) + "</svg>")


def _tops(lanes: Sequence[Lane]) -> list[int]:
    """Where each lane begins: one that stands under another touches it."""
    found, y = list[int](), _TOP - _ROW
    for lane in lanes:
        y += _ROW - 4 if lane.under else _ROW
        found.append(y)
    return found


def _drawn(bar: Bar, left: float, right: float, y: float) -> str:
    width = max(2.0, right - left)
    fits = bar.text and len(bar.text) * _LETTER < width - 6
    title = f"<title>{escape(bar.title or bar.text)}</title>"
    kind = f'class="bar bar-{escape(bar.state)}"'
    if bar.goes_on:
        edge = f"M{left + width:.1f} {y + 3}H{left:.1f}v{_BAR}h{width:.1f}"
        drawn = f'<path {kind} d="{edge}">{title}</path>'
    else:
        box = f'x="{left:.1f}" y="{y + 3}" width="{width:.1f}" height="{_BAR}" rx="2"'
        drawn = f"<rect {kind} {box}>{title}</rect>"
    if fits:
        drawn += f'<text x="{left + width / 2:.1f}" y="{y + 17}" text-anchor="middle">{escape(bar.text)}</text>'
    return f'<a href="{escape(bar.href)}" aria-label="{escape(bar.title)}">{drawn}</a>' if bar.href else drawn


def _ticks(first: datetime, last: datetime, zone: ZoneInfo) -> list[tuple[datetime, str]]:
    span = last - first
    years = _STEPS[-1] * -(-span // (_STEPS[-1] * _MOST_TICKS))  # as many as it takes
    step = next((step for step in _STEPS if span / step <= _MOST_TICKS), years)
    midnight = first.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    moment = midnight + step * int((first - midnight) / step + 1)
    form = "%d %b" if step >= timedelta(days=1) else ("%d %b %H:%M" if span > timedelta(days=1) else "%H:%M")
    form = "%b %Y" if step > timedelta(days=28) else form
    found = []
    while moment <= last:
        found.append((moment, f"{moment.astimezone(zone):{form}}"))
        moment += step
    return found
