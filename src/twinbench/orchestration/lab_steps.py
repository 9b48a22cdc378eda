"""Carries out a use case of the whole lab, not of one request, inside an Airflow task."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from twinbench.core.errors import LabError
from twinbench.orchestration.steps import Step

__all__ = ["LabStep", "LateBenches"]


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


class LateBenches(LabStep):
    """Tells which tests are behind their plan, and notes it in the runs that carry them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(use_case="lateness.tell_late_benches", **options)

    def execute(self, context: Context) -> Any:
        """Look at what holds benches now."""
        from twinbench.orchestration.deadlines import read_patience
        from twinbench.orchestration.opening import open_lab
        from twinbench.orchestration.run_notes import note_run

        told = self.find()(open_lab(), read_patience())
        for one in told:
            note_run(one["dag_run_id"], f"Late: {one['late']}.")
        return told
