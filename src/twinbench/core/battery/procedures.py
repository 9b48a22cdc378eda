"""Which procedure carries out a test of the catalogue at the levels of a run.

Each is written in stages, with the standard's own sequence where a cycler, a chamber and a load can do it. Where the
standard goes further, :func:`remark` says so. Tests which need another apparatus (a crush, a projectile), or which a
battery model without thermal runaway would pass for nothing (thermal abuse, propagation), have no procedure and are
refused. A level that a test's factors do not have takes the value that stands here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from twinbench.core.battery.custom_profile import fullest_start_pct, profile_steps
from twinbench.core.battery.procedure import Procedure, Step
from twinbench.core.battery.stages import Mode, Stage, longest_s
from twinbench.core.catalogue import CatalogueTest, UnitUnderTest
from twinbench.core.errors import RequestError

__all__ = ["available_tests", "level_names", "procedure_for", "remark"]

_ROOM_degC = 25.0
_MINUTE_S, _HOUR_S = 60.0, 3600.0
_DISCHARGE_MARGIN = 1.2  # a discharge is given this much more time than the nominal capacity needs
_WINDOW_MARGIN = 1.1  # the same within a window of the state of charge
_LEAST_V = 0.1  # what abuse goes down to; a cell that is reversed is beyond the models
_ABUSE_SHARE = 1.2  # of the upper voltage limit: where an overcharge ends (IEC 62660-2, 6.4.2)
_CHAMBER_K_PER_min = 2.0
_FINE_ROWS, _LIFE_ROWS, _MOST_POINTS = 20_000, 100_000, 200_000  # of a procedure, of a life's, of a custom profile

Levels = Mapping[str, float]


@dataclass(frozen=True)
class _Unit:
    """What a procedure needs to know of a unit under test and the test."""

    capacity_Ah: float
    voltage_min_V: float
    voltage_max_V: float
    typical_h: float
    series: int = 1
    parallel: int = 1

    def run(
        self,
        levels: Levels,
        soc_pct: float,
        *stages: Stage,
        limits_V: tuple[float, float] | None = None,
        step_size_s: float = 1.0,
        most_rows: int = _FINE_ROWS,
    ) -> Procedure:
        """A procedure at the ambient temperature of the run, within this unit's limits unless others are given."""
        ambient_degC = levels.get("temperature_degC", _ROOM_degC)
        low_V, high_V = limits_V or (self.voltage_min_V, self.voltage_max_V)
        most_s = longest_s(stages, self.capacity_Ah)
        step_s = max(step_size_s, math.ceil(most_s / most_rows))
        cells = {"series": self.series, "parallel": self.parallel}
        return Procedure(soc_pct, ambient_degC, _steps(stages), low_V, high_V, step_s, tuple(stages), most_s, **cells)

    def discharge(self, c_rate: float, **ends: float) -> Stage:
        """Discharge to the lower voltage limit, or until another end comes first."""
        if c_rate <= 0:
            raise RequestError(f"A discharge at {c_rate:g} C never ends: give a rate above 0.")
        duration_s = float(math.ceil(_DISCHARGE_MARGIN * _HOUR_S / c_rate))
        ends = {"duration_s": duration_s, "voltage_below_V": self.voltage_min_V, **ends}
        return Stage(Mode.CURRENT, -c_rate * self.capacity_Ah, **ends)  # type: ignore[arg-type]

    def charge(self, c_rate: float = 1 / 3, **ends: float) -> tuple[Stage, Stage]:
        """Charge to the upper voltage limit, then hold it until the current is a twentieth of the capacity."""
        if c_rate <= 0:
            raise RequestError(f"A charge at {c_rate:g} C never ends: give a rate above 0.")
        current = Stage(Mode.CURRENT, c_rate * self.capacity_Ah, voltage_above_V=self.voltage_max_V, **ends)  # type: ignore[arg-type]
        return current, self.hold(duration_s=4 * _HOUR_S)

    def hold(self, **ends: float) -> Stage:
        """Hold the upper voltage limit until the current is a twentieth of the capacity."""
        return Stage(Mode.VOLTAGE, self.voltage_max_V, current_below_A=self.capacity_Ah / 20, **ends)  # type: ignore[arg-type]

    def pulse(self, c_rate: float, duration_s: float) -> Stage:
        """Hold a C-rate; positive charges."""
        return Stage(Mode.CURRENT, c_rate * self.capacity_Ah, duration_s=duration_s)


