"""Since when nothing has changed in the pool: what is settled, what is stale, and whether somebody should look.

A file may be taken when nobody writes to it any more. No clock but the looker's own is asked, since servers' clocks
differ and uploads may keep a file's old date.
"""

from __future__ import annotations

from collections.abc import Iterable

from twinbench.core.pool_entries import QUIET_S, Entry

__all__ = ["Settling"]

_TELL_AGAIN_S = 600.0


class Settling:
    """Looks at the pool again and again, and remembers.

    Args:
        patience_s: What has not changed for so long is stale: it will not be completed any more.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._since_s: dict[tuple[str, int, int], float] = {}
        self._stages: frozenset[tuple[object, ...]] = frozenset()
        self._told: frozenset[tuple[object, ...]] = frozenset()
        self._told_at_s = float("-inf")

    def look(self, entries: Iterable[Entry], at_s: float) -> dict[str, float]:
        """What lies there now; returns for how long each entry has not changed, by how its path is shown."""
        there = {(entry.shown, entry.size, entry.modified): entry for entry in entries}
        self._since_s = {key: self._since_s.get(key, at_s) for key in there}
        ages = {key: at_s - since for key, since in self._since_s.items()}
        settled = {key for key, age in ages.items() if age >= QUIET_S}
        is_complete = any(there[key].is_wiring for key in settled)
        self._stages = frozenset(
            (*key, ages[key] >= self._patience_s) for key in settled if is_complete or ages[key] >= self._patience_s
        )
        return {key[0]: age for key, age in ages.items()}

    def is_due(self, at_s: float) -> bool:
        """Whether something has come to an end since that was told last: an interconnection file, or all patience.

        What was told and still lies there is told again every ten minutes, should nobody have listened.
        """
        if not self._stages or (self._stages <= self._told and at_s - self._told_at_s < _TELL_AGAIN_S):
            self._told &= self._stages
            return False
        self._told, self._told_at_s = self._stages, at_s
        return True
