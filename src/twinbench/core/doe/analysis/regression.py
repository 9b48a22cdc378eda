"""A linear model fitted to runs: by least squares, or where factors are hard to change by generalised least squares.

Hard-to-change factors stay as they are within a whole plot, so runs of one are alike in more than these factors. The
variances between and within whole plots are estimated by restricted maximum likelihood (Letsinger, Myers & Lentner
1996, Journal of Quality Technology 28, 381-397), and what is constant within whole plots is judged with the degrees of
freedom between them (the containment method). An overview: Jones & Nachtsheim 2009, ibid. 41, 340-361.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Regression", "WholePlots", "regress"]

_NOTHING = 1e-14  # of the sum of squares about the mean: what rounding leaves over
_ROUNDING = 1e-12  # of the response

Array = NDArray[np.float64]


@dataclass(frozen=True)
class WholePlots:
    """What is known of the variation between whole plots.

    Attributes:
        count: How many there are.
        sd: Standard deviation between them, in units of the response.
        df: Degrees of freedom between them.
    """

    count: int
    sd: float
    df: int


@dataclass(frozen=True, eq=False)
class Regression:
    """A fit.

    Attributes:
        matrix: The model matrix, shape (n, p); its first column is the mean.
        values: The response, shape (n,).
        coefficients: Shape (p,).
        covariance: Of the coefficients, shape (p, p); zero if the fit is exact.
        df: Per column the degrees of freedom by which its coefficient is judged, shape (p,); 0 if it cannot be.
        residual_df: Degrees of freedom within whole plots, or of all residuals if there are none.
        residual_sd: Standard deviation that goes with them, in units of the response.
        exact: Whether nothing is left but rounding.
        whole_plots: None if runs are judged as independent.
        remark: Why whole plots could not be taken into account; empty if they were or there are none.
    """

    matrix: Array
    values: Array
    coefficients: Array
    covariance: Array
    df: NDArray[np.int64]
    residual_df: int
    residual_sd: float
    exact: bool
    whole_plots: WholePlots | None = None
    remark: str = ""

    @property
    def predicted(self) -> Array:
        """Shape (n,)."""
        return np.asarray(self.matrix @ self.coefficients)

    @property
    def residuals(self) -> Array:
        """Shape (n,)."""
        return self.values - self.predicted

    @property
    def total_ss(self) -> float:
        """Sum of squares about the mean."""
        return float(((self.values - self.values.mean()) ** 2).sum())

    @property
    def residual_ss(self) -> float:
        """Sum of squares of the residuals."""
        return float(self.residuals @ self.residuals)

    @property
    def r2(self) -> float:
        """Share of the variance that is explained."""
        return 1.0 if self.exact else 1 - self.residual_ss / self.total_ss

    @property
    def r2_adjusted(self) -> float:
        """The same, less what as many coefficients explain by chance."""
        count, size = self.matrix.shape
        return 1 - (1 - self.r2) * int(count - 1) / int(count - size)

    def t_test(self, contrast: Array) -> tuple[float, float, float | None]:
        """A sum of coefficients, half the width of its 95 % interval, and the p-value of its being zero.

        The half width is infinite and p None where there are no degrees of freedom; 0 and None if the fit is exact.
        """
        from scipy import stats

        value, df = float(contrast @ self.coefficients), int(self.df[contrast != 0].min())
        if self.exact:
            return value, 0.0, None
        error = math.sqrt(max(0.0, float(contrast @ self.covariance @ contrast)))
        if df < 1 or not error:
            return value, math.inf, None
        return value, float(stats.t.ppf(0.975, df)) * error, float(2 * stats.t.sf(abs(value) / error, df))

    def f_test(self, columns: Sequence[int]) -> tuple[float | None, float | None]:
        """F and p of these columns being zero, all others given (partial F, type III); None where it cannot be told."""
        from scipy import stats

        df = int(self.df[list(columns)].min())
        if self.exact or df < 1:
            return None, None
        part, block = self.coefficients[list(columns)], self.covariance[np.ix_(columns, columns)]
        ratio = float(part @ np.linalg.solve(block, part)) / len(columns)
        return ratio, float(stats.f.sf(ratio, len(columns), df))

    def sum_of_squares(self, columns: Sequence[int]) -> float:
        """By how much the residual sum of squares grows without these columns, by least squares."""
        unscaled = np.linalg.inv(self.matrix.T @ self.matrix)[np.ix_(columns, columns)]
        part = self.coefficients[list(columns)]
        return float(part @ np.linalg.solve(unscaled, part))


def regress(matrix: Array, values: Array, whole_plots: Sequence[int] = ()) -> Regression:
    """Fit a model of full rank with fewer coefficients than runs."""
    fit = _least_squares(matrix, values)
    count = len(set(whole_plots))
    if fit.exact or count < 2 or count == len(values):
        return fit
    plots = np.unique(np.asarray(whole_plots), return_inverse=True)[1].reshape(-1)
    between = np.array([_is_constant_within(matrix[:, column], plots) for column in range(matrix.shape[1])])
    between_df = count - int(np.linalg.matrix_rank(matrix[:, between]))
    within_df = len(values) - int(np.linalg.matrix_rank(np.hstack([matrix, np.eye(count)[plots]])))
    if within_df < 1:
        return replace(fit, remark="there are too few runs within them")
    try:
        between_var, within_var = _variances(matrix, values, plots)
    except (np.linalg.LinAlgError, ValueError, FloatingPointError):
        return replace(fit, remark="the variation between and within them cannot be told apart")
    from statsmodels.regression.linear_model import GLS

    spread = within_var * np.eye(len(values)) + between_var * np.equal.outer(plots, plots)
    result = GLS(values, matrix, sigma=spread).fit()
    return replace(
        fit,
        coefficients=np.asarray(result.params),
        covariance=np.asarray(result.normalized_cov_params),
        df=np.where(between, max(0, between_df), within_df),
        residual_df=within_df,
        residual_sd=math.sqrt(within_var),
        whole_plots=WholePlots(count, math.sqrt(between_var), max(0, between_df)),
    )


def _least_squares(matrix: Array, values: Array) -> Regression:
    from statsmodels.regression.linear_model import OLS

    result = OLS(values, matrix).fit()
    df = len(values) - matrix.shape[1]
    residual_ss, total_ss = float(result.ssr), float(((values - values.mean()) ** 2).sum())
    exact = residual_ss <= max(_NOTHING * total_ss, len(values) * (_ROUNDING * float(np.abs(values).max())) ** 2)
    covariance = np.asarray(result.cov_params())
    return Regression(
        matrix=matrix,
        values=values,
        coefficients=np.asarray(result.params),
        covariance=np.zeros_like(covariance) if exact else covariance,
        df=np.full(matrix.shape[1], df),
        residual_df=df,
        residual_sd=math.sqrt(residual_ss / df),
        exact=exact,
    )


def _is_constant_within(column: Array, plots: NDArray[np.intp]) -> bool:
    return all(np.ptp(column[plots == plot]) < 1e-9 for plot in range(plots.max() + 1))


def _variances(matrix: Array, values: Array, plots: NDArray[np.intp]) -> tuple[float, float]:
    """Variance between and within whole plots.

    Raises:
        ValueError: If the likelihood has no sensible maximum.
    """
    from statsmodels.regression.mixed_linear_model import MixedLM

    scale = float(values.std())  # the search is for numbers about one
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that no variation between whole plots is found is an answer
        result = MixedLM((values - values.mean()) / scale, matrix, groups=plots).fit(reml=True)
    between, within = float(np.asarray(result.cov_re)[0, 0]) * scale**2, float(result.scale) * scale**2
    if not (math.isfinite(between) and math.isfinite(within) and within > 0 and between >= 0):
        raise ValueError("no sensible maximum")
    return between, within
