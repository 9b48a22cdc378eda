"""What the co-simulation needs of one running FMU: its C functions by address, and a few words in rare cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn, Protocol

from twinbench.core.bundle import Variable

__all__ = ["Instance", "stored_as"]

_STORED_2 = {
    "Float64": ("Real", "f8"),
    "Int32": ("Integer", "i4"),
    "Enumeration": ("Integer", "i4"),
    "Boolean": ("Boolean", "i4"),
}
_STORED_3 = {
    "Float64": ("Float64", "f8"),
    "Float32": ("Float32", "f4"),
    "Int8": ("Int8", "i1"),
    "UInt8": ("UInt8", "u1"),
    "Int16": ("Int16", "i2"),
    "UInt16": ("UInt16", "u2"),
    "Int32": ("Int32", "i4"),
    "UInt32": ("UInt32", "u4"),
    "Int64": ("Int64", "i8"),
    "UInt64": ("UInt64", "u8"),
    "Enumeration": ("Int64", "i8"),
    "Boolean": ("Boolean", "u1"),
}


def stored_as(fmi_version: int, type_: str) -> tuple[str, str]:
    """How a value is got and stored: the end of the name of its C functions, and numpy's name of its type.

    Args:
        fmi_version: 2 or 3.
        type_: FMI 3.0's name of the type.

    Raises:
        KeyError: For texts, binary values and clocks, which are no numbers.
    """
    return (_STORED_3 if fmi_version == 3 else _STORED_2)[type_]


class Instance(Protocol):
    """One running FMU."""

    @property
    def name(self) -> str:
        """Name of its FMU."""

    @property
    def fmi_version(self) -> int:
        """2 or 3."""

    @property
    def variables(self) -> Mapping[str, Variable]:
        """Its variables that are numbers."""

    @property
    def component(self) -> int:
        """Address of the C instance."""

    def address(self, function: str) -> int:
        """Address of a C function, named without its beginning: ``DoStep``, ``GetFloat64`` (FMI 2.0: ``GetReal``)."""

    def exit_initialization(self) -> None:
        """Leave initialization mode."""

    def finish_step(
        self, status: int, told: tuple[bool, bool, float | None], begin_s: float, end_s: float
    ) -> float | None:
        """Go on after a step that ended in an unusual way.

        Args:
            status: The FMI status it returned.
            told: FMI 3.0: whether the FMU needs an event to be handled, whether it asks to end, and up to which time
                it has come if it returned early.
            begin_s: Where the step began.
            end_s: Where it is to end.

        Returns:
            The time it has come to if it asks to end the simulation, else None.

        Raises:
            SimulationError: If it cannot go on.
        """

    def fail(self, what: str, status: int, time_s: float | None) -> NoReturn:
        """Raise what an FMI status above a warning means, with the FMU's own last words."""
