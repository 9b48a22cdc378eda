"""The sensor waits at the right place for as long as was said, holding no worker, and an empty-handed end is explained.

The waiting itself is the SFTP provider's.
"""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferralError, TaskDeferralTimeout, TaskDeferred

from tests.fakes import REQUEST_UUID
from twinbench.orchestration.bundle_sensor import BundleSensor

CONTEXT = {"run_id": REQUEST_UUID, "ti": SimpleNamespace(task_id="await_bundle", try_number=1)}


@pytest.fixture
def deferred(monkeypatch):
    """How the sensor defers, with these settings in its environment."""

    def deferred(**settings):
        monkeypatch.setenv("TWINBENCH_SFTP_URL", "sftp://lims@pool.example:2222/twin/pool")
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(TaskDeferred) as wait:
            BundleSensor(task_id="await_bundle").execute(CONTEXT)
        return wait.value

    return deferred


def test_it_waits_in_the_requests_own_folder_for_the_file_that_is_uploaded_last(deferred):
    wait = deferred()

    _, arguments = wait.trigger.serialize()
    assert arguments["path"] == f"/twin/pool/{REQUEST_UUID}"
    assert arguments["file_pattern"] == "*connection*.json"
    assert arguments["sftp_conn_id"] == "pool"


@pytest.mark.parametrize(("said", "seconds"), [({}, 3600), ({"TWINBENCH_BUNDLE_PATIENCE_S": "7.5"}, 7.5)])
def test_its_patience_is_the_environments_if_that_says_one(deferred, said, seconds):
    assert deferred(**said).timeout == timedelta(seconds=seconds)


def test_what_resumes_it_is_its_own(deferred, fake):
    event = {"status": "success", "message": "Sensed 1 files matching pattern"}

    sensor = BundleSensor(task_id="await_bundle")
    sensor.resume_execution(deferred().method_name, {"event": event}, CONTEXT)

    assert not fake.lab.area(REQUEST_UUID).exists("diagnosis.json")


def test_airflows_own_signal_of_a_timeout_is_explained(fake):
    with pytest.raises(AirflowFailException, match=r"is empty: the digital twin acknowledged .* uploaded nothing"):
        BundleSensor(task_id="await_bundle").resume_execution("__fail__", {"error": "Trigger timeout"}, CONTEXT)

    assert fake.requests.rows[REQUEST_UUID]["status"] == "failed"
    assert fake.requests.rows[REQUEST_UUID]["failure"].startswith("await_bundle: The pool folder")


def test_a_trigger_that_broke_is_not_taken_for_a_timeout(fake):
    with pytest.raises(TaskDeferralError):
        BundleSensor(task_id="await_bundle").resume_execution("__fail__", {"error": "Trigger failure"}, CONTEXT)

    assert not fake.lab.area(REQUEST_UUID).exists("diagnosis.json")


def test_no_word_of_the_trigger_is_no_success(fake):
    with pytest.raises(AirflowFailException, match="the trigger sent no event"):
        BundleSensor(task_id="await_bundle").execute_complete(CONTEXT, None)


def test_a_patience_that_is_no_number_is_told(fake, monkeypatch):
    monkeypatch.setenv("TWINBENCH_SFTP_URL", "sftp://lims@pool.example:2222/twin/pool")
    monkeypatch.setenv("TWINBENCH_BUNDLE_PATIENCE_S", "soon")

    with pytest.raises(AirflowFailException, match="TWINBENCH_BUNDLE_PATIENCE_S is 'soon'"):
        BundleSensor(task_id="await_bundle").execute(CONTEXT)


def test_a_bundle_that_never_came_is_explained_by_what_lies_in_the_pool(fake, monkeypatch):
    fake.pool.upload(REQUEST_UUID, {"A.fmu": b"x"})

    def time_out(*_):
        raise TaskDeferralTimeout

    monkeypatch.setattr("airflow.sdk.BaseOperator.resume_execution", time_out)

    with pytest.raises(AirflowFailException, match=r"holds A\.fmu but no inter_connection\.json"):
        BundleSensor(task_id="await_bundle").resume_execution("execute_complete", {}, CONTEXT)

    assert fake.lab.area(REQUEST_UUID).read_json("diagnosis.json")["stage"] == "await_bundle"


def test_a_server_that_refuses_us_fails_at_once_with_the_connection_s_name(fake):
    event = {"status": "error", "message": "Permission denied for user lims on host 127.0.0.1"}

    with pytest.raises(AirflowFailException, match=r"Permission denied for user lims.*Airflow connection 'pool'"):
        BundleSensor(task_id="await_bundle").execute_complete(CONTEXT, event)
