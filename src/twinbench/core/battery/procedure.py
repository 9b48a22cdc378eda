"""A procedure: what a battery is put through in one run.

    stage    what a cycler holds until a condition is met, see :mod:`twinbench.core.battery.stages`
    step     a current held for a duration; positive current charges. A procedure without stages is steps alone; one
             with stages has steps as well if they say the same, for benches and models that cannot regulate
    stop     voltage limits that the battery is kept in; they end a run of steps
    stimuli  the steps as signals over time, for a bench which reads ``input.csv`` (zero-order hold)

The battery starts at rest, at the ambient temperature, which is held unless a stage says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from twinbench.core.battery.stages import Mode, Stage, check_stages
from twinbench.core.errors import RequestError

__all__ = ["STIMULI_COLUMNS", "AMBIENT_RANGE_degC", "Procedure", "Step", "input_csv", "stimuli_rows"]

STIMULI_COLUMNS = ("timestamp", "Current_Profile", "Ambient_Temperature", "Initial_SoC", "Initial_Temperature")
AMBIENT_RANGE_degC = (-40.0, 85.0)

_LONGEST_s = 400 * 86_400.0
_SHORTEST_s = 0.001


@dataclass(frozen=True)
class Step:
    """A current held for a duration; positive current charges."""

    current_A: float
    duration_s: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.current_A):
            raise RequestError(f"A step has current_A {self.current_A}: give a finite number of amperes.")
        if not _SHORTEST_s <= self.duration_s <= _LONGEST_s:
            raise RequestError(f"A step lasts {self.duration_s} s: give {_SHORTEST_s} s to {_LONGEST_s:.0f} s.")


@dataclass(frozen=True)
class Procedure:
    """What a battery is put through in one run.

    Attributes:
        step_size_s: How often the bench looks, records and checks the limits.
        longest_s: How long the stages can take.
        series: Groups of cells in series of the unit, whose voltages these are.
        parallel: Cells in parallel in each group.
    """

    initial_soc_pct: float
    ambient_degC: float
    steps: tuple[Step, ...]
    voltage_min_V: float
    voltage_max_V: float
    step_size_s: float = 1.0
    stages: tuple[Stage, ...] = ()
    longest_s: float = 0.0
    series: int = 1
    parallel: int = 1

    def __post_init__(self) -> None:
        low, high = AMBIENT_RANGE_degC
        if not 0 <= self.initial_soc_pct <= 100:
            raise RequestError(f"initial_soc_pct is {self.initial_soc_pct}: a battery starts between 0 and 100 %.")
        if not low <= self.ambient_degC <= high:
            raise RequestError(f"ambient_degC is {self.ambient_degC}: give {low:g} to {high:g} degC.")
        if not self.steps and not self.stages:
            raise RequestError("A procedure has no steps: give at least one current and its duration, or stages.")
        if not 0 < self.voltage_min_V < self.voltage_max_V < math.inf:
            raise RequestError(
                f"The voltage limits are {self.voltage_min_V} V and {self.voltage_max_V} V: "
                "the lower one must be above 0 V and below the upper one."
            )
        if not (self.series >= 1 and self.parallel >= 1):
            raise RequestError(f"The unit has {self.series} x {self.parallel} cells: give 1 or more of each.")
        if self.stages:
            check_stages(self.stages, self.voltage_min_V, self.voltage_max_V)
        if not 0 < self.step_size_s <= self.duration_s <= _LONGEST_s:
            raise RequestError(
                f"The procedure lasts {self.duration_s} s in steps of {self.step_size_s} s: the step must be above 0 s "
                f"and not above the duration, the duration at most {_LONGEST_s:.0f} s."
            )

    @property
    def duration_s(self) -> float:
        """How long it takes if no limit is crossed."""
        return self.longest_s if self.stages else list(accumulate(step.duration_s for step in self.steps))[-1]

    @property
    def cell_limits_V(self) -> tuple[float, float]:
        """Voltages that each cell is kept in."""
        return self.voltage_min_V / self.series, self.voltage_max_V / self.series

    @property
    def current_range_A(self) -> tuple[float, float]:
        """Smallest and largest current; positive charges. Voltages are held with the currents that led to them."""
        currents = [step.current_A for step in self.steps]
        for stage in self.stages:
            if stage.mode is Mode.CURRENT and stage.value is not None:
                currents.append(stage.value)
            elif stage.mode is Mode.POWER and stage.value is not None:
                currents.append(stage.value / self.voltage_min_V)
            elif stage.mode is Mode.RESISTANCE and stage.value is not None:
                currents.append(-self.voltage_max_V / stage.value)
        return min(currents, default=0.0), max(currents, default=0.0)

    @property
    def ambient_range_degC(self) -> tuple[float, float]:
        """Lowest and highest set point of the chamber."""
        given = [stage.ambient_degC for stage in self.stages if stage.ambient_degC is not None]
        return min([self.ambient_degC, *given]), max([self.ambient_degC, *given])

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Procedure:
        """Read ``procedure.json``.

        Raises:
            RequestError: If a field is missing, no number or out of range, naming it.
        """
        steps = document.get("steps") if isinstance(document, Mapping) else None
        stages = document.get("stages", []) if isinstance(document, Mapping) else None
        if not isinstance(steps, list) or not isinstance(stages, list):
            raise RequestError(f"A procedure is an object with a list of steps, not {_shown(document)}.")
        return cls(
            initial_soc_pct=_number(document, "initial_soc_pct"),
            ambient_degC=_number(document, "ambient_degC"),
            steps=tuple(Step(_number(step, "current_A"), _number(step, "duration_s")) for step in steps),
            voltage_min_V=_number(document.get("stop"), "voltage_min_V"),
            voltage_max_V=_number(document.get("stop"), "voltage_max_V"),
            step_size_s=_number(document, "step_size_s"),
            stages=tuple(Stage.from_document(stage) for stage in stages),
            longest_s=_number(document, "longest_s") if stages else 0.0,
            series=int(_number(document, "series")) if "series" in document else 1,
            parallel=int(_number(document, "parallel")) if "parallel" in document else 1,
        )

    def as_document(self) -> dict[str, Any]:
        """As ``procedure.json``."""
        return {
            "initial_soc_pct": self.initial_soc_pct,
            "ambient_degC": self.ambient_degC,
            "steps": [asdict(step) for step in self.steps],
            "stop": {"voltage_min_V": self.voltage_min_V, "voltage_max_V": self.voltage_max_V},
            "step_size_s": self.step_size_s,
            **(
                {"stages": [stage.as_document() for stage in self.stages], "longest_s": self.longest_s}
                if self.stages
                else {}
            ),
            **({"series": self.series, "parallel": self.parallel} if self.series * self.parallel > 1 else {}),
        }


def stimuli_rows(procedure: Procedure) -> list[tuple[float, ...]]:
    """Rows of :data:`STIMULI_COLUMNS`: one where the current changes, and one at the end; no current without steps."""
    constant = (procedure.ambient_degC, procedure.initial_soc_pct, procedure.ambient_degC)
    steps = procedure.steps or (Step(0.0, procedure.duration_s),)
    starts = [0.0, *accumulate(step.duration_s for step in steps)]
    rows: list[tuple[float, ...]] = []
    for start, step in zip(starts, steps, strict=False):
        if not rows or rows[-1][1] != step.current_A:
            rows.append((start, step.current_A, *constant))
    return [*rows, (starts[-1], *rows[-1][1:])]


def input_csv(procedure: Procedure) -> str:
    """The stimuli as ``input.csv``: a header and the rows, numbers written so that reading gives them back exactly."""
    rows = [",".join(map(repr, row)) for row in stimuli_rows(procedure)]
    return "\n".join([",".join(STIMULI_COLUMNS), *rows]) + "\n"


def _number(document: object, key: str) -> float:
    if not isinstance(document, Mapping) or key not in document:
        raise RequestError(f"A procedure lacks {key} in {_shown(document)}: add it.")
    value = document[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestError(f"A procedure has {key} {_shown(value)}: give a number.")
    try:
        return float(value)
    except OverflowError:
        raise RequestError(f"A procedure has a {key} too large for a number: give a smaller one.") from None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
