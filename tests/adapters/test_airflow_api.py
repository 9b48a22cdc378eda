"""Airflow's REST API is asked with one token for as long as it is good, and a refusal is told in Airflow's words.

The API is played by a small server of HTTP; tests/stack/test_whole_lab.py asks the real one.
"""

import pytest

from tests.airflow_server import served
from tests.broker import free_port
from twinbench.adapters.airflow_api import AirflowApi, LimsApi
from twinbench.core.errors import (
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    RequestError,
    UnknownError,
    UnreachableError,
)

REQUEST = "5b1c5a52-5c0e-4f3e-9d0a-2f6a0c7a1e11"
RUNS = "/api/v2/dags/carry_out_request/dagRuns"


@pytest.fixture
def airflow():
    with served() as server:
        yield server


@pytest.fixture
def api(airflow):
    api = AirflowApi(airflow.url, user="admin", password=airflow.password)
    yield api
    api.close()


def test_one_token_serves_many_calls(airflow, api):
    airflow.answers[f"GET {RUNS}/{REQUEST}"] = (200, {"state": "running"})

    assert [api.run(REQUEST)["state"] for _ in range(3)] == ["running"] * 3
    assert airflow.logins == ["token-1"]


def test_a_token_that_has_expired_is_renewed_and_the_call_repeated(airflow, api):
    airflow.answers[f"GET {RUNS}/{REQUEST}"] = (200, {"state": "running"})
    airflow.answers["GET /api/v2/dags/carry_out_request"] = (200, {})
    api.run(REQUEST)

    airflow.token = "token-2"
    assert api.run(REQUEST) == {"state": "running"}
    airflow.token = "token-3"
    assert api.is_parsed()

    assert airflow.logins == ["token-1", "token-2", "token-3"]


def test_a_user_who_is_refused_is_named_with_the_settings(airflow):
    api = AirflowApi(airflow.url, user="admin", password="wrong")

    with pytest.raises(ConfigurationError, match=r"refuses user 'admin' \(HTTP 401\).*TWINBENCH_AIRFLOW_PASSWORD"):
        api.run(REQUEST)

    api.close()


def test_a_request_is_submitted_under_its_uuid(airflow, api):
    airflow.answers[f"POST {RUNS}"] = (200, {"dag_run_id": REQUEST, "state": "queued"})

    assert api.submit(REQUEST, {"runs": 4})["state"] == "queued"
    assert airflow.asked == [
        ("POST", RUNS, {}, {"dag_run_id": REQUEST, "logical_date": None, "conf": {"runs": 4}}),
    ]


def test_a_line_is_added_to_a_note_once_and_what_people_wrote_stays(airflow, api):
    airflow.answers[f"PATCH {RUNS}/{REQUEST}"] = (200, {})
    for written in (None, "Mind the cell."):
        airflow.answers[f"GET {RUNS}/{REQUEST}"] = (200, {"note": written})
        api.note(REQUEST, "TR-000001: Power")
    airflow.answers[f"GET {RUNS}/{REQUEST}"] = (200, {"note": "TR-000001: Power\n\nMind the cell."})
    api.note(REQUEST, "TR-000001: Power")

    changes = [(query, body) for method, _, query, body in airflow.asked if method == "PATCH"]
    mask = {"update_mask": "note"}
    assert changes == [
        (mask, {"note": "TR-000001: Power"}),
        (mask, {"note": "Mind the cell.\n\nTR-000001: Power"}),
    ]


