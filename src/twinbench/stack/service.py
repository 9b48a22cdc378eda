"""What the supervisor and the starter need to know of one service of the lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["Service"]


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Service:
    """One supervised process.

    Attributes:
        name: Name in ``status`` and of its log file.
        title: What it is, for people.
        command: Program and arguments.
        environment: Variables of its own, beside the inherited ones.
        is_ready: Whether it answers its users now; may raise OSError while it does not.
        prepare: Makes its files; before each start, changes nothing that is already right.
        settle: What must happen once it answers, before others start (roles, migrations).
        stop_signal: Signal that asks it to end in good order.
        patience_s: How long its start may take.
        owns_children: Whether it ends its own child processes when asked to stop.
    """

    name: str
    title: str
    command: tuple[str, ...]
    is_ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = _nothing
    settle: Callable[[], None] = _nothing
    stop_signal: str = "TERM"
    patience_s: float = 60.0
    owns_children: bool = False
