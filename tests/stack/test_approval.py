"""In the running lab an abuse test begins on the bench after a person has said yes, and not after a no.

The person is somebody of the lab who has not asked for it; somebody who may only ask for tests is refused.
"""

import json
import uuid

import httpx
import pytest

from tests.broker import eventually
from tests.fakes import request_document
from twinbench.adapters.postgres import AuditLog, Bookings, Database
from twinbench.stack.database import database_url
from twinbench.stack.demo import await_dag, open_api
from twinbench.stack.people import password_of

pytestmark = pytest.mark.timeout(600)

_RUNS = "/api/v2/dags/carry_out_request/dagRuns"
_ABUSE = request_document(
    standard="IEC62660-3:2022",
    test_name="Electrical - Forced discharge",
    test_bench="Physical",
    runs=1,
    requester_id="operator",
)


@pytest.fixture(scope="module")
def log_in(running_lab):
    """Opens Airflow's REST API as somebody."""
    opened = []

    def log_in(name):
        http = httpx.Client(base_url=running_lab.site.airflow_url, timeout=30)
        opened.append(http)
        login = {"username": name, "password": password_of(running_lab.site, name)}
        http.headers["Authorization"] = f"Bearer {http.post('/auth/token', json=login).json()['access_token']}"
        return http

    yield log_in
    for http in opened:
        http.close()


@pytest.fixture(scope="module")
def api(running_lab):
    api = open_api(running_lab.site)
    await_dag(api)
    yield api
    api.close()


def ask(api):
    request_uuid = str(uuid.uuid4())
    api.submit(request_uuid, _ABUSE)
    eventually(lambda: state_of(api, request_uuid, "approve_abuse") == "awaiting_input", timeout_s=180, every_s=0.5)
    return request_uuid


def state_of(api, request_uuid, task_id):
    return next((one["state"] for one in api.tasks(request_uuid) if one["task_id"] == task_id), None)


def ended(api, request_uuid, answer_again):
    """Waits for the end of a request, and answers whenever it is asked.

    An answer that comes before the scheduler has heard that the task waits makes Airflow take the task for lost: it is
    repeated, and asks again. A person is never that quick; a test is.
    """

    def over():
        if state_of(api, request_uuid, "approve_abuse") == "awaiting_input":
            answer_again()
        return api.run(request_uuid)["state"] in ("success", "failed")

    eventually(over, timeout_s=240, every_s=2)
    return api.run(request_uuid)["state"]


def answer(http, request_uuid, option, comment):
    path = f"{_RUNS}/{request_uuid}/taskInstances/approve_abuse/-1/hitlDetails"
    return http.patch(path, json={"chosen_options": [option], "params_input": {"comment": comment}})


def area_of(site, request_uuid):
    (folder,) = site.folder("storage").glob(f"fastest_simulation_*_{request_uuid}")
    return folder


def test_an_abuse_test_begins_on_the_bench_once_another_person_has_said_yes(running_lab, api, log_in):
    site, operator, manager = running_lab.site, log_in("operator"), log_in("manager")
    request_uuid = ask(api)
    area = area_of(site, request_uuid)

    question = operator.get(f"{_RUNS}/{request_uuid}/hitlDetails").json()["hitl_details"][0]
    assert "may 'Electrical - Forced discharge' begin on cycler-1?" in question["subject"]
    assert state_of(api, request_uuid, "run_physical") is None
    assert answer(log_in("requester"), request_uuid, "Approve", "me too").status_code == 403

    eventually(lambda: refused(area, operator, request_uuid), timeout_s=120, every_s=2)
    assert state_of(api, request_uuid, "run_physical") is None

    assert ended(api, request_uuid, lambda: answer(manager, request_uuid, "Approve", "bench is clear")) == "success"
    assert json.loads((area / "results" / "run-0001.json").read_text())["bench"] == "cycler-1"
    *before, entry = json.loads((area / "approval.json").read_text())
    assert {(one["by"], "refused" in one) for one in before} == {("operator", True)}
    assert (entry["decision"], entry["by"], entry["comment"]) == ("Approve", "manager", "bench is clear")
    assert "refused" not in entry
    number = json.loads((area / "request.json").read_text())["request_number"]
    noted = AuditLog(Database(database_url(site, "lims"))).entries(subject=number)
    done = [(line["actor"], line["action"]) for line in noted]
    assert ("operator", "approve own abuse test") in done
    assert ("manager", "approve abuse test") in done
    said = api.run(request_uuid)["note"].splitlines()[0]
    assert said == (
        f"{number}: Electrical - Forced discharge (IEC62660-3:2022) on Gen3b - Cell for {_ABUSE['requester_name']}"
    )


def refused(area, operator, request_uuid):
    """Has the operator, who has asked for the test, approve it until that is refused: once it is asked again."""
    if (area / "approval.json").exists():
        return True
    answer(operator, request_uuid, "Approve", "my own")
    return False


def test_a_no_fails_the_request_with_its_reason_and_frees_the_bench(running_lab, api, log_in):
    site, request_uuid = running_lab.site, ask(api)

    operator = log_in("operator")

    def reject():
        return answer(operator, request_uuid, "Reject", "the chamber is open")

    assert reject().status_code == 200

    assert ended(api, request_uuid, reject) == "failed"
    assert state_of(api, request_uuid, "run_physical") == "upstream_failed"
    diagnosis = json.loads((area_of(site, request_uuid) / "diagnosis.json").read_text())
    assert diagnosis["stage"] == "approve_abuse"
    assert "operator has rejected" in diagnosis["error"]
    assert "the chamber is open" in diagnosis["error"]
    assert not any(one.state.holds for one in Bookings(Database(database_url(site, "lims"))).of_request(request_uuid))
