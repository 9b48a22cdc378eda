"""Which procedure carries out a test of the catalogue at the levels of a run.

Only what currents and a constant ambient temperature can do, within the cell's voltage limits: every run ends when
a limit is crossed. Where a standard goes further, the procedure stops short of it and :func:`remark` says so. Tests
which need another apparatus (a crush, a short circuit) or which a battery model without ageing would pass for nothing
(cycle life, storage life, thermal abuse) have no procedure and are refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twinbench.core.battery.custom_profile import fullest_start_pct, profile_steps
from twinbench.core.battery.procedure import Procedure, Step
from twinbench.core.catalogue import CatalogueTest, UnitUnderTest
from twinbench.core.errors import RequestError

__all__ = ["available_tests", "procedure_for", "remark"]

_ROOM_degC = 25.0
_REST_s = 60.0
_LONG_REST_s = 1800.0
_PULSE_REST_s = 40.0
_MARGIN = 1.2  # a discharge is given this much more time than the nominal capacity needs; the voltage limit ends it
_MOST_POINTS = 200_000  # of a custom profile, however short its shortest step is

Levels = Mapping[str, float]


@dataclass(frozen=True)
class _Cell:
    """What a procedure needs to know of a unit under test."""

    capacity_Ah: float
    voltage_min_V: float
    voltage_max_V: float

    def run(self, levels: Levels, soc_pct: float, *steps: Step, step_size_s: float = 1.0) -> Procedure:
        """A procedure at the ambient temperature of the run, within this cell's limits."""
        ambient_degC = levels.get("temperature_degC", _ROOM_degC)
        return Procedure(soc_pct, ambient_degC, steps, self.voltage_min_V, self.voltage_max_V, step_size_s)

    def shift(self, change_pct: float, c_rate: float) -> Step:
        """Change the state of charge in whole seconds, at that C-rate or a trifle below."""
        duration_s = float(math.ceil(abs(change_pct) / 100 / c_rate * 3600))
        return Step(self.capacity_Ah * change_pct / 100 * 3600 / duration_s, duration_s)

    def hold(self, c_rate: float, duration_s: float) -> Step:
        """Hold a C-rate; positive charges."""
        return Step(c_rate * self.capacity_Ah, duration_s)


def _rest(duration_s: float) -> Step:
    return Step(0.0, duration_s)


def _capacity(cell: _Cell, levels: Levels) -> Procedure:
    """Discharge a full battery to its lower voltage limit."""
    c_rate = levels.get("discharge_c_rate", 1 / 3)
    return cell.run(levels, 100.0, cell.hold(-c_rate, float(math.ceil(_MARGIN * 3600 / c_rate))))


def _efficiency(cell: _Cell, levels: Levels) -> Procedure:
    """Take 60 % of the capacity from 80 % on, rest, and give the same charge back."""
    take = cell.shift(-60.0, levels.get("discharge_c_rate", 1 / 3))
    give = cell.shift(+60.0, levels.get("charge_c_rate", 1 / 3))
    return cell.run(levels, 80.0, take, _rest(_LONG_REST_s), give)


def _pulses(cell: _Cell, levels: Levels) -> Procedure:
    """Rest, a discharge pulse, rest, a charge pulse of three quarters of its current, rest."""
    c_rate, pulse_s = levels.get("pulse_c_rate", 1.0), levels.get("pulse_s", 10.0)
    steps = (_rest(_REST_s), cell.hold(-c_rate, pulse_s), _rest(_PULSE_REST_s), cell.hold(0.75 * c_rate, pulse_s))
    return cell.run(levels, levels.get("soc_pct", 50.0), *steps, _rest(_PULSE_REST_s), step_size_s=0.1)


def _soc_adjustment(cell: _Cell, levels: Levels) -> Procedure:
    """Discharge a full battery at C/3 to the asked state of charge, then let it rest."""
    change_pct = levels.get("soc_pct", 50.0) - 100
    steps = (cell.shift(change_pct, 1 / 3), _rest(_LONG_REST_s)) if change_pct else (_rest(_LONG_REST_s),)
    return cell.run(levels, 100.0, *steps)


def _storage(cell: _Cell, levels: Levels) -> Procedure:
    """Leave the battery alone for days."""
    rest = _rest(86_400.0 * levels.get("days", 28.0))
    return cell.run(levels, levels.get("soc_pct", 100.0), rest, step_size_s=300.0)


