"""Whether a fit may be believed: each residual's weight, and the usual checks of residuals in plain words.

leverage      h, how strongly a run pulls the fit to itself, 0 to 1
studentised   a residual over its standard deviation without the run: e / (s_(i) sqrt(1 - h)); follows Student's t
Cook          Cook's distance: how far the fit as a whole moves without the run (Cook 1977, Technometrics 19, 15-18)
predicted R2  from PRESS, the squared residuals of each run predicted without itself (Allen 1974, Technometrics 16)

Formulas: Montgomery, Peck & Vining, Introduction to Linear Regression Analysis, 5th ed. 2012, sections 4.2 and 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.analysis.regression import Regression
from twinbench.core.findings import Severity

__all__ = ["Check", "Influence", "check_residuals", "influence_of"]

SIGNIFICANT = 0.05
"""Below, chance alone rarely explains it."""

_FEWEST_FOR_A_SHAPE = 8
_RARE = 0.01  # three checks of several responses: one in twenty would be false alarms in every other report
_FULL_LEVERAGE = 1 - 1e-8
_MUCH_INFLUENCE = 1.0
_HIGH_INFLATION = 10.0
_OPTIMISTIC = 0.2

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Check:
    """One thing that was checked, in words.

    Attributes:
        about: What was checked, for example ``outliers``.
        severity: A note says that all is well, or what to know; a warning that the analysis may mislead.
    """

    about: str
    severity: Severity
    text: str

    def as_document(self) -> dict[str, str]:
        """As JSON."""
        return {"about": self.about, "severity": self.severity.value, "text": self.text}


@dataclass(frozen=True, eq=False)
class Influence:
    """Weight of each run in a fit by least squares; not a number where a run alone decides a coefficient.

    Attributes:
        leverage: Shape (n,).
        studentised: Shape (n,), externally studentised residuals.
        cook: Shape (n,), Cook's distances.
        press: Sum of squares of the runs predicted without themselves; infinite if one cannot be.
    """

    leverage: Array
    studentised: Array
    cook: Array
    press: float


def influence_of(fit: Regression) -> Influence:
    """Leverage, studentised residuals and Cook's distances."""
    count, size = fit.matrix.shape
    leverage = np.clip((np.linalg.qr(fit.matrix)[0] ** 2).sum(axis=1), 0, 1)
    unknown = np.full(count, np.nan)
    if fit.exact:
        return Influence(leverage, unknown, unknown, 0.0)
    free, residuals, df = 1 - leverage, fit.residuals, count - size
    judged = leverage < _FULL_LEVERAGE
    press = float(((residuals[judged] / free[judged]) ** 2).sum()) if judged.all() else np.inf
    studentised, cook = unknown.copy(), unknown.copy()
    square = residuals[judged] ** 2 / free[judged]
    without = np.maximum((fit.residual_ss - square) / (df - 1), 1e-15 * fit.residual_ss)
    studentised[judged] = np.sign(residuals[judged]) * np.sqrt(square / without)
    cook[judged] = square / (fit.residual_ss / df) * leverage[judged] / free[judged] / size
    return Influence(leverage, studentised, cook, press)


def check_residuals(fit: Regression, influence: Influence, numbers: Sequence[int]) -> Iterator[Check]:
    """What the residuals say of the fit.

    Args:
        fit: A fit.
        influence: Its runs' weights.
        numbers: Number of each run, in the order in which they were carried out.
    """
    yield from _inflation(fit)
    if fit.exact:
        text = "The model passes through every run but for rounding: there is nothing left over to judge it by."
        yield Check("residuals", Severity.NOTE, text)
        return
    yield from _explained(fit, influence)
    yield from _outliers(influence, numbers, len(fit.values) - fit.matrix.shape[1])
    yield from _influential(influence, numbers)
    yield from _shapes(fit, influence, numbers)


def _inflation(fit: Regression) -> Iterator[Check]:
    """Variance inflation: by how much other terms' company widens a coefficient's variance."""
    if fit.matrix.shape[1] < 3:
        return
    worst = float(np.diag(np.linalg.inv(np.corrcoef(fit.matrix[:, 1:], rowvar=False))).max())
    if worst > _HIGH_INFLATION:
        yield Check(
            "variance inflation",
            Severity.WARNING,
            f"Terms vary nearly together: the variance of a coefficient is up to {worst:.0f} times what it would be if "
            "they did not, so their effects cannot well be told apart.",
        )


def _explained(fit: Regression, influence: Influence) -> Iterator[Check]:
    explained, predicted = fit.r2, 1 - influence.press / fit.total_ss
    if explained - predicted <= _OPTIMISTIC:
        return
    told = f"predicted R² {predicted:.2f}" if np.isfinite(predicted) else "a run that alone decides a coefficient"
    yield Check(
        "prediction",
        Severity.WARNING,
        f"The model describes these runs (R² {explained:.2f}) better than it would predict others ({told}): it is "
        "large for so few runs.",
    )


