"""The kernel of a surrogate: a straight trend, a smooth deviation from it and noise, over warped factors.

A *shape* holds its numbers, 2 + 2 k of them for k factors, as logarithms: variance of the deviation, k lengths,
variance of the noise, k warps. The response is scaled to mean 0 and variance 1. Points have shape (n, k) and lie in the
unit cube; :func:`covariance` and :func:`variance` take them warped. scikit-learn is imported by :func:`find_shape`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

__all__ = ["JITTER", "covariance", "find_shape", "first_guess", "slopes", "variance", "warp"]

Array = NDArray[np.float64]

JITTER = 1e-10
"""What is added to the diagonal, so that runs at the same point do no harm."""

_STARTS = 3
_MANY_RUNS = 60  # more, and the likelihood has one maximum that counts: one start is enough
_ITERATIONS = 150
_TREND_VARIANCE = 9.0  # of the constant and of each slope, in variances of the response: as good as unknown
_STRAIGHT = 1e-3  # |log a| below this is 1, where the formula has none
# log of variance, lengths, noise, warps: bounds, then mean and standard deviation of the prior
_BOUNDS = ((-7.0, 7.0), (-3.0, 3.4), (-20.0, -1.4), (-5.0, 5.0))
_PRIOR = ((0.0, 2.0), (0.3, 1.0), (-13.8, 3.0), (0.0, 1.5))


def warp(points: Array, warps: Array) -> tuple[Array, Array]:
    """Coordinates about 0 and their derivatives by ``log a``, each of shape (n, k)."""
    bent = np.where(np.abs(warps) < _STRAIGHT, np.copysign(_STRAIGHT, warps), warps)
    part, whole = np.expm1(bent * points), np.expm1(bent)
    return part / whole - 0.5, (points * (part + 1) * whole - part * (whole + 1)) / whole**2


def covariance(first: Array, second: Array, shape: Array) -> Array:
    """Prior covariance of warped points (n, k) and (m, k)."""
    lengths = np.exp(shape[1 : 1 + first.shape[1]])
    distance = np.sqrt(5.0) * cdist(first / lengths, second / lengths)
    smooth = (1 + distance + distance**2 / 3) * np.exp(-distance)
    return np.asarray(np.exp(shape[0]) * smooth + _TREND_VARIANCE * (1 + first @ second.T))


def variance(points: Array, shape: Array) -> Array:
    """Prior variance at warped points, shape (n,)."""
    return np.asarray(np.exp(shape[0]) + _TREND_VARIANCE * (1 + np.einsum("ij,ij->i", points, points)))


def slopes(points: Array, shape: Array) -> Array:
    """Derivatives of the covariance of unwarped points by each number of the shape, noise included, (n, n, 2 + 2 k)."""
    count, factors = points.shape
    lengths, variance = np.exp(shape[1 : 1 + factors]), np.exp(shape[0])
    warped, bending = warp(points, shape[2 + factors :])
    distance = np.sqrt(5.0) * cdist(warped / lengths, warped / lengths)
    by_square = -5 / 6 * variance * (1 + distance) * np.exp(-distance)  # by the scaled distance squared
    slopes = np.empty((count, count, 2 + 2 * factors))
    slopes[..., 0] = variance * (1 + distance + distance**2 / 3) * np.exp(-distance)
    slopes[..., 1 + factors] = np.exp(shape[1 + factors]) * np.eye(count)
    for d in range(factors):
        apart = (warped[:, None, d] - warped[None, :, d]) / lengths[d]
        faster = (bending[:, None, d] - bending[None, :, d]) / lengths[d]
        trend = np.outer(bending[:, d], warped[:, d])
        slopes[..., 1 + d] = -2 * by_square * apart**2
        slopes[..., 2 + factors + d] = 2 * by_square * apart * faster + _TREND_VARIANCE * (trend + trend.T)
    return slopes


@cache
def _kernel_type() -> Any:
    """The kernel as scikit-learn wants it; made when it is needed, since its base class is slow to import."""
    from sklearn.gaussian_process.kernels import Hyperparameter, Kernel

    class WarpedTrend(Kernel):
        def __init__(self, shape: Array) -> None:
            self.shape = shape  # scikit-learn works with its logarithm, which is our shape

        @property
        def hyperparameter_shape(self) -> Any:
            return Hyperparameter("shape", "numeric", np.exp(_bounds(len(self.shape))), len(self.shape))

        def __call__(self, X: Array, Y: Array | None = None, eval_gradient: bool = False) -> Any:
            warps = self.theta[2 + X.shape[1] :]
            ends = warp(X, warps)[0], warp(X if Y is None else Y, warps)[0]
            noise = np.exp(self.theta[1 + X.shape[1]]) * np.eye(len(X)) if Y is None else 0.0
            matrix = covariance(*ends, self.theta) + noise
            return (matrix, slopes(X, self.theta)) if eval_gradient else matrix

        def diag(self, X: Array) -> Array:
            noise = np.exp(self.theta[1 + X.shape[1]])
            return variance(warp(X, self.theta[2 + X.shape[1] :])[0], self.theta) + float(noise)

        def is_stationary(self) -> bool:
            return False

    return WarpedTrend


# ---- the search ----


def find_shape(points: Array, scaled: Array, seed: int) -> Array:
    """The shape of the largest posterior density, searched from several places."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from threadpoolctl import threadpool_limits

    def search(loss: Callable[[Array], tuple[float, Array]], _: Array, bounds: Array) -> tuple[Array, float]:
        best = None
        for start in _starts(len(points), points.shape[1], seed):
            found = minimize(
                lambda shape: _with_prior(loss, shape),
                np.clip(start, *bounds.T),
                jac=True,
                bounds=bounds,
                method="L-BFGS-B",
                options={"maxiter": _ITERATIONS},
            )
            best = found if best is None or found.fun < best.fun else best
        return best.x, float(best.fun)  # type: ignore[union-attr]

    begin = _kernel_type()(np.exp(first_guess(points.shape[1])))
    with warnings.catch_warnings(), threadpool_limits(1):  # several threads take longer for matrices as small as these
        # A shape at its bound is no accident here: a factor without influence has the largest length.
        warnings.simplefilter("ignore", ConvergenceWarning)
        process = GaussianProcessRegressor(begin, alpha=JITTER, optimizer=search).fit(points, scaled)
    return np.asarray(process.kernel_.theta)


def _with_prior(loss: Callable[[Array], tuple[float, Array]], shape: Array) -> tuple[float, Array]:
    value, slope = loss(shape)
    mean, deviation = _each(_PRIOR, len(shape)).T
    off = (shape - mean) / deviation
    return value + 0.5 * float(off @ off), slope + off / deviation


def _starts(runs: int, factors: int, seed: int) -> list[Array]:
    begin, rng = first_guess(factors), np.random.default_rng(seed)
    spread = _each(_PRIOR, len(begin))[:, 1]
    others = 0 if runs > _MANY_RUNS else _STARTS - 1
    return [begin, *(begin + spread * rng.normal(size=len(begin)) for _ in range(others))]


def first_guess(factors: int) -> Array:
    """The shape that the prior holds for most likely."""
    return _each(_PRIOR, 2 + 2 * factors)[:, 0].copy()


def _bounds(count: int) -> Array:
    return _each(_BOUNDS, count)


def _each(kinds: Sequence[tuple[float, float]], count: int) -> Array:
    """A pair for each number of a shape: variance, lengths, noise, warps."""
    factors = count // 2 - 1
    variance, length, noise, warp = kinds
    return np.array([variance, *[length] * factors, noise, *[warp] * factors])
