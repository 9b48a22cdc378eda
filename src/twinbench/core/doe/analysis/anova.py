"""Analysis of variance of a fit: what each term explains, and whether the rest is more than repeats differ by.

Sums of squares are partial (type III). Pure error is the scatter of runs with the same settings in the same block; lack
of fit is the rest of the residual (Montgomery, Design and Analysis of Experiments, 8th ed. 2012, section 10.8). Where
whole plots give two kinds of error there are no sums of squares: F follows from the coefficients' covariance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from twinbench.core.doe.analysis.known_runs import KnownRuns
from twinbench.core.doe.analysis.regression import Regression
from twinbench.core.doe.analysis.residual_checks import SIGNIFICANT, Check, p_words
from twinbench.core.doe.terms import Terms
from twinbench.core.findings import Severity

__all__ = ["AnovaRow", "PureError", "anova_table", "lack_of_fit_checks", "pure_error"]

_NOTHING = 1e-14  # of the total sum of squares


@dataclass(frozen=True)
class AnovaRow:
    """One source of variation.

    Attributes:
        source: Label of a term, or ``model``, ``blocks``, ``residual``, ``lack of fit``, ``pure error``, ``total``, and
            with whole plots ``between whole plots`` and ``within whole plots`` for ``residual``.
        kind: ``term``, ``blocks``, ``model``, ``error`` or ``total``.
        df: Degrees of freedom.
        sum_of_squares: None with whole plots.
        mean_square: Sum of squares per degree of freedom.
        f: Ratio to the error by which it is judged.
        p: How often chance alone would give as much; None if it cannot be told.
    """

    source: str
    kind: str
    df: int
    sum_of_squares: float | None = None
    mean_square: float | None = None
    f: float | None = None
    p: float | None = None


@dataclass(frozen=True)
class PureError:
    """The residual sum of squares, taken apart.

    Attributes:
        f: Lack of fit per pure error; None if repeats do not differ.
        p: How often chance alone would give as much.
    """

    lack_of_fit_ss: float
    lack_of_fit_df: int
    ss: float
    df: int
    f: float | None
    p: float | None


def pure_error(runs: KnownRuns, fit: Regression) -> PureError | None:
    """Lack of fit and pure error; None if no run is repeated, no degree of freedom is left, or plots differ."""
    from scipy import stats

    settings = runs.settings
    df = len(settings) - len(set(settings.tolist()))
    lack_df = fit.residual_df - df
    if fit.whole_plots or fit.exact or df < 1 or lack_df < 1:
        return None
    groups = [fit.values[settings == number] for number in set(settings.tolist())]
    ss = float(sum(((group - group.mean()) ** 2).sum() for group in groups))
    lack_ss = max(0.0, fit.residual_ss - ss)
    if ss <= _NOTHING * fit.total_ss:
        return PureError(lack_ss, lack_df, 0.0, df, None, None)
    ratio = lack_ss / lack_df / (ss / df)
    return PureError(lack_ss, lack_df, ss, df, ratio, float(stats.f.sf(ratio, lack_df, df)))


def anova_table(terms: Terms, runs: KnownRuns, fit: Regression) -> Iterator[AnovaRow]:
    """The rows of the table: the model, its terms, blocks, what is left, and all."""
    size = len(terms.columns)
    if not fit.whole_plots:
        yield _row("model", "model", fit, range(1, size))
    for number, label in enumerate(terms.labels[1:], 1):
        yield _row(label, "term", fit, [column for column, term in enumerate(terms.columns) if term == number])
    if fit.matrix.shape[1] > size:
        yield _row("blocks", "blocks", fit, range(size, fit.matrix.shape[1]))
    if fit.whole_plots:
        between = fit.whole_plots
        yield AnovaRow("between whole plots", "error", between.df, mean_square=None)
        yield AnovaRow("within whole plots", "error", fit.residual_df, mean_square=fit.residual_sd**2)
        return
    left = 0.0 if fit.exact else fit.residual_ss
    yield AnovaRow("residual", "error", fit.residual_df, left, left / fit.residual_df)
    parts = pure_error(runs, fit)
    if parts:
        mean = parts.lack_of_fit_ss / parts.lack_of_fit_df
        yield AnovaRow("lack of fit", "error", parts.lack_of_fit_df, parts.lack_of_fit_ss, mean, parts.f, parts.p)
        yield AnovaRow("pure error", "error", parts.df, parts.ss, parts.ss / parts.df)
    yield AnovaRow("total", "total", len(fit.values) - 1, fit.total_ss)


def _row(source: str, kind: str, fit: Regression, columns: Sequence[int]) -> AnovaRow:
    columns = list(columns)
    f, p = fit.f_test(columns)
    if fit.whole_plots:
        return AnovaRow(source, kind, len(columns), f=f, p=p)
    squares = fit.sum_of_squares(columns)
    return AnovaRow(source, kind, len(columns), squares, squares / len(columns), f, p)


def lack_of_fit_checks(runs: KnownRuns, fit: Regression) -> Iterator[Check]:
    """What repeats say of the model, in words."""
    settings = runs.settings
    if fit.exact or fit.whole_plots:
        return
    if len(np.unique(settings)) == len(settings):
        text = (
            "No settings were repeated, so p-values and intervals compare with what the model leaves unexplained, not "
            "with how much a repeat would differ."
        )
        yield Check("lack of fit", Severity.NOTE, text)
        return
    parts = pure_error(runs, fit)
    if parts is None:
        return
    if parts.p is None:
        text = (
            "Repeats of the same settings gave exactly the same: there is no noise, and p-values and intervals compare "
            "with what the model leaves unexplained, not with chance."
        )
        yield Check("lack of fit", Severity.NOTE, text)
    elif parts.p < SIGNIFICANT:
        text = (
            f"The model misses the runs by more than repeats differ ({p_words(parts.p)}): the response bends or "
            "interacts in ways it does not have. A larger model, or a smaller range, may help."
        )
        yield Check("lack of fit", Severity.WARNING, text)
    else:
        text = f"The model misses the runs by no more than repeats differ ({p_words(parts.p)})."
        yield Check("lack of fit", Severity.NOTE, text)
