"""How wired FMUs exchange their signals: the co-simulation scheme, the rate of each FMU, and what is done with loops.

jacobi         At a communication point all outputs are read, all inputs are given from them, all FMUs step. A
               direct feed-through shows its input one step later. The default, and what most tools do.
sorted         At a communication point values are handed on through direct feed-throughs, in their order, until
               all belong to that point; then all FMUs step.
gauss-seidel   FMUs step one after another, in propagation order; each is given what those before it have just
               computed for the end of the step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from twinbench.core.errors import SimulationError

__all__ = ["LOOP_CHOICES", "SCHEMES", "Coupling"]

SCHEMES = ("jacobi", "sorted", "gauss-seidel")
LOOP_CHOICES = ("delay", "iterate", "refuse")


@dataclass(frozen=True)
class Coupling:
    """How wired FMUs are coupled.

    Attributes:
        scheme: One of :data:`SCHEMES`.
        loops: What is done with algebraic loops, while FMUs are initialised and in the scheme ``sorted``: ``delay``
            opens them with the value of the communication point before, ``iterate`` repeats (fixed-point iteration)
            until values stay as they are, ``refuse`` is an error.
        every: FMU -> its own communication step, in communication steps of the whole: it is given its inputs at the
            beginning of its step, and asked for its outputs at the end.
        events: Use the event mode and early return of FMI 3.0, where an FMU has them.
        tolerance: A value has settled if it changes by less than ``tolerance * (1 + |value|)``.
        iterations: Rounds after which a loop is given up.
    """

    scheme: str = "jacobi"
    loops: str = "delay"
    every: Mapping[str, int] = field(default_factory=dict)
    events: bool = False
    tolerance: float = 1e-10
    iterations: int = 200

    def __post_init__(self) -> None:
        for what, value, known in (("scheme", self.scheme, SCHEMES), ("loops", self.loops, LOOP_CHOICES)):
            if value not in known:
                raise SimulationError(f"{what}={value!r} is none of {', '.join(known)}.")
        for name, every in self.every.items():
            if every < 1:
                raise SimulationError(f"{name} cannot take part in each {every}th step: use a whole number above 0.")
