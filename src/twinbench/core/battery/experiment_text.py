"""Reads experiments as PyBaMM's users write them: ``Discharge at C/3 for 2 hours or until 2.5 V``.

    step       = (Charge | Discharge) at VALUE | Hold at VALUE V | Rest, then [for TIME] [or until VALUE] [(... period)]
    VALUE      = C/3, 1C, 5 A, 200 mA, 4.2 V, 10 W, 0.5 Ohm            TIME = 10 seconds, 3 minutes, 1 hour
    experiment = a list of steps, or of lists of steps (cycles)

Cycles that follow each other and are the same become a loop. PyBaMM's notation is read here rather than by PyBaMM,
which would bring CasADi and half a second of imports for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from twinbench.core.battery.stages import Mode, Stage
from twinbench.core.errors import RequestError

__all__ = ["read_experiment"]

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_VALUE = re.compile(
    rf"(?P<order>[<>]?)\s*(?:C\s*/\s*(?P<divisor>{_NUMBER})|(?P<number>{_NUMBER})\s*(?P<unit>m?(?:A|V|W|Ohm)|C))"
)
_TIME = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<unit>[a-z]+)")
_STEP = re.compile(
    r"(?P<what>Charge at|Discharge at|Hold at|Rest)(?:\s+(?!for\b|until\b)(?P<value>.+?))?"
    r"(?:\s+for\s+(?P<time>.+?))?(?:\s+(?:or\s+)?until\s+(?P<until>.+?))?(?:\s*\((?P<period>.+) period\))?"
)
_SECONDS = {
    **dict.fromkeys(("second", "seconds", "s", "sec"), 1.0),
    **dict.fromkeys(("minute", "minutes", "m", "min"), 60.0),
    **dict.fromkeys(("hour", "hours", "h", "hr"), 3600.0),
}
_MODES = {"A": Mode.CURRENT, "C": Mode.CURRENT, "V": Mode.VOLTAGE, "W": Mode.POWER, "Ohm": Mode.RESISTANCE}
_EXAMPLE = "for example 'Discharge at C/3 for 2 hours or until 2.5 V', 'Hold at 4.2 V until C/50', 'Rest for 1 hour'"


def read_experiment(steps: Sequence[Any], capacity_Ah: float) -> tuple[Stage, ...]:
    """Stages of an experiment: texts, or lists of texts for cycles.

    Args:
        steps: What PyBaMM's ``Experiment`` takes.
        capacity_Ah: Nominal capacity, for C-rates.

    Raises:
        RequestError: If a step cannot be read, quoting it.
    """
    cycles = [(step,) if isinstance(step, str) else tuple(step) for step in steps]
    if not all(cycles):
        raise RequestError(f"A cycle of the experiment has no steps: leave it out, or write steps, {_EXAMPLE}.")
    stages: list[Stage] = []
    for cycle, same in groupby(cycles):
        first, repeats = len(stages) + 1, len(list(same))
        stages += [_read_step(text, capacity_Ah) for text in cycle]
        if repeats > 1:
            stages.append(Stage(Mode.LOOP, first, repeats=repeats))
    return tuple(stages)


def _read_step(text: Any, capacity_Ah: float) -> Stage:
    found = _STEP.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        raise RequestError(f"The step {text!r} cannot be read: write it as PyBaMM does, {_EXAMPLE}.")
    what, is_rest = found["what"].partition(" ")[0], found["what"] == "Rest"
    if is_rest and found["value"]:
        raise RequestError(f"The step {text!r} cannot be read: a rest has a time only, {_EXAMPLE}.")
    if not found["time"] and not found["until"]:
        raise RequestError(f"The step {text!r} has no end: add 'for' a time or 'until' a value, {_EXAMPLE}.")
    mode, value = (Mode.REST, None) if is_rest else _value(found["value"] or "", text, capacity_Ah)
    if (what == "Hold") != (mode is Mode.VOLTAGE) and not is_rest:
        raise RequestError(f"The step {text!r} cannot be read: hold a voltage; charge or discharge at A, C, W or Ohm.")
    if value is not None and mode in (Mode.CURRENT, Mode.POWER) and what == "Discharge":
        value = -value
    stage = Stage(mode, value, duration_s=_time_s(found["time"], text) if found["time"] else None)
    return replace(stage, **_until(found["until"], text, what, capacity_Ah)) if found["until"] else stage


def _value(text: str, step: str, capacity_Ah: float) -> tuple[Mode, float]:
    found = _VALUE.fullmatch(text.strip())
    if not found or found["order"]:
        raise RequestError(f"The step {step!r} has the value {text!r}: give it in A, mA, C, V, W or Ohm, {_EXAMPLE}.")
    return _quantity(found, capacity_Ah)


def _quantity(found: re.Match[str], capacity_Ah: float) -> tuple[Mode, float]:
    if found["divisor"]:
        divisor = float(found["divisor"])
        if divisor <= 0:
            raise RequestError(f"The rate {found[0]!r} divides by {divisor:g}: give more than 0.")
        return Mode.CURRENT, capacity_Ah / divisor
    unit, value = found["unit"], float(found["number"])
    if unit.startswith("m"):
        unit, value = unit[1:], value / 1000
    return _MODES[unit], value * capacity_Ah if unit == "C" else value


def _until(text: str, step: str, what: str, capacity_Ah: float) -> dict[str, Any]:
    found = _VALUE.fullmatch(text.strip())
    if found:
        mode, value = _quantity(found, capacity_Ah)
        is_above = found["order"] == ">" or (not found["order"] and what == "Charge")
        if mode is Mode.VOLTAGE:
            return {"voltage_above_V" if is_above else "voltage_below_V": value}
        if mode is Mode.CURRENT:
            return {"current_below_A": abs(value)}
    raise RequestError(f"The step {step!r} ends with {text!r}: give a voltage or a current, {_EXAMPLE}.")


def _time_s(text: str, step: str) -> float:
    found = _TIME.fullmatch(text.strip())
    if not found or found["unit"] not in _SECONDS or float(found["number"]) <= 0:
        raise RequestError(f"The step {step!r} lasts {text!r}: give a time in seconds, minutes or hours.")
    return float(found["number"]) * _SECONDS[found["unit"]]
