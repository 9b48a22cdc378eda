"""Reads a test protocol in whatever language of the field it is written in.

{"method": [...], ...}       aurora-unicycler, see :mod:`twinbench.core.battery.unicycler`
["Rest for 1 hour", ...]     PyBaMM's experiment strings, see :mod:`twinbench.core.battery.experiment_text`
[{"mode": "rest", ...}]      our own stages, see :mod:`twinbench.core.battery.stages`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinbench.core.battery.experiment_text import read_experiment
from twinbench.core.battery.stages import Stage, check_stages
from twinbench.core.battery.unicycler import read_unicycler
from twinbench.core.errors import RequestError

__all__ = ["read_protocol"]


def read_protocol(document: Any, capacity_Ah: float) -> tuple[Stage, ...]:
    """Stages of a protocol.

    Args:
        document: As read from JSON.
        capacity_Ah: Nominal capacity of the unit, for C-rates.

    Raises:
        RequestError: If it is in none of these languages, or cannot be read.
    """
    stages = _read(document, capacity_Ah)
    check_stages(stages)
    return stages


def _read(document: Any, capacity_Ah: float) -> tuple[Stage, ...]:
    if isinstance(document, Mapping) and "method" in document:
        return read_unicycler(document, capacity_Ah)
    if isinstance(document, list) and document:
        if all(isinstance(entry, Mapping) for entry in document):
            return tuple(Stage.from_document(entry) for entry in document)
        if all(isinstance(entry, str | list) for entry in document):
            return read_experiment(document, capacity_Ah)
    raise RequestError(
        "This is neither an aurora-unicycler protocol (an object with a method), nor a list of PyBaMM's experiment "
        "strings, nor a list of stages with a mode."
    )
