"""What can go wrong in the lab, as one tree that people can read.

    LabError
    ├── RequestError        the request itself is wrong: unknown test name, missing field
    │   ├── UnknownError        what is asked for does not exist
    │   └── ConflictError       it exists, but in a state that does not allow this
    ├── ForbiddenError      somebody may not do this
    ├── ConfigurationError  a setting is missing or contradicts another
    ├── BundleError         the model bundle cannot be used; carries its findings
    ├── DesignError         no design can be made from these factors
    ├── PlanError           no bench plan can be made
    │   ├── InfeasibleError     some job fits no bench or no window
    │   └── BenchTakenError     a bench that the plan counts on was taken meanwhile: plan again around it
    ├── SimulationError     a co-simulation did not reach its end
    ├── BenchError          a physical bench refused, failed or vanished
    ├── ResultError         results are missing or break a data check
    └── UnreachableError    a service does not answer *now*: the only branch worth repeating

A message has three parts: what, with which value and name, what to do. ``transient`` tells the orchestration
whether repeating can help. Anything that is not a :class:`LabError` is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinbench.core.findings import Finding

__all__ = [
    "BenchError",
    "BenchTakenError",
    "BundleError",
    "ConfigurationError",
    "ConflictError",
    "DesignError",
    "ForbiddenError",
    "InfeasibleError",
    "LabError",
    "PlanError",
    "RequestError",
    "ResultError",
    "SimulationError",
    "UnknownError",
    "UnreachableError",
]


class LabError(Exception):
    """An error that is shown to people, with its findings where there are several."""

    transient = False

    def __init__(self, message: str, *, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


class RequestError(LabError):
    """The request cannot be carried out as it was written."""


class UnknownError(RequestError):
    """There is nothing of that name or number."""


class ConflictError(RequestError):
    """It exists, but its state does not allow what is asked for."""


class ForbiddenError(LabError):
    """Somebody may not do this; says who may."""


class ConfigurationError(LabError):
    """A setting is missing or wrong."""


class BundleError(LabError):
    """The model bundle cannot be used."""


class DesignError(LabError):
    """No design of experiment can be made from what was given."""


class PlanError(LabError):
    """No bench plan can be made."""


class InfeasibleError(PlanError):
    """The demands contradict each other."""


class BenchTakenError(PlanError):
    """A bench that the plan counts on was taken meanwhile; planning again goes around it."""


class SimulationError(LabError):
    """A co-simulation stopped before its end."""


class BenchError(LabError):
    """A physical bench refused its work, failed or vanished."""


class ResultError(LabError):
    """Results are missing or do not pass their data checks."""


class UnreachableError(LabError):
    """A service does not answer at the moment; trying again later may help."""

    transient = True
