"""A population of plans that inherit from each other, and begins anew with more of them when all have become alike.

The compiled part is :mod:`twinbench.core.planning.insertion.evolving_kernel`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twinbench.core.planning.insertion.improver import Improver
from twinbench.core.planning.insertion.orders import drawn, rules
from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate, kernel

__all__ = ["Population"]

_PLANS = 100
_GROWTH = 2
_PATIENCE = 12  # children for each plan without one that is shorter than all, after which they are too much alike


class Population(Improver):
    """Plans of a search's problem; the best one becomes that of the search."""

    def __init__(self, search: RuinRecreate) -> None:
        super().__init__(search)
        self._kernel: Any = kernel("evolving")
        self._rules = rules(search.problem.jobs)
        self._known = search.value
        self._begin(_PLANS)
        self._plans[0], self._worth[0], self._count = search.places(), search.value, 1

    def _begin(self, plans: int) -> None:
        self._plans = np.repeat(self._search.places()[None, :], plans, axis=0).view(np.recarray)
        self._worth = np.zeros((plans, len(self._search.value)), np.int64)
        self._count = self._made = self._barren = 0

    def improve(self, effort: int, *, heat: float, seed: int) -> None:
        """Have plans inherit from each other until so many modes were tried."""
        rng = np.random.default_rng(seed)
        while effort > 0 and self._count < len(self._plans):
            effort -= self._add(rng)
        if effort <= 0:
            return
        self._welcome()
        before = self._worth[:, 0].min()
        children = self._kernel.evolve(*self._search.arrays, self._plans, self._worth, effort, seed % 2**32)
        best = np.lexsort(self._worth.T[::-1])[0]
        self._search.keep(self._plans[best], self._worth[best])
        self._known = min(self._known, self._search.value)
        self._barren = self._barren + children if self._worth[best, 0] == before else 0
        if self._barren > _PATIENCE * len(self._plans):
            self._begin(_GROWTH * len(self._plans))

    def _add(self, rng: np.random.Generator) -> int:
        """Make one more plan by a rule, and by chance; how many modes were tried."""
        jobs = len(self._search.problem.jobs)
        keys = drawn(self._rules, self._made, rng)
        self._made += 1
        any_mode = np.ones(jobs, np.bool_)
        whole, tried = self._kernel.breed(*self._search.arrays, keys, np.zeros(jobs, np.int64), any_mode)
        if whole:
            self._plans[self._count], self._worth[self._count] = self._search.current()
            self._count += 1
        return max(int(tried), jobs)

    def _welcome(self) -> None:
        """Take in a better plan that the search was given."""
        if self._search.value < self._known:
            worst = np.lexsort(self._worth.T[::-1])[-1]
            self._plans[worst], self._worth[worst] = self._search.places(), self._search.value
            self._known, self._barren = self._search.value, 0
