"""The DAG carries requests from end to end on a lab of fakes, and says what is wrong when it cannot."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import make_lab, request_document
from tests.workflow.scripted_bench import ScriptedBench
from twinbench.orchestration import opening
from twinbench.orchestration.bundle_sensor import BundleSensor

DAG_FILE = Path(__file__).resolve().parents[2] / "dags" / "carry_out_request.py"

pytestmark = [
    pytest.mark.stack,  # Airflow's own database, and processes' worth of imports
    pytest.mark.filterwarnings("default"),  # Airflow's
]


@pytest.fixture(scope="module")
def airflow_database():
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)


@pytest.fixture
def fake(tmp_path, monkeypatch, airflow_database):
    """A lab of fakes that the DAG's tasks open; its twin drops the shipped bundle as soon as it is asked."""
    fake = make_lab(tmp_path / "storage")
    fake.wire.on_asked = fake.drop_bundle
    fake.wire.benches["cycler-1"] = ScriptedBench()
    monkeypatch.setattr(opening, "open_lab", lambda: fake.lab)
    monkeypatch.setattr(BundleSensor, "execute", lambda self, context: None)  # needs an SFTP server
    return fake


def carry_out(**changes):
    """Run the DAG for a request; returns the state of the run, and of each task."""
    dag = runpy.run_path(str(DAG_FILE))["dag"]
    dag.deadline = None  # dag.test() looks for them in a database that it has not written them to
    run = dag.test(run_conf=request_document(**changes))
    return str(run.state), {
        (instance.task_id, instance.map_index): str(instance.state) for instance in run.get_task_instances()
    }


def the_area(fake):
    (request_uuid,) = fake.requests.rows
    return fake.lab.area(request_uuid)


def test_a_virtual_request_is_carried_out_from_end_to_end(fake):
    state, tasks = carry_out(runs=3)

    assert state == "success"
    assert tasks["run_virtual", 0] == tasks["run_virtual", 1] == "success"
    area = the_area(fake)
    assert [run["run"] for run in area.read_json("results/evaluation.json")["runs"]] == [1, 2, 3]
    assert b"Performance - Power" in area.read("results/report.html")
    (row,) = fake.requests.rows.values()
    assert row["status"] == "completed"
    assert len(fake.wire.collected) > 3


def test_a_physical_request_is_carried_out_while_its_task_is_deferred(fake):
    state, tasks = carry_out(runs=2, test_bench="Physical")

    assert state == "success"
    assert tasks["approve_abuse", -1] == tasks["run_physical", 0] == "success"
    assert tasks["run_virtual", -1] == "skipped"
    assert the_area(fake).read_json("results/run-0002.json")["kind"] == "physical"


def test_a_request_that_does_not_apply_fails_at_once_and_is_told_why(fake):
    state, tasks = carry_out(standard="UL1642", test_name="Electrical - Short circuit", test_bench="Virtual")

    assert state == "failed"
    assert tasks["register", -1] == "failed"
    assert tasks["forward_to_twin", -1] == "upstream_failed"
    assert fake.wire.asked == []


def test_a_bad_bundle_leaves_a_diagnosis_and_what_arrived(fake):
    fake.wire.on_asked = lambda request: fake.drop_bundle(request, **{"FMU_Battery_Model.fmu": b"no zip"})

    state, tasks = carry_out()

    assert state == "failed"
    assert tasks["stage_bundle", -1] == "failed"
    area = the_area(fake)
    diagnosis = area.read_json("diagnosis.json")
    assert diagnosis["stage"] == "stage_bundle"
    assert "FMU_Battery_Model.fmu" in diagnosis["error"]
    assert area.exists("fastest-models/fmus/FMU_Battery_Model.fmu")
    (row,) = fake.requests.rows.values()
    assert row["failure"].startswith("stage_bundle: ")
