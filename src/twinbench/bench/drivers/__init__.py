"""Drivers: what an agent needs of a bench's hardware. Each is known by a name."""

from twinbench.bench.drivers.driver import Driver, Sample
from twinbench.bench.drivers.registry import open_driver

__all__ = ["Driver", "Sample", "open_driver"]
