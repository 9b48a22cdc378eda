"""What an experiment says: effects and interactions, analysis of variance, and whether the fit may be believed.

partial F     of a term, all others given (type III): terms are coded by their contrasts, so it does not depend on order
lack of fit   what a model misses, against the pure error between repeats of the same settings

Sources: Montgomery, Design and Analysis of Experiments, 8th ed. 2012, sections 6.2 (effects), 10.8 (lack of fit) and
14.4 (split plots); the fits are statsmodels'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.analysis.anova import AnovaRow, anova_table, lack_of_fit_checks
from twinbench.core.doe.analysis.effects import Effect, effects_of
from twinbench.core.doe.analysis.fitted_model import FittedModel
from twinbench.core.doe.analysis.known_runs import KnownRuns
from twinbench.core.doe.analysis.model_choice import Choice, choose_model
from twinbench.core.doe.analysis.regression import Regression, regress
from twinbench.core.doe.analysis.residual_checks import Check, Influence, check_residuals, influence_of
from twinbench.core.doe.factors import Factor, Level
from twinbench.core.findings import Severity

__all__ = ["Analysis", "AnovaRow", "Check", "Effect", "Fit", "RunResidual", "analyse"]

_FEWEST_RUNS = 4
_SMALLEST_SPREAD = 1e-10  # of the response: less is rounding
_SMALLEST_NUMBER = 1e-100  # its square is a number still
_MOSTLY_UNEXPLAINED = 0.5
_UNTRIED = 0.25  # of a factor's range: if no run comes nearer to its end, the effect over the range is a guess


@dataclass(frozen=True)
class Fit:
    """How well a model describes the runs.

    Attributes:
        runs: How many there are.
        left_out: How many are without a response, or without a level.
        coefficients: How many there are, with those of blocks.
        residual_df: Degrees of freedom of what is left unexplained; within whole plots if there are any.
        residual_sd: Standard deviation of that, in units of the response.
        r2: Share of the variance that is explained.
        r2_adjusted: The same, less what as many terms explain by chance.
        r2_predicted: Share of the variance explained of runs predicted without themselves; None if one cannot be.
        exact: Whether nothing is left unexplained.
        whole_plot_sd: Standard deviation between whole plots; None if there are none.
    """

    runs: int
    left_out: int
    coefficients: int
    residual_df: int
    residual_sd: float
    r2: float
    r2_adjusted: float
    r2_predicted: float | None
    exact: bool
    whole_plot_sd: float | None


@dataclass(frozen=True)
class RunResidual:
    """One run beside the model; None where a run alone decides a coefficient.

    Attributes:
        run: Its number.
        point: Share of each factor that was tried.
        studentised: Externally studentised residual.
        cook: Cook's distance.
    """

    run: int
    point: tuple[float, ...]
    value: float
    predicted: float
    residual: float
    studentised: float | None
    cook: float | None
    leverage: float


@dataclass(frozen=True)
class Analysis:
    """What the runs say of a response.

    Attributes:
        model: Name of the model, ``as asked`` if its terms were given.
        why: Why this model, in words.
        fitted: The model.
        effects: Of each term, in the model's order.
        anova: Analysis of variance.
        fit: How well the model describes the runs.
        residuals: Of each run.
        checks: Whether it may be believed, warnings first.
    """

    model: str
    why: str
    fitted: FittedModel
    effects: tuple[Effect, ...]
    anova: tuple[AnovaRow, ...]
    fit: Fit
    residuals: tuple[RunResidual, ...]
    checks: tuple[Check, ...]

    def as_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "model": self.model,
            "why": self.why,
            "fitted": self.fitted.as_document(),
            "effects": [asdict(effect) | {"categories": list(effect.categories)} for effect in self.effects],
            "anova": [asdict(row) for row in self.anova],
            "fit": asdict(self.fit),
            "residuals": [asdict(residual) | {"point": list(residual.point)} for residual in self.residuals],
            "checks": [check.as_document() for check in self.checks],
        }


def analyse(
    factors: Sequence[Factor],
    levels: Sequence[Mapping[str, Level]],
    values: Sequence[float | None],
    *,
    model: str | Sequence[str] | None = None,
    blocks: Sequence[str] | None = None,
    whole_plots: Sequence[int] | None = None,
    numbers: Sequence[int] | None = None,
) -> Analysis | None:
    """Fit the largest model that the runs can carry, and judge it.

    Args:
        factors: Of the experiment; those that do not differ between runs are passed over.
        levels: Of each run, in the order in which they were carried out.
        values: Response of each run; None where there is none.
        model: Name or terms of the model to prefer.
        blocks: Block of each run.
        whole_plots: Whole plot of each run, within which hard-to-change factors stay as they are.
        numbers: Number of each run; otherwise counted from 1.

    Returns:
        None if the runs cannot tell: too few, a response that does not vary, or factors that only vary together.

    Raises:
        DesignError: If a level is not one of its factor, or the model names a factor that does not vary.
    """
    runs = KnownRuns.gather(factors, levels, values, numbers=numbers, blocks=blocks, whole_plots=whole_plots)
    if len(runs.values) < _FEWEST_RUNS:
        return None
    if np.ptp(runs.values) <= max(_SMALLEST_SPREAD * np.abs(runs.values).max(), _SMALLEST_NUMBER):
        return None
    choice, remarks = choose_model(runs, model), []
    if choice is None and runs.blocks:
        runs = replace(runs, blocks=())
        choice = choose_model(runs, model)
        text = "There are too few runs to take the blocks into account: a difference between them looks like an effect."
        remarks.append(Check("blocks", Severity.WARNING, text))
    if choice is None:
        return None
    fit = regress(runs.matrix(choice.terms), runs.values, runs.whole_plots)
    influence = influence_of(fit)
    checks = [*remarks, *_checks(runs, fit), *check_residuals(fit, influence, runs.numbers)]
    return Analysis(
        model=choice.name,
        why=choice.why,
        fitted=_fitted(choice, runs, fit),
        effects=tuple(effects_of(choice.terms, fit)),
        anova=tuple(anova_table(choice.terms, runs, fit)),
        fit=_figures(runs, fit, influence),
        residuals=tuple(_residuals(runs, fit, influence)),
        checks=tuple(sorted(checks, key=lambda check: check.severity is not Severity.WARNING)),
    )


def _checks(runs: KnownRuns, fit: Regression) -> Iterator[Check]:
    if runs.left_out:
        was = "run has no response and is" if runs.left_out == 1 else "runs have no response and are"
        yield Check("runs left out", Severity.WARNING, f"{runs.left_out} {was} left out.")
    for number, factor in enumerate(runs.factors):
        low, high = float(runs.points[:, number].min()), float(runs.points[:, number].max())
        if low > _UNTRIED or high < 1 - _UNTRIED:  # never with categories: only those tried are left of them
            text = f"{factor.name} was tried from {_number(factor.level(low))} to {_number(factor.level(high))} only"
            yield Check("range", Severity.WARNING, f"{text}: over the rest of its range, effects are extrapolated.")
    if fit.r2_adjusted < _MOSTLY_UNEXPLAINED:
        text = (
            f"The model explains little (adjusted R² {fit.r2_adjusted:.2f}): other things than the factors are at work."
        )
        yield Check("explained", Severity.WARNING, text)
    if fit.whole_plots:
        few = " There are too few of them to judge these factors." if fit.whole_plots.df < 1 else ""
        text = (
            f"Factors that are hard to change are judged against the variation between {fit.whole_plots.count} whole "
            f"plots, the others against that within them.{few}"
        )
        yield Check("whole plots", Severity.WARNING if few else Severity.NOTE, text)
    if fit.remark:
        text = f"Runs are judged as if each had been set up anew, though they lie in whole plots: {fit.remark}."
        yield Check("whole plots", Severity.WARNING, f"{text} Factors that are hard to change may look too certain.")
    yield from lack_of_fit_checks(runs, fit)


def _fitted(choice: Choice, runs: KnownRuns, fit: Regression) -> FittedModel:
    held = tuple(_usual(runs.points[:, number]) if f.categories else 0.5 for number, f in enumerate(runs.factors))
    tested = tuple((float(shares.min()), float(shares.max())) for shares in runs.points.T)
    return FittedModel(choice.terms, tuple(fit.coefficients[: len(choice.terms.columns)].tolist()), held, tested)


def _usual(shares: NDArray[np.float64]) -> float:
    """Share of the category that most runs have, the first of several."""
    found, counts = np.unique(shares, return_counts=True)
    return float(found[counts.argmax()])


def _number(level: Level) -> str:
    return f"{level:.4g}" if isinstance(level, float) else level


def _figures(runs: KnownRuns, fit: Regression, influence: Influence) -> Fit:
    count, size = fit.matrix.shape
    press = influence.press / fit.total_ss
    return Fit(
        runs=count,
        left_out=runs.left_out,
        coefficients=size,
        residual_df=fit.residual_df,
        residual_sd=0.0 if fit.exact else fit.residual_sd,
        r2=fit.r2,
        r2_adjusted=fit.r2_adjusted,
        r2_predicted=1 - press if np.isfinite(press) else None,
        exact=fit.exact,
        whole_plot_sd=fit.whole_plots.sd if fit.whole_plots else None,
    )


def _residuals(runs: KnownRuns, fit: Regression, influence: Influence) -> Iterator[RunResidual]:
    for place, number in enumerate(runs.numbers):
        studentised, cook = float(influence.studentised[place]), float(influence.cook[place])
        yield RunResidual(
            run=number,
            point=tuple(runs.points[place].round(9).tolist()),
            value=float(fit.values[place]),
            predicted=float(fit.predicted[place]),
            residual=float(fit.residuals[place]),
            studentised=studentised if np.isfinite(studentised) else None,
            cook=cook if np.isfinite(cook) else None,
            leverage=float(influence.leverage[place]),
        )
