"""Entries of the lab's catalogue: a test, what it is done to and for, by which standard, on which bench."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinbench.core.doe.factors import Factor
from twinbench.core.errors import ConfigurationError, DesignError
from twinbench.core.units_of_names import unit_of

__all__ = ["Bench", "CatalogueTest", "Standard", "UnitUnderTest", "UseCase"]


@dataclass(frozen=True)
class UnitUnderTest:
    """What a test is done to; capacity and voltage limits, of the whole unit, only where they are known.

    Attributes:
        series: Groups of cells in series.
        parallel: Cells in parallel in each group.
        chemistry: In words; empty if it is not known.
        twin: The digital twin that answers requests for it.
    """

    code: str
    generation: str
    level: str
    description: str
    nominal_capacity_Ah: float | None = None
    voltage_min_V: float | None = None
    voltage_max_V: float | None = None
    series: int = 1
    parallel: int = 1
    chemistry: str = ""
    twin: str = "fastest"


@dataclass(frozen=True)
class UseCase:
    """What the battery is for."""

    name: str
    description: str


@dataclass(frozen=True)
class Standard:
    """A published standard; ``code`` is its name in a request."""

    code: str
    name: str
    description: str


@dataclass(frozen=True)
class CatalogueTest:
    """One test of one standard.

    Attributes:
        levels: The levels it is done at: Cell, Module, Pack.
        virtual_capable: Whether a simulation can carry it out in principle.
    """

    standard: str
    clause: str
    name: str
    category: str
    levels: tuple[str, ...]
    use_cases: tuple[str, ...]
    virtual_capable: bool
    typical_duration_h: float
    factors: tuple[Factor, ...]
    notes: str = ""

    def applies_to(self, *, level: str, use_case: str) -> bool:
        """Whether the standard has this test for that level and use case."""
        return level in self.levels and use_case in self.use_cases

    @classmethod
    def from_document(cls, row: Mapping[str, str]) -> CatalogueTest:
        """Read a row of ``tests.csv``."""
        ranges = json.loads(row["factors_json"])
        return cls(
            standard=row["standard"],
            clause=row["clause"],
            name=row["test_name"],
            category=row["category"],
            levels=tuple(row["levels"].split("|")),
            use_cases=tuple(row["use_cases"].split("|")),
            virtual_capable={"yes": True, "no": False}[row["virtual_capable"]],
            typical_duration_h=float(row["typical_duration_h"]),
            factors=tuple(Factor(name, _unit(name), float(low), float(high)) for name, (low, high) in ranges.items()),
            notes=row["notes"],
        )


@dataclass(frozen=True)
class Bench:
    """A place where runs are carried out.

    Attributes:
        kind: ``virtual`` or ``physical``.
        levels: What it can hold: Cell, Module, Pack.
        current_A: Smallest and largest current, positive = charge; None if it knows no limit.
        ambient_degC: Smallest and largest ambient temperature; None if it knows no limit.
        demands: What a test on it takes of the lab's resources, as in ``lab_plan.schema.json``.
    """

    name: str
    kind: str
    description: str
    setup_min: int
    teardown_min: int
    levels: tuple[str, ...]
    current_A: tuple[float, float] | None = None
    ambient_degC: tuple[float, float] | None = None
    demands: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in ("virtual", "physical"):
            raise ConfigurationError(f"Bench {self.name} has kind {self.kind!r}: it must be virtual or physical.")
        if self.setup_min < 0 or self.teardown_min < 0:
            raise ConfigurationError(f"Bench {self.name} has a negative set-up or teardown time: give 0 or more.")

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Bench:
        """Read an entry of ``benches.json``."""
        fields = dict(document)
        abilities = fields.pop("capabilities")
        fields["levels"] = tuple(abilities["levels"])
        fields["demands"] = tuple(fields.get("demands", ()))
        for key in ("current_A", "ambient_degC"):
            fields[key] = abilities[key] and (float(abilities[key][0]), float(abilities[key][1]))
        return cls(**fields)

    def obstacles(
        self, *, level: str, current_A: tuple[float, float], ambient_degC: tuple[float, float]
    ) -> tuple[str, ...]:
        """Why this bench cannot carry out work with these extremes, in words; empty if it can."""
        found = [] if level in self.levels else [f"it takes {', '.join(self.levels)}, not {level}"]
        asked = (("current", "A", current_A, self.current_A), ("ambient", "degC", ambient_degC, self.ambient_degC))
        for what, unit, (low, high), limits in asked:
            if limits and not (limits[0] <= low and high <= limits[1]):
                found.append(f"{what} {low:g} to {high:g} {unit} is outside {limits[0]:g} to {limits[1]:g} {unit}")
        return tuple(found)


def _unit(factor: str) -> str:
    unit = unit_of(factor)
    if not unit:
        raise DesignError(f"Factor {factor} ends in no unit that is known: name it like temperature_degC.")
    return unit
