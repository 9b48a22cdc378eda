"""The whole local lab carries out requests that come by REST, on real parts, and survives the loss of one."""

import json
import os
import shutil
import signal
import uuid
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from click.testing import CliRunner

from tests.broker import eventually
from tests.fakes import request_document
from twinbench.adapters.mqtt import connect
from twinbench.adapters.postgres import Bookings, Database, Requests
from twinbench.cli import main
from twinbench.core import topics
from twinbench.stack import lab, parties
from twinbench.stack.database import database_url
from twinbench.stack.demo import await_dag, open_api
from twinbench.stack.people import ADMIN
from twinbench.stack.site import PROJECT
from twinbench.twin.store import TwinStore

from .conftest import Notes, processes_of

pytestmark = pytest.mark.timeout(600)

_DAG_RUNS = "/api/v2/dags/carry_out_request/dagRuns"
_REGISTRY = ("twin", "registry", "Performance and ageing", "Cell", "Gen3b", "Physics-based")


class Requester:
    """Somebody who knows Airflow's REST API and nothing else."""

    def __init__(self, site):
        self.site, self.api = site, open_api(site)
        self.http = httpx.Client(base_url=site.airflow_url, timeout=30)
        login = {"username": ADMIN, "password": site.secret("airflow-admin")}
        token = self.http.post("/auth/token", json=login).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def ask(self, document, request_uuid=None):
        body = {"dag_run_id": request_uuid or str(uuid.uuid4()), "logical_date": None, "conf": document}
        return self.http.post(_DAG_RUNS, json=body)

    def wait(self, request_uuid, *, meanwhile=lambda tasks: None, timeout_s=240):
        """Wait for the end of a request; returns its state and the states its tasks went through."""
        seen = {}

        def ended():
            tasks = self.api.tasks(request_uuid)
            for task in tasks:
                seen.setdefault(task["task_id"], set()).add(task["state"])
            meanwhile(tasks)
            return self.api.run(request_uuid)["state"] in ("success", "failed")

        eventually(ended, timeout_s=timeout_s, every_s=0.5)
        return self.api.run(request_uuid)["state"], seen

    def awaits_models(self, request_uuid):
        return ("await_bundle", "deferred") in [
            (task["task_id"], task["state"]) for task in self.api.tasks(request_uuid)
        ]

    def has_models(self, request_uuid):
        return (self.area(request_uuid) / "fastest-models" / "models.json").exists()

    def area(self, request_uuid):
        (folder,) = self.site.folder("storage").glob(f"fastest_simulation_*_{request_uuid}")
        return folder

    def row(self, request_uuid):
        return Requests(Database(database_url(self.site, "lims"))).get(request_uuid)


@pytest.fixture(scope="module")
def requester(running_lab):
    somebody = Requester(running_lab.site)
    await_dag(somebody.api)
    yield somebody
    somebody.http.close()
    somebody.api.close()


def collected(site, request_uuid):
    """How many metrics messages the twin has in its own tables."""
    store = TwinStore(database_url(site, "twin"))
    try:
        return store.counts(request_uuid)
    finally:
        store.close()


def test_a_virtual_request_by_rest_ends_with_a_report_and_every_message_at_the_twin(requester):
    """Asking twice is a conflict and never two runs."""
    answer = requester.ask(request_document(runs=3))
    request_uuid = answer.json()["dag_run_id"]
    assert requester.ask(request_document(runs=3), request_uuid).status_code == 409

    state, seen = requester.wait(request_uuid)

    assert (answer.status_code, state) == (200, "success")
    assert "deferred" in seen["await_bundle"]
    area = requester.area(request_uuid)
    assert "Performance - Power" in (area / "results" / "report.html").read_text()
    summaries = [json.loads((area / "results" / f"run-000{run}.json").read_text()) for run in (1, 2, 3)]
    assert all(summary["status"] == "completed" for summary in summaries)
    published = sum(summary["published"] for summary in summaries)
    assert collected(requester.site, request_uuid)["messages"] == published
    row = requester.row(request_uuid)
    assert (row["status"], row["simulation_progress"]) == ("completed", 100)


