"""The task that asks a person before an abuse test begins on a physical bench.

It is Airflow's own human-in-the-loop: the question stands under *Required Actions*, and while nobody has answered the
task holds neither a worker slot nor a trigger. Where there is nothing to ask it passes at once. Airflow can limit who
answers to a list of people, but not to all but one, so an answer that does not count is refused here, and the task asks
again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Context, Param

if TYPE_CHECKING:
    from twinbench.workflow.front_desk import AuditLog

__all__ = ["AbuseApproval"]


class AbuseApproval(HITLOperator):
    """Asks whether the newest round's physical tests may begin, if they are abuse tests; fails if they may not."""

    def __init__(self, **arguments: Any) -> None:
        form = {"comment": Param("", type="string", title="Comment", description="Kept with the answer.")}
        arguments |= {"subject": "May it begin?", "options": ["Approve", "Reject"], "params": form}
        super().__init__(**arguments)

    def execute(self, context: Context) -> Any:
        """Ask, or pass."""
        from twinbench.orchestration.steps import perform
        from twinbench.workflow.approval import approval_needed

        question = perform(approval_needed)
        if question is None:
            self.log.info("Nothing to approve: no abuse test, or none on a physical bench.")
            return None
        self.subject, self.body = question["subject"], question["body"]
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Keep the answer; ask again if it is an approval of somebody's own test.

        Raises:
            AirflowFailException: If it was no.
        """
        from twinbench.orchestration.steps import perform
        from twinbench.workflow.approval import record_decision

        answer = super().execute_complete(context, event)
        person = answer["responded_by_user"] or {"id": "", "name": "nobody"}
        decision = {
            "decision": answer["chosen_options"][0],
            "by": person["name"],
            "by_id": person["id"],
            "at": answer["responded_at"].isoformat(),
            "comment": str(answer["params_input"].get("comment") or ""),
        }
        starter = getattr(context.get("dag_run"), "triggering_user_name", None)
        kept = perform(record_decision, decision, open_audit_log(), [starter] if starter else [])
        if "refused" in kept:
            self.log.warning("%s", kept["refused"])
            return self.execute(context)
        return kept


def open_audit_log() -> AuditLog:
    """The lab's audit log."""
    from twinbench.adapters.environment import Settings
    from twinbench.adapters.postgres import AuditLog, Database

    return AuditLog(Database(Settings.from_environment().database_url))