def test_a_request_that_was_submitted_before_is_told_as_such(airflow, api):
    detail = {"reason": "Unique constraint violation", "statement": "hidden", "orig_error": "hidden", "message": "x"}
    airflow.answers[f"POST {RUNS}"] = (409, {"detail": detail})

    with pytest.raises(RequestError, match=f"{REQUEST} was submitted before: see `twinbench request show {REQUEST}`"):
        api.submit(REQUEST, {})


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (
            400,
            {"detail": "Invalid input for param runs: 0 is less than the minimum of 1"},
            "0 is less than the minimum",
        ),
        (
            422,
            {"detail": [{"type": "extra", "loc": ["body", "conf"], "msg": "Input should be a dictionary"}]},
            r"body\.conf: Input should be a dictionary",
        ),
        (409, {"detail": {"reason": "Unique constraint violation", "statement": "hidden"}}, r"\(HTTP 409\): Unique"),
        (404, {"title": "no detail"}, "no detail"),
        (418, ["no object"], "no object"),
        (403, b"<html>Forbidden</html>", "Forbidden"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_airflow(airflow, api, status, answer, words):
    airflow.answers[f"PATCH {RUNS}/{REQUEST}"] = (status, answer)

    with pytest.raises(RequestError, match=rf"refuses PATCH {RUNS}/{REQUEST} \(HTTP {status}\).*") as told:
        api.cancel(REQUEST)

    assert told.match(words)
    assert not told.value.transient


def test_a_run_is_cancelled_by_ending_it_and_its_rounds_as_failed(airflow, api):
    rounds, going_on = RUNS.replace("request", "round"), f"{REQUEST}.round-02"
    airflow.answers[f"PATCH {RUNS}/{REQUEST}"] = (200, b"")
    airflow.answers[f"GET {rounds}"] = (200, {"dag_runs": [{"dag_run_id": going_on}], "total_entries": 1})
    airflow.answers[f"PATCH {rounds}/{going_on}"] = (200, b"")

    api.cancel(REQUEST)

    ended = {"state": "failed"}
    assert airflow.asked[0] == ("PATCH", f"{RUNS}/{REQUEST}", {}, ended)
    assert airflow.asked[1][2]["run_id_prefix_pattern"] == f"{REQUEST}."
    assert airflow.asked[2] == ("PATCH", f"{rounds}/{going_on}", {}, ended)


def test_the_newest_runs_come_first(airflow, api):
    airflow.answers[f"GET {RUNS}"] = (200, {"dag_runs": [{"dag_run_id": REQUEST}], "total_entries": 1})

    assert api.runs(limit=5) == [{"dag_run_id": REQUEST}]
    assert airflow.asked[0][2] == {"limit": "5", "order_by": "-run_after"}


def test_what_each_of_a_tasks_instances_returned_is_told_apart_by_its_map_index(airflow, api):
    instances = [{"task_id": "run_virtual", "map_index": index} for index in (0, 1)]
    airflow.answers[f"GET {RUNS}/{REQUEST}/taskInstances"] = (200, {"task_instances": instances})
    for task_id in ("run_virtual", "register"):
        place = f"{RUNS}/{REQUEST}/taskInstances/{task_id}/xcomEntries/return_value"
        airflow.answers[f"GET {place}"] = (200, {"key": "return_value", "value": {"runs": 3}})

    for task in api.tasks(REQUEST):
        assert api.result(REQUEST, task["task_id"], map_index=task["map_index"]) == {"runs": 3}
    api.result(REQUEST, "register")

    queries = [query for _, path, query, _ in airflow.asked if path.endswith("return_value")]
    assert [query["map_index"] for query in queries] == ["0", "1", "-1"]
    assert all(query["deserialize"] == "true" for query in queries)


def test_a_task_that_returned_nothing_has_no_result(airflow, api):
    assert api.result(REQUEST, "close") is None
    assert airflow.asked


def test_a_dag_that_is_not_known_yet_is_not_parsed(airflow, api):
    assert not api.is_parsed()

    airflow.answers["GET /api/v2/dags/carry_out_request"] = (200, {"dag_id": "carry_out_request"})
    assert api.is_parsed()


def test_a_server_that_is_away_may_be_asked_again():
    api = AirflowApi(f"http://127.0.0.1:{free_port()}", user="admin", password="x")

    with pytest.raises(UnreachableError, match=r"does not answer: .*See `twinbench status`") as told:
        api.run(REQUEST)

    assert told.value.transient
    api.close()


def test_a_server_that_fails_may_be_asked_again_and_blames_nobody(airflow, api):
    airflow.login_status = 503
    with pytest.raises(UnreachableError, match="HTTP 503"):
        api.run(REQUEST)

    airflow.login_status = 201
    place = f"{RUNS}/{REQUEST}/taskInstances/close/xcomEntries/return_value"
    airflow.answers[f"GET {place}"] = (500, b"Internal Server Error")
    with pytest.raises(UnreachableError, match="HTTP 500, Internal Server Error"):
        api.result(REQUEST, "close")


def test_what_meets_a_conflict_in_airflow_s_database_is_asked_again(airflow, api):
    airflow.conflicts = 2
    airflow.answers[f"PATCH {RUNS}/{REQUEST}"] = (200, {})
    airflow.answers["GET /api/v2/dags/carry_out_round/dagRuns"] = (200, {"dag_runs": []})

    api.cancel(REQUEST)

    assert [call[0] for call in airflow.asked] == ["PATCH", "PATCH", "PATCH", "GET"]


def test_what_would_be_done_twice_is_not_asked_again(airflow, api):
    airflow.conflicts = 1

    with pytest.raises(UnreachableError, match="HTTP 500, Database error"):
        api.submit(REQUEST, {})
    assert len(airflow.asked) == 1


@pytest.fixture
def lims(airflow):
    lims = LimsApi(airflow.url, user="ada", password=airflow.password)
    yield lims
    lims.close()


def test_a_request_is_cancelled_by_the_lab_s_own_route_with_the_reason(airflow, lims):
    route = "/lims/api/v1/requests/TR-000042/cancel"
    airflow.answers[f"POST {route}"] = (200, {"status": "cancelled"})

    assert lims.cancel_request("TR-000042", reason="no cell") == {"status": "cancelled"}
    assert airflow.asked == [("POST", route, {}, {"reason": "no cell"})]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, ForbiddenError), (404, UnknownError), (409, ConflictError), (422, RequestError), (503, UnreachableError)],
)
def test_what_the_lab_refuses_is_told_in_its_own_words(airflow, lims, status, kind):
    airflow.answers["GET /lims/api/v1/requests/TR-000042"] = (status, {"detail": "TR-000042 is completed."})

    with pytest.raises(kind, match=r"^TR-000042 is completed\.$"):
        lims.request("TR-000042")
