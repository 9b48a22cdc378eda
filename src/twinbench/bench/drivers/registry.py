"""The drivers by name. A new one gets a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twinbench.adapters.environment import Settings
from twinbench.bench.drivers.driver import Driver
from twinbench.core.errors import ConfigurationError

__all__ = ["open_driver"]


def _simulated(settings: Settings, speed: float) -> Driver:
    from twinbench.bench.drivers.simulated import SimulatedDriver

    return SimulatedDriver(settings.include / "fmus" / "FMU_Battery_Model.fmu", speed=speed)


_DRIVERS: Mapping[str, Callable[[Settings, float], Driver]] = {"simulated": _simulated}


def open_driver(name: str, settings: Settings, *, speed: float) -> Driver:
    """The driver of that name.

    Args:
        name: One of the registered names.
        settings: The agent's settings.
        speed: Simulated seconds per second; hardware keeps its own time.

    Raises:
        ConfigurationError: If there is no such driver.
    """
    if name not in _DRIVERS:
        raise ConfigurationError(f"There is no driver {name!r}: there are {', '.join(sorted(_DRIVERS))}.")
    return _DRIVERS[name](settings, speed)
