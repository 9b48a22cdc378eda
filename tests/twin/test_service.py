"""The twin as a program: requests are answered and served, metrics stored once, whichever part dies meanwhile."""

import os
import queue
import signal
import subprocess
import sys

import pytest

from tests.broker import eventually
from twinbench.adapters.mqtt import Courier, connect
from twinbench.adapters.outbox import SqliteOutbox
from twinbench.core import topics
from twinbench.core.errors import UnreachableError
from twinbench.core.telemetry import RunLabel, message_id, metrics_message
from twinbench.stack.credentials import sftp_key, sftp_known_hosts
from twinbench.stack.pool import sftp_url
from twinbench.twin.registry import seed_registry

pytestmark = pytest.mark.stack

REQUEST = "7d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a11"
RUN = "0f7a1c9e-58a5-5d3e-9c0a-4b5f1d0f7d11"
NAMES = {"FMU_Battery_Model.fmu", "FMU_Input_Handler.fmu", "FMU_Output_Handler.fmu", "inter_connection.json"}
LABEL = RunLabel(REQUEST, RUN, 1, "virtual-1", "Performance - Capacity", "Gen3b - Cell", "Automotive")


class Twin:
    """The program ``python -m twinbench.twin``."""

    def __init__(self, log, variables):
        self.log, self.environment = log, {**os.environ, **variables}
        self.running = None

    def start(self, *, waits_for="twin ready"):
        told = self.text().count(waits_for)
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "twinbench.twin"], env=self.environment, stdout=log, stderr=log
            )
        eventually(lambda: self.text().count(waits_for) > told or self.running.poll() is not None)
        assert self.running.poll() is None, self.text()

    def text(self):
        return self.log.read_text() if self.log.exists() else ""

    def end(self, number=signal.SIGTERM):
        self.running.send_signal(number)
        code = self.running.wait(30)
        self.running = None
        return code


@pytest.fixture
def twin(broker, site, database_url, pool_folder, fmus, tmp_path):
    seed_registry(fmus, tmp_path / "registry")
    variables = {
        "TWINBENCH_MQTT_URL": broker.url("twin"),
        "TWINBENCH_SFTP_URL": sftp_url(site, "twin"),
        "TWINBENCH_SFTP_KEY": str(sftp_key(site, "twin")),
        "TWINBENCH_SFTP_KNOWN_HOSTS": str(sftp_known_hosts(site)),
        "TWINBENCH_DATABASE_URL": database_url,
        "TWINBENCH_TWIN_REGISTRY": str(tmp_path / "registry"),
    }
    twin = Twin(tmp_path / "twin.log", variables)
    twin.start()
    yield twin
    if twin.running:
        twin.end(signal.SIGKILL)


@pytest.fixture
def lims(broker, twin):
    with connect(broker.url("lims"), ca=None, client_id="lims") as client:
        yield client


def ask(lims, message, request_uuid=REQUEST):
    topic = topics.request(request_uuid)
    return lims.publish_and_await(topic, message, topics.request_ack(request_uuid), timeout_s=15)


def names(folder):
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_a_request_is_accepted_and_its_models_follow(lims, request_message, pool_folder, validator):
    answer = ask(lims, request_message)

    validator("twin_acknowledgement").validate(answer)
    assert (answer["uuid"], answer["status"]) == (REQUEST, "accepted")
    assert {(model["file"], model["version"]) for model in answer["models"]} == {
        (name, "1.0") for name in NAMES if name.endswith(".fmu")
    }
    eventually(lambda: names(pool_folder / REQUEST) == NAMES)


def test_a_request_that_nothing_fits_is_refused_with_what_there_is(lims, request_message, pool_folder, validator):
    answer = ask(lims, {**request_message, "test_UUT": "Gen4 - Pack"})

    validator("twin_acknowledgement").validate(answer)
    assert (answer["status"], answer["models"]) == ("refused", [])
    assert (
        answer["reason"] == "No model for 'Gen4 - Pack': the registry has Gen3b - Cell, Gen3b - Module, Gen3b - Pack."
    )


@pytest.mark.parametrize(
    ("change", "named"),
    [({"test_UUT": None}, "test_UUT"), ({"test_UUID": RUN}, "the topic is of"), ({"variables": 4}, "variables")],
)
def test_a_malformed_request_is_refused_by_name(lims, request_message, change, named):
    answer = ask(lims, {**request_message, **change})

    assert answer["status"] == "refused"
    assert named in answer["reason"]


def test_the_same_request_again_gets_the_same_answer_and_no_second_upload(lims, twin, request_message, pool_folder):
    first = ask(lims, request_message)
    eventually(lambda: names(pool_folder / REQUEST) == NAMES and "uploaded" in twin.text())

    assert ask(lims, request_message) == first
    eventually(lambda: "were there" in twin.text())
    assert twin.text().count("uploaded") == 1