def test_a_physical_request_waits_for_its_bench_without_a_worker_slot(requester):
    request_uuid = requester.ask(request_document(runs=2, test_bench="Physical")).json()["dag_run_id"]

    state, seen = requester.wait(request_uuid)

    assert state == "success"
    assert "deferred" in seen["run_physical"]
    summary = json.loads((requester.area(request_uuid) / "results" / "run-0001.json").read_text())
    assert (summary["bench"], summary["kind"], summary["status"]) == ("cycler-1", "physical", "completed")
    bookings = Bookings(Database(database_url(requester.site, "lims"))).of_request(request_uuid)
    kept = [(one.bench, one.state) for one in bookings if one.state != "released"]  # planned again, should a task be
    assert kept == [("cycler-1", "done")], bookings


def test_a_bench_that_fails_is_planned_around(requester):
    """It is taken out of service while a request waits for it; the request goes to the other one, at the same time."""
    start = datetime.now(UTC) + timedelta(seconds=45)
    request_uuid = requester.ask(request_document(runs=1, preferred_date=start.isoformat())).json()["dag_run_id"]
    bookings = Bookings(Database(database_url(requester.site, "lims")))
    eventually(lambda: bookings.of_request(request_uuid), timeout_s=70, every_s=0.5)
    (before,) = bookings.of_request(request_uuid)
    until = (start + timedelta(minutes=2)).isoformat()

    failed = {"bench": before.bench, "reason": "licence expired", "until": until}
    replanned = requester.http.post(
        "/api/v2/dags/replan_lab/dagRuns", json={"logical_date": None, "conf": failed}
    ).json()["dag_run_id"]

    assert requester.wait(request_uuid)[0] == "success"
    bookings.reopen(before.bench, at=datetime.now(UTC))
    run = requester.http.get(f"/api/v2/dags/replan_lab/dagRuns/{replanned}").json()
    (after,) = [one for one in bookings.of_request(request_uuid) if one.state == "done"]
    summary = json.loads((requester.area(request_uuid) / "results" / "run-0001.json").read_text())
    assert (run["state"], after.start) == ("success", before.start)
    assert summary["bench"] == after.bench != before.bench
    assert "licence expired" in (requester.area(request_uuid) / "results" / "report.html").read_text()


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
    log = requester.http.get(f"{_DAG_RUNS}/{request_uuid}/taskInstances/register/logs/1").text
    assert "is not a test of UL1642" in log


def test_an_fmu_that_is_no_zip_is_diagnosed_and_kept(requester):
    test = "Performance - SOC adjustment"
    folder = requester.site.folder(*_REGISTRY, test)
    for name in ("FMU_Input_Handler", "FMU_Output_Handler"):
        shutil.copy(PROJECT / "include" / "fmus" / f"{name}.fmu", folder / f"{name}_1.0.fmu")
    shutil.copy(PROJECT / "include" / "fmus" / "inter_connection.json", folder / "inter_connection_1.0.json")
    (folder / "FMU_Battery_Model_2.0.fmu").write_bytes(b"this is no zip")

    request_uuid = requester.ask(request_document(test_name=test)).json()["dag_run_id"]
    state, seen = requester.wait(request_uuid)

    assert state == "failed"
    assert seen["stage_bundle"] & {"failed"}
    assert "up_for_retry" not in seen["stage_bundle"]
    diagnosis = json.loads((requester.area(request_uuid) / "diagnosis.json").read_text())
    assert "FMU_Battery_Model.fmu" in diagnosis["error"]
    assert requester.row(request_uuid)["failure"] == f"stage_bundle: {diagnosis['error']}"
    kept = requester.area(request_uuid) / "fastest-models" / "fmus" / "FMU_Battery_Model.fmu"
    assert kept.read_bytes() == b"this is no zip"


def upload_a_model_only(site, request_uuid):
    folder = site.folder("sftp", "twin", "pool", request_uuid)
    shutil.copy(PROJECT / "include" / "fmus" / "FMU_Battery_Model.fmu", folder)


@contextmanager
def another_twin(site, upload):
    """Instead of the lab's own twin, one that accepts every request and uploads something else."""
    pid = next(part.pid for part in lab.status() if part.name == "twin")
    variables = parties.reference_twin(site).environment
    with connect(variables["TWINBENCH_MQTT_URL"], ca=variables["TWINBENCH_MQTT_CA"], client_id="another") as client:

        def take(message):
            request_uuid = message.topic.rpartition("/")[2]
            upload(site, request_uuid)
            answer = {"uuid": request_uuid, "status": "accepted", "reason": "", "models": []}
            client.post(topics.request_ack(request_uuid), answer, qos=1)

        os.kill(pid, signal.SIGSTOP)
        try:
            client.subscribe(topics.request(), take)
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


