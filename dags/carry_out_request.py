"""# Carry out a test request

One run of this DAG carries one test request from its registration to its report: the digital twin is asked for models,
its bundle is awaited on SFTP and checked, the experiment is designed and planned, virtual and physical benches carry
out their runs, and the results are checked and reported while they stream to the digital twin. A sequential design goes
on in rounds, each a run of `carry_out_round`.

Started by `twinbench request submit`, by Airflow's REST API or by its form. The run id is the request's UUID. Every
task may be cleared and run again: what is already done is found and kept.
"""

from datetime import timedelta

from airflow.sdk import DAG

from twinbench.orchestration.approval import AbuseApproval
from twinbench.orchestration.bench_runs import PhysicalBenchRuns, VirtualBenchRuns
from twinbench.orchestration.bundle_sensor import BundleSensor
from twinbench.orchestration.deadlines import stage_deadlines
from twinbench.orchestration.params import request_params
from twinbench.orchestration.rounds import NextRound
from twinbench.orchestration.steps import Registration, Step
from twinbench.orchestration.task_docs import explain_tasks

PATIENT = {"owner": "lab", "retries": 5, "retry_delay": timedelta(seconds=10), "retry_exponential_backoff": True}
NAMED = {"map_index_template": "{{ task.assignment['bench'] }}"}

with DAG(
    "carry_out_request",
    schedule=None,
    doc_md=__doc__,
    tags=["lims", "requests"],
    params=request_params(),
    default_args=PATIENT,
    max_active_runs=16,
    deadline=stage_deadlines(),
) as dag:
    register = Registration(use_case="intake.register")
    forward_to_twin = Step(use_case="intake.forward_to_twin")
    await_bundle = BundleSensor(task_id="await_bundle")
    stage_bundle = Step(use_case="intake.stage_bundle")
    design_runs = Step(use_case="design.design_runs")
    plan_benches = Step(use_case="planning.plan_benches")

    assign_virtual = Step(use_case="planning.virtual_assignments", task_id="assign_virtual")
    run_virtual = VirtualBenchRuns.partial(task_id="run_virtual", **NAMED).expand(assignment=assign_virtual.output)
    assign_physical = Step(use_case="planning.physical_assignments", task_id="assign_physical")
    approve_abuse = AbuseApproval(task_id="approve_abuse")
    run_physical = PhysicalBenchRuns.partial(task_id="run_physical", **NAMED).expand(assignment=assign_physical.output)

    check_results = Step(use_case="evaluation.check_results", trigger_rule="none_failed_min_one_success")
    next_round = NextRound(task_id="next_round")
    report = Step(use_case="reporting.report")
    close = Step(use_case="reporting.close")

    register >> forward_to_twin >> await_bundle >> stage_bundle >> design_runs >> plan_benches
    plan_benches >> [assign_virtual, assign_physical]
    assign_physical >> approve_abuse >> run_physical
    [run_virtual, run_physical] >> check_results >> next_round >> report >> close
    explain_tasks(dag)
