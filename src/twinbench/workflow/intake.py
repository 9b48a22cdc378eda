"""Intake: a request is registered, forwarded to the digital twin, and its model bundle checked and taken in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twinbench.core.battery.custom_profile import profile_steps
from twinbench.core.bundle import is_interconnection_name
from twinbench.core.errors import BundleError, LabError, RequestError, UnreachableError
from twinbench.core.findings import Finding, Severity, blocking
from twinbench.core.request import (
    RequestState,
    TestRequest,
    check_applicability,
    simulation_folder,
    to_twin_message,
    validate_document,
)
from twinbench.workflow.addressing import ANNOUNCEMENT
from twinbench.workflow.design import specify
from twinbench.workflow.lab import Lab
from twinbench.workflow.receiving import quarantined

__all__ = ["check_document", "forward_to_twin", "register", "say_what_is_missing", "stage_bundle"]

ACKNOWLEDGEMENT_TIMEOUT_S = 15.0


def check_document(lab: Lab, document: Mapping[str, Any], *, request_uuid: str = "") -> TestRequest:
    """Check a request's document: whoever sends it, this is the one place where it is refused.

    Raises:
        RequestError: If it breaks the schema, no such test applies, or its profile cannot be; says each field at fault.
        DesignError: If its design cannot be.
    """
    findings = blocking(validate_document(dict(document), lab.schemas["test_request"]))
    if findings:
        raise RequestError("The request is malformed: " + "; ".join(map(str, findings)), findings=findings)
    request = TestRequest.from_document(document, uuid=request_uuid)
    check_applicability(request, lab.catalogue)
    if request.custom_profile:
        with _at_field("custom_profile", "change the profile"):
            profile_steps(request.custom_profile)
    if request.design:
        with _at_field("design", "change the design"):
            specify(request, lab.catalogue)
    return request


@contextmanager
def _at_field(name: str, hint: str) -> Iterator[None]:
    try:
        yield
    except LabError as error:
        finding = Finding(f"REQUEST-{name.upper().replace('_', '-')}", Severity.ERROR, name, str(error), hint)
        raise type(error)(str(error), findings=[*error.findings, finding]) from error


def register(lab: Lab, request_uuid: str, document: dict[str, Any], dag_run_id: str) -> dict[str, Any]:
    """Check a request and keep it; asking again with the same UUID changes nothing.

    Raises:
        RequestError: If it cannot be carried out as written; lists every finding.
        DesignError: If it asks for a design that cannot be.
    """
    request = check_document(lab, document, request_uuid=request_uuid)
    now = lab.now()
    folder = simulation_folder(request_uuid, now.date())
    number = lab.requests.save(  # the front desk has kept it already, unless Airflow was asked directly
        request_uuid,
        document,
        folder=folder,
        status=RequestState.SUBMITTED,
        at=now,
        submitted_by=request.requester_id,
        twin=lab.catalogue.uut(request.uut).twin,
        workflow_id=dag_run_id,
    )
    area = lab.area(request_uuid)
    origin = {"uuid": request_uuid, "request_number": number, "dag_run_id": dag_run_id, "registered_at": now}
    area.write_json("request.json", {**document, **origin})
    return {"uuid": request_uuid, "request_number": number, "folder": area.folder}


def forward_to_twin(lab: Lab, request_uuid: str) -> dict[str, Any]:
    """Send the request to the digital twin and wait for its word.

    Raises:
        UnreachableError: If the twin does not answer in time.
        RequestError: If it refuses, with its reason.
    """
    message = to_twin_message(lab.request(request_uuid), now=lab.now(), status="In Progress")
    answer = lab.wire.ask_twin(request_uuid, message, timeout_s=ACKNOWLEDGEMENT_TIMEOUT_S)
    if answer["status"] != "accepted":
        raise RequestError(f"The digital twin refuses the request: {answer.get('reason') or 'no reason given'}")
    lab.area(request_uuid).write_json(ANNOUNCEMENT, answer)
    lab.requests.set_status(request_uuid, RequestState.FORWARDED, at=lab.now())
    return {"status": answer["status"], "models": answer.get("models", [])}


def say_what_is_missing(lab: Lab, request_uuid: str) -> str:
    """Why the bundle of a request is not complete, in words."""
    names = lab.pool.names(request_uuid)
    finished = [name for name in names if not name.endswith(".part")]
    place = f"The pool folder of request {request_uuid}"
    if not names:
        aside = [drop["drop"] for drop in quarantined(lab)]
        elsewhere = f" In quarantine are {', '.join(aside)}: see `twinbench pool list`." if aside else ""
        said = "the digital twin acknowledged the request but uploaded nothing. Ask its operator."
        return f"{place} is empty: {said}{elsewhere}"
    if not any(is_interconnection_name(name) for name in finished):
        return (
            f"{place} holds {', '.join(names)} but no inter_connection.json (or connections.json): "
            "upload it last, then clear the task await_bundle."
        )
    return f"{place} holds {', '.join(names)}; the upload was not finished in time."


def stage_bundle(lab: Lab, request_uuid: str) -> dict[str, Any]:
    """Move the bundle from the pool into the request's area and check it there.

    What arrived is kept even if it is refused, beside ``findings.json``; a corrected upload replaces it.

    Raises:
        BundleError: If the bundle cannot be used; lists every finding.
    """
    area = lab.area(request_uuid)
    with tempfile.TemporaryDirectory(prefix="twinbench-") as scratch:
        folder = Path(scratch)
        arrived = lab.pool.fetch(request_uuid, folder)
        if arrived:
            lab.store.remove(area.key("fastest-models"))
            for file in arrived:
                area.write(_place(file.name), file.read_bytes())
            lab.pool.remove(request_uuid, [file.name for file in arrived])
        elif not area.fetch("fastest-models", folder):
            raise UnreachableError(say_what_is_missing(lab, request_uuid))
        report = lab.models.check_bundle(folder)
    document = report.as_document()
    area.write_json("fastest-models/findings.json", document["findings"])
    area.write_json("fastest-models/models.json", document["models"])
    for finding in report.findings:
        lab.say(str(finding))
    errors = blocking(report.findings)
    if errors:
        raise BundleError("The model bundle cannot be used: " + "; ".join(map(str, errors)), findings=report.findings)
    lab.requests.set_status(request_uuid, RequestState.MODELS_RECEIVED, at=lab.now())
    return {"models": len(document["models"]), "findings": len(report.findings), "folder": area.key("fastest-models")}


def _place(name: str) -> str:
    return f"fastest-models/fmus/{name}" if name.endswith(".fmu") else f"fastest-models/{name}"
