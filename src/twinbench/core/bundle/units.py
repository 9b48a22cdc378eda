"""Units as FMUs define them, and how a value is converted from one to another.

A unit is defined against the SI base units, as in FMI 2.0 and 3.0, section "Definition of Units":
``value_SI = factor * value + offset``, with the exponents of kg, m, s, A, K, mol, cd, rad.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BASE_UNITS", "Unit", "conversion"]

BASE_UNITS = ("kg", "m", "s", "A", "K", "mol", "cd", "rad")
_RAD = BASE_UNITS.index("rad")


@dataclass(frozen=True)
class Unit:
    """A unit by its definition.

    Attributes:
        exponents: Of each of :data:`BASE_UNITS`.
    """

    exponents: tuple[int, ...]
    factor: float = 1.0
    offset: float = 0.0


def conversion(source: Unit, target: Unit, *, relative: bool = False) -> tuple[float, float] | None:
    """Factor and offset that turn a value in one unit into the other: ``target = factor * source + offset``.

    Args:
        source: What the value is in.
        target: What it is wanted in.
        relative: The value is a difference, so offsets (of degC against K) do not count.

    Returns:
        None if they measure different things. Radians count as 1, since half of all tools leave them out.
    """
    if source.exponents[:_RAD] != target.exponents[:_RAD]:
        return None
    offset = 0.0 if relative else (source.offset - target.offset) / target.factor
    return source.factor / target.factor, offset