def _forced_discharge(cell: _Cell, levels: Levels) -> Procedure:
    """Discharge a battery that is nearly empty, for as long as asked or until its lower voltage limit."""
    return cell.run(levels, 20.0, cell.hold(-levels.get("discharge_c_rate", 1.0), 60.0 * levels.get("minutes", 90.0)))


def _overcharge(cell: _Cell, levels: Levels) -> Procedure:
    """Charge a half-full battery towards the state of charge asked for, until its upper voltage limit."""
    return cell.run(levels, 50.0, cell.shift(levels.get("soc_limit_pct", 130.0) - 50, levels.get("charge_c_rate", 1.0)))


_BEYOND_LIMITS = "ends at the cell's own voltage limit and stops short of the abuse that the standard asks for"
_NO_SELF_DISCHARGE = "shows what the bench shows at rest; a battery model without self-discharge loses no charge"
_PARTIAL_CYCLE = "covers 80 to 20 % of the capacity at constant current, so that no voltage limit ends it half way"

_PROCEDURES: dict[str, tuple[Callable[[_Cell, Levels], Procedure], str]] = {
    "Performance - Capacity": (_capacity, ""),
    "Performance - Energy density": (_capacity, ""),
    "Performance - Energy and capacity at room temperature": (_capacity, ""),
    "Performance - Energy and capacity at different temperature and discharge rates": (_capacity, ""),
    "Performance - Energy efficiency": (_efficiency, _PARTIAL_CYCLE),
    "Performance - Energy efficiency at fast charging": (_efficiency, _PARTIAL_CYCLE),
    "Performance - Power": (_pulses, ""),
    "Performance - Power and internal resistance": (_pulses, ""),
    "Performance - SOC adjustment": (_soc_adjustment, ""),
    "Performance - Storage charge retention": (_storage, _NO_SELF_DISCHARGE),
    "Performance - No-load SOC loss": (_storage, _NO_SELF_DISCHARGE),
    "Performance - SOC loss at storage": (_storage, _NO_SELF_DISCHARGE),
    "Electrical - Forced discharge": (_forced_discharge, _BEYOND_LIMITS),
    "Electrical - Forced-discharge": (_forced_discharge, _BEYOND_LIMITS),
    "Electrical - Overcharge": (_overcharge, _BEYOND_LIMITS),
    "Electrical - Abnormal charging": (_overcharge, _BEYOND_LIMITS),
    "Electrical - High rate charge": (_overcharge, _BEYOND_LIMITS),
}


def available_tests() -> tuple[str, ...]:
    """Names of the tests that have a procedure."""
    return tuple(sorted(_PROCEDURES))


def remark(test: CatalogueTest) -> str:
    """Where the lab's procedure stops short of the test as the standard has it; empty if it does not."""
    text = _PROCEDURES.get(test.name, (None, ""))[1]
    return f"The procedure of {test.name!r} {text}." if text else ""


def procedure_for(
    test: CatalogueTest, levels: Levels, uut: UnitUnderTest, custom_profile: Mapping[str, Any] | None = None
) -> Procedure:
    """The procedure of one run.

    A custom profile, in D6.4's form, replaces the test's own currents. It begins as full as it can without charging
    beyond 100 %, unless the run has a level ``soc_pct``.

    Raises:
        RequestError: If the test has no procedure, or the unit's capacity or voltage limits are not known.
    """
    if custom_profile is None and test.name not in _PROCEDURES:
        raise RequestError(
            f"{test.name!r} of {test.standard} has no procedure for a virtual or physical bench yet; "
            f"available: {', '.join(available_tests())}. Or send a custom_profile."
        )
    cell = _cell(uut)
    if custom_profile is None:
        return _PROCEDURES[test.name][0](cell, levels)
    steps = profile_steps(custom_profile)
    soc_pct = levels.get("soc_pct", fullest_start_pct(steps, cell.capacity_Ah))
    finest_s = sum(step.duration_s for step in steps) / _MOST_POINTS
    step_size_s = max(finest_s, min(1.0, *(step.duration_s for step in steps)))
    return cell.run(levels, soc_pct, *steps, step_size_s=step_size_s)


def _cell(uut: UnitUnderTest) -> _Cell:
    if uut.nominal_capacity_Ah is None or uut.voltage_min_V is None or uut.voltage_max_V is None:
        raise RequestError(
            f"The capacity and voltage limits of {uut.code!r} are not known, so no procedure can be made for it: "
            "add them to include/catalogue/uuts.json, or ask for a unit that has them."
        )
    return _Cell(uut.nominal_capacity_Ah, uut.voltage_min_V, uut.voltage_max_V)
