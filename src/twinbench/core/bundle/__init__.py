"""Model bundles: which FMUs there are, how they are wired, and everything that is wrong with the wiring.

All findings come at once, each with a stable code (``BUNDLE-...``), so that a bundle is mended in one round.
"""

from twinbench.core.bundle.document import (
    INTERCONNECTION_NAMES,
    NUMERIC_TYPES,
    Connection,
    ModelSummary,
    Reference,
    Variable,
    is_interconnection_name,
    parse_connections,
    suggestion,
)
from twinbench.core.bundle.units import BASE_UNITS, Unit, conversion
from twinbench.core.bundle.wiring import check_wiring, resolve_connections

__all__ = [
    "BASE_UNITS",
    "INTERCONNECTION_NAMES",
    "NUMERIC_TYPES",
    "Connection",
    "ModelSummary",
    "Reference",
    "Unit",
    "Variable",
    "check_wiring",
    "conversion",
    "is_interconnection_name",
    "parse_connections",
    "resolve_connections",
    "suggestion",
]
