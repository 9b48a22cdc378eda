"""How quantities are written for people: signs of units, names of factors, numbers, moments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

__all__ = [
    "MISSING",
    "aligned",
    "compact",
    "factor_title",
    "fixed",
    "level_text",
    "moment",
    "p_value",
    "unit_sign",
    "with_unit",
]

MISSING = "–"
"""Shown where there is no value."""

_SIGNS = {"degC": "°C", "mOhm": "mΩ", "C-rate": "C", "1": ""}
# How a factor's name ends for its unit, and what is left of it.
_ENDINGS = {"degC": (" degC", ""), "%": (" pct", ""), "C-rate": (" c rate", " rate"), "min": (" minutes", "")}


def unit_sign(unit: str) -> str:
    """A unit as it is printed: ``degC`` as °C."""
    return _SIGNS.get(unit, unit)


def factor_title(name: str, unit: str) -> str:
    """A factor's name without its unit: ``temperature_degC`` as Temperature."""
    ending, rest = _ENDINGS.get(unit, (f" {unit}", ""))
    words = name.replace("_", " ")
    title = words.removesuffix(ending) + rest if words.endswith(ending) else words
    return title[:1].upper() + title[1:]


def with_unit(title: str, unit: str) -> str:
    """A title with the sign of its unit: Temperature [°C]."""
    return f"{title} [{unit}]" if unit else title


def fixed(value: float | None, digits: int = 2) -> str:
    """A number with that many decimals, so that columns line up."""
    if value is None or not math.isfinite(value):
        return MISSING
    return _typeset(f"{value:,.{digits}f}")


def compact(value: float | None, digits: int = 6) -> str:
    """A number with as many significant digits as it needs, up to so many."""
    if value is None or not math.isfinite(value):
        return MISSING
    return _typeset(f"{value:.{digits}g}")


def level_text(level: float | str | None, digits: int = 6) -> str:
    """A factor's level: a category as it is, a number with as many significant digits as it needs."""
    return level if isinstance(level, str) else compact(level, digits)


def p_value(p: float | None) -> str:
    """A p-value: small ones as a bound, others with three decimals."""
    return "< 0.001" if p is not None and p < 0.001 else fixed(p, 3)


def aligned(values: Sequence[float | str | None], digits: int = 6) -> list[str]:
    """A column of numbers, all with as many decimals as the one that needs most for so many significant digits.

    A column with categories in it is left as it is.
    """
    if any(isinstance(value, str) for value in values):
        return [level_text(value, digits) for value in values]
    return _aligned([None if isinstance(value, str) else value for value in values], digits)


def _aligned(values: Sequence[float | None], digits: int) -> list[str]:
    needed = [f"{value:.{digits}g}".partition(".")[2] for value in values if value is not None and math.isfinite(value)]
    if any("e" in text for text in needed):
        return [compact(value, digits) for value in values]
    return [fixed(value, max(map(len, needed), default=0)) for value in values]


def moment(text: str | None) -> str:
    """An ISO 8601 moment to the minute, in UTC; other text as it is."""
    if not text:
        return MISSING
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if when.tzinfo else f"{when:%Y-%m-%d %H:%M}"


def _typeset(number: str) -> str:
    sign, digits = ("−", number[1:]) if number.startswith("-") else ("", number)
    if not digits.strip("0.,"):
        sign = ""  # no such thing as -0.00
    return sign + digits.replace(",", "\u202f")
