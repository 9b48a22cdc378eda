"""The unit of a quantity by the end of its name: ``temperature_degC``, ``discharge_c_rate``, ``soc_pct``."""

from __future__ import annotations

__all__ = ["unit_of"]

_UNITS = {
    "degC": "degC", "pct": "%", "rate": "C-rate", "s": "s", "minutes": "min", "hours": "h", "days": "d", "cycles": "1",
    "kPa": "kPa", "Ah": "Ah", "Wh": "Wh", "Hz": "Hz", "g": "g", "V": "V", "mOhm": "mOhm", "scale": "1",
}  # fmt: skip


def unit_of(name: str) -> str:
    """The unit; empty if the name says none."""
    return _UNITS.get(name.rpartition("_")[2], "")
