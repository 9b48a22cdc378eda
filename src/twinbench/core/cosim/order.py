"""In which order wired FMUs hand on their signals, so that each sees what those before it say at the same point.

An FMU comes after all that drive it. Where FMUs drive each other in a loop, no such order exists: the loop is opened at
the FMU with the fewest drivers inside it (the first by name among equals), always at the same place for the same
bundle. Signals over the opening reach their inputs before the next step as all others do; only outputs that depend on
them *directly* are one communication step old.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twinbench.core.bundle import Connection
from twinbench.core.findings import Finding, Severity

__all__ = ["Order", "propagation_order"]


@dataclass(frozen=True)
class Order:
    """FMUs in propagation order.

    Attributes:
        names: The FMUs.
        closing: The connections that run against the order: each closes a loop.
    """

    names: tuple[str, ...]
    closing: tuple[Connection, ...]

    def findings(self) -> list[Finding]:
        """The loops, for those who wire models."""
        message = "this connection closes a loop: outputs that depend on it directly are one communication step old"
        hint = "This is right for most feedback; make the step small against the time constants, or cut the loop."
        return [Finding("BUNDLE-LOOP", Severity.WARNING, str(wire), message, hint) for wire in self.closing]


def propagation_order(names: Iterable[str], connections: Sequence[Connection]) -> Order:
    """Order FMUs so that those that drive come before those that are driven.

    Args:
        names: All FMUs; those that do not depend on each other keep the order of their names.
        connections: The wiring; every FMU in it is one of *names*.
    """
    waiting = sorted(set(names))
    drivers = {name: {c.source.model for c in connections if c.target.model == name} for name in waiting}
    ordered: list[str] = []
    while waiting:
        name = next((name for name in waiting if drivers[name] <= set(ordered)), None) or _opening(waiting, drivers)
        waiting.remove(name)
        ordered.append(name)
    place = {name: index for index, name in enumerate(ordered)}
    closing = tuple(c for c in connections if place[c.source.model] >= place[c.target.model])
    return Order(tuple(ordered), closing)


def _opening(waiting: Sequence[str], drivers: dict[str, set[str]]) -> str:
    """Where to open a loop: never behind it, so only FMUs that all their waiting drivers depend on are asked."""
    left = {name: drivers[name] & set(waiting) for name in waiting}
    upstream = {name: _upstream(name, left) for name in waiting}
    in_loop = [name for name in waiting if all(name in upstream[driver] for driver in upstream[name])]
    return min(in_loop, key=lambda name: (len(left[name]), name))


def _upstream(name: str, drivers: dict[str, set[str]]) -> set[str]:
    """All that drive *name*, directly or through others; *name* itself if it is in a loop."""
    found: set[str] = set()
    edge = set(drivers[name])
    while edge:
        found |= edge
        edge = {driver for member in edge for driver in drivers[member]} - found
    return found
