"""Factors of an experiment, and what is asked of its design.

factor   a quantity that differs between runs; between ``low`` and ``high`` in ``unit``
varying  ``low < high``; a factor with ``low == high`` is held at that value
kind     how test points are chosen (:class:`Kind`)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from twinbench.core.errors import DesignError
from twinbench.core.suggestion import did_you_mean

__all__ = ["MAX_RUNS", "DesignSpec", "Factor", "Kind"]

MAX_RUNS = 2000
"""More test points than this are a typing error, not an experiment."""

_DEFAULT_LEVELS = 2
_RUN_COLUMN = "run"


class Kind(StrEnum):
    """How test points are chosen."""

    LATIN_HYPERCUBE = "latin-hypercube"
    FULL_FACTORIAL = "full-factorial"
    CENTRAL_COMPOSITE = "central-composite"
    FIXED = "fixed"


@dataclass(frozen=True)
class Factor:
    """A quantity that differs between runs.

    Attributes:
        low: Smallest value, in ``unit``.
        high: Largest value, in ``unit``; equal to ``low`` if the factor is held.
        levels: How many values a full-factorial design takes from it.
    """

    name: str
    unit: str
    low: float
    high: float
    levels: int = _DEFAULT_LEVELS

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise DesignError("A factor has no name: name the quantity, for example temperature_degC.")
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise DesignError(f"Factor {self.name} goes from {self.low} to {self.high}: both must be finite numbers.")
        if self.low > self.high:
            raise DesignError(f"Factor {self.name} has low {self.low} > high {self.high}: swap them.")
        if self.levels < _DEFAULT_LEVELS:
            raise DesignError(f"Factor {self.name} has {self.levels} levels: ask for two or more, or set low = high.")

    @property
    def varies(self) -> bool:
        """Whether runs can differ in it."""
        return self.low < self.high

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Factor:
        """Read ``{name, unit, low, high}`` (and ``levels``).

        Raises:
            DesignError: If a field is missing or is not what it should be.
        """
        if not isinstance(document, Mapping):
            raise DesignError(f"A factor must be an object with name, unit, low and high, not {document!r}.")
        name = str(document.get("name", ""))
        low, high = (_number(document, key, f"Factor {name}") for key in ("low", "high"))
        levels = _count(document, "levels", f"Factor {name}", default=_DEFAULT_LEVELS)
        return cls(name, str(document.get("unit", "")), low, high, levels)

    def as_document(self) -> dict[str, Any]:
        """As JSON; the number of levels only where it was chosen."""
        document = {"name": self.name, "unit": self.unit, "low": self.low, "high": self.high}
        return document if self.levels == _DEFAULT_LEVELS else {**document, "levels": self.levels}


@dataclass(frozen=True)
class DesignSpec:
    """What is asked of a design.

    Attributes:
        runs: Number of test points; None where the kind itself decides it.
    """

    factors: tuple[Factor, ...]
    kind: Kind
    runs: int | None
    seed: int = 1

    def __post_init__(self) -> None:
        names = [factor.name for factor in self.factors]
        duplicates = sorted({name for name in names if names.count(name) > 1})
        if duplicates:
            raise DesignError(f"Factor {', '.join(duplicates)} is given more than once: keep one of each name.")
        if _RUN_COLUMN in names:
            raise DesignError(f"A factor is named {_RUN_COLUMN}, as is the run's own number: give it another name.")
        if self.runs is not None and not 1 <= self.runs <= MAX_RUNS:
            raise DesignError(f"{self.runs} runs are asked for: ask for 1 to {MAX_RUNS}.")
        if self.seed < 0:
            raise DesignError(f"The seed is {self.seed}: use 0 or a positive whole number.")
        self._check_kind()

    def _check_kind(self) -> None:
        names = ", ".join(factor.name for factor in self.varying)
        if self.kind is Kind.FIXED and names:
            raise DesignError(f"A fixed design cannot vary {names}: set low = high, or ask for latin-hypercube.")
        if self.kind is not Kind.FIXED and not names:
            raise DesignError(f"A {self.kind} design needs a factor with low < high: there is none; ask for fixed.")
        if self.kind is Kind.CENTRAL_COMPOSITE and len(self.varying) == 1:
            raise DesignError(
                f"A central-composite design needs two varying factors and has only {names}: "
                "ask for full-factorial with levels 3."
            )
        if self.kind in (Kind.LATIN_HYPERCUBE, Kind.FIXED) and self.runs is None:
            raise DesignError(f"A {self.kind} design needs a number of runs: set runs.")

    @property
    def varying(self) -> tuple[Factor, ...]:
        """The factors in which runs differ."""
        return tuple(factor for factor in self.factors if factor.varies)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> DesignSpec:
        """Read ``{factors: [...], runs, seed, kind}``.

        Raises:
            DesignError: If it asks for something that cannot be, naming the value and what to do.
        """
        if not isinstance(document, Mapping) or not isinstance(document.get("factors"), list):
            raise DesignError("A design specification is an object with a list of factors: {factors: [...], runs, …}.")
        factors = tuple(Factor.from_document(factor) for factor in document["factors"])
        runs = None if document.get("runs") is None else _count(document, "runs", "The design", default=1)
        seed = _count(document, "seed", "The design", default=1)
        return cls(factors, _kind(str(document.get("kind", Kind.LATIN_HYPERCUBE))), runs, seed)

    def as_document(self) -> dict[str, Any]:
        """As JSON."""
        factors = [factor.as_document() for factor in self.factors]
        return {"factors": factors, "runs": self.runs, "seed": self.seed, "kind": self.kind.value}


def _kind(name: str) -> Kind:
    try:
        return Kind(name)
    except ValueError:
        raise DesignError(f"There is no design kind {name!r}: {did_you_mean(name, Kind)}") from None


def _number(document: Mapping[str, Any], key: str, owner: str) -> float:
    value = document.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DesignError(f"{owner} has {key} {value!r}: give a number.")
    try:
        return float(value)
    except OverflowError:
        raise DesignError(f"{owner} has a {key} too large for a number: give one below 1e308.") from None


def _count(document: Mapping[str, Any], key: str, owner: str, *, default: int) -> int:
    value = document.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise DesignError(f"{owner} has {key} {value!r}: give a whole number.")
    return value
