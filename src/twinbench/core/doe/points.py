"""The points of a design, as each kind chooses them: before they are repeated and ordered."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.factors import Factor
from twinbench.core.doe.region import Region
from twinbench.core.doe.spec import MAX_RUNS, DesignSpec, Kind
from twinbench.core.doe.terms import MODELS, Terms
from twinbench.core.errors import DesignError

__all__ = ["ChosenPoints", "choose_points", "existing_points"]

Points = NDArray[np.float64]

_LARGEST_FIRST = tuple(reversed(MODELS))
_MOST_CORNERS = 11  # 2^11 is more than MAX_RUNS


@dataclass(frozen=True)
class ChosenPoints:
    """Points of a design.

    Attributes:
        points: Shares of the varying factors, shape (n, k), at levels the factors can have.
        centres: Centre points to add.
        models: What such a design is for, the largest first.
        notes: In words.
        aliases: Of a fraction.
        generators: Of a fraction.
    """

    points: Points
    centres: int = 0
    models: tuple[str, ...] = _LARGEST_FIRST
    notes: tuple[str, ...] = ()
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    generators: tuple[str, ...] = ()


def choose_points(spec: DesignSpec, region: Region) -> ChosenPoints:
    """The points of a design.

    Raises:
        DesignError: If the kind has none for these factors, constraints and number of runs.
    """
    if spec.kind.is_optimal:
        return _optimal(spec, region)
    if spec.kind.fills_space:
        return _space_filling(spec, region)
    if spec.kind is Kind.FULL_FACTORIAL:
        return _full_factorial(spec, region)
    chosen = _CLASSICAL[spec.kind](spec)
    _check_count(spec, len(chosen.points) + chosen.centres)
    return _snapped(spec, region, chosen)


def existing_points(spec: DesignSpec) -> NDArray[np.float64]:
    """Runs that were made already, in shares, shape (m, k)."""
    rows = [[factor.share(run[factor.name]) for factor in spec.varying] for run in spec.existing]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(spec.varying))


# Classical designs: -1, 0 and +1.


def _fractional(spec: DesignSpec) -> ChosenPoints:
    from twinbench.core.doe.kinds.factorial import choose_fraction, read_generators, two_level

    _two_levels(spec)
    count = len(spec.varying)
    if spec.generators:
        fraction = read_generators(count, spec.generators)
    else:
        fraction = choose_fraction(count, runs=spec.runs, resolution=spec.resolution)
    names = [factor.name for factor in spec.varying]
    letters = ", ".join(f"{letter} {name}" for letter, name in zip(_letters(count), names, strict=True))
    resolution = fraction.resolution or 3
    return ChosenPoints(
        two_level(fraction),
        spec.centre_points or 0,
        models=("interactions", "linear") if resolution >= 5 else ("linear",),
        notes=(f"Resolution {_roman(resolution)}; {letters}.",),
        aliases=fraction.aliases(names),
        generators=fraction.generators,
    )


def _letters(count: int) -> str:
    from twinbench.core.doe.kinds.factorial import LETTERS

    return LETTERS[:count]


def _roman(number: int) -> str:
    return {3: "III", 4: "IV", 5: "V", 6: "VI", 7: "VII"}.get(number, str(number))


def _plackett_burman(spec: DesignSpec) -> ChosenPoints:
    from twinbench.core.doe.kinds.screening import plackett_burman

    _two_levels(spec)
    count = len(spec.varying)
    size = 4 * (count // 4 + 1) if spec.runs is None else spec.runs
    if size % 4 or size <= count:
        raise DesignError(
            f"A plackett-burman design of {count} factors has a multiple of four runs, more than {count}, not {size}: "
            f"ask for {4 * (count // 4 + 1)}."
        )
    return ChosenPoints(plackett_burman(size - 1)[:, :count], spec.centre_points or 0, models=("linear",))


def _definitive(spec: DesignSpec) -> ChosenPoints:
    from twinbench.core.doe.kinds.screening import definitive_screening

    _numbers(spec)
    count = len(spec.varying)
    order = count if spec.runs is None else (spec.runs - 1) // 2
    if order < count:
        raise DesignError(f"A definitive-screening design of {count} factors has {2 * count + 1} runs or more: ask so.")
    points = definitive_screening(max(order, 3))[:, :count]
    centres = 1 if spec.centre_points is None else spec.centre_points
    return ChosenPoints(points[:-1], centres, models=_LARGEST_FIRST)


def _central_composite(spec: DesignSpec) -> ChosenPoints:
    from twinbench.core.doe.kinds.response_surface import axial_distance, central_composite

    _numbers(spec)
    count = len(spec.varying)
    if count > _MOST_CORNERS:
        raise DesignError(f"This central-composite design has {1 << count} corners: ask for i-optimal.")
    points = central_composite(count, spec.face)
    notes = (
        f"The axial points lie {axial_distance(count):.4g} times as far from the centre as low and high: beyond them.",
    )
    centres = 1 if spec.centre_points is None else spec.centre_points
    return ChosenPoints(points, centres, notes=notes if spec.face == "circumscribed" else ())


def _box_behnken(spec: DesignSpec) -> ChosenPoints:
    from twinbench.core.doe.kinds.response_surface import BOX_BEHNKEN_CENTRES, box_behnken

    _numbers(spec)
    points = box_behnken(len(spec.varying))
    centres = BOX_BEHNKEN_CENTRES[len(spec.varying)] if spec.centre_points is None else spec.centre_points
    return ChosenPoints(points, centres)


_CLASSICAL: dict[Kind, Callable[[DesignSpec], ChosenPoints]] = {
    Kind.FRACTIONAL_FACTORIAL: _fractional,
    Kind.PLACKETT_BURMAN: _plackett_burman,
    Kind.DEFINITIVE_SCREENING: _definitive,
    Kind.CENTRAL_COMPOSITE: _central_composite,
    Kind.BOX_BEHNKEN: _box_behnken,
}


def _two_levels(spec: DesignSpec) -> None:
    odd = [factor for factor in spec.varying if len(factor.categories) > 2]
    if odd:
        raise DesignError(
            f"A {spec.kind} design has two levels, and {odd[0].name} has {len(odd[0].categories)} categories: ask for "
            "full-factorial or d-optimal."
        )
    if spec.centre_points:
        _numbers(spec)


def _numbers(spec: DesignSpec) -> None:
    odd = [factor.name for factor in spec.varying if factor.categories]
    if odd:
        raise DesignError(
            f"A {spec.kind} design has middles between low and high, and {odd[0]} has categories: ask for d-optimal, "
            "or leave centre points out."
        )


def _check_count(spec: DesignSpec, count: int) -> None:
    """Against what is asked for; fractions and Plackett-Burman designs have taken it into account."""
    sized = spec.kind in (Kind.FRACTIONAL_FACTORIAL, Kind.PLACKETT_BURMAN)
    if spec.runs is not None and not sized and count != spec.runs:
        raise DesignError(
            f"This {spec.kind} design has {count} runs, not {spec.runs}: leave runs out, or ask for latin-hypercube."
        )


def _snapped(spec: DesignSpec, region: Region, chosen: ChosenPoints) -> ChosenPoints:
    """Coded points as shares at levels that exist; every one must be feasible."""
    shares = (chosen.points + 1) / 2
    if spec.face == "circumscribed" and spec.kind is Kind.CENTRAL_COMPOSITE:
        stepped = [factor.name for factor in region.varying if factor.values]
        if stepped:
            raise DesignError(
                f"A circumscribed design goes beyond low and high, and {stepped[0]} has only certain values: ask for "
                "face faced or inscribed."
            )
        points = shares
    else:
        points = region.snap(shares)
    centre = region.snap(np.full((1, shares.shape[1]), 0.5))[: chosen.centres]
    feasible = region.is_feasible(np.vstack([points, centre]))
    if not feasible.all():
        first = np.vstack([points, centre])[np.flatnonzero(~feasible)[0]]
        raise DesignError(
            f"{int((~feasible).sum())} points of this {spec.kind} design break the constraint "
            f"{region.broken(first)[0]!r}: ask for d-optimal or i-optimal, which keep to it, or narrow the ranges."
        )
    return ChosenPoints(points, chosen.centres, chosen.models, chosen.notes, chosen.aliases, chosen.generators)


# Designs that take constraints into account.


def _full_factorial(spec: DesignSpec, region: Region) -> ChosenPoints:
    from twinbench.core.doe.kinds.factorial import full_factorial

    count = math.prod(factor.levels for factor in spec.varying)
    if count > MAX_RUNS:
        raise DesignError(f"This {spec.kind} design has {count} runs, more than {MAX_RUNS}: ask for latin-hypercube.")
    if spec.centre_points:
        _numbers(spec)
    points = region.snap(full_factorial([_levels_of(factor) for factor in spec.varying]))
    feasible = region.is_feasible(points)
    left_out = int((~feasible).sum())
    if left_out == len(points):
        region.candidates(1, seed=spec.seed)
        raise DesignError(f"All {count} combinations of levels break a constraint: ask for more levels, or d-optimal.")
    _check_count(spec, len(points) - left_out)
    notes = (f"{left_out} of {count} combinations break a constraint and are left out.",) if left_out else ()
    most = 2 if all(factor.levels == 2 for factor in spec.varying) else 3
    return ChosenPoints(
        points[feasible],
        spec.centre_points or 0,
        models=_LARGEST_FIRST if most > 2 or spec.centre_points else ("interactions", "linear"),
        notes=notes,
    )


def _levels_of(factor: Factor) -> Points:
    """Shares of its levels: as many of its values as are asked for, else equally spaced ones."""
    if factor.values:
        places = np.linspace(0, len(factor.values) - 1, min(factor.levels, len(factor.values))).round().astype(int)
        return np.array([factor.share(factor.values[place]) for place in places])
    return np.linspace(0, 1, len(factor.categories) or factor.levels)


def _space_filling(spec: DesignSpec, region: Region) -> ChosenPoints:
    from twinbench.core.doe.kinds.space_filling import latin_hypercube, sequence, spread, whole_plot_settings

    runs, seed = spec.runs or 0, spec.seed
    if spec.centre_points:
        _numbers(spec)
    hard = [factor.name for factor in region.varying if factor.hard_to_change]
    plots = _whole_plots(spec, runs) if hard else None
    if spec.kind is not Kind.LATIN_HYPERCUBE:
        if hard:
            raise DesignError(f"A {spec.kind} sequence sets {hard[0]} anew in each run: ask for latin-hypercube.")
        points = region.snap(sequence(region, runs, seed=seed, name=spec.kind.value))
    elif spec.constraints or spec.existing:
        if spec.criterion == "discrepancy":
            what = "constraints" if spec.constraints else "existing runs"
            raise DesignError(f"A discrepancy is measured over the whole box; with {what} ask for criterion distance.")
        settings = None if plots is None else whole_plot_settings(region, plots, seed=seed)
        points = spread(region, runs, seed=seed, existing=existing_points(spec), settings=settings)
    else:
        made = latin_hypercube(region, runs, seed=seed, criterion=spec.criterion, whole_plots=plots)
        points = region.snap(made)
    return ChosenPoints(points, spec.centre_points or 0)


def _optimal(spec: DesignSpec, region: Region) -> ChosenPoints:
    from twinbench.core.doe.arrangement import block_sizes
    from twinbench.core.doe.kinds.optimal import optimal_design

    runs = spec.runs or 0
    if spec.centre_points:
        _numbers(spec)
    hard = [factor.hard_to_change for factor in region.varying]
    groups = np.arange(runs) * _whole_plots(spec, runs) // runs if any(hard) else None
    existing = existing_points(spec)
    blocks = None
    if spec.blocks and not len(existing):
        sizes = block_sizes(runs, len(spec.blocks))
        blocks = np.repeat(np.arange(len(sizes)), sizes)
    points = optimal_design(
        _optimal_terms(spec, runs + len(existing) - (len(spec.blocks) - 1 if spec.blocks else 0)),
        runs,
        criterion=spec.kind.value[0].upper(),
        seed=spec.seed,
        allowed=region.allowed,
        feasible=region.is_feasible if region.constraints else None,
        existing=existing if len(existing) else None,
        groups=groups,
        hard=hard if groups is not None else (),
        blocks=blocks,
    )
    return ChosenPoints(points, spec.centre_points or 0)


def _optimal_terms(spec: DesignSpec, runs: int) -> Terms:
    """As asked, or the largest model with a name that so many runs can estimate."""
    if spec.model is not None:
        return Terms.read(spec.model, spec.factors)
    fits = [terms for model in _LARGEST_FIRST if len((terms := Terms.read(model, spec.factors)).exponents) <= runs]
    return fits[0] if fits else Terms.read("linear", spec.factors)


def _whole_plots(spec: DesignSpec, runs: int) -> int:
    plots = spec.whole_plots or min(runs, max(4, round(math.sqrt(runs))))
    if not 2 <= plots <= runs:
        raise DesignError(f"{plots} whole plots for {runs} runs: ask for 2 to {runs}.")
    return plots
