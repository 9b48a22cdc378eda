"""Designs: which test points a set of factors is tried at, in which order, and how good that is.

    points    chosen as the kind has it (factorial, screening, response surface, space filling, optimal), in shares of
              the factors' ranges; snapped to the levels the factors can have, and within the constraints
    runs      points repeated, put into blocks or whole plots, and ordered
    quality   what the runs will be able to tell

The same specification gives the same design, byte for byte.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np

from twinbench.core.doe.arrangement import Arrangement, arrange, block_sizes
from twinbench.core.doe.constraints import Constraint
from twinbench.core.doe.factors import Factor, Level
from twinbench.core.doe.points import ChosenPoints, choose_points, existing_points
from twinbench.core.doe.region import Region
from twinbench.core.doe.spec import MAX_RUNS, DesignSpec, Kind
from twinbench.core.doe.terms import Terms
from twinbench.core.errors import DesignError

__all__ = ["Design", "DesignRun", "levels_of", "make_design", "runs_table"]


@dataclass(frozen=True)
class DesignRun:
    """One run: its number, from 1, and the level of each factor in the factor's unit.

    Attributes:
        block: Name of its block; empty without blocks.
        whole_plot: Number of its whole plot, from 1; 0 without.
    """

    run: int
    levels: Mapping[str, Level]
    block: str = ""
    whole_plot: int = 0

    def as_document(self) -> dict[str, Any]:
        """As JSON."""
        document: dict[str, Any] = {"run": self.run, "levels": dict(self.levels)}
        if self.block:
            document["block"] = self.block
        return document | ({"whole_plot": self.whole_plot} if self.whole_plot else {})


@dataclass(frozen=True)
class Design:
    """Test points, what they are good for, and how they came about.

    Attributes:
        terms: Names of the terms the runs are to estimate; empty if they are for no model.
        quality: See :func:`~twinbench.core.doe.quality.design_quality`; empty if nothing varies.
        notes: What a reader should know of how the design came about, in words.
        aliases: Of a fraction: effect -> those it is confounded with.
        generators: Of a fraction, such as ``D=ABC``, the factors lettered in their order.
    """

    spec: DesignSpec
    runs: tuple[DesignRun, ...]
    terms: tuple[str, ...]
    quality: Mapping[str, Any]
    library: str
    notes: tuple[str, ...] = ()
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    generators: tuple[str, ...] = ()

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
            "spec": self.spec.as_document(),
            "factors": [factor.as_document() for factor in self.spec.factors],
            "runs": [run.as_document() for run in self.runs],
            "model": list(self.terms),
            "quality": dict(self.quality),
            "notes": list(self.notes),
            "generators": list(self.generators),
            "aliases": {effect: list(others) for effect, others in self.aliases.items()},
        }

    def runs_csv(self) -> str:
        """As CSV, see :func:`runs_table`."""
        return runs_table(self.spec, [run.as_document() for run in self.runs])


def runs_table(spec: DesignSpec, runs: Sequence[Mapping[str, Any]]) -> str:
    """Runs of ``design.json`` as CSV: the number, block, whole plot or round if there are any, then the factors."""
    groups = {"block": spec.block_name, "whole_plot": "whole_plot", "round": "round"}
    used = [key for key in groups if any(key in run for run in runs)]
    names = [factor.name for factor in spec.factors]
    head = ["run", *(groups[key] for key in used), *names]
    rows = [[run["run"], *(run[key] for key in used), *(run["levels"][name] for name in names)] for run in runs]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *rows])
    return text.getvalue()


def make_design(spec: DesignSpec) -> Design:
    """Choose the test points, arrange them, and judge what they can tell.

    Raises:
        DesignError: If no such design exists, naming what stands against it and what to change.
    """
    constraints = tuple(Constraint.read(text, spec.factors) for text in spec.constraints)
    region = Region(spec.factors, constraints)
    if spec.kind is Kind.FIXED:
        return _fixed(spec, region)
    chosen = choose_points(spec, region)
    _check_size(spec, len(chosen.points) * spec.replicates + chosen.centres)
    terms = _terms(spec, region, chosen)
    made = arrange(spec, region, chosen.points, centres=chosen.centres, terms=terms)
    return Design(
        spec=spec,
        runs=_runs(spec, made),
        terms=terms.labels if terms else (),
        quality=_quality(spec, region, terms, made),
        library=_library(),
        notes=(
            *((f"Recommended: {spec.reason}",) if spec.reason else ()),
            *chosen.notes,
            *_centre_note(region, chosen.centres),
        ),
        aliases=chosen.aliases,
        generators=chosen.generators,
    )


def _fixed(spec: DesignSpec, region: Region) -> Design:
    count = (spec.runs or 1) * spec.replicates
    _check_size(spec, count)
    points = np.zeros((count, 0))
    if broken := region.broken(points[0]):
        raise DesignError(f"The one setting of the factors breaks the constraint {broken[0]!r}: change one of them.")
    made = Arrangement(points)
    if spec.blocks:
        made = Arrangement(points, np.repeat(np.arange(len(spec.blocks)), block_sizes(count, len(spec.blocks))))
    return Design(spec, _runs(spec, made), (), {}, _library())


def _check_size(spec: DesignSpec, count: int) -> None:
    if count > MAX_RUNS:
        raise DesignError(
            f"This {spec.kind} design has {count} runs, more than {MAX_RUNS}: ask for fewer runs or replicates."
        )


def _terms(spec: DesignSpec, region: Region, chosen: ChosenPoints) -> Terms | None:
    """What the runs are to estimate: as asked, or the largest model of those the kind is for that they can."""
    if spec.model is not None:
        return Terms.read(spec.model, spec.factors)
    points = chosen.points
    if chosen.centres:
        points = np.vstack([points, np.full((1, points.shape[1]), 0.5)])
    total = len(points) + len(spec.existing) - max(0, len(spec.blocks) - 1)
    for model in chosen.models:
        if total < _fewest_coefficients(model, len(region.varying)):
            continue
        terms = Terms.read(model, spec.factors)
        matrix = terms.matrix(np.vstack([points, existing_points(spec)]))
        if matrix.shape[1] <= total and np.linalg.matrix_rank(matrix) == matrix.shape[1]:
            return terms
    return None


def _fewest_coefficients(model: str, factors: int) -> int:
    """So that no matrix is made which cannot be of use."""
    return 1 + factors if model == "linear" else 1 + factors + math.comb(factors, 2)


def _runs(spec: DesignSpec, made: Arrangement) -> tuple[DesignRun, ...]:
    return tuple(
        DesignRun(
            run=place + 1,
            levels=levels_of(spec.factors, point),
            block=spec.blocks[made.blocks[place]] if made.blocks is not None else "",
            whole_plot=int(made.whole_plots[place]) + 1 if made.whole_plots is not None else 0,
        )
        for place, point in enumerate(made.points.tolist())
    )


def levels_of(factors: Sequence[Factor], point: Sequence[float]) -> dict[str, Level]:
    """Levels of every factor at a point given in shares of those that vary."""
    shares = iter(point)
    return {factor.name: factor.level(next(shares) if factor.varies else 0.0) for factor in factors}


def _quality(spec: DesignSpec, region: Region, terms: Terms | None, made: Arrangement) -> dict[str, Any]:
    from twinbench.core.doe.quality import design_quality

    existing = existing_points(spec)
    alone = not len(existing)
    return design_quality(
        terms,
        np.vstack([existing, made.points]),
        feasible=_feasible(region),
        blocks=made.blocks if alone else None,
        groups=made.whole_plots if alone else None,
        signal_to_noise=spec.signal_to_noise,
    )


def _feasible(region: Region) -> Any:
    return region.is_feasible if region.constraints else None


def _reason(spec: DesignSpec) -> tuple[str, ...]:
    return (f"Recommended: {spec.reason}",) if spec.reason else ()


def _centre_note(region: Region, centres: int) -> tuple[str, ...]:
    """The centre of a factor with steps may not be its middle."""
    centre = np.full((1, len(region.varying)), 0.5)
    moved = [
        factor.name
        for factor, share in zip(region.varying, region.snap(centre)[0], strict=True)
        if abs(share - 0.5) > 1e-9
    ]
    if not centres or not moved:
        return ()
    return (f"Centre points stand at the nearest level that {', '.join(moved)} can have, not in the middle.",)


def _library() -> str:
    return ", ".join(f"{name} {version(name)}" for name in ("twinbench", "pyDOE3", "scipy", "numpy", "numba"))