def _rest(duration_s: float, ambient_degC: float | None = None) -> Stage:
    rate = _CHAMBER_K_PER_min if ambient_degC is not None else None
    return Stage(Mode.REST, duration_s=duration_s, ambient_degC=ambient_degC, ambient_rate_K_per_min=rate)


def _steps(stages: Sequence[Stage]) -> tuple[Step, ...]:
    """The same as currents over time, if it can be said so: only the last stage may end by voltage."""
    for number, stage in enumerate(stages, 1):
        by_clock = (
            stage.mode in (Mode.CURRENT, Mode.REST) and stage.duration_s is not None and stage.ambient_degC is None
        )
        by_voltage = stage.voltage_below_V is not None or stage.voltage_above_V is not None
        if not by_clock or stage.soc_below_pct is not None or (by_voltage and number < len(stages)):
            return ()
    return tuple(Step(stage.value or 0.0, stage.duration_s or 0.0) for stage in stages)


# ---- performance ----


def _capacity(unit: _Unit, levels: Levels) -> Procedure:
    """Discharge a full battery to its lower voltage limit."""
    return unit.run(levels, 100.0, unit.discharge(levels.get("discharge_c_rate", 1 / 3)))


def _efficiency(unit: _Unit, levels: Levels) -> Procedure:
    """Discharge a full battery, rest, charge it again as far as it goes: the energy given per energy taken."""
    discharge = unit.discharge(levels.get("discharge_c_rate", 1 / 3))
    current, hold = unit.charge(levels.get("charge_c_rate", 1 / 3))
    full = replace(hold, current_below_A=unit.capacity_Ah / 100, duration_s=8 * _HOUR_S)
    return unit.run(levels, 100.0, discharge, _rest(30 * _MINUTE_S), current, full, _rest(_MINUTE_S))


def _pulses(unit: _Unit, levels: Levels) -> Procedure:
    """Rest, a discharge pulse, rest, a charge pulse of three quarters of its current, rest (HPPC)."""
    c_rate, pulse_s = levels.get("pulse_c_rate", 1.0), levels.get("pulse_s", 10.0)
    stages = (_rest(60.0), unit.pulse(-c_rate, pulse_s), _rest(40.0), unit.pulse(0.75 * c_rate, pulse_s), _rest(40.0))
    return unit.run(levels, levels.get("soc_pct", 50.0), *stages, step_size_s=0.1)


def _cranking(unit: _Unit, levels: Levels) -> Procedure:
    """Three times five seconds at the lower voltage limit, a fifth of the charge left: what starts an engine."""
    crank = Stage(Mode.VOLTAGE, unit.voltage_min_V, duration_s=5.0)
    stages = (_rest(60.0), crank, _rest(10.0), Stage(Mode.LOOP, 2, repeats=3))
    return unit.run(levels, levels.get("soc_pct", 20.0), *stages, step_size_s=0.1)


def _soc_adjustment(unit: _Unit, levels: Levels) -> Procedure:
    """Discharge a full battery at C/3 to the asked state of charge, then let it rest."""
    take_Ah = (100 - levels.get("soc_pct", 50.0)) / 100 * unit.capacity_Ah
    stages = [_rest(30 * _MINUTE_S)]
    if take_Ah:
        duration_s = float(math.ceil(take_Ah / unit.capacity_Ah * 3 * _HOUR_S))
        stages.insert(0, Stage(Mode.CURRENT, -take_Ah * _HOUR_S / duration_s, duration_s=duration_s))
    return unit.run(levels, 100.0, *stages)


