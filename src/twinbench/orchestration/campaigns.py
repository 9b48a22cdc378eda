"""Carries out a campaign in an Airflow run: members are submitted a few at a time, and waited for without a worker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException
from airflow.triggers.base import BaseTrigger, TriggerEvent

__all__ = ["CampaignStep", "CampaignTrigger", "Members"]

_LOOK_EVERY_S = 5.0

_log = logging.getLogger(__name__)


def _uuid_of(context: Context) -> str:
    from twinbench.core.identity import request_uuid

    return request_uuid(str(context["run_id"]))


class CampaignStep(BaseOperator):
    """A task that carries out a use case of :mod:`twinbench.workflow.campaign`, named like it.

    Args:
        use_case: The function's name; ``begin_campaign`` is given the run's parameters, which are the campaign.
    """

    def __init__(self, *, use_case: str, **options: Any) -> None:
        super().__init__(task_id=use_case, **options)
        self.use_case = use_case

    def execute(self, context: Context) -> Any:
        """Carry it out."""
        from twinbench.workflow import campaign

        arguments = (dict(context["params"]),) if self.use_case == "begin_campaign" else ()
        return _perform(lambda lab: getattr(campaign, self.use_case)(lab, _uuid_of(context), *arguments))


class Members(BaseOperator):
    """Submits members, waits in the triggerer until another one may begin, and so on until all are over.

    What is submitted has runs of its own: ending this task, or the campaign's run, leaves them.
    """

    def execute(self, context: Context) -> Any:
        """Submit what may be open, then return how it ended or wait."""
        from twinbench.orchestration.opening import open_airflow
        from twinbench.workflow.campaign import submit_next

        def submit(lab: Any) -> Any:
            with closing(open_airflow()) as airflow:
                return submit_next(lab, airflow, _uuid_of(context))

        told = _perform(submit)
        self.log.info("%s of %s members are submitted, %s over", told["submitted"], told["members"], told["over"])
        if not told["is_over"]:
            self.defer(trigger=CampaignTrigger(campaign_uuid=_uuid_of(context)), method_name="go_on")
        return told

    def go_on(self, context: Context, event: Any = None) -> Any:
        """Something is over."""
        return self.execute(context)


def _perform(use_case: Callable[[Any], Any]) -> Any:
    from twinbench.core.errors import LabError
    from twinbench.orchestration.opening import open_lab

    try:
        return use_case(open_lab())
    except LabError as error:
        if error.transient:
            raise
        raise AirflowFailException(str(error)) from error


class CampaignTrigger(BaseTrigger):
    """Fires when another member of a campaign may be submitted, or all are over.

    Args:
        campaign_uuid: The campaign.
    """

    def __init__(self, *, campaign_uuid: str) -> None:
        super().__init__()
        self.campaign_uuid = campaign_uuid

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Where this class is, and its arguments."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"campaign_uuid": self.campaign_uuid}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look at the register again and again; while it cannot be asked, nothing is due."""
        from twinbench.core.errors import LabError

        while True:
            try:
                if await asyncio.to_thread(self._is_due):
                    break
            except LabError as error:
                if not error.transient:
                    break  # the task says what is wrong
                _log.warning("Campaign %s waits: %s", self.campaign_uuid, error)
            await asyncio.sleep(_LOOK_EVERY_S)
        yield TriggerEvent({"campaign": self.campaign_uuid})

    def _is_due(self) -> bool:
        from twinbench.orchestration.opening import open_lab
        from twinbench.workflow.campaign import is_due

        return is_due(open_lab(), self.campaign_uuid)
