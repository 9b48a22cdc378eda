"""Goes on with a sequential design: learns from the rounds so far, and has the next carried out by a run of its own.

Each round is a run of ``carry_out_round`` with the same few tasks, so no Airflow run grows with the design. The task
that began it is deferred until it ends, and holds no worker slot. Clearing that task walks through the rounds again;
what is done is found and kept, so it goes on where something is missing.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from twinbench.core.identity import round_run_id

__all__ = ["NextRound", "request_of_run"]

_DAG = "carry_out_round"
_POLL_S = 5


def request_of_run(run_id: str) -> str:
    """UUID of the request that a run carries, be it its own or one of its rounds."""
    from twinbench.core.identity import request_uuid

    return request_uuid(run_id.partition(".round-")[0])


class NextRound(BaseOperator):
    """Learns from the results; if more is to be learnt, triggers the next round and waits for its end."""

    def execute(self, context: Context) -> Any:
        """Decide, then return the decision or trigger."""
        from twinbench.orchestration.steps import perform, request_of
        from twinbench.workflow.headline import headline
        from twinbench.workflow.rounds import learn

        decision = perform(learn, int(dict(context["params"]).get("round", 1)))
        self.log.info("%s", decision["reason"])
        number = decision["next_round"]
        if number is None:
            return decision
        from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

        request_uuid = request_of(dict(context))
        TriggerDagRunOperator(
            task_id=f"{self.task_id}_trigger",
            trigger_dag_id=_DAG,
            trigger_run_id=round_run_id(request_uuid, number),
            conf={"request_uuid": request_uuid, "round": number},
            logical_date=None,
            note=f"{perform(headline)}, round {number}",
            reset_dag_run=True,
            wait_for_completion=True,
            deferrable=True,
            poke_interval=_POLL_S,
        ).execute(context)
        return decision

    def execute_complete(self, context: Context, event: tuple[str, dict[str, Any]]) -> None:
        """Take the round's end for this task's.

        Raises:
            AirflowFailException: If the round failed; its own tasks say why.
        """
        _, ended = event
        for run_id in ended["run_ids"]:
            if ended.get(run_id) != "success":
                raise AirflowFailException(
                    f"Round {run_id} of {_DAG} has failed: see its tasks and the request's diagnosis.json. Mend the "
                    "cause, then clear this task: what is done is kept."
                )
