"""When there is enough of something: windows between closures, and whether one of them is long enough."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable

from twinbench.core.planning.problem import FAR_MIN, Bench, Resource

__all__ = ["Openings", "of_bench", "of_resource"]


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
    changes: dict[int, int] = defaultdict(int)
    for start, end in ((-FAR_MIN, FAR_MIN),) if resource.open is None else resource.open:
        changes[start] += resource.capacity
        changes[end] -= resource.capacity
    for start, end, missing in resource.closed:
        changes[start] -= missing
        changes[end] += missing
    windows: list[tuple[int, int]] = []
    left, since = 0, None
    for time in sorted(changes):
        left += changes[time]
        if since is None and left >= amount:
            since = time
        elif since is not None and left < amount:
            windows.append((since, time))
            since = None
    return Openings(windows)
