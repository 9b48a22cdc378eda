"""A surrogate: what a response is expected to be at test points that were not run, and how sure that is.

It is a Gaussian process (kriging). The response is a straight trend plus a smooth deviation from it (Matern kernel of
order 5/2), plus noise; each factor has a length over which the deviation changes. What changes faster at one end of a
factor than at the other, as the capacity of a battery does near a cut-off on its voltage plateau, is not stationary:
each factor is therefore *warped* first, ``w = (a^x - 1) / (a - 1)``, where a = 1 leaves it as it is.

    shape       the numbers chosen once for all runs: variance, lengths, noise, warps; by the largest posterior density
                (likelihood times a weak prior, without which eight runs would decide for nonsense)
    condition   take runs into account under a given shape
    left out    each run predicted from all the others: their errors follow from the kernel matrix without a refit
                (Dubrule, Math. Geol. 15 (1983) 687; Sundararajan & Keerthi, Neural Comput. 13 (2001) 1103)

Points have shape (n, k) and lie in the unit cube, a category as columns of 0 and 1; what comes out is in the response's
unit. Finding a shape takes about 0.1 s for 20 runs, 1 s for 200; conditioning takes milliseconds.
Warping: Snoek et al., ICML 2014. scikit-learn is imported by :meth:`Surrogate.fit`, not by this module.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular

from twinbench.core.doe.learning.sequential_plan import FEWEST_RUNS
from twinbench.core.doe.learning.surrogate_kernel import JITTER, covariance, find_shape, first_guess, variance, warp
from twinbench.core.errors import DesignError

__all__ = ["Surrogate"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A Gaussian process of one response.

    Attributes:
        points: The runs, shape (n, k).
        values: What they gave, shape (n,).
        shape: Logarithms of variance, k lengths, noise and k warps; variances are relative to ``scale`` squared.
        centre: What the response is about; with ``scale``, its standard deviation over the first runs.
    """

    points: Array
    values: Array
    shape: Array
    centre: float
    scale: float

    @classmethod
    def fit(cls, points: Array, values: Array, *, seed: int) -> Surrogate:
        """Find the shape that suits some runs, and take them into account; the same every time.

        Args:
            points: Shape (n, k), in the unit cube.
            values: Shape (n,).
            seed: Of the places where the search begins.

        Raises:
            DesignError: If there are too few runs, or a number is missing or outside the unit cube.
        """
        points, values = np.asarray(points, dtype=np.float64), np.asarray(values, dtype=np.float64)
        _check(points, values)
        centre, scale = float(values.mean()), float(values.std())
        if scale <= 1e-12 * max(1.0, abs(centre)):  # a constant, but for rounding: nothing to find
            return cls(points, values, first_guess(points.shape[1]), centre, 0.0)
        return cls(points, values, find_shape(points, (values - centre) / scale, seed), centre, scale)

    def condition(self, points: Array, values: Array) -> Surrogate:
        """Keep the shape and take these runs into account instead."""
        return replace(self, points=points, values=values)

    def believe(self, points: Array) -> Surrogate:
        """Take runs into account as if they had given what is predicted (kriging believer)."""
        expected, _ = self.predict(points)
        return self.condition(np.vstack([self.points, points]), np.concatenate([self.values, expected]))

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the response without its noise, each of shape (n,)."""
        across = covariance(self._warped(points), self._warped(self.points), self.shape)
        mean = self.centre + self.scale * (across @ self._weights)
        told = solve_triangular(self._root, across.T, lower=True)
        left = variance(self._warped(points), self.shape) - np.einsum("ij,ij->j", told, told)
        return mean, self.scale * np.sqrt(np.maximum(left, 0.0))

    def covariance(self, first: Array, second: Array) -> Array:
        """Of the response at points (n, k) with that at points (m, k), in its unit squared, shape (n, m)."""
        here, there, runs = self._warped(first), self._warped(second), self._warped(self.points)
        told_here = solve_triangular(self._root, covariance(runs, here, self.shape), lower=True)
        told_there = solve_triangular(self._root, covariance(runs, there, self.shape), lower=True)
        return np.asarray(self.scale**2 * (covariance(here, there, self.shape) - told_here.T @ told_there))

    @property
    def noise(self) -> float:
        """Standard deviation of what repeating a run changes."""
        return self.scale * float(np.exp(0.5 * self.shape[1 + self.points.shape[1]]))

    @cached_property
    def left_out_errors(self) -> Array:
        """How far each run is from what the others predict for it under the same shape, shape (n,)."""
        inverse = cho_solve((self._root, True), np.eye(len(self.points)))
        return np.asarray(self.scale * self._weights / np.diag(inverse))

    @property
    def left_out_scores(self) -> Array:
        """These errors over the deviations that the others expect, shape (n,); about 1 where these are right."""
        inverse = cho_solve((self._root, True), np.eye(len(self.points)))
        return np.asarray(self._weights / np.sqrt(np.diag(inverse)))

    @property
    def cross_validated_error(self) -> float:
        """Root mean square of the errors of the runs, each left out in turn."""
        return float(np.sqrt(np.mean(self.left_out_errors**2)))

    def expected_error(self, points: Array) -> float:
        """Root mean square of the errors that are expected at some points."""
        return float(np.sqrt(np.mean(self.predict(points)[1] ** 2)))

    def _warped(self, points: Array) -> Array:
        return warp(points, self.shape[2 + points.shape[1] :])[0]

    @cached_property
    def _root(self) -> Array:
        """Lower Cholesky factor of the runs' covariance with their noise, shape (n, n)."""
        matrix = covariance(self._warped(self.points), self._warped(self.points), self.shape)
        noise = np.exp(self.shape[1 + self.points.shape[1]]) + JITTER
        return np.asarray(cholesky(matrix + noise * np.eye(len(matrix)), lower=True))

    @cached_property
    def _weights(self) -> Array:
        scaled = (self.values - self.centre) / (self.scale or 1.0)
        return np.asarray(cho_solve((self._root, True), scaled))


def _check(points: Array, values: Array) -> None:
    if points.ndim != 2 or values.shape != points.shape[:1] or points.shape[1] == 0:
        raise DesignError(f"Points {points.shape} and values {values.shape} do not fit: give (n, k) and (n,), k >= 1.")
    if len(points) < FEWEST_RUNS:
        raise DesignError(f"A surrogate of {len(points)} runs tells nothing: carry out {FEWEST_RUNS} or more.")
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise DesignError(f"Run {row + 1} gave {values[row]}: leave out the runs that failed.")
    outside = np.flatnonzero(~((points >= 0) & (points <= 1)).all(axis=1))
    if len(outside):
        where = ", ".join(f"{share:g}" for share in points[outside[0]])
        raise DesignError(f"Run {outside[0] + 1} is at ({where}), outside the unit cube: scale its levels to 0 to 1.")