def _outliers(influence: Influence, numbers: Sequence[int], df: int) -> Iterator[Check]:
    """Bonferroni's bound on the largest studentised residual."""
    from scipy import stats

    if df < 2:
        return
    bound = float(stats.t.ppf(1 - SIGNIFICANT / 2 / len(numbers), df - 1))
    out = [number for number, value in zip(numbers, influence.studentised, strict=True) if abs(value) > bound]
    if out:
        text = f"{_runs(out)} further from the model than chance explains: look for what was different, and repeat."
        yield Check("outliers", Severity.WARNING, text)
    else:
        yield Check("outliers", Severity.NOTE, "No run is further from the model than chance explains.")


def _influential(influence: Influence, numbers: Sequence[int]) -> Iterator[Check]:
    much = [number for number, value in zip(numbers, influence.cook, strict=True) if value > _MUCH_INFLUENCE]
    alone = [number for number, value in zip(numbers, influence.leverage, strict=True) if value >= _FULL_LEVERAGE]
    if much:
        text = f"Without {_runs(much, '')} the model would be another (Cook's distance above 1): make sure of it."
        yield Check("influence", Severity.WARNING, text)
    if alone:
        text = f"{_runs(alone)} met by the model whatever came out there: an error in it would not show."
        yield Check("influence", Severity.WARNING, text)


def _shapes(fit: Regression, influence: Influence, numbers: Sequence[int]) -> Iterator[Check]:
    """Normal, of equal spread, without a drift: each told as a note or a warning."""
    if len(fit.values) < _FEWEST_FOR_A_SHAPE:
        text = f"{len(fit.values)} runs are too few to judge the residuals' distribution, spread and drift."
        yield Check("residuals", Severity.NOTE, text)
        return
    known = np.isfinite(influence.studentised)
    residuals = (fit.residuals / np.sqrt(np.where(known, 1 - influence.leverage, 1)))[known]
    predicted, order = fit.predicted[known], np.array(numbers, dtype=np.float64)[known]
    for about, p, good, bad in (
        (
            "normality",
            _normality,
            "The residuals look normal (Shapiro-Wilk, {p}).",
            "The residuals are not normal (Shapiro-Wilk, {p}): p-values and intervals are rough; a logarithm of the "
            "response may help.",
        ),
        (
            "equal spread",
            _equal_spread,
            "The residuals spread alike over the response (Breusch-Pagan, {p}).",
            "The residuals spread more at some values of the response than at others (Breusch-Pagan, {p}): intervals "
            "are too narrow there; a logarithm of the response may help.",
        ),
        (
            "run order",
            _drift,
            "The residuals show no drift over the order of the runs (Spearman, {p}).",
            "The residuals drift over the order of the runs (Spearman, {p}): something else changed as time went on, "
            "for example the cell's age.",
        ),
    ):
        value = p(residuals, predicted, order)
        if value is not None:
            severity, text = (Severity.WARNING, bad) if value < _RARE else (Severity.NOTE, good)
            yield Check(about, severity, text.format(p=p_words(value)))


_Test = Callable[[Array, Array, Array], float | None]


def _normality(residuals: Array, predicted: Array, order: Array) -> float | None:
    from scipy import stats

    return float(stats.shapiro(residuals).pvalue) if len(residuals) > 2 and np.ptp(residuals) else None


def _equal_spread(residuals: Array, predicted: Array, order: Array) -> float | None:
    from statsmodels.stats.diagnostic import het_breuschpagan

    if not np.ptp(predicted):
        return None
    scaled = (predicted - predicted.mean()) / predicted.std()
    return float(het_breuschpagan(residuals / residuals.std(), np.column_stack([np.ones(len(scaled)), scaled]))[1])


def _drift(residuals: Array, predicted: Array, order: Array) -> float | None:
    from scipy import stats

    return float(stats.spearmanr(order, residuals).pvalue) if np.ptp(residuals) and np.ptp(order) else None


def p_words(p: float) -> str:
    """A p-value as it is told: p = 0.03, or p < 0.001."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _runs(numbers: Sequence[int], verb: str = "is") -> str:
    """``Run 3 is``, ``Runs 3 and 5 are``; without a verb ``run 3``."""
    listed = " and ".join(filter(None, [", ".join(map(str, numbers[:-1])), str(numbers[-1])]))
    noun = "run" if len(numbers) == 1 else "runs"
    if not verb:
        return f"{noun} {listed}"
    return f"{noun.capitalize()} {listed} {'is' if len(numbers) == 1 else 'are'}"
