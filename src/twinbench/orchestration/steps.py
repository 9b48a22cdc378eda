"""Carries out one step of a request inside an Airflow task, and says what went wrong in words.

An error that repeating cannot mend fails the task at once; a service that does not answer is tried again by the task's
retries. When a step gives up, ``diagnosis.json`` in the request's result area says which, why and since when, and the
request's state becomes ``failed`` with that reason.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from twinbench.core.errors import ConfigurationError, LabError

if TYPE_CHECKING:
    from twinbench.workflow.lab import Lab

__all__ = ["Registration", "Step", "diagnose", "perform", "request_of"]

_Result = TypeVar("_Result")


def request_of(context: dict[str, Any]) -> str:
    """UUID of the request that a DAG run carries: as its parameters say, else its run id or one derived from it."""
    from twinbench.core.request import request_uuid

    if named := dict(context.get("params") or {}).get("request_uuid"):
        return str(named)
    return request_uuid(str(context["run_id"]))


class Step(BaseOperator):
    """A task that carries out a use case, and is named like it unless said otherwise.

    The use case is named and not given, so that parsing a DAG file imports none of them.

    Args:
        use_case: ``module.function`` in :mod:`twinbench.workflow`.
    """

    def __init__(self, *, use_case: str, task_id: str = "", **options: Any) -> None:
        super().__init__(task_id=task_id or use_case.rpartition(".")[2], **options)
        self.use_case = use_case

    def find(self) -> Callable[..., Any]:
        """The function."""
        module, _, name = self.use_case.rpartition(".")
        found: Callable[..., Any] = getattr(import_module(f"twinbench.workflow.{module}"), name)
        return found

    def execute(self, context: Context) -> Any:
        """Carry it out."""
        return perform(self.find())


class Registration(Step):
    """The first step: it is given the DAG run's parameters, which are the request, and its id."""

    def execute(self, context: Context) -> Any:
        """Carry it out, and say in the run's note what it is about."""
        from twinbench.orchestration.run_notes import note_run
        from twinbench.workflow.headline import headline

        registered = perform(self.find(), dict(context["params"]), context["run_id"])
        note_run(str(context["run_id"]), perform(headline))
        return registered


def perform(use_case: Callable[..., _Result], *arguments: Any) -> _Result:
    """Carry out a use case on the opened lab for the request of the running task.

    Raises:
        AirflowFailException: If repeating cannot help.
        LabError: If it can; Airflow's retries apply.
    """
    from airflow.sdk import get_current_context

    from twinbench.orchestration.opening import open_lab

    context = get_current_context()
    try:
        lab = open_lab()
    except ConfigurationError as error:
        raise AirflowFailException(str(error)) from error
    request_uuid = request_of(dict(context))
    try:
        return use_case(lab, request_uuid, *arguments)
    except LabError as error:
        if error.transient and not _is_last_try(context):
            raise
        diagnose(lab, request_uuid, stage=context["ti"].task_id, error=error)
        raise AirflowFailException(str(error)) from error
    except Exception as error:
        if _is_last_try(context):
            said = LabError(f"A fault of Twinbench itself, {type(error).__name__}: {error}. Its log has the traceback.")
            diagnose(lab, request_uuid, stage=context["ti"].task_id, error=said)
        raise


def _is_last_try(context: Context) -> bool:
    """Whether Airflow will not repeat the running task by itself."""
    return context["ti"].try_number > (context["task"].retries or 0)


def diagnose(lab: Lab, request_uuid: str, *, stage: str, error: LabError) -> None:
    """Write ``diagnosis.json``, mark the request failed and give its benches back, if it is known at all."""
    with contextlib.suppress(LabError):
        area = lab.area(request_uuid)
        findings = [finding.as_dict() for finding in error.findings]
        document = {"stage": stage, "error": str(error), "findings": findings, "when": lab.now().isoformat()}
        area.write_json("diagnosis.json", document)
        lab.requests.set_status(request_uuid, "failed", at=lab.now(), reason=f"{stage}: {error}")
        lab.bookings.release(request_uuid, at=lab.now())
