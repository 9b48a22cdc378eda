"""Stages of a test procedure: what a cycler does, one after the other, and when each ends.

    stage    rest, or a current, voltage, power or load that is held, or the current profile; or a loop back
    ends     the first condition that is met ends a stage
    matrix   the stages as numbers, the parameter ``Test_Procedure`` of ``FMU_Battery_Model``: :data:`MOST_STAGES` rows
             of :data:`COLUMNS`, :data:`UNSET` where a stage has no such condition, zeros below the last stage

Positive current charges. Voltages and currents are those of the whole unit under test.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from twinbench.core.errors import RequestError
from twinbench.core.suggestion import did_you_mean

__all__ = ["COLUMNS", "MOST_STAGES", "UNSET", "Mode", "Stage", "check_stages", "longest_s", "matrix", "matrix_text"]

MOST_STAGES = 64
UNSET = -1e9
"""What D6.3 writes for a value that there is not."""

_LONGEST_s = 72 * 3600.0  # of a stage that says nothing of its time
_MARGIN = 1.3
_MOST_REPEATS = 2000  # of a loop that only ageing ends


class Mode(StrEnum):
    """What is held during a stage."""

    REST = "rest"
    CURRENT = "current"
    VOLTAGE = "voltage"
    POWER = "power"
    RESISTANCE = "resistance"
    PROFILE = "profile"
    LOOP = "loop"


@dataclass(frozen=True)
class Stage:
    """One stage; a condition that is None does not end it.

    Attributes:
        value: What is held, in A, V, W or Ohm (of an external load); of a loop the stage to go back to, from 1.
        duration_s: It ends after this time.
        current_below_A: It ends when the amount of the current is below this.
        charge_Ah: It ends when this charge has gone through it.
        soh_below_pct: The loop ends when the battery is worse than this.
        ambient_degC: Set point of the chamber from here on.
        ambient_rate_K_per_min: How fast the chamber gets there; at once if it is None.
        most_current_A: Amount of the current while voltage, power or resistance is held.
        repeats: Of a loop: how often its stages are done altogether.
    """

    mode: Mode
    value: float | None = None
    duration_s: float | None = None
    voltage_below_V: float | None = None
    voltage_above_V: float | None = None
    current_below_A: float | None = None
    charge_Ah: float | None = None
    soc_below_pct: float | None = None
    soc_above_pct: float | None = None
    temperature_below_degC: float | None = None
    temperature_above_degC: float | None = None
    ambient_degC: float | None = None
    ambient_rate_K_per_min: float | None = None
    most_current_A: float | None = None
    repeats: int | None = None
    soh_below_pct: float | None = None

    def __post_init__(self) -> None:
        for name in COLUMNS[1:]:
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > UNSET / 2):
                raise RequestError(f"A stage has {name} {value}: give a finite number.")

    @property
    def row(self) -> tuple[float, ...]:
        """The stage as a row of the matrix."""
        values = (getattr(self, name) for name in COLUMNS[1:])
        return (float(list(Mode).index(self.mode) + 1), *(UNSET if value is None else float(value) for value in values))

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Stage:
        """Read ``{mode, value, ...}`` with the fields that are set.

        Raises:
            RequestError: If a field is unknown or no number.
        """
        if not isinstance(document, Mapping):
            raise RequestError(f"A stage is an object with a mode, not {document!r}.")
        for name, value in document.items():
            if name not in COLUMNS:
                raise RequestError(f"A stage has no {name!r}: {did_you_mean(name, COLUMNS)}")
            if name != "mode" and not _is_number(value):
                raise RequestError(f"A stage has {name} {str(value)[:80]!r}: give a number.")
        mode = str(document.get("mode"))
        if mode not in list(Mode):
            raise RequestError(f"There is no stage that holds {mode!r}: {did_you_mean(mode, Mode)}")
        return cls(Mode(mode), **{name: value for name, value in document.items() if name != "mode"})

    def as_document(self) -> dict[str, Any]:
        """As JSON: the fields that are set."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True


COLUMNS = tuple(field.name for field in fields(Stage))

_BY_CELL = frozenset({"duration_s", "temperature_below_degC", "temperature_above_degC"})
_BY_SOC = frozenset({"soc_below_pct", "soc_above_pct"})
_BY_VOLTAGE = frozenset({"voltage_below_V", "voltage_above_V"})
_BY_CHARGE = frozenset({"charge_Ah"})
_BY_CURRENT = frozenset({"current_below_A", "charge_Ah"})
_ENDS: Mapping[Mode, frozenset[str]] = {
    Mode.REST: _BY_CELL | _BY_VOLTAGE,
    Mode.CURRENT: _BY_CELL | _BY_SOC | _BY_VOLTAGE | _BY_CHARGE,
    Mode.VOLTAGE: _BY_CELL | _BY_SOC | _BY_CURRENT,
    Mode.POWER: _BY_CELL | _BY_SOC | _BY_VOLTAGE | _BY_CURRENT,
    Mode.RESISTANCE: _BY_CELL | _BY_SOC | _BY_VOLTAGE | _BY_CURRENT,
    Mode.PROFILE: _BY_CELL | _BY_SOC | _BY_VOLTAGE | _BY_CHARGE,
}
_ALL_ENDS = _BY_CELL | _BY_SOC | _BY_VOLTAGE | _BY_CURRENT
_SHORTEST_s = 0.001
_RANGES: Mapping[str, tuple[float, float]] = {
    "duration_s": (_SHORTEST_s, 1e10),
    "current_below_A": (0.0, 1e6),
    "charge_Ah": (0.0, 1e6),
    "soc_below_pct": (-100.0, 200.0),
    "soc_above_pct": (-100.0, 200.0),
    "ambient_rate_K_per_min": (1e-6, 1e6),
    "most_current_A": (1e-9, 1e6),
}


