"""# Carry out a test request

One run of this DAG carries one test request from its registration to its report: the digital twin is asked for models,
its bundle is awaited on SFTP and checked, the experiment is designed and planned, virtual and physical benches carry
out their runs, and the results are checked and reported while they stream to the digital twin.

Started by `twinbench request submit`, by Airflow's REST API or by its form. The run id is the request's UUID. Every
task may be cleared and run again: what is already done is found and kept.
"""

from datetime import timedelta

from airflow.sdk import dag, task

from twinbench.orchestration.bench_runs import PhysicalBenchRuns, VirtualBenchRuns
from twinbench.orchestration.bundle_sensor import BundleSensor
from twinbench.orchestration.params import request_params
from twinbench.orchestration.steps import perform
from twinbench.workflow import design, evaluation, intake, planning, reporting

PATIENT = {"retries": 5, "retry_delay": timedelta(seconds=10), "retry_exponential_backoff": True}


@dag(schedule=None, doc_md=__doc__, tags=["lims"], params=request_params(), default_args=PATIENT, max_active_runs=16)
def carry_out_request():
    @task
    def register(params: dict | None = None) -> dict:
        return perform(intake.register, dict(params or {}))

    @task
    def forward_to_twin() -> dict:
        return perform(intake.forward_to_twin)

    @task
    def stage_bundle() -> dict:
        return perform(intake.stage_bundle)

    @task
    def design_runs() -> dict:
        return perform(design.design_runs)

    @task(multiple_outputs=True)
    def plan_benches() -> dict:
        return perform(planning.plan_benches)

    @task(trigger_rule="none_failed_min_one_success")
    def check_results() -> dict:
        return perform(evaluation.check_results)

    @task
    def report() -> dict:
        return perform(reporting.report)

    @task
    def close() -> dict:
        return perform(reporting.close)

    plan = plan_benches()
    register() >> forward_to_twin() >> BundleSensor(task_id="await_bundle") >> stage_bundle() >> design_runs() >> plan
    virtual = VirtualBenchRuns.partial(task_id="run_virtual").expand(assignment=plan["virtual"])
    physical = PhysicalBenchRuns.partial(task_id="run_physical").expand(assignment=plan["physical"])
    [virtual, physical] >> check_results() >> report() >> close()


carry_out_request()
