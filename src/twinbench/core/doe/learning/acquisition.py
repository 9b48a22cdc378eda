"""What a run at each candidate is worth, as a surrogate sees it.

    variance removed       from the prediction of all candidates, on average: for learning
    expected improvement   over the best run: for optimising

Sources: for the first Cohn, Neural Networks 9 (1996) 1071, and Seo et al., IJCNN 2000; for the second Jones et al., J.
Global Optim. 13 (1998) 455.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.learning.surrogate import Surrogate

__all__ = ["expected_improvement", "variance_removed"]

Array = NDArray[np.float64]

_MOST_COMPARED = 512  # candidates that stand for all where each is compared with each
_LEAST = 1e-12  # of the range squared: a variance below is none


def variance_removed(surrogates: Sequence[Surrogate], ranges: Sequence[float], candidates: Array) -> Array:
    """How much less the mean squared error of the prediction is expected to be, summed over the responses.

    Args:
        surrogates: Of each response.
        ranges: What each response's error is measured by; a response without one does not count.
        candidates: Shape (m, k).

    Returns:
        Shape (m,), in squared ranges.
    """
    space = candidates[:: max(1, math.ceil(len(candidates) / _MOST_COMPARED))]
    removed = np.zeros(len(candidates))
    for surrogate, span in zip(surrogates, ranges, strict=True):
        if span > 0:
            variance = surrogate.predict(candidates)[1] ** 2 + surrogate.noise**2
            shared = surrogate.covariance(candidates, space)
            removed += np.mean(shared**2, axis=1) / np.maximum(variance, _LEAST * span**2) / span**2
    return removed


def expected_improvement(surrogate: Surrogate, candidates: Array, *, sign: float) -> Array:
    """How much better than the best run each candidate is expected to be, never below 0, shape (m,).

    The best run is the one whose *expected* response is best, so that noise does not count as luck.

    Args:
        surrogate: Of the response.
        candidates: Shape (m, k).
        sign: 1 if larger is better, -1 if smaller is.
    """
    from scipy.special import ndtr

    mean, deviation = surrogate.predict(candidates)
    ahead = sign * mean - float((sign * surrogate.predict(surrogate.points)[0]).max())
    score = ahead / np.maximum(deviation, np.finfo(float).tiny)
    density = np.exp(-0.5 * np.minimum(np.abs(score), 38.0) ** 2) / math.sqrt(2 * math.pi)
    return np.asarray(np.maximum(ahead * ndtr(score) + deviation * density, 0.0))
