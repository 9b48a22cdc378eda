"""The running lab survives the loss of a bench, of its broker, and of Airflow's triggerer and scheduler."""

import json
import os
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from tests.broker import eventually
from tests.fakes import request_document
from tests.stack.outside import hearing_metrics
from twinbench.adapters.postgres import Bookings, Database
from twinbench.core.telemetry import parse_metrics
from twinbench.stack import lab
from twinbench.stack.database import database_url

pytestmark = pytest.mark.timeout(600)


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


def test_a_broker_that_is_killed_in_mid_simulation_costs_no_message(requester):
    """It dies as the first metrics of the request pass it, so that all others are yet to come."""
    broker = next(part.pid for part in lab.status() if part.name == "broker")
    heard = []

    def kill_the_broker(metrics):
        if not heard:
            heard.append(parse_metrics(metrics))
            os.kill(broker, signal.SIGKILL)

    with hearing_metrics(requester.site, kill_the_broker):
        request_uuid = requester.ask(request_document(test_name="Performance - Capacity", runs=24)).json()["dag_run_id"]
        state, _ = requester.wait(request_uuid)

    assert state == "success"
    assert (heard[0].label.request_uuid, heard[0].final) == (request_uuid, False)
    results = requester.area(request_uuid) / "results"
    published = sum(json.loads(file.read_text())["published"] for file in results.glob("run-*.json"))
    assert requester.collected(request_uuid)["messages"] == published
    again = next(part for part in lab.status() if part.name == "broker")
    assert (again.state, again.restarts >= 1) == ("RUNNING", True)


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
