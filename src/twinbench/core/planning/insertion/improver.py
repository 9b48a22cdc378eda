"""What makes the plan of a search better in a way of its own: it looks on, and hands over what it finds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate
from twinbench.core.planning.plan import Interval

__all__ = ["Improver"]


class Improver(ABC):
    """Another way to make a plan better; the best plan that it finds becomes that of the search.

    Args:
        search: Has a plan.
    """

    def __init__(self, search: RuinRecreate) -> None:
        self._search = search

    @property
    def value(self) -> tuple[int, ...]:
        """The tiers of the best plan's objective."""
        return self._search.value

    def parts(self) -> list[Interval]:
        """The best plan."""
        return self._search.parts()

    def load(self, parts: Sequence[Interval]) -> None:
        """Take in a plan that others have found, if it is better."""
        self._search.load(parts)

    @abstractmethod
    def improve(self, effort: int, *, heat: float, seed: int) -> None:
        """Make the plan better until so many modes were tried.

        Args:
            effort: How many, or what takes as long.
            heat: How much worse plans may be at times, where the way has need of that.
            seed: Of the chances.
        """