def _storage(unit: _Unit, levels: Levels) -> Procedure:
    """Leave the battery alone for days."""
    days = _rest(86_400.0 * levels.get("days", 28.0))
    return unit.run(levels, levels.get("soc_pct", 100.0), days, step_size_s=300.0)


# ---- ageing ----


def _storage_life(unit: _Unit, levels: Levels) -> Procedure:
    """Leave the battery alone for days, then charge it and see at C/3 what it still holds."""
    days = _rest(86_400.0 * levels.get("days", 42.0))
    stages = (days, *unit.charge(), _rest(30 * _MINUTE_S), unit.discharge(1 / 3))
    return unit.run(levels, levels.get("soc_pct", 100.0), *stages, step_size_s=60.0)


def _cycle_life(unit: _Unit, levels: Levels) -> Procedure:
    """Cycle within a window of the state of charge, then charge it and see at C/3 what it still holds."""
    low_pct, high_pct = levels.get("soc_low_pct", 20.0), levels.get("soc_high_pct", 80.0)
    discharge_C, charge_C = levels.get("discharge_c_rate", 1.0), levels.get("charge_c_rate", 1 / 3)
    window_s = _WINDOW_MARGIN * (high_pct - low_pct) / 100 * _HOUR_S
    cycle = (
        unit.discharge(discharge_C, soc_below_pct=low_pct, duration_s=math.ceil(window_s / discharge_C)),
        _rest(10 * _MINUTE_S),
        unit.charge(charge_C, soc_above_pct=high_pct, duration_s=math.ceil(window_s / charge_C))[0],
        unit.hold(soc_above_pct=high_pct, duration_s=_HOUR_S),
        _rest(10 * _MINUTE_S),
    )
    again = Stage(Mode.LOOP, 1, repeats=max(1, round(levels.get("cycles", 100.0))))
    check = (*unit.charge(), _rest(30 * _MINUTE_S), unit.discharge(1 / 3))
    return unit.run(levels, high_pct, *cycle, again, *check, step_size_s=10.0, most_rows=_LIFE_ROWS)


# ---- abuse ----


def _forced_discharge(unit: _Unit, levels: Levels) -> Procedure:
    """Go on discharging an empty battery, for as long as asked or until it has next to no voltage left."""
    stage = unit.pulse(-levels.get("discharge_c_rate", 1.0), _MINUTE_S * levels.get("minutes", 90.0))
    return unit.run(levels, 0.0, stage, _rest(_MINUTE_S), limits_V=(_LEAST_V * unit.series, unit.voltage_max_V))


def _overcharge(unit: _Unit, levels: Levels) -> Procedure:
    """Go on charging a full battery to the state of charge asked for, or to 1.2 times its upper voltage limit."""
    high_V = _ABUSE_SHARE * unit.voltage_max_V
    if unit.series == 1:
        high_V = levels.get("voltage_limit_V", high_V)
    charge_Ah = (levels.get("soc_limit_pct", 130.0) - 100) / 100 * unit.capacity_Ah
    c_rate = levels.get("charge_c_rate", 1.0)
    if c_rate <= 0:
        raise RequestError(f"A charge at {c_rate:g} C never ends: give a rate above 0.")
    stage = Stage(
        Mode.CURRENT,
        c_rate * unit.capacity_Ah,
        duration_s=float(math.ceil(charge_Ah / unit.capacity_Ah / c_rate * _HOUR_S)),
    )
    limits_V = (unit.voltage_min_V, max(high_V, unit.voltage_max_V))
    return unit.run(levels, 100.0, stage, _rest(30 * _MINUTE_S), limits_V=limits_V)


