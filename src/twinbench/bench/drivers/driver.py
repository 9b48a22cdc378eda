"""What a driver does: it puts a battery through a procedure and hands over what it measures, sample by sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from twinbench.core.battery.procedure import Procedure

__all__ = ["Driver", "Sample"]


@dataclass(frozen=True)
class Sample:
    """What was measured at one moment.

    Attributes:
        time_s: Since the start of the run.
        values: One for each of the driver's columns.
        stop_reason: Why the run ends here, on its last sample and only there: ``end`` of the procedure, ``limit``
            (a voltage limit), or ``cancelled``.
    """

    time_s: float
    values: tuple[float, ...]
    stop_reason: str = ""


class Driver(Protocol):
    """The hardware of one bench; it does one run at a time."""

    @property
    def columns(self) -> Sequence[str]:
        """Metric signals it measures; see :data:`twinbench.core.telemetry.METRIC_SIGNALS`."""

    def start(self, procedure: Procedure, *, seed: str) -> Iterator[Sample]:
        """Begin a run; the samples come as they are measured.

        Args:
            procedure: What to do. Its limits are the driver's to keep.
            seed: Makes a simulated run repeatable; hardware ignores it.

        Raises:
            BenchError: If the hardware fails.
        """

    def stop(self) -> None:
        """End the run as soon as possible, from another thread; nothing happens if there is none."""
