"""The runs of an experiment whose response is known, and the factors that they can tell of.

A run without a response, or without a level of a factor that varies, is left out and counted. A factor of which the
remaining runs have one level only cannot be judged and is left out as well; of a categorical factor the categories that
occur remain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.factors import Factor, Level
from twinbench.core.doe.terms import Terms

__all__ = ["KnownRuns"]

_DIGITS = 9  # of a share, to tell whether two runs have the same settings


@dataclass(frozen=True, eq=False)
class KnownRuns:
    """What is known of an experiment.

    Attributes:
        factors: Those with two levels or more in these runs.
        points: Their levels as shares, shape (n, k).
        values: The response, shape (n,).
        numbers: Number of each run, in the order in which they were carried out.
        blocks: Block of each run; empty if there are none.
        whole_plots: Whole plot of each run, within which hard-to-change factors stay as they are; empty if none.
        left_out: How many runs are not among them.
        varying: The factors that vary by design, tried or not.
    """

    factors: tuple[Factor, ...]
    points: NDArray[np.float64]
    values: NDArray[np.float64]
    numbers: tuple[int, ...]
    blocks: tuple[str, ...] = ()
    whole_plots: tuple[int, ...] = ()
    left_out: int = 0
    varying: tuple[Factor, ...] = ()

    @classmethod
    def gather(
        cls,
        factors: Sequence[Factor],
        levels: Sequence[Mapping[str, Level]],
        values: Sequence[float | None],
        *,
        numbers: Sequence[int] | None = None,
        blocks: Sequence[str] | None = None,
        whole_plots: Sequence[int] | None = None,
    ) -> KnownRuns:
        """Keep what is known.

        Raises:
            DesignError: If a level is no category of its factor, or no number.
        """
        varying = tuple(factor for factor in factors if factor.varies)
        kept = [
            place
            for place, (run, value) in enumerate(zip(levels, values, strict=True))
            if value is not None and math.isfinite(value) and all(factor.name in run for factor in varying)
        ]
        tried = [_tried(factor, [levels[place][factor.name] for place in kept]) for factor in varying]
        judged = tuple(factor for factor in tried if factor)
        points = [[factor.share(levels[place][factor.name]) for factor in judged] for place in kept]
        return cls(
            judged,
            np.array(points, dtype=np.float64).reshape(len(kept), len(judged)),
            np.array([values[place] for place in kept], dtype=np.float64),
            tuple(int(numbers[place]) if numbers else place + 1 for place in kept),
            tuple(str(blocks[place]) for place in kept) if blocks else (),
            tuple(int(whole_plots[place]) for place in kept) if whole_plots else (),
            len(levels) - len(kept),
            varying,
        )

    @property
    def settings(self) -> NDArray[np.intp]:
        """For each run a number, the same for runs with the same levels in the same block: repeats of each other."""
        places = [sorted(set(self.blocks)).index(block) for block in self.blocks] or [0] * len(self.values)
        rows = np.column_stack([self.points.round(_DIGITS), np.array(places, dtype=np.float64)])
        return np.asarray(np.unique(rows, axis=0, return_inverse=True)[1]).reshape(-1)

    @property
    def block_columns(self) -> NDArray[np.float64]:
        """Columns of the blocks, coded by their effects: shape (n, blocks - 1)."""
        names = sorted(set(self.blocks))
        if len(names) < 2:
            return np.zeros((len(self.values), 0))
        effects = np.vstack([np.eye(len(names) - 1), -np.ones(len(names) - 1)])
        return np.asarray(effects[[names.index(block) for block in self.blocks]])

    def matrix(self, terms: Terms) -> NDArray[np.float64]:
        """Model matrix of the terms, and the columns of the blocks after it."""
        return np.hstack([terms.matrix(self.points), self.block_columns])


def _tried(factor: Factor, levels: Sequence[Level]) -> Factor | None:
    """The factor as far as runs have tried it; None if they all have the same level."""
    if len(set(levels)) < 2:
        return None
    if not factor.categories:
        return factor
    for level in levels:
        factor.share(level)  # refuses what is no category of it
    left = tuple(category for category in factor.categories if category in levels)
    return replace(factor, categories=left, high=float(len(left) - 1))
