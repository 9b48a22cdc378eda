"""Sequential designs: a few runs first, then those that teach most, until it is known well enough.

    response    a figure of a run (:class:`~twinbench.core.evaluation.RunFigures`) that the design is about
    aim         ``learn`` the responses everywhere, or find where one is largest (``maximise``), smallest (``minimise``)
    candidates  the test points to choose from, shape (m, k) in the unit cube; the caller knows what is allowed

To learn, the next run is the candidate that reduces the variance expected over all candidates most (active learning
after Cohn, Neural Networks 9 (1996) 1071; for Gaussian processes Seo et al., IJCNN 2000), each response measured by its
range, so that the least known counts most. To optimise, it is the one with the largest expected improvement (Jones et
al., J. Global Optim. 13 (1998) 455). Within a batch, runs that are chosen count as done with what is predicted for them
(kriging believer; Ginsbourger et al. 2010). Nothing is random.

A batch of 4 out of 2,000 candidates takes 1 to 2 s for each response at 200 runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from twinbench.core.doe.learning.acquisition import expected_improvement, variance_removed
from twinbench.core.doe.learning.sequential_plan import FEWEST_RUNS, Aim, SequentialPlan
from twinbench.core.doe.learning.surrogate import Surrogate
from twinbench.core.errors import DesignError

__all__ = ["Aim", "SequentialPlan", "Verdict", "fit_surrogates", "judge", "next_batch"]

Array = NDArray[np.float64]

_SAME_POINT = 1e-5  # of a factor's range: levels are rounded
_FEWEST_CONFIRMING = 4  # runs that those before them have to predict
_LEAST_DEVIATION = 1e-6  # of the response's standard deviation: less is not believed
_CREDIBLE = 1.959964  # standard deviations to either side hold 95 %


@dataclass(frozen=True)
class Verdict:
    """Whether enough is known.

    Attributes:
        reason: Why it ends, or goes on, for people.
        figures: ``runs``, and for each response ``<response>.cross_validated_pct`` (runs left out in turn) and
            ``.predicted_pct`` (over the candidates), in percent of the range, ``.error_pct`` and ``.credible_width``
            (what is compared with the plan's); to learn, ``.optimism``, see :func:`judge`; to optimise, ``.best``, what
            is expected of the best run.
    """

    done: bool
    reason: str
    figures: Mapping[str, float]


def fit_surrogates(
    plan: SequentialPlan, points: Array, figures: Sequence[Mapping[str, float | None] | None], *, seed: int
) -> dict[str, Surrogate]:
    """A surrogate for each response, without the runs that failed or do not have it.

    Args:
        plan: Which responses.
        points: Of the runs, in their order, shape (n, k).
        figures: What each run came down to; None where it failed.
        seed: See :meth:`Surrogate.fit`.

    Raises:
        DesignError: If too few runs have a response, naming it.
    """
    surrogates = {}
    for name in plan.responses:
        found = [None if run is None else run.get(name) for run in figures]
        kept = [row for row, value in enumerate(found) if value is not None and math.isfinite(value)]
        if len(kept) < FEWEST_RUNS:
            raise DesignError(
                f"{len(kept)} of {len(found)} runs have {name}: look at what went wrong, {FEWEST_RUNS} are needed."
            )
        surrogates[name] = Surrogate.fit(points[kept], np.array([found[row] for row in kept], dtype=float), seed=seed)
    return surrogates


def next_batch(
    plan: SequentialPlan,
    surrogates: Mapping[str, Surrogate],
    done: Array,
    candidates: Array,
    *,
    runs: int | None = None,
) -> tuple[int, ...]:
    """Choose the candidates that are run next, the most telling first.

    Args:
        plan: What for, and how many.
        surrogates: Of each response.
        done: Where runs were carried out, failed ones included, shape (n, k); they are not chosen again.
        candidates: Shape (m, k); without preference they should fill what is allowed evenly.
        runs: How many instead of the plan's batch.

    Returns:
        Rows of *candidates*: fewer than a batch, or none, if they or the budget do not last.
    """
    wanted = min(plan.batch if runs is None else runs, plan.budget - len(done))
    current = [surrogates[name] for name in plan.responses]
    ranges = [float(np.ptp(surrogate.values)) for surrogate in current]
    away = cdist(candidates, done, "chebyshev").min(axis=1) if len(done) else np.ones(len(candidates))
    chosen: list[int] = []
    while len(chosen) < wanted and (away > _SAME_POINT).any():
        if plan.aim is Aim.LEARN:
            worth = variance_removed(current, ranges, candidates)
        else:
            worth = expected_improvement(current[0], candidates, sign=plan.aim.sign)
        worth = np.where(away > _SAME_POINT, worth, 0.0)
        best = int(np.argmax(worth if worth.any() else away))  # where nothing is to be gained, the farthest away
        chosen.append(best)
        point = candidates[best : best + 1]
        away = np.minimum(away, cdist(candidates, point, "chebyshev")[:, 0])
        current = [surrogate.believe(point) for surrogate in current]
    return tuple(chosen)


def judge(plan: SequentialPlan, surrogates: Mapping[str, Surrogate], runs: int, candidates: Array) -> Verdict:
    """Decide whether enough is known.

    Runs that were chosen because little is known there are not where the responses are to be known, so their errors,
    each left out in turn, say too much; and a few runs can lie on a plane by chance, and then say too little. To learn,
    the error is therefore the one that the surrogate expects over the candidates, times its *optimism*: how many times
    larger than expected errors have been, of runs left out in turn or, if that is more, of the last batch as predicted
    from the runs before it alone. So there must have been a batch beyond the first runs.

    Args:
        plan: When it ends.
        surrogates: Of each response, with their runs in the order in which these were carried out.
        runs: How many were carried out, failed ones included.
        candidates: Where the responses are to be known, shape (m, k).
    """
    figures: dict[str, float] = {"runs": float(runs)}
    missing: list[str] = []
    for name in plan.responses:
        found = _figures(plan, surrogates[name], candidates)
        figures |= {f"{name}.{figure}": value for figure, value in found.items()}
        missing += _missing(plan, name, found)
    if plan.aim is Aim.LEARN and runs < (confirmed := plan.initial + _look_back(plan)):
        missing.append(f"{confirmed - runs} more have to confirm the prediction")
    if not missing and (plan.error_pct is not None or plan.credible_width):
        worst = max(figures[f"{name}.error_pct"] for name in plan.responses)
        what = "the prediction has an error of" if plan.aim is Aim.LEARN else "the best run may still improve by"
        return Verdict(True, f"Done after {runs} runs: {what} at most {worst:.2g} % of the range.", figures)
    if runs >= plan.budget:
        but = f", but {'; '.join(missing)}" if missing else ""
        return Verdict(True, f"The budget of {plan.budget} runs is spent{but}.", figures)
    if plan.error_pct is None and not plan.credible_width:
        missing = [f"the budget has {plan.budget - runs} more"]
    return Verdict(False, f"Goes on after {runs} runs: {'; '.join(missing)}.", figures)


def _figures(plan: SequentialPlan, surrogate: Surrogate, candidates: Array) -> dict[str, float]:
    span = float(np.ptp(surrogate.values))
    percent = 100 / span if span > 0 else 0.0
    errors = {
        "cross_validated_pct": percent * surrogate.cross_validated_error,
        "predicted_pct": percent * surrogate.expected_error(candidates),
    }
    if plan.aim is Aim.LEARN:
        optimism = max(1.0, _rms(surrogate.left_out_scores), _rms(_last_scores(surrogate, _look_back(plan))))
        widest = 2 * _CREDIBLE * float(surrogate.predict(candidates)[1].max())
        error = optimism * errors["predicted_pct"]
        return {**errors, "optimism": optimism, "error_pct": error, "credible_width": optimism * widest}
    sign = plan.aim.sign
    expected, unsure = surrogate.predict(surrogate.points)
    best = int(np.argmax(sign * expected))
    gain = float(expected_improvement(surrogate, candidates, sign=sign).max())
    width = 2 * _CREDIBLE * float(unsure[best])
    return {**errors, "error_pct": percent * gain, "credible_width": width, "best": float(expected[best])}


def _look_back(plan: SequentialPlan) -> int:
    return max(plan.batch, _FEWEST_CONFIRMING)


def _last_scores(surrogate: Surrogate, count: int) -> Array:
    """Errors with which the last runs are predicted from those before, over the deviations that are expected."""
    first = max(FEWEST_RUNS, len(surrogate.points) - count)
    points, values = surrogate.points[first:], surrogate.values[first:]
    if not len(points) or not surrogate.scale:
        return np.zeros(1)
    before = Surrogate.fit(surrogate.points[:first], surrogate.values[:first], seed=0)
    mean, deviation = before.predict(points)
    expected = np.maximum(np.hypot(deviation, before.noise), _LEAST_DEVIATION * surrogate.scale)
    return np.asarray((values - mean) / expected)


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _missing(plan: SequentialPlan, name: str, found: Mapping[str, float]) -> list[str]:
    """What of a response is not yet known well enough."""
    missing = []
    if plan.error_pct is not None and found["error_pct"] > plan.error_pct:
        what = "has an error of" if plan.aim is Aim.LEARN else "may still improve by"
        missing.append(f"{name} {what} {found['error_pct']:.2g} % of its range (limit {plan.error_pct:g} %)")
    if found["credible_width"] > plan.credible_width.get(name, math.inf):
        missing.append(f"{name} is within {found['credible_width']:.3g} (limit {plan.credible_width[name]:g})")
    return missing
