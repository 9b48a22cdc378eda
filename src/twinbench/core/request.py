"""A test request: what a person asks for, what is wrong with it, what the digital twin is told, how far it has come.

A request is checked twice: its document against the JSON Schema (:func:`validate_document`, all errors at once), and
what it asks for against the catalogue (:func:`check_applicability`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from twinbench.core.catalogue import Catalogue
from twinbench.core.errors import RequestError
from twinbench.core.findings import Finding, Severity
from twinbench.core.identity import request_uuid, run_uuid, simulation_folder
from twinbench.core.request_schema import validate_document

__all__ = [
    "RequestState",
    "TestRequest",
    "check_applicability",
    "request_uuid",
    "run_uuid",
    "simulation_folder",
    "to_twin_message",
    "validate_document",
]

_TWIN_TIME = "%Y-%m-%d %H:%M:%S"
_YEARS = range(1970, 3000)  # that clocks of any zone can show


class RequestState(StrEnum):
    """How far a request has come.

    Each state follows from the one before. Whoever clears a task sends the request back to any earlier state; what
    failed resumes wherever it is cleared; what was cancelled stays so.
    """

    SUBMITTED = "submitted"
    FORWARDED = "forwarded"
    MODELS_RECEIVED = "models-received"
    DESIGNED = "designed"
    PLANNED = "planned"
    RUNNING = "running"
    EVALUATED = "evaluated"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self in (RequestState.COMPLETED, RequestState.FAILED, RequestState.CANCELLED)

    @property
    def is_under_way(self) -> bool:
        """Whether the digital twin knows of it, and it is not over."""
        return not self.is_over and self is not RequestState.SUBMITTED

    @property
    def may_be_cancelled(self) -> bool:
        """Whether somebody may end it; what failed may be given up for good."""
        return self not in (RequestState.COMPLETED, RequestState.CANCELLED)

    def following(self) -> tuple[RequestState, ...]:
        """The states that are still to come if all goes well."""
        way = [state for state in RequestState if state is RequestState.COMPLETED or not state.is_over]
        return tuple(way[way.index(self) + 1 :]) if self in way else ()

    def may_become(self, following: RequestState) -> bool:
        """Whether a request in this state may go to that one."""
        if self is RequestState.CANCELLED or following is RequestState.CANCELLED:
            return self is following or self.may_be_cancelled
        if RequestState.FAILED in (self, following):
            return True
        order = list(RequestState)
        return order.index(following) <= order.index(self) + 1


@dataclass(frozen=True)
class TestRequest:
    """One request for one test.

    Attributes:
        preferred_date: Not before this moment, UTC.
        test_bench: ``Virtual``, ``Physical`` or ``Any``.
        runs: Number of test points.
        custom_profile: A current profile in D6.4's form, instead of the test's own procedure.
        design: What is asked of the design of experiment, as in ``doe_spec.schema.json``; what it leaves out follows
            from the test.
    """

    __test__ = False  # not a test of pytest's

    uuid: str
    requester_name: str
    requester_id: str
    preferred_date: datetime
    uut: str
    use_case: str
    standard: str
    test_name: str
    test_bench: str = "Virtual"
    runs: int = 6
    seed: int = 1
    custom_profile: Mapping[str, Any] | None = None
    design: Mapping[str, Any] | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, uuid: str) -> TestRequest:
        """Read a document that keeps to the schema; what is left out has its default.

        Raises:
            RequestError: If a field is missing or the date is none.
        """
        names = [name for name in cls.__dataclass_fields__ if name != "uuid"]
        fields = {name: document[name] for name in names if name in document}
        required = ("requester_name", "requester_id", "preferred_date", "uut", "use_case", "standard", "test_name")
        missing = [name for name in required if name not in fields]
        if missing:
            raise RequestError(f"The request lacks {', '.join(missing)}: fill in every one of these fields.")
        fields["preferred_date"] = _moment(str(fields["preferred_date"]))
        return cls(uuid=uuid, **fields)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year not in _YEARS:
        what, hint = f"{text!r} is no moment in time", "write date, time and zone as in 2026-12-01T10:00:00Z"
        raise RequestError(f"preferred_date {what}: {hint}.", findings=[_refusal("DATE", "preferred_date", what, hint)])
    return moment.astimezone(UTC)


def check_applicability(request: TestRequest, catalogue: Catalogue) -> None:
    """Check that the test applies to what is asked for.

    Raises:
        RequestError: If it does not, with every reason as a finding and where the test does apply.
    """
    test = catalogue.test(request.standard, request.test_name)
    level = catalogue.uut(request.uut).level
    use_case = catalogue.use_case(request.use_case).name
    name = f"{test.name!r} of {test.standard}"
    findings = []
    if use_case not in test.use_cases:
        purposes = ", ".join(test.use_cases)
        findings.append(_refusal("USE-CASE", "use_case", f"{name} is not for {use_case}", f"it is for {purposes}"))
    if level not in test.levels:
        levels = ", ".join(test.levels)
        findings.append(_refusal("LEVEL", "uut", f"{name} is not done to a {level}", f"it is done to: {levels}"))
    if request.test_bench == "Virtual" and not test.virtual_capable and not request.custom_profile:
        findings.append(_refusal("NOT-VIRTUAL", "test_bench", f"{name} cannot be simulated", "ask for Physical"))
    if findings:
        reasons = "; ".join(f"{finding.message}: {finding.hint}" for finding in findings)
        raise RequestError(f"The test does not apply. {reasons}.{_elsewhere(request, catalogue)}", findings=findings)


def _refusal(code: str, where: str, message: str, hint: str) -> Finding:
    return Finding(f"REQUEST-{code}", Severity.ERROR, where, message, hint)


def _elsewhere(request: TestRequest, catalogue: Catalogue) -> str:
    """Which other standards have a test of that name."""
    others = [
        f"{test.standard} ({', '.join(test.levels)}; {', '.join(test.use_cases)})"
        for test in catalogue.tests_named(request.test_name)
        if test.standard != request.standard
    ]
    return f" Other standards with a test of that name: {', '.join(others)}." if others else ""


def to_twin_message(request: TestRequest, now: datetime, status: str) -> dict[str, Any]:
    """The request as the digital twin is told of it: D6.4, figure 2, field for field; times are UTC."""
    return {
        "test_name": request.test_name,
        "test_UUID": request.uuid,
        "test_UUT": request.uut,
        "test_bench": request.test_bench,
        "use_case": request.use_case,
        "variables": {
            "test_procedures": [],
            "custom_profile": request.custom_profile,
            "FMU_signal_connections": [],
        },
        "test_date": request.preferred_date.strftime(_TWIN_TIME),
        "status": {"value": status, "last_update": now.astimezone(UTC).strftime(_TWIN_TIME)},
    }
