"""# Receive models that were dropped

One run of this DAG deals with the models that the digital twin has laid down in its pool beside the requests' own
folders: complete ones are handed on to the request they are for, whose own run goes on then; what is nobody's, or
cannot be used, or is not completed, goes to the pool's quarantine with the reason and the remedy.

Started by the asset `model_pool` whenever something in the pool has settled, or by hand. It may be run at any time:
what lies in the pool counts.
"""

from datetime import timedelta

from airflow.sdk import DAG

from twinbench.orchestration.drops import ReceiveDrops, model_pool
from twinbench.orchestration.task_docs import explain_tasks

PATIENT = {"owner": "lab", "retries": 5, "retry_delay": timedelta(seconds=10), "retry_exponential_backoff": True}

with DAG(
    "receive_models",
    schedule=[model_pool()],
    doc_md=__doc__,
    tags=["lims", "requests"],
    default_args=PATIENT,
    max_active_runs=1,
) as dag:
    hand_on = ReceiveDrops(task_id="hand_on")
    explain_tasks(dag)
