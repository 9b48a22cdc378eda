"""The whole local lab carries out requests that come by REST, on real parts, and refuses in words what it cannot."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fakes import request_document
from twinbench.adapters.postgres import Bookings, Database
from twinbench.stack import lab, parties
from twinbench.stack.database import database_url

from .conftest import Notes, processes_of
from .outside import DAG_RUNS

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Asked:
    """A request that was asked for, twice: the answers, how it ended and the states its tasks went through."""

    request_uuid: str
    answers: tuple[int, int]
    state: str
    seen: dict[str, set[str]]


@pytest.fixture(scope="module")
def asked(requester):
    """A virtual and a physical request, carried out side by side."""
    documents = {"virtual": request_document(runs=3), "physical": request_document(runs=2, test_bench="Physical")}
    uuids, answers = {}, {}
    for kind, document in documents.items():
        answer = requester.ask(document)
        uuids[kind] = answer.json()["dag_run_id"]
        answers[kind] = (answer.status_code, requester.ask(document, uuids[kind]).status_code)
    ended = requester.watch(*uuids.values(), timeout_s=360)
    return {kind: Asked(uuid, answers[kind], *ended[uuid]) for kind, uuid in uuids.items()}


def test_a_virtual_request_by_rest_ends_with_a_report_and_every_message_at_the_twin(requester, asked):
    """Asking twice is a conflict and never two runs."""
    virtual = asked["virtual"]

    assert (virtual.answers, virtual.state) == ((200, 409), "success")
    assert "deferred" in virtual.seen["await_bundle"]
    area = requester.area(virtual.request_uuid)
    assert "Performance - Power" in (area / "results" / "report.html").read_text()
    summaries = [json.loads((area / "results" / f"run-000{run}.json").read_text()) for run in (1, 2, 3)]
    assert all(summary["status"] == "completed" for summary in summaries)
    published = sum(summary["published"] for summary in summaries)
    assert requester.collected(virtual.request_uuid)["messages"] == published
    row = requester.row(virtual.request_uuid)
    assert (row["status"], row["simulation_progress"]) == ("completed", 100)


def test_a_physical_request_waits_for_its_bench_without_a_worker_slot(requester, asked):
    physical = asked["physical"]

    assert physical.state == "success"
    assert "deferred" in physical.seen["run_physical"]
    summary = json.loads((requester.area(physical.request_uuid) / "results" / "run-0001.json").read_text())
    assert (summary["bench"], summary["kind"], summary["status"]) == ("cycler-1", "physical", "completed")
    bookings = Bookings(Database(database_url(requester.site, "lims"))).of_request(physical.request_uuid)
    kept = [(one.bench, one.state) for one in bookings if one.state != "released"]  # planned again, should a task be
    assert kept == [("cycler-1", "done")], bookings


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"test_name": "Performance - Capacityy"}, "test_name"), ({"runs": "many"}, "runs"), ({"uut": None}, "uut")],
)
def test_a_malformed_request_is_refused_before_it_begins_and_names_the_field(requester, changes, field):
    answer = requester.ask(request_document(**changes))

    assert answer.status_code in (400, 422)
    assert field in answer.text


def test_a_test_that_does_not_apply_fails_with_the_reason_in_the_log(requester):
    document = request_document(standard="UL1642", test_name="Performance - Power")

    request_uuid = requester.ask(document).json()["dag_run_id"]
    state, seen = requester.wait(request_uuid)

    assert state == "failed"
    assert "up_for_retry" not in seen["register"]
    log = requester.http.get(f"{DAG_RUNS}/{request_uuid}/taskInstances/register/logs/1").text
    assert "is not a test of UL1642" in log


def test_a_second_up_changes_nothing(running_lab):
    before = {part.name: part.pid for part in lab.status()}
    observer = Notes()

    lab.up(observer)

    assert {part.name: part.pid for part in lab.status()} == before
    assert observer.ready_parts == []


def test_a_taken_port_is_told_and_another_one_used(running_lab):
    assert running_lab.site.ports["mqtt"] != running_lab.taken
    assert any(f"Port {running_lab.taken} (mqtt) is taken" in note for note in running_lab.observer.notes)


def test_each_party_has_its_own_user_and_nothing_secret_is_readable_by_others(running_lab):
    variables = parties.lims_environment(running_lab.site)
    secrets = [path for path in running_lab.site.folder("secrets").rglob("*") if path.is_file()]

    public = [path for path in secrets if path.suffix in (".pub", ".crt") or path.name == "known_hosts"]
    assert urlsplit(variables["TWINBENCH_MQTT_URL"]).username == "lims"
    assert len(secrets) >= len(public) + 5
    assert all(path.stat().st_mode & 0o077 == 0 for path in secrets if path not in public)
    assert processes_of(running_lab.site)
    assert Path(variables["TWINBENCH_SFTP_KEY"]).exists()
