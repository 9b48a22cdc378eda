"""A step that fails says why, in the request's folder and register; only what may mend itself is repeated."""

from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.fakes import REQUEST_UUID
from twinbench.core.errors import BundleError, ConfigurationError, UnreachableError
from twinbench.core.findings import Finding, Severity
from twinbench.orchestration import opening
from twinbench.orchestration.params import request_params
from twinbench.orchestration.steps import perform

FINDING = Finding("BUNDLE-X", Severity.ERROR, "A.fmu", "is broken", "mend it")


@pytest.fixture
def running(monkeypatch):
    """Pretend that a task is running, in its n-th try of three."""

    def pretend(try_number):
        context = {
            "run_id": REQUEST_UUID,
            "ti": SimpleNamespace(try_number=try_number, task_id="stage_bundle"),
            "task": SimpleNamespace(retries=2),
        }
        monkeypatch.setattr("airflow.sdk.get_current_context", lambda: context)

    return pretend


def raising(error):
    def use_case(_lab, _request_uuid):
        raise error

    return use_case


def test_what_cannot_mend_itself_fails_at_once_and_is_diagnosed(fake, running):
    running(try_number=1)

    with pytest.raises(AirflowFailException, match="no good"):
        perform(raising(BundleError("no good", findings=[FINDING])))

    diagnosis = fake.lab.area(REQUEST_UUID).read_json("diagnosis.json")
    assert (diagnosis["stage"], diagnosis["error"]) == ("stage_bundle", "no good")
    assert diagnosis["findings"] == [FINDING.as_dict()]
    assert fake.requests.rows[REQUEST_UUID]["failure"] == "stage_bundle: no good"


def test_a_service_that_is_away_is_tried_again_until_the_last_try(fake, running):
    running(try_number=1)
    with pytest.raises(UnreachableError):
        perform(raising(UnreachableError("away")))
    assert not fake.lab.area(REQUEST_UUID).exists("diagnosis.json")

    running(try_number=3)
    with pytest.raises(AirflowFailException, match="away"):
        perform(raising(UnreachableError("away")))

    assert fake.lab.area(REQUEST_UUID).exists("diagnosis.json")


def test_a_fault_of_our_own_keeps_its_traceback_and_is_diagnosed_at_the_end(fake, running):
    running(try_number=3)

    with pytest.raises(ZeroDivisionError):
        perform(raising(ZeroDivisionError("1/0")))

    assert "ZeroDivisionError: 1/0" in fake.requests.rows[REQUEST_UUID]["failure"]


def test_a_fault_of_our_own_is_tried_again_before_it_is_diagnosed(fake, running):
    running(try_number=2)

    with pytest.raises(ZeroDivisionError) as told:
        perform(raising(ZeroDivisionError("1/0")))

    assert "use_case" in [entry.name for entry in told.traceback]
    assert fake.requests.rows[REQUEST_UUID]["status"] == "submitted"
    assert not fake.lab.area(REQUEST_UUID).exists("diagnosis.json")


def test_a_request_that_nobody_knows_is_refused_without_a_diagnosis(fake, running):
    running(try_number=1)
    fake.requests.rows.clear()

    with pytest.raises(AirflowFailException, match="is unknown"):
        perform(lambda lab, request_uuid: lab.request(request_uuid))

    assert [key.rpartition("/")[2] for key in fake.lab.store.keys("")] == ["request.json"]  # the fixture's


def test_a_lab_that_cannot_be_opened_is_told_and_not_tried_again(running, monkeypatch):
    running(try_number=1)

    def closed():
        raise ConfigurationError("TWINBENCH_MQTT_URL is not set")

    monkeypatch.setattr(opening, "open_lab", closed)

    with pytest.raises(AirflowFailException, match="TWINBENCH_MQTT_URL"):
        perform(raising(AssertionError()))


def test_a_cleared_task_that_succeeds_leaves_no_old_failure(fake, running):
    running(try_number=1)
    with pytest.raises(AirflowFailException):
        perform(raising(BundleError("no good")))

    assert perform(lambda lab, request_uuid: "done") == "done"
    fake.lab.requests.set_status(REQUEST_UUID, "designed", at=fake.lab.now())

    assert fake.requests.rows[REQUEST_UUID]["failure"] is None


def test_each_field_of_the_request_is_a_parameter_with_its_default(fake):
    params = request_params()
    schema = fake.lab.schemas["test_request"]

    assert set(params) == set(schema["properties"])
    assert params["runs"].value == schema["properties"]["runs"]["default"]
    assert "Performance - Capacity" in params["test_name"].schema["enum"]
