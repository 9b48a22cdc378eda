"""Reads protocols of *aurora-unicycler* (EmpaEconversion): the battery field's vendor-neutral JSON for cyclers.

The package itself validates them; here its techniques become stages. C-rates count from the sample's capacity in the
protocol, or from the unit's nominal capacity if the protocol does not say. Its safety limits of voltage and current are
kept; those of capacity and their delay are not known here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twinbench.core.battery.stages import Mode, Stage
from twinbench.core.errors import RequestError

if TYPE_CHECKING:
    from aurora_unicycler import protocol as unicycler

__all__ = ["read_unicycler"]


def read_unicycler(document: Mapping[str, Any], capacity_Ah: float) -> tuple[Stage, ...]:
    """Stages of a protocol.

    Raises:
        RequestError: If it is no unicycler protocol, or has a technique that a battery model cannot do.
    """
    from aurora_unicycler import CyclingProtocol
    from pydantic import ValidationError

    try:
        protocol = CyclingProtocol.from_dict(dict(document))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RequestError(f"This is no unicycler protocol: {where}: {first['msg']}.") from error
    except (TypeError, AttributeError) as error:
        raise RequestError(f"This is no unicycler protocol: {error}.") from error
    if protocol.sample.capacity_mAh is not None:
        capacity_Ah = protocol.sample.capacity_mAh / 1000
    return tuple(
        _kept_safe(stage, number, protocol.safety)
        for number, stage in enumerate(_stages(protocol.method, capacity_Ah), 1)
    )


def _kept_safe(stage: Stage, number: int, safety: unicycler.SafetyParams) -> Stage:
    """The protocol's safety limits end what has no voltage limit of its own; what goes beyond them is refused."""
    low_V, high_V = safety.min_voltage_V, safety.max_voltage_V
    low_A = -math.inf if safety.min_current_mA is None else safety.min_current_mA / 1000
    high_A = math.inf if safety.max_current_mA is None else safety.max_current_mA / 1000
    value = stage.value if stage.value is not None else 0.0
    if stage.mode is Mode.CURRENT and not low_A <= value <= high_A:
        raise RequestError(f"Stage {number} asks for {value:g} A, beyond the protocol's own safety limits.")
    asked_V = (value if stage.mode is Mode.VOLTAGE else None, stage.voltage_below_V, stage.voltage_above_V)
    for voltage_V in asked_V:
        if voltage_V is not None and not (low_V or -math.inf) <= voltage_V <= (high_V or math.inf):
            raise RequestError(f"Stage {number} goes to {voltage_V:g} V, beyond the protocol's own safety limits.")
    if stage.mode is not Mode.CURRENT:
        return stage
    if value > 0:
        return replace(stage, voltage_above_V=stage.voltage_above_V or high_V)
    return replace(stage, voltage_below_V=stage.voltage_below_V or low_V)


def _stages(method: Sequence[Any], capacity_Ah: float) -> tuple[Stage, ...]:
    stages: list[Stage] = []
    begins: list[int] = []  # of each technique: the number of the stage that it begins at
    tags: dict[str, int] = {}
    for technique in method:
        begins.append(len(stages) + 1)
        if technique.step == "tag":
            tags[technique.tag] = len(stages) + 1
        elif technique.step == "loop":
            to = technique.loop_to
            first = tags[to] if isinstance(to, str) else begins[to - 1]
            stages.append(Stage(Mode.LOOP, first, repeats=technique.cycle_count))
        else:
            stages.append(_stage(technique, capacity_Ah))
    return tuple(stages)


def _stage(technique: Any, capacity_Ah: float) -> Stage:
    if technique.step == "open_circuit_voltage":
        return Stage(Mode.REST, duration_s=technique.until_time_s)
    if technique.step == "constant_current":
        return _constant_current(technique, capacity_Ah)
    if technique.step == "constant_voltage":
        return _constant_voltage(technique, capacity_Ah)
    raise RequestError(f"The technique {technique.step!r} cannot be simulated: leave it out, or use a physical bench.")


def _constant_current(technique: unicycler.ConstantCurrent, capacity_Ah: float) -> Stage:
    current_A = technique.rate_C * capacity_Ah if technique.rate_C else (technique.current_mA or 0.0) / 1000
    voltage_V = technique.until_voltage_V or None
    return Stage(
        Mode.CURRENT,
        current_A,
        duration_s=technique.until_time_s or None,
        voltage_below_V=voltage_V if current_A < 0 else None,
        voltage_above_V=voltage_V if current_A > 0 else None,
    )


def _constant_voltage(technique: unicycler.ConstantVoltage, capacity_Ah: float) -> Stage:
    until_A = (
        technique.until_rate_C * capacity_Ah if technique.until_rate_C else (technique.until_current_mA or 0.0) / 1000
    )
    return Stage(
        Mode.VOLTAGE,
        technique.voltage_V,
        duration_s=technique.until_time_s or None,
        current_below_A=abs(until_A) or None,
    )
