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
from twinbench.orchestration.steps import perform, step
from twinbench.workflow import design, evaluation, intake, planning, reporting

PATIENT = {"retries": 5, "retry_delay": timedelta(seconds=10), "retry_exponential_backoff": True}


@dag(schedule=None, doc_md=__doc__, tags=["lims"], params=request_params(), default_args=PATIENT, max_active_runs=16)
def carry_out_request():
    @task
    def register(params=None, run_id=None) -> dict:
        return perform(intake.register, dict(params), run_id)

    asked = register() >> step(intake.forward_to_twin)
    staged = asked >> BundleSensor(task_id="await_bundle") >> step(intake.stage_bundle)

    planned = staged >> step(design.design_runs) >> step(planning.plan_benches)

    virtual, physical = step(planning.virtual_assignments), step(planning.physical_assignments)
    planned >> [virtual, physical]
    virtual_runs = VirtualBenchRuns.partial(task_id="run_virtual").expand(assignment=virtual)
    physical_runs = PhysicalBenchRuns.partial(task_id="run_physical").expand(assignment=physical)

    checked = step(evaluation.check_results, trigger_rule="none_failed_min_one_success")
    [virtual_runs, physical_runs] >> checked >> step(reporting.report) >> step(reporting.close)


carry_out_request()
