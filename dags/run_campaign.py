"""# Carry out a campaign

One run of this DAG carries out a campaign: a request as a template, and the fields in which its members differ. Each
member is checked before the first is submitted; then a few at a time are carried out by runs of `carry_out_request`,
and in the end a summary says what came of each.

Started by `twinbench campaign submit`, by Airflow's REST API or by its form. Every task may be cleared: what was
submitted is not submitted again. Ending the run leaves the requests that are under way.
"""

from datetime import timedelta

from airflow.sdk import DAG

from twinbench.orchestration.campaigns import CampaignStep, Members
from twinbench.orchestration.params import params_of
from twinbench.orchestration.task_docs import explain_tasks

PATIENT = {"owner": "lab", "retries": 5, "retry_delay": timedelta(seconds=10), "retry_exponential_backoff": True}

with DAG(
    "run_campaign",
    schedule=None,
    doc_md=__doc__,
    tags=["lims", "requests"],
    params=params_of("campaign"),
    default_args=PATIENT,
    max_active_runs=8,
) as dag:
    begin_campaign = CampaignStep(use_case="begin_campaign")
    carry_out_members = Members(task_id="carry_out_members")
    close_campaign = CampaignStep(use_case="close_campaign")

    begin_campaign >> carry_out_members >> close_campaign
    explain_tasks(dag)
