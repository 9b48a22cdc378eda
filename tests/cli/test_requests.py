"""Requests are followed and ended by number or UUID, in the words of the lab; what is wrong is told with the remedy.

Airflow and the lab's REST interface are played by a small server; tests/stack asks the real ones.
"""

import json

import pytest
from click.testing import CliRunner

from tests.airflow_server import served
from tests.fakes import request_document
from twinbench.cli import main

REQUEST = "5b1c5a52-5c0e-4f3e-9d0a-2f6a0c7a1e11"
RUNS = "/api/v2/dags/carry_out_request/dagRuns"
ROW = {"request_number": "TR-000042", "uuid": REQUEST, "workflow_id": None, "status": "running", "failure": None}


@pytest.fixture
def airflow(monkeypatch):
    with served() as server:
        monkeypatch.setenv("TWINBENCH_AIRFLOW_URL", server.url)
        monkeypatch.setenv("TWINBENCH_AIRFLOW_USER", "ada")
        monkeypatch.setenv("TWINBENCH_AIRFLOW_PASSWORD", server.password)
        yield server


def twinbench(*arguments, given=""):
    done = CliRunner().invoke(main, ["request", *arguments], input=given)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def lims(airflow, number="TR-000042", **row):
    airflow.answers[f"GET /lims/api/v1/requests/{number}"] = (200, {**ROW, **row})


@pytest.mark.parametrize("number", ["TR-000042", "tr-000042", REQUEST])
def test_a_request_is_cancelled_by_number_or_uuid_and_told_what_it_was(airflow, number):
    named = number.upper() if number != REQUEST else REQUEST
    lims(airflow, named)
    airflow.answers[f"POST /lims/api/v1/requests/{named}/cancel"] = (200, {**ROW, "status": "cancelled"})

    code, text = twinbench("cancel", number, "--reason", "no cell")

    assert (code, text) == (0, "TR-000042 is cancelled; it was running. What it has stored stays.\n")
    assert airflow.asked[-1][3] == {"reason": "no cell"}


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (409, "TR-000042 is completed: it cannot be cancelled any more."),
        (404, "There is no request TR-000042 that Bob may see."),
        (403, "Paul may not cancel this request: ask somebody with one of the roles admin."),
    ],
)
def test_a_cancellation_that_is_refused_says_why_and_fails(airflow, status, detail):
    lims(airflow)
    airflow.answers["POST /lims/api/v1/requests/TR-000042/cancel"] = (status, {"detail": detail})

    assert twinbench("cancel", "TR-000042") == (1, f"error: {detail}\n")


def test_a_lab_that_is_not_there_is_told_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.delenv("TWINBENCH_AIRFLOW_URL", raising=False)
    monkeypatch.setenv("TWINBENCH_LAB", str(tmp_path))

    for command in (["list"], ["show", REQUEST], ["wait", "TR-000001"], ["cancel", "TR-000001"]):
        code, text = twinbench(*command)
        assert code == 1
        assert text.startswith("error: There is no local lab yet: `twinbench up` starts one")


def test_a_lab_that_does_not_answer_is_told_with_the_remedy(monkeypatch):
    monkeypatch.setenv("TWINBENCH_AIRFLOW_URL", "http://127.0.0.1:9")

    code, text = twinbench("list")

    assert (code, "does not answer" in text, "twinbench status" in text) == (1, True, True)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{", ["is no JSON", "docs/dags.md"]),
        ('{"runs": 0}', ["runs             0 is below 1 (give that or more)", "uut              is missing"]),
    ],
)
def test_a_document_that_is_no_request_is_refused_before_anybody_is_asked(airflow, given, words):
    code, text = twinbench("submit", "-", given=given)

    assert code == 1
    assert [word for word in words if word not in text] == []
    assert airflow.asked == []


def test_a_uuid_that_is_none_is_a_matter_of_usage(airflow):
    code, text = twinbench("submit", "-", "--uuid", "mine", given=json.dumps(request_document()))

    assert (code, "'mine' is no UUID" in text) == (2, True)


def test_a_request_is_submitted_and_told_how_to_follow_it(airflow):
    airflow.answers[f"POST {RUNS}"] = (200, {"dag_run_id": REQUEST, "state": "queued"})

    code, text = twinbench("submit", "-", "--uuid", REQUEST, given=json.dumps(request_document()))

    assert code == 0
    assert text.splitlines() == [f"{REQUEST} queued", f"Follow it with `twinbench request wait {REQUEST}`."]


def test_the_list_tells_what_each_request_is(airflow):
    run = {"dag_run_id": REQUEST, "state": "running", "queued_at": "2026-11-29T13:00:59Z", "conf": request_document()}
    runs = [{**run, "note": "TR-000042: Performance - Power\n\nLate"}, {**run, "note": None}]
    airflow.answers[f"GET {RUNS}"] = (200, {"dag_runs": [*runs, {**runs[0], "dag_run_id": "another"}]})
    airflow.answers["GET /lims/api/v1/requests"] = (200, {"items": [{**ROW, "status": "cancelled"}]})

    code, text = twinbench("list")

    assert code == 0
    assert f"{REQUEST}  cancelled  2026-11-29 13:00  TR-000042: Performance - Power" in text
    assert "another                               running    2026-11-29 13:00" in text
    assert "Performance - Power on Gen3b - Cell" in text


def test_an_unknown_request_is_told(airflow):
    airflow.answers["GET /lims/api/v1/requests/TR-000009"] = (404, {"detail": "There is no request TR-000009."})

    for command in ("show", "wait", "cancel"):
        assert twinbench(command, "TR-000009") == (1, "error: There is no request TR-000009.\n")


@pytest.mark.parametrize("command", ["show", "wait"])
def test_a_run_that_airflow_does_not_know_is_told_in_our_words(airflow, command):
    assert twinbench(command, REQUEST) == (
        1,
        f"error: There is no request {REQUEST}: see `twinbench request list`.\n",
    )


def test_a_request_that_failed_is_shown_with_its_reason(airflow):
    run = {"dag_run_id": REQUEST, "state": "failed", "start_date": None, "end_date": None, "note": "TR-000042: x"}
    task = {
        "task_id": "register",
        "state": "success",
        "map_index": -1,
        "rendered_map_index": None,
        "start_date": "2026",
    }
    late = {**task, "task_id": "close", "state": "upstream_failed", "start_date": None}
    airflow.answers[f"GET {RUNS}/{REQUEST}"] = (200, run)
    airflow.answers[f"GET {RUNS}/{REQUEST}/taskInstances"] = (200, {"task_instances": [late, task]})
    lims(airflow)
    lims(airflow, REQUEST, status="failed", failure="plan_benches: no bench is free.")

    code, text = twinbench("show", "TR-000042")

    assert code == 0
    assert text.splitlines()[:3] == ["TR-000042: x", f"  {'register':<26} done", f"  {'close':<26} not begun"]
    assert text.splitlines()[-1] == "TR-000042 is failed: plan_benches: no bench is free."
