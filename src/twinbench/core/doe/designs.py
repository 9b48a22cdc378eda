"""Designs: which test points a set of factors is tried at.

    latin-hypercube    n runs; each factor's range in n equal strata, one run in each (best of many draws by distance)
    full-factorial     every combination of each factor's levels, equally spaced from low to high
    central-composite  corners, face centres and one centre: 2^k + 2k + 1 runs, all within the ranges
    fixed              nothing varies: n replicates

Points live in the unit cube of the varying factors until they become levels. The same specification gives the same
design, byte for byte. pyDOE3 and SciPy are imported by :func:`make_design`, not by this module.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from twinbench.core.doe.factors import MAX_RUNS, DesignSpec, Factor, Kind
from twinbench.core.errors import DesignError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Design", "DesignRun", "make_design", "recommended_kind"]

_MAXIMIN_DRAWS = 100
_DIGITS = 6


@dataclass(frozen=True)
class DesignRun:
    """One test point: its number, from 1, and the level of each factor in the factor's unit."""

    run: int
    levels: Mapping[str, float]


@dataclass(frozen=True)
class Design:
    """A set of test points and how good it is.

    Attributes:
        library: Names and versions of what made the design.
        quality: ``minimum_distance`` (Euclidean, unit cube; more than one run) and ``centered_l2_discrepancy``
            (smaller is more even); empty if nothing varies.
    """

    spec: DesignSpec
    runs: tuple[DesignRun, ...]
    quality: Mapping[str, float]
    library: str

    @property
    def kind(self) -> str:
        """How the test points were chosen."""
        return self.spec.kind.value

    def as_document(self) -> dict[str, Any]:
        """As ``design.json`` of a request."""
        return {
            "kind": self.kind,
            "seed": self.spec.seed,
            "library": self.library,
            "factors": [factor.as_document() for factor in self.spec.factors],
            "runs": [{"run": run.run, "levels": dict(run.levels)} for run in self.runs],
            "quality": dict(self.quality),
        }

    def runs_csv(self) -> str:
        """As CSV: the run's number, then one column per factor."""
        names = [factor.name for factor in self.spec.factors]
        text = io.StringIO()
        rows = ([run.run, *(run.levels[name] for name in names)] for run in self.runs)
        csv.writer(text, lineterminator="\n").writerows([["run", *names], *rows])
        return text.getvalue()


def make_design(spec: DesignSpec) -> Design:
    """Choose the test points.

    Raises:
        DesignError: If the kind cannot have the number of runs that is asked for.
    """
    import numpy as np

    count = _run_count(spec)
    if spec.kind is Kind.FIXED:
        points: NDArray[np.float64] = np.zeros((count, 0))
    elif spec.kind is Kind.LATIN_HYPERCUBE:
        points = _latin_hypercube(len(spec.varying), count, spec.seed)
    elif spec.kind is Kind.FULL_FACTORIAL:
        points = _full_factorial([factor.levels for factor in spec.varying])
    else:
        points = _central_composite(len(spec.varying))
    runs = tuple(DesignRun(number, _levels(spec.factors, point)) for number, point in enumerate(points.tolist(), 1))
    return Design(spec, runs, _quality(points), _library())


def recommended_kind(factors: Sequence[Factor], runs: int) -> str:
    """The kind that makes most of so many runs.

    A two-level factorial or a central-composite design where the number of runs is exactly theirs, since they estimate
    effects best; otherwise a Latin hypercube, which has any number of runs; ``fixed`` if nothing varies.
    """
    varying = [factor for factor in factors if factor.varies]
    if not varying:
        return Kind.FIXED.value
    if runs > 1 and runs == math.prod(factor.levels for factor in varying):
        return Kind.FULL_FACTORIAL.value
    if len(varying) > 1 and runs == _central_composite_size(len(varying)):
        return Kind.CENTRAL_COMPOSITE.value
    return Kind.LATIN_HYPERCUBE.value


def _central_composite_size(factors: int) -> int:
    return (1 << factors) + 2 * factors + 1


def _run_count(spec: DesignSpec) -> int:
    """How many runs the design has; checked against what is asked for before anything is computed."""
    if spec.kind in (Kind.FIXED, Kind.LATIN_HYPERCUBE):
        return spec.runs or 0
    if spec.kind is Kind.FULL_FACTORIAL:
        count = math.prod(factor.levels for factor in spec.varying)
    else:
        count = _central_composite_size(len(spec.varying))
    if count > MAX_RUNS:
        raise DesignError(f"This {spec.kind} design has {count} runs, more than {MAX_RUNS}: ask for latin-hypercube.")
    if spec.runs not in (None, count):
        raise DesignError(
            f"This {spec.kind} design has {count} runs, not {spec.runs}: leave runs out, or ask for latin-hypercube."
        )
    return count


def _latin_hypercube(factors: int, runs: int, seed: int) -> NDArray[np.float64]:
    from pyDOE3 import lhs

    if runs == 1:
        points = lhs(factors, samples=1, seed=seed)
    else:
        points = lhs(factors, samples=runs, criterion="maximin", iterations=_MAXIMIN_DRAWS, seed=seed)
    return _as_points(points)


def _full_factorial(levels: Sequence[int]) -> NDArray[np.float64]:
    import numpy as np
    from pyDOE3 import fullfact

    return _as_points(fullfact(list(levels)) / (np.asarray(levels) - 1))


def _central_composite(factors: int) -> NDArray[np.float64]:
    from pyDOE3 import ccdesign

    return _as_points((ccdesign(factors, center=(0, 1), face="ccf") + 1) / 2)


def _as_points(points: Any) -> NDArray[np.float64]:
    import numpy as np

    return np.asarray(points, dtype=np.float64)


def _levels(factors: Sequence[Factor], point: Sequence[float]) -> dict[str, float]:
    shares = iter(point)
    return {factor.name: _level(factor, next(shares)) if factor.varies else factor.low for factor in factors}


def _level(factor: Factor, share: float) -> float:
    """The value at a share of the factor's range, with six digits of the range: never outside it."""
    value = factor.low * (1 - share) + factor.high * share
    span = factor.high - factor.low
    if math.isfinite(span):
        value = round(value, _DIGITS - math.floor(math.log10(span)))
    return min(max(value, factor.low), factor.high)


def _quality(points: NDArray[np.float64]) -> dict[str, float]:
    from scipy.spatial.distance import pdist
    from scipy.stats import qmc

    if points.shape[1] == 0:
        return {}
    quality = {"centered_l2_discrepancy": round(float(qmc.discrepancy(points, method="CD")), 9)}
    if len(points) > 1:
        quality["minimum_distance"] = round(float(pdist(points).min()), 9)
    return quality


def _library() -> str:
    return ", ".join(f"{name} {version(name)}" for name in ("pyDOE3", "scipy", "numpy"))
