"""Many runs of the same wired FMUs: what each of them is, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from twinbench.core.cosim.simulate import Outcome, StopCondition

__all__ = ["Experiment", "Point", "PointResult"]


@dataclass(frozen=True)
class Experiment:
    """How a run is made; see :func:`twinbench.core.cosim.simulate`, whose arguments these are."""

    stop_time: float
    step_size: float
    start_time: float = 0.0
    record: tuple[str, ...] = ()
    record_every: int = 1
    stop_conditions: tuple[StopCondition, ...] = ()
    block_rows: int = 8192
    block_s: float = 1.0
    wall_limit_s: float = math.inf


@dataclass(frozen=True)
class Point:
    """One run.

    Attributes:
        number: What it is called.
        start_values: FMU -> variable -> value.
    """

    number: int
    start_values: Mapping[str, Mapping[str, float | int | bool | str]]
    experiment: Experiment


@dataclass(frozen=True)
class PointResult:
    """What came of one run.

    Attributes:
        status: ``completed``, ``failed``, ``cancelled``, ``crashed`` (an FMU took its process along) or ``timeout``.
        message: The same for people.
        outcome: How it ended, if it ended by itself.
        log: What the FMUs said.
        ways_back: FMU -> how it was taken back to a fresh state: ``state``, ``reset``, ``instance`` or ``process``.
        wall_s: From handing it out to its end.
    """

    number: int
    status: str
    message: str
    outcome: Outcome | None = None
    log: tuple[str, ...] = ()
    ways_back: Mapping[str, str] = field(default_factory=dict)
    wall_s: float = 0.0
