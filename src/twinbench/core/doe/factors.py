"""Factors of an experiment: the quantities that may differ between runs.

continuous   any value from ``low`` to ``high``, in steps of ``resolution`` if a bench cannot set it finer
discrete     one of a few ``values``
categorical  one of a few ``categories``, which have no order: a chemistry, a supplier
held         the same value in all runs: ``low == high``, or a single category
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinbench.core.errors import DesignError
from twinbench.core.suggestion import did_you_mean

__all__ = ["Factor", "Level"]

Level = float | str
"""What a factor is set to: a number in its unit, or a category."""

_DEFAULT_LEVELS = 2
_MOST_LEVELS = 2000
_DIGITS = 6  # of a level, relative to the factor's range
_FIELDS = (
    *("name", "unit", "low", "high", "levels", "resolution", "value", "values", "categories"),
    *("hard_to_change", "variable"),
)


@dataclass(frozen=True)
class Factor:
    """A quantity that differs between runs.

    Attributes:
        low: Smallest value, in ``unit``; 0 of a categorical factor.
        high: Largest value, in ``unit``; equal to ``low`` if the factor is held. Of a categorical factor the number of
            categories less one: its levels are counted from 0.
        levels: How many values a full-factorial design takes from it.
        resolution: Smallest step in which it can be set; None if it is as fine as a number.
        values: The only values it may have, rising; empty if it is continuous.
        categories: Its categories; empty if it is a number.
        hard_to_change: Whether it should change as seldom as can be, like a chamber's temperature.
        variable: ``FMU.variable`` that it sets; empty if it is a level of the test's procedure.
    """

    name: str
    unit: str
    low: float
    high: float
    levels: int = _DEFAULT_LEVELS
    resolution: float | None = None
    values: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    hard_to_change: bool = False
    variable: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise DesignError("A factor has no name: name the quantity, for example temperature_degC.")
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise DesignError(f"Factor {self.name} goes from {self.low} to {self.high}: both must be finite numbers.")
        if self.low > self.high:
            raise DesignError(f"Factor {self.name} has low {self.low} > high {self.high}: swap them.")
        if self.levels < _DEFAULT_LEVELS:
            raise DesignError(f"Factor {self.name} has {self.levels} levels: ask for two or more, or set low = high.")
        if self.levels > _MOST_LEVELS:
            raise DesignError(f"Factor {self.name} has {self.levels} levels: ask for {_MOST_LEVELS} or fewer.")
        self._check_steps()

    def _check_steps(self) -> None:
        if self.values and self.categories:
            raise DesignError(f"Factor {self.name} has values and categories: give one of them.")
        if self.categories and len(set(self.categories)) < len(self.categories):
            raise DesignError(f"Factor {self.name} has a category more than once: keep one of each.")
        if self.values and any(b <= a for a, b in zip(self.values, self.values[1:], strict=False)):
            raise DesignError(f"Factor {self.name} has values that do not rise: sort them and keep one of each.")
        if self.resolution is None:
            return
        if not (math.isfinite(self.resolution) and self.resolution > 0):
            raise DesignError(f"Factor {self.name} has a resolution of {self.resolution}: give a number above 0.")
        if self.varies and self.resolution > self.high - self.low:
            raise DesignError(
                f"Factor {self.name} has a resolution of {self.resolution:g} and a range of only "
                f"{self.high - self.low:g}: set it finer, or widen the range."
            )

    @property
    def varies(self) -> bool:
        """Whether runs can differ in it."""
        return self.low < self.high

    @property
    def kind(self) -> str:
        """``continuous``, ``discrete``, ``categorical`` or ``held``."""
        if not self.varies:
            return "held"
        return "categorical" if self.categories else "discrete" if self.values else "continuous"

    @property
    def choices(self) -> int | None:
        """How many different levels it can have; None if any value is one."""
        if self.categories or self.values or not self.varies:
            return max(1, len(self.categories), len(self.values))
        return None if self.resolution is None else math.floor((self.high - self.low) / self.resolution + 1e-9) + 1

    def level(self, share: float) -> Level:
        """The level at a share of the range (0 is low, 1 is high): the nearest that it can have.

        A continuous one has six digits of its range, and may lie beyond it where the share does.
        """
        if self.categories:
            return self.categories[min(max(round(share * self.high), 0), len(self.categories) - 1)]
        if not self.varies:
            return self.low
        value = self.low * (1 - share) + self.high * share
        if self.values:
            return min(self.values, key=lambda allowed: abs(allowed - value))
        span = self.high - self.low
        if self.resolution is not None:
            steps = round((value - self.low) / self.resolution)
            value = self.low + (steps if share > 1 else min(steps, (self.choices or 1) - 1)) * self.resolution
        if math.isfinite(span):
            value = round(value, _DIGITS - math.floor(math.log10(span)))
        return value if not 0 <= share <= 1 else min(max(value, self.low), self.high)

    def share(self, level: Level) -> float:
        """Where a level stands in the range; the inverse of :meth:`level`.

        Raises:
            DesignError: If the level is no category of it, or no number.
        """
        if self.categories:
            if level not in self.categories:
                hint = did_you_mean(str(level), self.categories)
                raise DesignError(f"Factor {self.name} has no category {level!r}: {hint}")
            return self.categories.index(str(level)) / self.high if self.varies else 0.0
        if isinstance(level, bool) or not isinstance(level, int | float) or not math.isfinite(level):
            raise DesignError(f"Factor {self.name} has a level {level!r}: give a number.")
        return (float(level) - self.low) / (self.high - self.low) if self.varies else 0.0

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Factor:
        """Read ``{name, unit, low, high}``; instead of a range ``values``, ``categories`` or one ``value``.

        Raises:
            DesignError: If a field is missing, unknown or not what it should be.
        """
        if not isinstance(document, Mapping):
            raise DesignError(f"A factor must be an object with name, unit, low and high, not {document!r}.")
        name = document.get("name", "")
        if not isinstance(name, str):
            raise DesignError(f"A factor has the name {name!r}: give a text, for example temperature_degC.")
        owner = f"Factor {name}"
        if unknown := [str(key) for key in document if key not in _FIELDS]:
            raise DesignError(f"{owner} has a field {unknown[0]!r}: {did_you_mean(unknown[0], _FIELDS)}")
        values = tuple(sorted(number(value, "values", owner) for value in listed(document, "values", owner)))
        categories = tuple(str(category) for category in listed(document, "categories", owner))
        low, high = _range(document, values, categories, owner)
        resolution = document.get("resolution")
        return cls(
            name=name,
            unit=str(document.get("unit", "")),
            low=low,
            high=high,
            levels=count(document, "levels", owner, default=max(_DEFAULT_LEVELS, len(values), len(categories))),
            resolution=None if resolution is None else number(resolution, "resolution", owner),
            values=values,
            categories=categories,
            hard_to_change=flag(document, "hard_to_change", owner),
            variable=str(document.get("variable", "")),
        )

    def as_document(self) -> dict[str, Any]:
        """As JSON; what was not chosen is left out."""
        document: dict[str, Any] = {"name": self.name, "unit": self.unit}
        if self.categories:
            document["categories"] = list(self.categories)
        else:
            document |= {"low": self.low, "high": self.high}
        if self.values:
            document["values"] = list(self.values)
        if self.levels != max(_DEFAULT_LEVELS, len(self.values), len(self.categories)):
            document["levels"] = self.levels
        optional = {"resolution": self.resolution, "hard_to_change": self.hard_to_change, "variable": self.variable}
        return document | {key: value for key, value in optional.items() if value}


def _range(
    document: Mapping[str, Any], values: tuple[float, ...], categories: tuple[str, ...], owner: str
) -> tuple[float, float]:
    if categories:
        return 0.0, float(len(categories) - 1)
    if values:
        return values[0], values[-1]
    if "value" in document:
        held = number(document["value"], "value", owner)
        return held, held
    return number(document.get("low"), "low", owner), number(document.get("high"), "high", owner)


def listed(document: Mapping[str, Any], key: str, owner: str) -> list[Any]:
    """A field that is a list; empty if it is not there."""
    value = document.get(key)
    if value is not None and not (isinstance(value, list) and value):
        raise DesignError(f"{owner} has {key} {value!r}: give a list with an entry or more.")
    return value or []


def number(value: object, key: str, owner: str) -> float:
    """A field's value as a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DesignError(f"{owner} has {key} {value!r}: give a number.")
    try:
        return float(value)
    except OverflowError:
        raise DesignError(f"{owner} has a {key} too large for a number: give one below 1e308.") from None


def count(document: Mapping[str, Any], key: str, owner: str, *, default: int) -> int:
    """A field that is a whole number."""
    value = document.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise DesignError(f"{owner} has {key} {value!r}: give a whole number.")
    return value


def flag(document: Mapping[str, Any], key: str, owner: str, *, default: bool = False) -> bool:
    """A field that is true or false."""
    value = document.get(key, default)
    if not isinstance(value, bool):
        raise DesignError(f"{owner} has {key} {value!r}: give true or false.")
    return value
