"""Model bundles: which FMUs there are, how they are wired, and everything that is wrong with the wiring.

All findings come at once, each with a stable code (``BUNDLE-...``), so that a bundle is mended in one round.
"""

from twinbench.core.bundle.document import (
    INTERCONNECTION_NAMES,
    Connection,
    ModelSummary,
    Reference,
    Variable,
    is_interconnection_name,
    parse_connections,
    suggestion,
)
from twinbench.core.bundle.wiring import check_wiring, resolve_connections

__all__ = [
    "INTERCONNECTION_NAMES",
    "Connection",
    "ModelSummary",
    "Reference",
    "Variable",
    "check_wiring",
    "is_interconnection_name",
    "parse_connections",
    "resolve_connections",
    "suggestion",
]
