"""A finding: one thing that is wrong or worth knowing, said so that a person can act on it.

The same list is shown on screen, in JSON, in ``diagnosis.json`` and on the request's page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

__all__ = ["Finding", "Severity", "blocking"]


class Severity(StrEnum):
    """How much a finding matters: an error stops the request, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        code: Stable identifier, for example ``BUNDLE-NO-FMU``.
        severity: Whether it stops the request.
        where: The file, model, variable or field at fault.
        message: What is wrong, with the value.
        hint: What to do about it.
    """

    code: str
    severity: Severity
    where: str
    message: str
    hint: str = ""

    def as_dict(self) -> dict[str, str]:
        """As plain JSON."""
        return {key: str(value) for key, value in asdict(self).items()}

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.severity.value.upper()} {self.code} {self.where}: {self.message}{hint}"


def blocking(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those of the findings that stop a request."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)
