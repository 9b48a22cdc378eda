"""# Carry out a round of a sequential design

One run of this DAG carries out one round of a request whose design is made step by step: the runs that were chosen by
what was learnt so far are planned, carried out and checked, and it is decided whether another round teaches enough.

Begun by `carry_out_request` and by itself; the run id is the request's UUID and the round. Every task may be cleared.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from twinbench.orchestration.approval import AbuseApproval
from twinbench.orchestration.bench_runs import PhysicalBenchRuns, VirtualBenchRuns
from twinbench.orchestration.rounds import NextRound
from twinbench.orchestration.steps import Step
from twinbench.orchestration.task_docs import explain_tasks

PATIENT = {"owner": "lab", "retries": 5, "retry_delay": timedelta(seconds=10), "retry_exponential_backoff": True}
NAMED = {"map_index_template": "{{ task.assignment['bench'] }}"}

with DAG(
    "carry_out_round",
    schedule=None,
    doc_md=__doc__,
    tags=["lims", "requests"],
    params={
        "request_uuid": Param(type="string", format="uuid", description="The request's UUID."),
        "round": Param(type="integer", minimum=2, description="Number of the round; the first is the request's own."),
    },
    default_args=PATIENT,
    max_active_runs=64,
) as dag:
    plan_benches = Step(use_case="planning.plan_benches")

    assign_virtual = Step(use_case="planning.virtual_assignments", task_id="assign_virtual")
    run_virtual = VirtualBenchRuns.partial(task_id="run_virtual", **NAMED).expand(assignment=assign_virtual.output)
    assign_physical = Step(use_case="planning.physical_assignments", task_id="assign_physical")
    approve_abuse = AbuseApproval(task_id="approve_abuse")
    run_physical = PhysicalBenchRuns.partial(task_id="run_physical", **NAMED).expand(assignment=assign_physical.output)

    check_results = Step(use_case="evaluation.check_results", trigger_rule="none_failed_min_one_success")
    next_round = NextRound(task_id="next_round")

    plan_benches >> [assign_virtual, assign_physical]
    assign_physical >> approve_abuse >> run_physical
    [run_virtual, run_physical] >> check_results >> next_round
    explain_tasks(dag)