def _short_circuit(unit: _Unit, levels: Levels) -> Procedure:
    """Load a full battery with a small resistance until it is empty, and see how warm it gets."""
    load = Stage(Mode.RESISTANCE, levels.get("external_resistance_mOhm", 80.0) / 1000, duration_s=_HOUR_S)
    limits_V = (_LEAST_V * unit.series, unit.voltage_max_V)
    return unit.run(levels, 100.0, load, _rest(_HOUR_S), limits_V=limits_V, step_size_s=0.5)


def _temperature_cycling(unit: _Unit, levels: Levels) -> Procedure:
    """Warm and cold in turn; each for its share of the time that the test usually takes."""
    cycles = max(1, round(levels.get("cycles", 10.0)))
    dwell_s = max(_HOUR_S, unit.typical_h * _HOUR_S / (2 * cycles))
    warm, cold = _rest(dwell_s, levels.get("high_degC", 72.0)), _rest(dwell_s, levels.get("low_degC", -40.0))
    stages = (warm, cold, Stage(Mode.LOOP, 1, repeats=cycles), _rest(dwell_s, _ROOM_degC))
    return unit.run(levels, levels.get("soc_pct", 100.0), *stages, step_size_s=30.0)


_NO_SELF_DISCHARGE = (
    "shows what the bench shows at rest; a battery model without self-discharge loses only what its film takes"
)
_ONE_AGEING = "sees the ageing of the model, an SEI film that grows; plating, cracks and lost material are not in it"
_ELECTRICAL_SIDE = "shows currents, voltages and temperatures; venting, fire and runaway are not in the model"
_NOT_REVERSED = f"ends at {_LEAST_V:g} V: a cell that is reversed is beyond the model"
_NO_STRESS = "shows the temperatures a cell goes through; what they do to its seals is not in the model"

_PROCEDURES: dict[str, tuple[Callable[[_Unit, Levels], Procedure], str]] = {
    "Performance - Capacity": (_capacity, ""),
    "Performance - Energy density": (_capacity, ""),
    "Performance - Energy and capacity at room temperature": (_capacity, ""),
    "Performance - Energy and capacity at different temperature and discharge rates": (_capacity, ""),
    "Performance - Energy efficiency": (_efficiency, ""),
    "Performance - Energy efficiency at fast charging": (_efficiency, ""),
    "Performance - Power": (_pulses, ""),
    "Performance - Power and internal resistance": (_pulses, ""),
    "Performance - Cranking power at low temperature": (_cranking, ""),
    "Performance - Cranking power at high temperature": (_cranking, ""),
    "Performance - SOC adjustment": (_soc_adjustment, ""),
    "Performance - Storage charge retention": (_storage, _NO_SELF_DISCHARGE),
    "Performance - No-load SOC loss": (_storage, _NO_SELF_DISCHARGE),
    "Performance - SOC loss at storage": (_storage, _NO_SELF_DISCHARGE),
    "Ageing - Storage life": (_storage_life, _ONE_AGEING),
    "Ageing - Cycle life": (_cycle_life, _ONE_AGEING),
    "Electrical - Forced discharge": (_forced_discharge, _NOT_REVERSED),
    "Electrical - Forced-discharge": (_forced_discharge, _NOT_REVERSED),
    "Electrical - Overcharge": (_overcharge, _ELECTRICAL_SIDE),
    "Electrical - Abnormal charging": (_overcharge, _ELECTRICAL_SIDE),
    "Electrical - High rate charge": (_overcharge, _ELECTRICAL_SIDE),
    "Electrical - External short circuit": (_short_circuit, _ELECTRICAL_SIDE),
    "Electrical - External short-circuit": (_short_circuit, _ELECTRICAL_SIDE),
    "Electrical - Short-circuit": (_short_circuit, _ELECTRICAL_SIDE),
    "Electrical - Short circuit": (_short_circuit, _ELECTRICAL_SIDE),
    "Thermal - Temperature cycling": (_temperature_cycling, _NO_STRESS),
    "Thermal - Thermal cycling": (_temperature_cycling, _NO_STRESS),
    "Thermal - Thermal test": (_temperature_cycling, _NO_STRESS),
}


