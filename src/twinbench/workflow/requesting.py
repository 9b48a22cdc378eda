"""People ask for tests, cancel and repeat them: the same for pages, REST and whatever comes.

A request is checked in one place (:func:`check_request`) with the same schema, catalogue and words as the DAG run that
carries it. It is kept before Airflow hears of it, so nothing that was submitted is lost should Airflow be away.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4, uuid5

from twinbench.core.access import Action, Person
from twinbench.core.booking import BookingState
from twinbench.core.errors import ConflictError, RequestError, UnknownError, UnreachableError
from twinbench.core.findings import Finding, Severity
from twinbench.core.request import (
    RequestState,
    TestRequest,
    simulation_folder,
)
from twinbench.core.suggestion import did_you_mean
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.intake import check_document
from twinbench.workflow.lab import Document
from twinbench.workflow.physical_bench import abort_physical

__all__ = ["STAGES", "Submission", "cancel", "check_request", "find_request", "retry", "submit"]

_KEYS = UUID("6f0c7a6e-7d0b-5c58-9d1c-0b7f6f2a8c11")  # namespace of what people call their submissions
_LONGEST_KEY = 200

STAGES: Mapping[str, str] = {
    "forward_to_twin": "ask the digital twin for models",
    "await_bundle": "wait for the model bundle",
    "stage_bundle": "check the model bundle",
    "design_runs": "design the experiment",
    "plan_benches": "plan the benches",
    "approve_abuse": "ask whether an abuse test may start",
    "check_results": "check the results",
    "report": "write the report",
    "close": "close the request",
}
"""Tasks from which a request can be repeated, and what they do."""


@dataclass(frozen=True)
class Submission:
    """What became of a request that was submitted.

    Attributes:
        repeated: It had been submitted before, with the same key.
    """

    uuid: str
    number: str
    repeated: bool = False


def check_request(desk: FrontDesk, document: Mapping[str, Any]) -> TestRequest:
    """Check a request's document as its run will, and whether the lab manager lets the test be asked for.

    Raises:
        RequestError: Says every field at fault.
    """
    request = check_document(desk.lab, document)
    offered = desk.catalogue.applicable(request.uut, request.use_case, request.standard)
    if request.test_name not in offered:
        text = (
            f"{request.test_name!r} of {request.standard} is switched off in the catalogue for this unit and use case"
        )
        raise RequestError(f"{text}: ask the lab manager.", findings=[_at("test_name", text, "ask the lab manager")])
    return request


def _at(where: str, message: str, hint: str) -> Finding:
    return Finding(f"REQUEST-{where.upper().replace('_', '-')}", Severity.ERROR, where, message, hint)


def submit(desk: FrontDesk, who: Person, document: Mapping[str, Any], *, key: str = "") -> Submission:
    """Keep a request and have it carried out.

    Args:
        desk: The front desk.
        who: Who asks.
        document: The request; requester name and id are those of the person unless lab staff asks for somebody else.
        key: What the person calls this submission: the same key and document again are the same request.

    Raises:
        RequestError: If it cannot be carried out as written.
        ConflictError: If the key was used for something else.
        UnreachableError: If Airflow does not answer; the request is kept and is started when it is submitted again.
    """
    who.require(Action.SUBMIT)
    if len(key) > _LONGEST_KEY:
        raise RequestError(f"The idempotency key has {len(key)} characters: give {_LONGEST_KEY} at most.")
    asked = _signed(who, document)
    request = check_request(desk, asked)
    known = desk.register.by_key(who.id, key) if key else None
    if known is not None and known["document"] != asked:
        raise ConflictError(
            f"The idempotency key {key!r} was used for {known['request_number']}, which asks for something else: "
            "use another key for another request."
        )
    request_uuid = str(known["uuid"]) if known else str(uuid5(_KEYS, f"{who.id} {key}") if key else uuid4())
    number = str(known["request_number"]) if known else _keep(desk, who, request_uuid, asked, request, key)
    if known is None or known["status"] == RequestState.SUBMITTED:
        _start(desk, request_uuid, number, asked)
    return Submission(request_uuid, number, repeated=known is not None)


def _signed(who: Person, document: Mapping[str, Any]) -> Document:
    """The document with its requester: others can be named by the lab alone."""
    signed = {"requester_name": who.name, "requester_id": who.id, **document}
    return signed if who.works_in_the_lab else signed | {"requester_name": who.name, "requester_id": who.id}


def _keep(desk: FrontDesk, who: Person, request_uuid: str, document: Document, request: TestRequest, key: str) -> str:
    now = desk.lab.now()
    number = desk.register.save(
        request_uuid,
        document,
        folder=simulation_folder(request_uuid, now.date()),
        status=RequestState.SUBMITTED,
        at=now,
        submitted_by=who.id,
        idempotency_key=key or None,
        twin=desk.lab.catalogue.uut(request.uut).twin,
        workflow_id=request_uuid,
    )
    desk.note(who, "submit", number, test=request.test_name, standard=request.standard, uut=request.uut)
    return number


def _start(desk: FrontDesk, request_uuid: str, number: str, document: Document) -> None:
    try:
        desk.airflow.submit(request_uuid, document)
    except ConflictError:
        desk.lab.say(f"{number} has a run in Airflow already")
    except UnreachableError as error:
        told = f"{number} is kept, but could not be started. {error} Repeat it from its first stage then."
        desk.lab.say(told)
        raise UnreachableError(told) from error


def _run_id(row: Mapping[str, Any]) -> str:
    return str(row.get("workflow_id") or row["uuid"])


def find_request(desk: FrontDesk, who: Person, number: str) -> Document:
    """A request by its number or UUID, if the person may see it.

    Raises:
        UnknownError: If there is none, or none that the person may know of.
    """
    try:
        row = desk.register.by_number(number) if number.startswith("TR-") else desk.register.get(str(UUID(number)))
    except ValueError:
        raise UnknownError(f"{number!r} is no request: give a number such as TR-000042, or a UUID.") from None
    if not who.sees(row):
        raise UnknownError(f"There is no request {number} that {who.name} may see.")
    return row


def cancel(desk: FrontDesk, who: Person, number: str, *, reason: str = "") -> Document:
    """End a request; what it has stored stays, its benches are given back, and one that works on it is told to abort.

    Raises:
        ConflictError: If it is over.
        UnreachableError: If Airflow does not answer: nothing has changed then. Or if a bench cannot be told to abort.
    """
    row = find_request(desk, who, number)
    who.require(Action.CANCEL, row)
    if not RequestState(row["status"]).may_be_cancelled:
        raise ConflictError(f"{row['request_number']} is {row['status']}: it cannot be cancelled any more.")
    request_uuid = str(row["uuid"])
    with suppress(UnknownError):  # it was never started
        desk.airflow.cancel(_run_id(row))
    now = desk.lab.now()
    told = reason or "no reason given"
    desk.register.set_status(request_uuid, RequestState.CANCELLED, at=now, reason=told, actor=who.id)
    working = _physical_benches_at_work(desk, request_uuid)
    desk.lab.bookings.release(request_uuid, at=now)
    desk.note(who, "cancel", row["request_number"], reason=told, **({"aborted": working} if working else {}))
    for bench in working:
        _abort(desk, row, bench)
    return desk.register.get(request_uuid)


def _physical_benches_at_work(desk: FrontDesk, request_uuid: str) -> list[str]:
    bookings = desk.lab.bookings.of_request(request_uuid)
    running = [one for one in bookings if one.state is BookingState.RUNNING]
    return [one.bench for one in running if one.document.get("kind") == "physical"]


def _abort(desk: FrontDesk, row: Mapping[str, Any], bench: str) -> None:
    """The run's own trigger says so too when its run ends; a bench is told once more rather than not at all."""
    try:
        abort_physical(desk.lab, str(row["uuid"]), bench)
    except UnreachableError as error:
        raise UnreachableError(
            f"{row['request_number']} is cancelled, but {bench} could not be told to abort. {error} "
            "See that the bench stops."
        ) from error


def retry(desk: FrontDesk, who: Person, number: str, *, stage: str) -> Document:
    """Repeat a request from a stage on; what is done already and still holds is found and kept.

    Raises:
        RequestError: If there is no such stage.
        ConflictError: If the request was cancelled.
    """
    row = find_request(desk, who, number)
    who.require(Action.RETRY, row)
    if stage not in STAGES:
        raise RequestError(
            f"There is no stage {stage!r}: {did_you_mean(stage, STAGES)}",
            findings=[_at("stage", f"{stage!r} is no stage", did_you_mean(stage, STAGES))],
        )
    if row["status"] == RequestState.CANCELLED:
        raise ConflictError(f"{row['request_number']} is cancelled: submit it again instead.")
    try:
        desk.airflow.retry(_run_id(row), stage)
    except UnknownError:  # Airflow was away when it was submitted
        desk.airflow.submit(str(row["uuid"]), row["document"])
    desk.note(who, "retry", row["request_number"], stage=stage)
    return desk.register.get(str(row["uuid"]))
