"""A requester's own current profile (``custom_profile`` of D6.4) as steps of a procedure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

from twinbench.core.battery.procedure import Step
from twinbench.core.errors import RequestError

__all__ = ["fullest_start_pct", "profile_steps"]

_AMPERES = {"A": 1.0, "mA": 1e-3}


def profile_steps(profile: Mapping[str, Any]) -> tuple[Step, ...]:
    """Steps of a profile ``{Name, type, unit, values: [{timestamp, value}]}``; values may be numbers or text.

    Each value is held until the next timestamp; the last timestamp ends the profile. Before the first one the battery
    rests. Positive current charges.

    Raises:
        RequestError: If the unit is no current, a value no number, or the timestamps do not increase.
    """
    unit = str(profile.get("unit"))
    if unit not in _AMPERES:
        raise RequestError(f"The custom profile is in {unit!r}: give a current in {' or '.join(_AMPERES)}.")
    samples = [_sample(number, entry) for number, entry in enumerate(_values(profile), 1)]
    if samples[0][0] > 0:
        samples.insert(0, (0.0, 0.0))
    steps = []
    for (start_s, value), (end_s, _) in pairwise(samples):
        if not 0 <= start_s < end_s:
            raise RequestError(
                f"The custom profile goes from timestamp {start_s:g} to {end_s:g}: "
                "begin at 0 s or later and let each timestamp be larger than the one before."
            )
        steps.append(Step(value * _AMPERES[unit], end_s - start_s))
    return tuple(steps)


def fullest_start_pct(steps: Sequence[Step], capacity_Ah: float) -> float:
    """The highest state of charge at which the steps can begin without charging beyond 100 %."""
    charges_Ah = accumulate(step.current_A * step.duration_s / 3600 for step in steps)
    return min(100.0, max(0.0, 100 - 100 * max(charges_Ah) / capacity_Ah))


def _values(profile: Mapping[str, Any]) -> list[Any]:
    values = profile.get("values")
    if not isinstance(values, list) or len(values) < 2:
        raise RequestError("The custom profile needs a list of two values or more: the last timestamp ends it.")
    return values


def _sample(number: int, entry: Any) -> tuple[float, float]:
    try:
        sample = float(entry["timestamp"]), float(entry["value"])
    except (KeyError, TypeError, ValueError, OverflowError):
        sample = math.nan, math.nan
    if not all(map(math.isfinite, sample)):
        raise RequestError(f"Value {number} of the custom profile is {entry!r}: give a timestamp and a finite number.")
    return sample
