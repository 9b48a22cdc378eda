"""Buttons on Airflow's task pages that lead to the request's page in the LIMS, and to its results.

They are registered by the plugin (:func:`extra_links`), so the API server makes them from the run's id alone: they are
there before a task has run, and no task has to push them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.sdk import BaseOperatorLink

from twinbench.orchestration.approval import AbuseApproval
from twinbench.orchestration.bench_runs import PhysicalBenchRuns, VirtualBenchRuns
from twinbench.orchestration.bundle_sensor import BundleSensor
from twinbench.orchestration.rounds import NextRound, request_of_run
from twinbench.orchestration.steps import Registration, Step

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey

__all__ = ["RequestPage", "Results", "extra_links"]

_WITH_RESULTS = ("run_virtual", "run_physical", "check_results", "report", "close")


def _page(run_id: str) -> str:
    """The request's page; a path below the address under which people reach the API server."""
    from airflow.sdk.configuration import conf

    root = urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
    return f"{root}/lims/requests/by-run/{request_of_run(run_id)}"


class RequestPage(BaseOperatorLink):
    """To the request that the task is part of."""

    name = "Test request"
    operators = [Step, Registration, BundleSensor, AbuseApproval, VirtualBenchRuns, PhysicalBenchRuns, NextRound]  # noqa: RUF012 - Airflow's own declaration

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """The address."""
        return _page(ti_key.run_id)


class Results(BaseOperatorLink):
    """To the request's results; on the tasks that make some."""

    name = "Results"
    operators = [Step, VirtualBenchRuns, PhysicalBenchRuns]  # noqa: RUF012

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """The address; none on tasks without results."""
        return f"{_page(ti_key.run_id)}#report" if ti_key.task_id in _WITH_RESULTS else ""


def extra_links() -> list[BaseOperatorLink]:
    """What the plugin gives Airflow as ``operator_extra_links``."""
    return [RequestPage(), Results()]
