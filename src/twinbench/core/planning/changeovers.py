"""Times of changing a bench over from one family of jobs to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

__all__ = ["Table", "is_metric"]

Table = Mapping[tuple[str, str], int]
"""Minutes from one family to another; what is not in it takes no time."""


def is_metric(table: Table, families: Iterable[str]) -> bool:
    """Whether no changeover takes longer than two that lead to the same family.

    If so, a job that is taken out never leaves too little time between those before and after it.
    """
    names = list(families)
    time = {(a, b): table.get((a, b), 0) for a, b in product(names, names)}
    return all(time[a, c] <= time[a, b] + time[b, c] for a, b, c in product(names, names, names))
