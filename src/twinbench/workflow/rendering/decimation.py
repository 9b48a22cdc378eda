"""Fewer points for a plot, none of the extremes lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["decimate"]

_FEWEST = 4


def decimate(values: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Choose which samples to draw: the first, the last, and lowest and highest of each of equal stretches.

    Values that are no number draw as a gap; a gap shorter than a stretch may close.

    Args:
        values: Shape (n,).
        most: Number of samples to keep at most, 4 or more.

    Returns:
        Increasing indices, all of them if there are no more than *most*.
    """
    count = len(values)
    if most < _FEWEST:
        raise ValueError(f"{most} points cannot hold a line's ends and extremes: allow {_FEWEST} or more.")
    if count <= most:
        return np.arange(count)
    stretches = (most - 2) // 2
    edges = np.linspace(0, count, stretches + 1).astype(np.intp)
    number = np.isfinite(values)
    low, high = np.where(number, values, np.inf), np.where(number, values, -np.inf)
    kept = [
        start + int(pick(part[start:end]))
        for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        for pick, part in ((np.argmin, low), (np.argmax, high))
    ]
    return np.unique(np.array([0, *kept, count - 1], dtype=np.intp))