def test_a_request_asked_while_the_twin_is_away_is_served_when_it_is_back(lims, twin, request_message, pool_folder):
    answers = queue.SimpleQueue()
    lims.subscribe(topics.request_ack(), answers.put)
    assert twin.end() == 0
    lims.publish(topics.request(REQUEST), request_message)

    twin.start()

    assert answers.get(timeout=20).document()["status"] == "accepted"
    eventually(lambda: names(pool_folder / REQUEST) == NAMES)


def test_an_upload_interrupted_by_the_twins_end_is_finished_later(lims, twin, sftp, request_message, pool_folder):
    sftp.end(signal.SIGKILL)
    try:
        assert ask(lims, request_message)["status"] == "accepted"
        eventually(lambda: "delivery waits" in twin.text())
        twin.end(signal.SIGKILL)
    finally:
        sftp.start()

    twin.start()
    eventually(lambda: names(pool_folder / REQUEST) == NAMES)


@pytest.fixture
def courier(lims, tmp_path, validator):
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    acknowledged = []

    def take(message):
        document = message.document()
        validator("metrics_acknowledgement").validate(document)
        acknowledged.append(document)
        courier.acknowledge(document["run_uuid"], document["upto"])

    with Courier(lims, outbox, resend_after_s=2) as courier:
        lims.subscribe(topics.metrics_ack(), take)
        courier.acknowledged = acknowledged
        yield courier
    outbox.close()


def send(courier, seqs, *, last):
    for seq in seqs:
        signals = {"Cell_Voltage_01": [3.7] * 10, "SoC": [50.0] * 10}
        message = metrics_message(LABEL, seq, [seq + 0.1 * n for n in range(10)], signals, final=seq == last)
        courier.send(RUN, seq, topics.METRICS, message)


def test_metrics_are_stored_and_acknowledged(courier, store):
    send(courier, range(50), last=49)

    assert courier.flush(30) == 0
    assert store.counts(REQUEST) == {"messages": 50, "samples": 1000, "runs": 1, "finished": 1}
    assert courier.acknowledged[-1] == {"run_uuid": RUN, "upto": 49, "stored": 50, "rejected": 0}


def test_each_message_is_stored_once_though_twin_broker_and_database_are_killed_in_mid_stream(
    courier, store, twin, broker, postgres
):
    def stored():
        try:
            return store.counts(REQUEST)["messages"]
        except UnreachableError:  # the test's own connection ended with the database
            return -1

    def kill_twin():
        twin.end(signal.SIGKILL)
        twin.start()

    def kill_database():
        postgres.end(signal.SIGKILL)
        postgres.start()

    total, kills = 800, (kill_twin, broker.restart, kill_database)
    for number, kill in enumerate(kills):
        send(courier, range(200 * number, 200 * (number + 1)), last=total - 1)
        eventually(lambda number=number: stored() > 200 * number)
        kill()
    send(courier, range(600, total), last=total - 1)

    assert courier.flush(120) == 0
    eventually(lambda: stored() == total)
    assert store.counts(REQUEST) == {"messages": total, "samples": 20 * total, "runs": 1, "finished": 1}
    assert courier.acknowledged[-1]["upto"] == total - 1


def test_what_is_no_metrics_message_is_put_aside_and_holds_nothing_up(lims, courier, store, twin):
    send(courier, [0], last=2)
    broken = {"message_id": message_id(RUN, 1), "run_uuid": RUN, "seq": 1, "variables": "broken"}
    courier.send(RUN, 1, topics.METRICS, broken)
    lims.publish(topics.METRICS, {"what": "ever"})
    send(courier, [2], last=2)

    assert courier.flush(30) == 0
    assert store.counts(REQUEST)["messages"] == 2
    assert courier.acknowledged[-1] == {"run_uuid": RUN, "upto": 2, "stored": 3, "rejected": 1}
    eventually(lambda: twin.text().count("rejected a message") >= 2)


def test_it_waits_for_its_database_and_its_broker(twin, broker, postgres, lims, request_message):
    twin.end()
    broker.kill()
    postgres.end(signal.SIGKILL)
    try:
        twin.start(waits_for="twin waits: The twin's database")
        postgres.start()
        eventually(lambda: "twin waits: MQTT broker" in twin.text())
    finally:
        if postgres.running.poll() is not None:
            postgres.start()
        broker.start()

    eventually(lambda: twin.text().count("twin ready") == 2)
    assert ask(lims, request_message)["status"] == "accepted"
    assert twin.end() == 0


def test_a_setting_that_is_missing_is_named(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "twinbench.twin"], env={"PATH": ""}, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert "error: TWINBENCH_" in ended.stderr
    assert "Traceback" not in ended.stderr
