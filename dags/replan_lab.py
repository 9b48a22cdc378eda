"""# Plan the lab again

One run of this DAG moves the bookings that cannot stay where they are: those on a bench that is out of service, and
those behind a test that takes longer than planned. It moves as little as possible, brings nothing forward, and writes
each move with its reason into the plan of its request. Tests that are behind their plan are told.

Runs every hour. Triggered with a bench and a reason, it takes that bench out of service first.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from twinbench.orchestration.lab_steps import LabStep, LateBenches
from twinbench.orchestration.task_docs import explain_tasks

PATIENT = {"owner": "lab", "retries": 3, "retry_delay": timedelta(seconds=10), "retry_exponential_backoff": True}

with DAG(
    "replan_lab",
    schedule="7 * * * *",
    catchup=False,
    doc_md=__doc__,
    tags=["lims", "benches"],
    params={
        "bench": Param("", type="string", description="The bench to take out of service; empty: none."),
        "reason": Param("", type="string", description="Why: it is shown with every booking that moves."),
        "until": Param(
            None,
            type=["null", "string"],
            format="date-time",
            description="When it will be back, with time zone; empty: until further notice.",
        ),
    },
    default_args=PATIENT,
    max_active_runs=1,
) as dag:
    replan = LabStep(task_id="replan", use_case="replanning.close_and_replan")
    tell_late = LateBenches(task_id="tell_late")
    explain_tasks(dag)