def drop(site, named, *, without=()):
    """Drop the shipped bundle flat into the pool, as the digital twin sees it; the interconnection file comes last."""
    pool = site.folder("sftp", "twin", "pool")
    for file in sorted((PROJECT / "include" / "fmus").iterdir()):
        if file.name not in without:
            part = pool / f"{file.name}.part"
            shutil.copy(file, part)
            part.rename(pool / named.format(name=file.stem, suffix=file.suffix))


def in_quarantine(site, words):
    """Names of the drops that were put into quarantine for a reason with these words."""
    folder = site.folder("sftp", "twin", "pool", "quarantine")
    return [file.stem for file in folder.glob("*.json") if words in json.loads(file.read_text())["reason"]]


def test_models_that_are_dropped_flat_are_handed_on_or_kept_aside_with_the_reason(requester):
    """Two requests wait: a drop that may be for either is kept, one that names a request goes to it, and what a person
    says goes."""
    site, pool = requester.site, requester.site.folder("sftp", "twin", "pool")
    with another_twin(site, lambda *_: None):
        first, second = (requester.ask(request_document(runs=1)).json()["dag_run_id"] for _ in range(2))
        eventually(lambda: all(map(requester.awaits_models, (first, second))), timeout_s=60, every_s=0.5)

        drop(site, "{name}{suffix}")
        eventually(lambda: in_quarantine(site, "2 requests wait"), timeout_s=60, every_s=0.5)
        drop(site, f"{{name}}_{second}{{suffix}}")
        (kept,) = in_quarantine(site, "2 requests wait")
        (pool / "quarantine" / kept).rename(pool / first)
        eventually(lambda: all(map(requester.has_models, (first, second))), timeout_s=60, every_s=0.5)
    states = {one: requester.wait(one)[0] for one in (second, first)}

    assert states == {second: "success", first: "success"}
    assert [file for file in pool.iterdir() if file.is_file()] == []
    told = json.loads((requester.area(second) / "drop.json").read_text())
    assert (told["request"], told["how"]) == (requester.row(second)["request_number"], "its UUID is in the names")
    notes = {one: requester.api.run(one)["note"] for one in (first, second)}
    assert f"rename quarantine/{kept}" in notes[first]
    assert "handed on: its UUID is in the names" in notes[second]


def twinbench(*arguments):
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, done.output


def test_what_is_not_completed_yet_is_cancelled_from_the_command_line_and_its_bench_aborts(requester):
    """While it waits for models, while a bench works on it, and not once it is over."""
    with another_twin(requester.site, lambda *_: None):
        waiting = requester.ask(request_document(runs=1)).json()["dag_run_id"]
        eventually(lambda: requester.awaits_models(waiting), timeout_s=60, every_s=0.5)
        number = requester.row(waiting)["request_number"]
        first, again = (twinbench("request", "cancel", number, "--reason", "no cell") for _ in range(2))
    document = request_document(runs=6, test_name="Performance - Capacity", test_bench="Physical")
    log = requester.site.log("bench-cycler-1")
    commands = log.read_text().count(" accepted")
    physical = requester.ask(document).json()["dag_run_id"]
    eventually(lambda: log.read_text().count(" accepted") > commands, timeout_s=180)

    ended = twinbench("request", "cancel", physical)

    assert first == (0, f"{number} is cancelled; it was forwarded. What it has stored stays.\n")
    assert again == (1, f"error: {number} is cancelled: it cannot be cancelled any more.\n")
    assert (requester.row(waiting)["failure"], requester.api.run(waiting)["state"]) == ("no cell", "failed")
    assert ended[0] == 0, ended
    assert "it was running" in ended[1]
    eventually(lambda: "failed aborted by command" in log.read_text(), timeout_s=30)
    bookings = Bookings(Database(database_url(requester.site, "lims"))).of_request(physical)
    assert (requester.row(physical)["status"], [one.state for one in bookings]) == ("cancelled", ["released"])


def test_a_campaign_carries_out_its_members_one_after_another_and_tells_what_came_of_each(requester, tmp_path):
    document = {"name": "winter", "template": request_document(), "grid": {"runs": [1, 2]}, "most_open": 1}
    (tmp_path / "campaign.json").write_text(json.dumps(document))

    code, text = twinbench("campaign", "submit", str(tmp_path / "campaign.json"))
    campaign_uuid = text.split()[0]
    run = f"/api/v2/dags/run_campaign/dagRuns/{campaign_uuid}"
    eventually(lambda: requester.http.get(run).json()["state"] in ("success", "failed"), timeout_s=240, every_s=1)

    assert (code, requester.http.get(run).json()["state"]) == (0, "success")
    folder = requester.site.folder("storage") / "campaigns" / campaign_uuid
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["counts"], summary["is_over"]) == ({"completed": 2}, True)
    assert all(member["figures"]["evaluated"] == member["differs"]["runs"] for member in summary["members"])
    first, second = (requester.row(member["uuid"]) for member in summary["members"])
    assert first["completed_at"] <= second["created_at"]
    assert len((folder / "summary.csv").read_text().splitlines()) == 3


