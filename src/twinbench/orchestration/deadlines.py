"""Airflow's deadlines on the runs that carry requests, and who is told when one passes.

Each stage of ``include/catalogue/lateness.json`` is a deadline of the DAG, counted from when a run was queued. When it
passes while the run goes on, the triggerer calls :func:`tell_late`, which looks how far the request has come.
"""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

if TYPE_CHECKING:
    from twinbench.core.lateness import Patience

__all__ = ["read_patience", "stage_deadlines", "tell_late"]

_log = logging.getLogger(__name__)


def read_patience() -> Patience:
    """The lab's patience, from the environment's include folder."""
    from twinbench.adapters.environment import Settings
    from twinbench.core.lateness import Patience

    file = Settings.from_environment().include / "catalogue" / "lateness.json"
    return Patience.from_document(json.loads(file.read_text(encoding="utf-8")))


def stage_deadlines() -> list[DeadlineAlert]:
    """One deadline per stage."""
    return [
        DeadlineAlert(
            name=f"{stage.state} within {stage.within}",
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=stage.within,
            callback=AsyncCallback(tell_late, kwargs={"stage": str(stage.state)}),
        )
        for stage in read_patience().stages.values()
    ]


async def tell_late(stage: str, context: dict[str, Any]) -> str:
    """Called by Airflow when a deadline has passed; returns what is late, empty if nothing is.

    Args:
        stage: The stage whose time is over.
        context: ``dag_run`` as the REST API tells it, and ``deadline``.
    """
    return await asyncio.to_thread(_tell_late, stage, context)


def _tell_late(stage: str, context: dict[str, Any]) -> str:
    from twinbench.orchestration.opening import open_lab
    from twinbench.orchestration.run_notes import note_run
    from twinbench.orchestration.steps import request_of
    from twinbench.workflow.lateness import tell_late_stage

    run_id, due = str(context["dag_run"]["dag_run_id"]), context["deadline"]["deadline_time"]
    due = due if isinstance(due, datetime) else datetime.fromisoformat(str(due))
    late = tell_late_stage(open_lab(), request_of({"run_id": run_id}), read_patience(), stage=stage, due=due)
    if late:
        _log.warning("Run %s is late: %s", run_id, late)
        note_run(run_id, f"Late: {late}.", dag=str(context["dag_run"]["dag_id"]))
    return late
