"""When there is how much of something, if nobody takes any, and whether there is enough of it for long enough."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from twinbench.core.planning.calendars import joined
from twinbench.core.planning.problem import FAR_MIN, Bench, Resource

__all__ = ["Openings", "levels", "of_bench", "of_resource"]


class Openings:
    """Windows of time in order and apart."""

    def __init__(self, windows: Iterable[tuple[int, int]]) -> None:
        self._windows = list(windows)
        self._ends = [end for _, end in self._windows]

    def have(self, length_min: int, since_min: int, until_min: int) -> bool:
        """Whether one of them is open so long between two times."""
        for start, end in self._windows[bisect_right(self._ends, since_min) :]:
            if min(end, until_min) - max(start, since_min) >= length_min:
                return True
            if start >= until_min:
                break
        return False

    def longest_min(self, since_min: int, until_min: int) -> int:
        """How long one of them is open at most between two times."""
        return max([0, *(min(end, until_min) - max(start, since_min) for start, end in self._windows)])


def of_bench(bench: Bench) -> Openings:
    """When a bench is not closed."""
    return of_resource(Resource(bench.name, closed=tuple((start, end, 1) for start, end in bench.closed)), 1)


def of_resource(resource: Resource, amount: int) -> Openings:
    """When there is so much of a resource, if nobody takes any."""
    steps = levels(resource)
    ends = [*(time for time, _ in steps[1:]), FAR_MIN]
    return Openings(joined((start, end) for (start, left), end in zip(steps, ends, strict=True) if left >= amount))


def levels(resource: Resource) -> list[tuple[int, int]]:
    """How much there is of a resource if nobody takes any: from when and how much, the first from long ago."""
    changes: dict[int, int] = {-FAR_MIN: 0 if resource.open is not None else resource.capacity}
    for start, end in joined(resource.open or ()):
        changes[start] = changes.get(start, 0) + resource.capacity
        changes[end] = changes.get(end, 0) - resource.capacity
    for start, end, missing in resource.closed:
        changes[start] = changes.get(start, 0) - missing
        changes[end] = changes.get(end, 0) + missing
    left = 0
    steps: list[tuple[int, int]] = []
    for time in sorted(changes):
        left += changes[time]
        if not steps or steps[-1][1] != max(0, left):
            steps.append((time, max(0, left)))
    return steps