def test_uploads_that_are_not_completed_are_explained_and_kept(requester):
    """One in the request's own folder, one that was dropped flat: neither is lost, both are told."""
    site = requester.site
    with another_twin(site, upload_a_model_only):
        request_uuid = requester.ask(request_document(runs=1)).json()["dag_run_id"]
        drop(site, "{name}{suffix}", without=["FMU_Output_Handler.fmu"])
        state, seen = requester.wait(request_uuid)

    assert state == "failed"
    assert "deferred" in seen["await_bundle"]
    failure = requester.row(request_uuid)["failure"]
    assert failure.startswith("await_bundle: ")
    assert "holds FMU_Battery_Model.fmu but no inter_connection.json" in failure
    assert (site.folder("sftp", "twin", "pool", request_uuid) / "FMU_Battery_Model.fmu").exists()
    eventually(lambda: in_quarantine(site, "names FMU_Output_Handler, of which there is no FMU"), timeout_s=100)


def test_a_broker_that_is_killed_in_mid_simulation_costs_no_message(requester):
    request_uuid = requester.ask(request_document(test_name="Performance - Capacity", runs=6)).json()["dag_run_id"]
    killed = []

    def kill_the_broker(tasks):
        if not killed and any(task["task_id"] == "run_virtual" and task["state"] == "running" for task in tasks):
            killed.append(next(part.pid for part in lab.status() if part.name == "broker"))
            os.kill(killed[0], signal.SIGKILL)

    state, _ = requester.wait(request_uuid, meanwhile=kill_the_broker)

    assert killed
    assert state == "success"
    results = requester.area(request_uuid) / "results"
    published = sum(json.loads(file.read_text())["published"] for file in results.glob("run-*.json"))
    assert collected(requester.site, request_uuid)["messages"] == published
    broker = next(part for part in lab.status() if part.name == "broker")
    assert (broker.state, broker.restarts >= 1) == ("RUNNING", True)


def test_a_sequential_request_goes_on_in_rounds_although_triggerer_and_scheduler_are_killed(requester):
    """Each round is an Airflow run of its own. What waits is deferred and taken up by whoever comes after; a task of
    a round that died with its scheduler is handed out again."""
    sequential = {"responses": ["discharged_Ah"], "initial": 6, "batch": 2, "budget": 8, "error_pct": 1e-6}
    document = request_document(test_name="Performance - Capacity", design={"sequential": sequential})
    request_uuid = requester.ask(document).json()["dag_run_id"]
    killed = []

    def a_round_is_at_work():
        rounds = requester.api.rounds(request_uuid, states=["running"])
        tasks = "/api/v2/dags/carry_out_round/dagRuns/{}/taskInstances"
        at_work = {"state": ["queued", "running"]}
        return any(requester.http.get(tasks.format(run), params=at_work).json()["task_instances"] for run in rounds)

    def kill_airflow(tasks):
        awaited = any(task["task_id"] == "next_round" and task["state"] == "deferred" for task in tasks)
        if not killed and awaited and a_round_is_at_work():
            killed.extend(part.name for part in lab.status() if part.name in ("triggerer", "scheduler"))
            parts = [psutil.Process(part.pid) for part in lab.status() if part.name in killed]
            for process in [*parts, *(worker for part in parts for worker in part.children(recursive=True))]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    state, seen = requester.wait(request_uuid, meanwhile=kill_airflow, timeout_s=480)

    assert (state, len(killed)) == ("success", 2)
    assert "deferred" in seen["next_round"]
    area = requester.area(request_uuid)
    rounds = json.loads((area / "doe-output" / "rounds.json").read_text())
    assert [entry["runs"] for entry in rounds] == [[1, 2, 3, 4, 5, 6], [7, 8]]
    assert [entry["done"] for entry in rounds] == [False, True]
    assert all((area / "results" / f"run-{run:04d}.json").exists() for run in range(1, 9))
    assert [run[-8:] for run in requester.api.rounds(request_uuid)] == ["round-02"]


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