def check_stages(stages: Sequence[Stage], voltage_min_V: float = -math.inf, voltage_max_V: float = math.inf) -> None:
    """Refuse what cannot be carried out, within the unit's voltage limits if they are known.

    Raises:
        RequestError: Naming the stage, the value and what to do.
    """
    if not stages:
        raise RequestError("A procedure has no stages: give at least one.")
    if len(stages) > MOST_STAGES:
        raise RequestError(f"A procedure has {len(stages)} stages, more than {MOST_STAGES}: repeat some with a loop.")
    for number, stage in enumerate(stages, 1):
        if stage.mode is Mode.LOOP:
            _check_loop(number, stage)
        else:
            _check_stage(number, stage, voltage_min_V, voltage_max_V)


def _check_loop(number: int, stage: Stage) -> None:
    if stage.value is None or not (1 <= stage.value < number and float(stage.value).is_integer()):
        raise RequestError(f"Stage {number} goes back to stage {stage.value}: give one before it, counted from 1.")
    if stage.repeats is None and stage.soh_below_pct is None:
        raise RequestError(f"Stage {number} is a loop without an end: give repeats, or soh_below_pct.")
    if stage.repeats is not None and not (1 <= stage.repeats <= 1_000_000 and float(stage.repeats).is_integer()):
        raise RequestError(f"Stage {number} repeats {stage.repeats} times: give a whole number of 1 to 1000000.")
    if stage.soh_below_pct is not None and not 0 < stage.soh_below_pct < 100:
        raise RequestError(f"Stage {number} goes on until {stage.soh_below_pct:g} % of health: give 0 to 100.")


def _check_stage(number: int, stage: Stage, voltage_min_V: float, voltage_max_V: float) -> None:
    if stage.value is None and stage.mode not in (Mode.REST, Mode.PROFILE):
        raise RequestError(f"Stage {number} holds a {stage.mode} and has no value: give it.")
    for name, (low, high) in _RANGES.items():
        value = getattr(stage, name)
        if value is not None and not low <= value <= high:
            raise RequestError(f"Stage {number} has {name} {value:g}: give {low:g} to {high:g}.")
    _check_ends(number, stage)
    for limit_V in (stage.voltage_below_V, stage.voltage_above_V, stage.value if stage.mode is Mode.VOLTAGE else None):
        if limit_V is not None and not voltage_min_V - 1e-9 <= limit_V <= voltage_max_V + 1e-9:
            raise RequestError(
                f"Stage {number} goes to {limit_V:g} V, but the unit is kept between {voltage_min_V:g} and "
                f"{voltage_max_V:g} V: the two contradict each other."
            )
    if stage.mode is Mode.RESISTANCE and stage.value is not None and stage.value <= 0:
        raise RequestError(f"Stage {number} has a load of {stage.value:g} Ohm: give more than 0.")


def _check_ends(number: int, stage: Stage) -> None:
    given = {name for name in _ALL_ENDS if getattr(stage, name) is not None}
    if wrong := sorted(given - _ENDS[stage.mode]):
        raise RequestError(f"Stage {number} ({stage.mode}) has {wrong[0]}, which cannot end it: leave it out.")
    if not (given - {"charge_Ah"} if stage.mode is Mode.CURRENT and stage.value == 0 else given):
        raise RequestError(f"Stage {number} ({stage.mode}) has no end: give duration_s or another condition.")
    for below, above in (("voltage_below_V", "voltage_above_V"), ("soc_below_pct", "soc_above_pct")):
        low, high = getattr(stage, below), getattr(stage, above)
        if low is not None and high is not None and low >= high:
            raise RequestError(f"Stage {number} ends with {below} {low:g} and {above} {high:g}, which is always.")


def matrix(stages: Sequence[Stage]) -> list[tuple[float, ...]]:
    """All rows of the matrix, those of zeros included."""
    empty = (0.0,) * len(COLUMNS)
    return [stage.row for stage in stages] + [empty] * (MOST_STAGES - len(stages))


def matrix_text(stages: Sequence[Stage]) -> str:
    """The matrix as the start value of an FMU's array: elements row by row, separated by blanks."""
    return " ".join(repr(value) for row in matrix(stages) for value in row)


def longest_s(stages: Sequence[Stage], capacity_Ah: float) -> float:
    """How long the stages can take: what ends by voltage is given the time its charge needs, and a third more."""
    times = [_time_s(stage, capacity_Ah) for stage in stages]
    for number, stage in enumerate(stages):
        if stage.mode is Mode.LOOP and stage.value is not None:
            first = int(stage.value) - 1
            times[number] = ((stage.repeats or _MOST_REPEATS) - 1) * sum(times[first:number])
    return sum(times)


def _time_s(stage: Stage, capacity_Ah: float) -> float:
    if stage.mode is Mode.LOOP:
        return 0.0
    bounds = [stage.duration_s] if stage.duration_s is not None else []
    if stage.mode is Mode.CURRENT and stage.value:
        bounds.append(_MARGIN * (stage.charge_Ah or capacity_Ah) * 3600 / abs(stage.value))
    return min(bounds) if bounds else _LONGEST_s
