"""What each task does and what to do when it fails, for the operators of the lab: shown on the task's page in Airflow.

It is told here and not where the use cases are, so that parsing a DAG file imports none of them.
"""

from __future__ import annotations

from airflow.sdk import DAG
from airflow.sdk.definitions.mappedoperator import MappedOperator

__all__ = ["TASKS", "explain_tasks"]

_DIAGNOSIS = "The request's page and `diagnosis.json` say why; mend the cause and clear this task."

TASKS = {
    "register": "Checks the request and that the test applies, and gives it a number and a folder. "
    "**If it fails**, the request is wrong: submit a corrected one.",
    "forward_to_twin": "Sends the request to the digital twin over MQTT and waits for its word. "
    "**If it fails**, the twin does not answer or refuses: ask its operator, then clear this task.",
    "await_bundle": "Waits, without a worker, until the interconnection file lies in the request's SFTP folder. "
    "**If it fails**, the upload is missing or unfinished, or the key is wrong: the log says which.",
    "stage_bundle": "Takes the models out of the pool and checks them; what arrived is kept. "
    "**If it fails**, a file cannot be used: have a corrected bundle uploaded, then clear this task.",
    "design_runs": "Makes the design of experiment, with a procedure and `input.csv` for each run. "
    f"**If it fails**, no such design exists or the test has no procedure. {_DIAGNOSIS}",
    "plan_benches": "Gives every run a bench and a time around what others have booked, and books them. "
    "**If it fails**, no bench can take a run: the reason is told for each bench.",
    "assign_virtual": "Hands the plan's assignments to the virtual benches, one mapped task each.",
    "assign_physical": "Hands the plan's assignments to the physical benches, one mapped task each.",
    "approve_abuse": "Asks a person before an abuse test begins on a physical bench, under *Required Actions*; "
    "otherwise it passes at once. **If it fails**, somebody has rejected the test: clear this task to ask again.",
    "run_virtual": "Waits for the planned start, then simulates the runs and streams their metrics to the twin. "
    f"**If it fails**, the models cannot be driven or the twin does not acknowledge. {_DIAGNOSIS}",
    "run_physical": "Waits for the planned start, commands the bench and waits for it without a worker. Clearing or "
    "failing it has the bench abort. **If it fails**, see to the bench, then clear this task.",
    "check_results": "Checks the data of all runs and works out their figures. "
    f"**If it fails**, a run is missing or all have failed. {_DIAGNOSIS}",
    "next_round": "Learns from the results of a sequential design; begins its next round and waits for it. "
    "**If it fails**, that round has failed: see its run of `carry_out_round`, then clear this task.",
    "report": "Writes `provenance.json` and `results/report.html`.",
    "close": "Compares the messages published and acknowledged, gives the benches back and closes the request. "
    "**If it fails**, the twin lacks messages: see that it runs, then clear this task.",
    "hand_on": "Moves models that were dropped beside the requests' folders to the request they are for, or into the "
    "pool's quarantine; it returns which and why. **If it fails**, the pool cannot be put in order: the log says why.",
    "begin_campaign": "Checks every member of the campaign as a request by itself would be, and keeps the campaign. "
    "**If it fails**, nothing was submitted: the log names each member and field at fault.",
    "carry_out_members": "Submits members, as many as may be open, and waits for them without a worker until all are "
    "over. Ending it leaves what is under way; clearing it goes on. **If it fails**, Airflow or the database is away.",
    "close_campaign": "Writes `summary.json` and `summary.csv`: the state, the reason and the figures of each member.",
    "replan": "Moves the bookings that cannot stay where they are: behind a bench that is out of service, or a test "
    "that takes longer. It returns what moved and why, and what is stuck.",
    "tell_late": "Tells which tests begin or end behind their plan: in the run's note and the request's `late.json`.",
}


def explain_tasks(dag: DAG) -> None:
    """Give every task of a DAG its text."""
    for task in dag.tasks:
        if isinstance(task, MappedOperator):
            task.partial_kwargs["doc_md"] = TASKS[task.task_id]
        else:
            task.doc_md = TASKS[task.task_id]
