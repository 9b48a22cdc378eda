"""How well responses are known, round after round, as a picture: one line each, and the limit at which it ends."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

__all__ = ["error_svg"]

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 520, 220, 56, 16, 14, 40
_SERIES = 6  # that the style sheet has colours for
_LEAST = 1e-9
_MOST_TICKS, _MOST_ROUNDS = 6, 16


def error_svg(series: Mapping[str, Sequence[tuple[int, float]]], *, limit: float | None, label: str) -> Markup:
    """A picture of errors over rounds.

    Args:
        series: Response -> its points, number of the round and error in percent.
        limit: The error at which it ends, in percent; None if none does.
        label: What it shows, for people who cannot see it.
    """
    axes = _Axes.around([point for line in series.values() for point in line], limit)
    drawn = [_grid(axes), _goal(axes, limit)]
    drawn += [_line(axes, name, line, place % _SERIES + 1) for place, (name, line) in enumerate(series.items()) if line]
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    return Markup(f'<svg class="fits" {size} role="img" aria-label="{escape(label)}">{"".join(drawn)}</svg>')


@dataclass(frozen=True)
class _Axes:
    """From the first round to the last, and from no error to the largest."""

    first: int
    last: int
    top: float

    @classmethod
    def around(cls, points: Sequence[tuple[int, float]], limit: float | None) -> "_Axes":
        rounds = [number for number, _ in points] or [1]
        first = min(rounds)
        return cls(first, max(*rounds, first + 1), 1.08 * max([*(error for _, error in points), limit or 0.0, _LEAST]))

    def x(self, number: float) -> float:
        return _LEFT + 12 + (_WIDTH - _LEFT - _RIGHT - 24) * (number - self.first) / (self.last - self.first)

    def y(self, error: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - error / self.top)


def _grid(axes: _Axes) -> str:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - 22
    rows = [
        f'<path class="grid" d="M{_LEFT} {axes.y(error):.1f}H{right}"/>'
        f'<text class="soft" x="{_LEFT - 6}" y="{axes.y(error) + 4:.1f}" text-anchor="end">{error:g} %</text>'
        for error in _ticks(axes.top)
    ]
    columns = [
        f'<text class="soft" x="{axes.x(number):.1f}" y="{bottom}" text-anchor="middle">{number}</text>'
        for number in _thinned(range(axes.first, axes.last + 1))
    ]
    return (
        f'{"".join([*rows, *columns])}<text class="soft" x="{right}" y="{_HEIGHT - 6}" text-anchor="end">round</text>'
    )


def _goal(axes: _Axes, limit: float | None) -> str:
    if limit is None:
        return ""
    right, y = _WIDTH - _RIGHT, axes.y(limit)
    return (
        f'<rect class="goal" x="{_LEFT}" y="{y:.1f}" width="{right - _LEFT}" height="{axes.y(0) - y:.1f}"/>'
        f'<path class="goal-line" d="M{_LEFT} {y:.1f}H{right}"/>'
        f'<text class="soft" x="{right - 4}" y="{y - 5:.1f}" text-anchor="end">ends below {limit:g} %</text>'
    )


def _line(axes: _Axes, name: str, line: Sequence[tuple[int, float]], colour: int) -> str:
    path = "L".join(f"{axes.x(number):.1f} {axes.y(error):.1f}" for number, error in line)
    dots = [
        f'<circle class="dot series-{colour}" cx="{axes.x(number):.1f}" cy="{axes.y(error):.1f}" r="4">'
        f"<title>{escape(f'{name} after round {number}: {error:.3g} %')}</title></circle>"
        for number, error in line
    ]
    return f'<path class="curve series-{colour}" d="M{path}"/>{"".join(dots)}'


def _ticks(top: float) -> list[float]:
    """Some round values from 0 up: steps of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(top))
    step = next(size for size in (power / 5, power / 2, power, 2 * power) if top / size <= _MOST_TICKS)
    return [round(number * step, 12) for number in range(math.floor(top / step) + 1)]


def _thinned(numbers: range) -> range:
    return numbers[:: -(-len(numbers) // _MOST_ROUNDS)]
