"""What a bundle says: the words for FMUs and their wiring, and how an interconnection file is read.

Vocabulary:

    bundle       FMUs and one interconnection file (``inter_connection.json``, or ``connections.json`` as in D6.3)
    reference    where a signal is: ``/<FMU>/<port>/<signal>``, or ``<FMU>/<port>``; an FMU is named by its file
    connection   one output that drives one input

Types carry FMI 3.0's names: an FMI 2.0 ``Real`` is a ``Float64``, an ``Integer`` an ``Int32``.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from twinbench.core.bundle.units import Unit
from twinbench.core.findings import Finding, Severity

__all__ = [
    "INTERCONNECTION_NAMES",
    "NUMERIC_TYPES",
    "Connection",
    "ModelSummary",
    "Reference",
    "Variable",
    "error",
    "is_interconnection_name",
    "parse_connections",
    "suggestion",
]

NUMERIC_TYPES = frozenset(
    ["Float64", "Float32", "Boolean", "Enumeration"]
    + [f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)]
)
INTERCONNECTION_NAMES = ("inter_connection.json", "connections.json")


def is_interconnection_name(filename: str) -> bool:
    """Whether a file of this name, with or without its folder, says how FMUs are wired."""
    return filename.replace("\\", "/").rpartition("/")[2].lower() in INTERCONNECTION_NAMES


@dataclass(frozen=True)
class Variable:
    """One variable of an FMU.

    Attributes:
        dimensions: Length along each axis at start; empty for a scalar.
        sized_by: The structural parameter that is the length of each axis, or its fixed length; empty if all are fixed.
        start: Start value as it stands in the model description, None if there is none.
        reference: Its value reference.
        variability: ``continuous``, ``discrete``, ``tunable``, ``fixed`` or ``constant``.
        depends_on: The variables an output depends on directly at a communication point; None if that is not known,
            so that it may be all inputs.
        starts_from: Likewise while the FMU is initialised.
        unit_definition: What the unit is, if the FMU says so.
        is_relative: It is a difference: the offset of its unit does not count.
    """

    name: str
    causality: str
    type: str
    unit: str | None = None
    dimensions: tuple[int, ...] = ()
    sized_by: tuple[str | int, ...] = ()
    start: str | None = None
    reference: int = 0
    variability: str = "continuous"
    depends_on: tuple[str, ...] | None = None
    starts_from: tuple[str, ...] | None = None
    unit_definition: Unit | None = None
    is_relative: bool = False

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.dimensions)


@dataclass(frozen=True)
class ModelSummary:
    """What the lab needs to know of one FMU; it is named by its file, since references do so.

    Attributes:
        platforms: Platforms it has binaries for, in FMI 3.0's names (``x86_64-linux``).
        step_size_s: The communication step it was made for, if it says so.
    """

    name: str
    fmi_version: str
    sha256: str
    variables: Mapping[str, Variable]
    co_simulation: bool
    platforms: tuple[str, ...]
    model_identifier: str
    description: str = ""
    step_size_s: float | None = None


@dataclass(frozen=True)
class Reference:
    """Where a signal is."""

    model: str
    port: str
    signal: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read ``/FMU/port/signal`` or ``FMU/port``; blanks around the parts do not matter.

        Raises:
            ValueError: If it is neither.
        """
        parts = [part.strip() for part in text.strip().removeprefix("/").split("/")]
        if len(parts) not in (2, 3) or not all(parts):
            raise ValueError(f"{text!r} is neither /FMU/port/signal nor FMU/port")
        return cls(parts[0], parts[1], parts[-1])

    def __str__(self) -> str:
        return f"/{self.model}/{self.port}/{self.signal}"


@dataclass(frozen=True)
class Connection:
    """One output that drives one input; the signal of a reference is the variable's name.

    Attributes:
        factor: The input is given ``factor * output + offset``.
        offset: See *factor*; in the unit of the input.
        is_converted: The unit of the output has been taken care of: it is not converted any more.
    """

    source: Reference
    target: Reference
    factor: float = 1.0
    offset: float = 0.0
    is_converted: bool = False

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """A hint towards the name that was probably meant."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]}?"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"There is {shown}." if names else "There is none."


def error(code: str, where: str, message: str, hint: str) -> Finding:
    """A finding that stops the request."""
    return Finding(code, Severity.ERROR, where, message, hint)


def parse_connections(text: str | bytes, *, where: str) -> tuple[list[Connection], list[Finding]]:
    """Read an interconnection file; what cannot be read is left out and reported.

    Args:
        text: Its content.
        where: Its name, for the findings.
    """
    try:
        document = json.loads(text.decode("utf-8-sig") if isinstance(text, bytes) else text)
    except (ValueError, RecursionError) as fault:
        hint = "Write a JSON list of objects with InSignalReference and OutSignalReference, in UTF-8."
        return [], [error("BUNDLE-CONNECTIONS-NOT-JSON", where, f"not readable as JSON: {fault}", hint)]
    if not isinstance(document, list):
        hint = 'Write [{"InSignalReference": ..., "OutSignalReference": ...}, ...].'
        kind = type(document).__name__
        return [], [error("BUNDLE-CONNECTIONS-MALFORMED", where, f"holds a JSON {kind}, not a list", hint)]
    connections, findings = [], []
    for number, entry in enumerate(document, start=1):
        try:
            connections.append(_parse_entry(entry))
        except ValueError as fault:
            hint = "Give each entry an InSignalReference and an OutSignalReference such as /FMU/port/signal."
            findings.append(error("BUNDLE-CONNECTION-MALFORMED", f"{where} entry {number}", str(fault), hint))
    return connections, findings


def _parse_entry(entry: Any) -> Connection:
    if not isinstance(entry, dict):
        raise ValueError(f"{str(entry)[:80]!r} is not an object")
    ends = []
    for key in ("OutSignalReference", "InSignalReference"):
        if not isinstance(entry.get(key), str):
            raise ValueError(f"{key} is {str(entry[key])[:80]!r}, not a text" if key in entry else f"{key} is missing")
        ends.append(Reference.parse(entry[key]))
    source, target = ends
    return Connection(source, target)
