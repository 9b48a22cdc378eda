"""How test points become runs: repeated, put into blocks and whole plots, and in which order they are carried out.

The order is random, so that what drifts during an experiment is not taken for an effect of a factor. Runs of a block
stay together, and so do those of a whole plot, between which alone a factor that is hard to change is set anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinbench.core.doe.region import Region
from twinbench.core.doe.spec import DesignSpec
from twinbench.core.doe.terms import Terms
from twinbench.core.errors import DesignError

__all__ = ["Arrangement", "arrange", "assign_blocks", "block_sizes"]

Points = NDArray[np.float64]
Numbers = NDArray[np.int64]

_STARTS = 8
_MOST_PASSES = 50
_ORTHOGONAL = 1e-9


@dataclass(frozen=True)
class Arrangement:
    """Runs in the order in which they are carried out.

    Attributes:
        points: Shares of the varying factors, shape (n, k).
        blocks: Number of each run's block, from 0; None without blocks.
        whole_plots: Number of each run's whole plot, from 0, rising; None without.
    """

    points: Points
    blocks: Numbers | None = None
    whole_plots: Numbers | None = None


def arrange(spec: DesignSpec, region: Region, points: Points, *, centres: int, terms: Terms | None) -> Arrangement:
    """Repeat points, add the centre, and order them.

    Args:
        spec: Its replicates, blocks, seed and randomisation.
        region: Where the points lie.
        points: The design proper, in shares; with blocks, those of optimal designs are in the blocks' order.
        centres: Centre points to add.
        terms: What is to be estimated; decides which runs may share a block. None: nothing is known.
    """
    random = np.random.default_rng([spec.seed, 1])
    runs = np.vstack([np.repeat(points, spec.replicates, axis=0), np.full((centres, points.shape[1]), 0.5)])
    order = random.permutation(len(runs)) if spec.randomise else np.arange(len(runs))
    hard = np.array([factor.hard_to_change for factor in region.varying], dtype=bool)
    if hard.any():
        plots = _whole_plots(runs, hard, spec.replicates, centres, random)
        order = _together(order, plots, random, randomise=spec.randomise)
        return Arrangement(runs[order], None, _renumbered(plots[order]))
    if spec.blocks:
        sizes = block_sizes(len(runs), len(spec.blocks))
        in_order = spec.kind.is_optimal and spec.replicates == 1 and not centres
        blocks = np.repeat(np.arange(len(sizes)), sizes) if in_order else assign_blocks(terms, runs, sizes, spec.seed)
        order = order[np.argsort(blocks[order], kind="stable")]
        return Arrangement(runs[order], blocks[order], None)
    return Arrangement(runs[order])


def block_sizes(runs: int, blocks: int) -> list[int]:
    """Sizes of blocks, as equal as can be.

    Raises:
        DesignError: If there are more blocks than runs by pairs.
    """
    if runs < 2 * blocks:
        raise DesignError(
            f"{runs} runs in {blocks} blocks leave fewer than two runs a block, which tells nothing: ask for fewer "
            "blocks or more runs."
        )
    return [runs // blocks + (number < runs % blocks) for number in range(blocks)]


def assign_blocks(terms: Terms | None, points: Points, sizes: list[int], seed: int) -> Numbers:
    """Which block each run belongs to, so that block and terms are confounded as little as can be.

    Runs are exchanged between blocks while the part of the model matrix (its columns made orthonormal) that lies in the
    space of the blocks becomes smaller; where it is nothing, blocks cost no information (Cook & Nachtsheim 1989).

    Returns:
        Numbers from 0, shape (n,).
    """
    random = np.random.default_rng([seed, 2])
    numbers = np.repeat(np.arange(len(sizes)), sizes)
    matrix = np.ones((len(points), 1)) if terms is None else terms.matrix(points)
    basis = _orthonormal(matrix - matrix.mean(axis=0))
    best, least = numbers, np.inf
    for _ in range(_STARTS):
        blocks = _exchanged(basis, random.permutation(numbers), np.array(sizes))
        confounded = _confounded(basis, blocks, np.array(sizes))
        if confounded < least - _ORTHOGONAL:
            best, least = blocks, confounded
        if least <= _ORTHOGONAL:
            break
    return best


def _orthonormal(matrix: Points) -> Points:
    left, sizes, _ = np.linalg.svd(matrix, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-9 * max(1.0, sizes.max(initial=0.0))])


def _sums(basis: Points, blocks: Numbers, count: int) -> Points:
    return np.stack([basis[blocks == number].sum(axis=0) for number in range(count)])


def _confounded(basis: Points, blocks: Numbers, sizes: Numbers) -> float:
    return float((_sums(basis, blocks, len(sizes)) ** 2 / sizes[:, None]).sum())


def _exchanged(basis: Points, blocks: Numbers, sizes: Numbers) -> Numbers:
    """Exchange the pair of runs that helps most, until none does."""
    blocks = blocks.copy()
    inner = basis @ basis.T
    apart = np.add.outer(np.diag(inner), np.diag(inner)) - 2 * inner  # |q_i - q_j|²
    for _ in range(_MOST_PASSES * len(blocks)):
        along = _sums(basis, blocks, len(sizes)) / sizes[:, None] @ basis.T  # mean of each block times q_i
        own = along[blocks, np.arange(len(blocks))]
        other = along[blocks].T  # [i, j]: of the block of j, times q_i
        gain = 2 * (own[:, None] - other + own[None, :] - other.T)
        cost = apart * (1 / sizes[blocks][:, None] + 1 / sizes[blocks][None, :])
        change = np.where(blocks[:, None] == blocks[None, :], 0.0, cost - gain)
        i, j = np.unravel_index(change.argmin(), change.shape)
        if change[i, j] >= -_ORTHOGONAL:
            break
        blocks[i], blocks[j] = blocks[j], blocks[i]
    return blocks


def _whole_plots(
    runs: Points, hard: NDArray[np.bool_], replicates: int, centres: int, random: np.random.Generator
) -> Numbers:
    """Runs of one replicate with one setting of the hard factors belong together."""
    replicate = np.arange(len(runs)) % replicates
    replicate[len(runs) - centres :] = 0
    _, plots = np.unique(np.column_stack([replicate, runs[:, hard].round(9)]), axis=0, return_inverse=True)
    return np.asarray(plots, dtype=np.int64).reshape(-1)


def _together(order: Numbers, plots: Numbers, random: np.random.Generator, *, randomise: bool) -> Numbers:
    """The same order within each whole plot, and the whole plots in an order of their own."""
    count = int(plots.max()) + 1
    rank = random.permutation(count) if randomise else np.arange(count)
    return np.asarray(order[np.argsort(rank[plots[order]], kind="stable")])


def _renumbered(plots: Numbers) -> Numbers:
    """Numbers from 0 in the order of appearance."""
    _, first, inverse = np.unique(plots, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return np.asarray(rank[inverse.reshape(-1)], dtype=np.int64)