def available_tests() -> tuple[str, ...]:
    """Names of the tests that have a procedure."""
    return tuple(sorted(_PROCEDURES))


def remark(test: CatalogueTest) -> str:
    """Which clause a procedure carries out, and where it stops short of it."""
    if test.name not in _PROCEDURES:
        return ""
    stops_short = _PROCEDURES[test.name][1]
    clause = f", clause {test.clause}" if test.clause else ""
    text = f"The procedure of {test.name!r} carries out {test.standard}{clause}"
    return f"{text}; it {stops_short}." if stops_short else f"{text}."


def level_names(
    test: CatalogueTest, uut: UnitUnderTest, custom_profile: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """Names of the levels that the procedure of a test reads, in its order.

    Raises:
        RequestError: As :func:`procedure_for` does.
    """
    asked = _Asked()
    procedure_for(test, asked, uut, custom_profile)
    return tuple(dict.fromkeys(asked.names))


class _Asked(dict[str, float]):
    """Levels of which there are none; remembers which were looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def get(self, key: str, default: Any = None) -> Any:
        self.names.append(key)
        return default


def procedure_for(
    test: CatalogueTest, levels: Levels, uut: UnitUnderTest, custom_profile: Mapping[str, Any] | None = None
) -> Procedure:
    """The procedure of one run.

    A custom profile, in D6.4's form, replaces the test's own currents. It begins as full as it can without charging
    beyond 100 %, unless the run has a level ``soc_pct``. Levels ``current_scale`` and ``time_scale`` multiply its
    currents and times.

    Raises:
        RequestError: If the test has no procedure, or the unit's capacity or voltage limits are not known.
    """
    if custom_profile is None and test.name not in _PROCEDURES:
        raise RequestError(
            f"{test.name!r} of {test.standard} has no procedure for a virtual or physical bench yet; "
            f"available: {', '.join(available_tests())}. Or send a custom_profile."
        )
    unit = _unit(uut, test)
    if custom_profile is None:
        return _PROCEDURES[test.name][0](unit, levels)
    scales = levels.get("current_scale", 1.0), levels.get("time_scale", 1.0)
    if scales[1] <= 0:
        raise RequestError(f"A profile whose times are multiplied by {scales[1]:g} has none: give a scale above 0.")
    steps = tuple(
        Step(step.current_A * scales[0], step.duration_s * scales[1]) for step in profile_steps(custom_profile)
    )
    soc_pct = levels.get("soc_pct", fullest_start_pct(steps, unit.capacity_Ah))
    finest_s = sum(step.duration_s for step in steps) / _MOST_POINTS
    step_size_s = max(finest_s, min(1.0, *(step.duration_s for step in steps)))
    ambient_degC = levels.get("temperature_degC", _ROOM_degC)
    return Procedure(
        soc_pct,
        ambient_degC,
        steps,
        unit.voltage_min_V,
        unit.voltage_max_V,
        step_size_s,
        series=unit.series,
        parallel=unit.parallel,
    )


def _unit(uut: UnitUnderTest, test: CatalogueTest) -> _Unit:
    if uut.nominal_capacity_Ah is None or uut.voltage_min_V is None or uut.voltage_max_V is None:
        raise RequestError(
            f"The capacity and voltage limits of {uut.code!r} are not known, so no procedure can be made for it: "
            "add them to include/catalogue/uuts.json, or ask for a unit that has them."
        )
    limits_V = (uut.voltage_min_V, uut.voltage_max_V)
    return _Unit(uut.nominal_capacity_Ah, *limits_V, test.typical_duration_h, uut.series, uut.parallel)
