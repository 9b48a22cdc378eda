"""Who is outside the lab in tests: somebody who knows its REST API, and a digital twin of another mind."""

import os
import signal
import uuid
from contextlib import contextmanager

import httpx

from tests.broker import eventually
from twinbench.adapters.mqtt import connect
from twinbench.adapters.postgres import Database, Requests
from twinbench.core import topics
from twinbench.stack import lab, parties
from twinbench.stack.database import database_url
from twinbench.stack.demo import open_api
from twinbench.stack.people import ADMIN
from twinbench.twin.store import TwinStore

OVER = {"success", "failed", "skipped", "upstream_failed", "removed"}
DAG_RUNS = "/api/v2/dags/carry_out_request/dagRuns"


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
        return self.http.post(DAG_RUNS, json=body)

    def wait(self, request_uuid, **options):
        """Wait for the end of a request; returns its state and the states its tasks went through."""
        return self.watch(request_uuid, **options)[request_uuid]

    def watch(self, *request_uuids, meanwhile=lambda tasks: None, timeout_s=240):
        """Wait for the end of several requests; the same of each."""
        seen = {request_uuid: {} for request_uuid in request_uuids}

        def ended(request_uuid):
            tasks = self.api.tasks(request_uuid)
            for task in tasks:
                seen[request_uuid].setdefault(task["task_id"], set()).add(task["state"])
            meanwhile(tasks)
            at_its_end = {task["state"] for task in tasks} <= OVER  # else there is no need to ask for the run as well
            return at_its_end and self.api.run(request_uuid)["state"] in ("success", "failed")

        eventually(lambda: all([*map(ended, request_uuids)]), timeout_s=timeout_s, every_s=0.5)
        return {one: (self.api.run(one)["state"], states) for one, states in seen.items()}

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

    def collected(self, request_uuid):
        """How many metrics messages the twin has in its own tables."""
        store = TwinStore(database_url(self.site, "twin"))
        try:
            return store.counts(request_uuid)
        finally:
            store.close()


@contextmanager
def hearing_metrics(site, told):
    """What the twin is sent is told to somebody as well, message by message, as it passes the broker."""
    variables = parties.reference_twin(site).environment
    url, ca = variables["TWINBENCH_MQTT_URL"], variables["TWINBENCH_MQTT_CA"]
    with connect(url, ca=ca, client_id=f"listener-{uuid.uuid4()}") as client:
        client.subscribe(topics.METRICS, lambda message: told(message.document()))
        yield


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
