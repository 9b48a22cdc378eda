"""Notices models that were dropped beside the requests' own folders, and hands them on.

The pool is an asset, and its watcher a trigger: one triggerer looks at the pool for the whole lab, no run and no worker
slot waits, and each time something has come to its end there is one run of ``receive_models``. What counts is what lies
in the pool, not what the trigger remembers: a triggerer that starts anew tells again what is there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetWatcher, BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

if TYPE_CHECKING:
    from twinbench.adapters.environment import Settings
    from twinbench.workflow.lab import DropPlace, Lab

__all__ = ["DropTrigger", "ReceiveDrops", "model_pool"]

_LOOK_EVERY_S = 4.0
_MOST_TOLD = 5  # of each kind, in what the task returns

_log = logging.getLogger(__name__)


def model_pool() -> Asset:
    """The pool as an asset that changes when models are dropped beside the requests' own folders."""
    return Asset("model_pool", watchers=[AssetWatcher(name="dropped_models", trigger=DropTrigger())])


class DropTrigger(BaseEventTrigger):
    """Fires whenever something that lies in the pool has settled, or will not be completed any more."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Where this class is; it has no arguments."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look again and again; a pool that cannot be seen is looked at again later."""
        from twinbench.adapters.environment import Settings
        from twinbench.core.errors import LabError
        from twinbench.core.settling import Settling

        settling, told = Settling(Settings.from_environment().bundle_patience_s), ""
        while True:
            try:
                entries = await asyncio.to_thread(_place().entries)
                unchanged_s = settling.look(entries, time.monotonic())
                told = ""
                if settling.is_due(time.monotonic()):
                    yield TriggerEvent({"unchanged_s": unchanged_s})
            except LabError as error:
                if str(error) != told:
                    told = str(error)
                    _log.warning("The pool is not watched: %s", error)
            await asyncio.sleep(_LOOK_EVERY_S)


def _place(settings: Settings | None = None) -> DropPlace:
    from twinbench.adapters.environment import Settings
    from twinbench.adapters.sftp import SftpDrops

    known = settings or Settings.from_environment()
    return SftpDrops(known.sftp_url, key=known.sftp_key, known_hosts=known.sftp_known_hosts)


class ReceiveDrops(BaseOperator):
    """Hands on what was dropped, or puts it into quarantine; says so in the notes of the runs that wait for models.

    A run that somebody has triggered by hand takes a few seconds to see what has settled.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Deal with all that lies there.

        Raises:
            AirflowFailException: If repeating cannot help.
            LabError: If it can; Airflow's retries apply.
        """
        from twinbench.adapters.environment import Settings
        from twinbench.core.errors import LabError
        from twinbench.orchestration.opening import open_lab
        from twinbench.workflow.receiving import receive_drops

        try:
            lab = open_lab()
            patience_s = Settings.from_environment().bundle_patience_s
            told = receive_drops(lab, _unchanged_s(context, lab), patience_s=patience_s)
        except LabError as error:
            if error.transient:
                raise
            raise AirflowFailException(str(error)) from error
        _note(str(context["run_id"]), told)
        return {kind: {"count": len(drops), "first": drops[:_MOST_TOLD]} for kind, drops in told.items()}


def _unchanged_s(context: Context, lab: Lab) -> dict[str, float]:
    """For how long nothing has changed: as the newest event tells, or by looking twice."""
    events = [event for each in (context.get("triggering_asset_events") or {}).values() for event in each]
    payloads = [event.extra["payload"] for event in events if "payload" in (event.extra or {})]
    if payloads:
        return dict(payloads[-1]["unchanged_s"])
    from twinbench.core.pool_entries import QUIET_S
    from twinbench.core.settling import Settling

    settling = Settling(patience_s=float("inf"))
    settling.look(lab.drops.entries(), 0.0)
    time.sleep(QUIET_S)
    return settling.look(lab.drops.entries(), QUIET_S)


def _note(run_id: str, outcome: dict[str, list[dict[str, Any]]]) -> None:
    from twinbench.orchestration.run_notes import note_run

    for drop in outcome["handed_on"]:
        note_run(drop["dag_run_id"], f"Models were dropped beside its folder and handed on: {drop['how']}.")
    for drop in outcome["quarantined"]:
        told = f"in quarantine as {drop['drop']}, since {drop['reason']}. {drop['remedy']}"
        note_run(run_id, f"A drop is {told}", dag="receive_models")
        for waiting in drop["dag_run_ids"]:
            note_run(waiting, f"Models that may be for this request are {told}")
