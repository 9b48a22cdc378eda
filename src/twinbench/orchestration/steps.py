"""Carries out one step of a request inside an Airflow task, and says what went wrong in words.

An error that repeating cannot mend fails the task at once; a service that does not answer is tried again by the task's
retries. When a step gives up, ``diagnosis.json`` in the request's result area says which, why and since when, and the
request's state becomes ``failed`` with that reason.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk.exceptions import AirflowFailException

from twinbench.core.errors import LabError

if TYPE_CHECKING:
    from twinbench.workflow.lab import Lab

__all__ = ["diagnose", "perform", "request_of"]

_Result = TypeVar("_Result")


def request_of(context: dict[str, Any]) -> str:
    """UUID of the request that a DAG run carries: its run id, or one derived from it."""
    from twinbench.core.request import request_uuid

    return request_uuid(str(context["run_id"]))


def perform(step: Callable[..., _Result], *arguments: Any) -> _Result:
    """Carry out a use case on the opened lab for the request of the running task.

    Raises:
        AirflowFailException: If repeating cannot help.
        LabError: If it can; Airflow's retries apply.
    """
    from airflow.sdk import get_current_context

    from twinbench.orchestration.opening import open_lab

    context = get_current_context()
    lab, request_uuid = open_lab(), request_of(dict(context))
    try:
        return step(lab, request_uuid, *arguments)
    except LabError as error:
        task_instance = context["ti"]
        last_try = task_instance.try_number > (context["task"].retries or 0)
        if error.transient and not last_try:
            raise
        diagnose(lab, request_uuid, stage=task_instance.task_id, error=error)
        raise AirflowFailException(str(error)) from error


def diagnose(lab: Lab, request_uuid: str, *, stage: str, error: LabError) -> None:
    """Write ``diagnosis.json`` and mark the request failed, if it is known at all."""
    with contextlib.suppress(LabError):
        area = lab.area(request_uuid)
        findings = [finding.as_dict() for finding in error.findings]
        document = {"stage": stage, "error": str(error), "findings": findings, "when": lab.now().isoformat()}
        area.write_json("diagnosis.json", document)
        lab.requests.set_status(request_uuid, "failed", at=lab.now(), reason=f"{stage}: {error}")
