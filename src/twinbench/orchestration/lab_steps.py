"""Carries out a use case of the whole lab, not of one request, inside an Airflow task."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from twinbench.core.errors import LabError
from twinbench.orchestration.steps import Step

__all__ = ["LabStep"]


class LabStep(Step):
    """A task that carries out a use case on the opened lab with the DAG run's parameters."""

    def execute(self, context: Context) -> Any:
        """Carry it out.

        Raises:
            AirflowFailException: If repeating cannot help.
            LabError: If it can; Airflow's retries apply.
        """
        from twinbench.orchestration.opening import open_lab

        try:
            return self.find()(open_lab(), dict(context["params"]))
        except LabError as error:
            if error.transient:
                raise
            raise AirflowFailException(str(error)) from error
