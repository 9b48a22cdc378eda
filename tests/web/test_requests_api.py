"""REST: requests are asked for once, found again, ended and repeated; what is wrong is named field by field."""

import csv
import io

import pytest
from fastapi.testclient import TestClient

from tests.fake_desk import ADA, BOB, MARIE, OTTO, carry_out
from tests.fakes import REQUEST_UUID, request_document
from twinbench.core.errors import LabError, RequestError
from twinbench.workflow.intake import register

REQUESTS = "/api/v1/requests"


@pytest.fixture
def submit(as_, asked):
    def send(person=ADA, key="", **changes):
        headers = {"idempotency-key": key} if key else {}
        return as_(person)("POST", REQUESTS, json=asked(**changes), headers=headers)

    return send


@pytest.fixture
def number(submit):
    return submit().json()["request_number"]


def test_a_request_is_kept_started_and_told_where_it_is(submit, as_, desk):
    answer = submit()

    told = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/lims{REQUESTS}/TR-000001"
    assert (told["request_number"], told["status"], told["submitted_by"]) == ("TR-000001", "submitted", "ada")
    assert desk.airflow.runs[told["uuid"]]["requester_name"] == "Ada Lovelace"
    for name in ("self", "history", "runs", "gantt", "results", "findings"):
        assert as_(ADA)("GET", told["links"][name].removeprefix("/lims")).status_code == 200


def test_the_same_key_and_document_are_the_same_request_and_one_run(submit, desk):
    first, again = submit(key="k-1"), submit(key="k-1")

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert again.headers["location"] == first.headers["location"]
    assert len(desk.airflow.runs) == 1
    assert [line["action"] for line in desk.audit.lines] == ["submit"]


def test_a_key_cannot_be_used_for_something_else(submit):
    submit(key="k-1")

    answer = submit(key="k-1", runs=5)

    assert answer.status_code == 409
    assert "'k-1' was used for TR-000001" in answer.json()["detail"]


def test_a_key_belongs_to_whoever_used_it(submit):
    assert submit(ADA, key="k-1").json()["uuid"] != submit(BOB, key="k-1").json()["uuid"]


def test_without_a_key_the_same_document_is_two_requests(submit, desk):
    assert submit().json()["uuid"] != submit().json()["uuid"]
    assert len(desk.airflow.runs) == 2


def test_a_key_that_is_too_long_is_refused(submit):
    answer = submit(key="k" * 201)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "idempotency-key"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"test_name": "Performance - Capacityy"}, ["test_name"]),
        ({"runs": 0, "seed": -1}, ["runs", "seed"]),
        ({"preferred_date": "soon", "uut": "Gen9", "colour": "red"}, ["preferred_date", "uut", "colour"]),
        ({"use_case": "Off-Road"}, ["use_case"]),
        ({"uut": "Gen3b - Pack"}, ["uut"]),
        ({"uut": "Gen3b - Pack", "use_case": "Off-Road"}, ["uut", "use_case"]),
        ({"standard": "IEC62660-2:2020-07", "test_name": "Mechanical - Crush"}, ["test_bench"]),
        ({"standard": "UL1642"}, ["test_name"]),
        ({"custom_profile": {"unit": "V", "values": []}}, ["custom_profile/unit", "custom_profile/values"]),
        ({"preferred_date": "9999-12-31T23:59:59Z"}, ["preferred_date"]),
        ({"preferred_date": "0001-01-01T00:00:00+23:00"}, ["preferred_date"]),
    ],
    ids=str,
)
def test_every_field_at_fault_is_named_in_the_words_of_the_dag(submit, fake, changes, fields):
    with pytest.raises(RequestError) as refused:
        register(fake.lab, REQUEST_UUID, request_document(**changes), "a run id")

    answer = submit(**changes)

    told = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance"} <= set(told)
    assert set(fields) <= {error["field"] for error in told["errors"]}
    assert told["detail"] == str(refused.value)
    assert [(one["field"], one["message"], one["hint"]) for one in told["errors"]] == [
        (finding.where, finding.message, finding.hint) for finding in refused.value.findings
    ]
    assert fake.requests.rows == {}


def test_a_missing_field_is_named_with_what_it_is_for(as_, asked):
    document = asked()
    del document["preferred_date"], document["uut"]

    errors = as_(ADA)("POST", REQUESTS, json=document).json()["errors"]

    assert {error["field"]: error["message"] for error in errors} == {
        "preferred_date": "is missing",
        "uut": "is missing",
    }
    assert all(error["hint"] for error in errors)


def test_a_name_that_is_almost_right_gets_a_suggestion(submit):
    (error,) = submit(test_name="Performance - Powerr").json()["errors"]

    assert error["hint"] == "did you mean 'Performance - Power'?"


@pytest.mark.parametrize("design", [{"kind": "magic"}, {"aim": "fame"}, {"colour": "red"}], ids=str)
def test_a_design_that_cannot_be_is_refused_before_anybody_waits_for_it(submit, fake, design):
    with pytest.raises(LabError) as refused:
        register(fake.lab, REQUEST_UUID, request_document(design=design), "a run id")

    answer = submit(design=design)

    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"] == str(refused.value)
    assert {error["field"].partition("/")[0] for error in answer.json()["errors"]} == {"design"}


def test_a_test_that_is_switched_off_cannot_be_asked_for(submit, as_):
    switched = as_(MARIE)("PATCH", "/api/v1/catalogue/test_names/Performance - Power", json={"is_active": False})

    answer = submit()

    assert switched.status_code == 200
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "test_name"
    assert "ask the lab manager" in answer.json()["detail"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"runs": NaN}'], ids=str)
def test_what_is_no_document_is_refused(as_, content):
    answer = as_(ADA)("POST", REQUESTS, content=content, headers={"content-type": "application/json"})

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_letters_that_are_none_are_refused_wherever_they_stand(as_, number, desk):
    for reason in (r"a\u0000b", r"\ud800"):
        body, headers = f'{{"reason": "{reason}"}}'.encode(), {"content-type": "application/json"}
        for path in (f"{REQUESTS}/{number}/cancel", "/api/v1/benches/cycler-1/closure"):
            answer = as_(OTTO)("POST", path, content=body, headers=headers)
            assert answer.status_code == 422, answer.text
            assert [error["field"] for error in answer.json()["errors"]] == ["reason"]
    assert desk.airflow.asked == []


def test_while_airflow_is_away_the_request_is_kept_and_started_when_sent_again(submit, as_, desk):
    desk.airflow.is_away = True
    away = submit(key="k-1")

    assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    assert as_(ADA)("GET", REQUESTS).json()["total"] == 1
    assert desk.airflow.runs == {}

    desk.airflow.is_away = False
    again = submit(key="k-1")

    assert (again.status_code, again.json()["request_number"]) == (200, "TR-000001")
    assert list(desk.airflow.runs) == [again.json()["uuid"]]


def test_requests_are_filtered_sorted_and_paged(submit, as_):
    for runs, bench in ((1, "Virtual"), (2, "Any"), (3, "Virtual")):
        submit(runs=runs, test_bench=bench)
    submit(BOB, test_name="Performance - Capacity")

    def numbers(query):
        return [int(item["request_number"][3:]) for item in as_(OTTO)("GET", f"{REQUESTS}?{query}").json()["items"]]

    assert numbers("") == [4, 3, 2, 1]
    assert numbers("descending=false") == [1, 2, 3, 4]
    assert numbers("test_bench=Any") == [2]
    assert numbers("requester=bob") == [4]
    assert numbers("text=capac") == [4]
    assert numbers("text=TR-000003") == [3]
    assert numbers("state=submitted&state=running&test_name=Performance - Power") == [3, 2, 1]
    assert numbers("state=failed") == []
    assert numbers("created_from=2026-11-21") == []
    assert numbers("per_page=3&page=2") == [1]
    page = as_(OTTO)("GET", f"{REQUESTS}?per_page=3&page=2").json()
    assert (page["total"], page["page"], page["pages"], page["per_page"]) == (4, 2, 2, 3)
    assert page["counts"]["submitted"] == 4


@pytest.mark.parametrize(
    "query",
    [
        "state=asleep",
        "sort=colour",
        "page=0",
        "page=10001",
        "per_page=201",
        "per_page=all",
        "created_from=yesterday",
        "text=" + "x" * 101,
        "uut=" + "x" * 201,
        "text=%00",
        "&".join(["state=failed"] * 11),
    ],
)
def test_a_filter_that_is_none_is_refused_in_words(as_, query):
    answer = as_(OTTO)("GET", f"{REQUESTS}?{query}")

    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_what_is_searched_for_is_data_whatever_it_looks_like(submit, as_):
    submit()

    for text in ("'; DROP TABLE test_requests; --", "' OR '1'='1", "%25", "_", "*:*", "<script>", "\\"):
        for field in ("text", "uut", "requester", "test_name"):
            answer = as_(OTTO)("GET", REQUESTS, params={field: text})
            assert answer.status_code == 200
            assert field == "text" or answer.json()["total"] == 0


def test_one_request_is_shown_with_what_was_asked_by_number_and_by_uuid(as_, number, desk):
    by_number = as_(ADA)("GET", f"{REQUESTS}/{number}").json()
    by_uuid = as_(ADA)("GET", f"{REQUESTS}/{by_number['uuid']}").json()

    assert by_number == by_uuid
    assert by_number["document"]["runs"] == 4


@pytest.mark.parametrize("number", ["TR-000002", "TR-", "nonsense", "%00", REQUEST_UUID, "TR-'; DROP TABLE x"])
def test_a_request_that_is_not_there_is_not_found(as_, number):
    answer = as_(OTTO)("GET", f"{REQUESTS}/{number}")

    assert answer.status_code == 404
    assert answer.json()["title"] == "There is no such thing"


def test_the_history_tells_what_was_and_what_is_to_come(as_, number):
    history = as_(ADA)("GET", f"{REQUESTS}/{number}/history").json()

    assert [(one["state"], one["is_current"]) for one in history][:2] == [("submitted", True), ("forwarded", False)]
    assert (history[0]["actor"], history[0]["duration_s"]) == ("ada", 0)
    assert history[-1]["state"] == "completed"


def test_a_request_that_is_cancelled_ends_gives_its_benches_back_and_says_who_and_why(as_, number, desk, fake):
    uuid = desk.register.by_number(number)["uuid"]
    carry_out(desk, fake, uuid, until="planned")
    assert desk.lab.bookings.active(after=desk.lab.now())

    answer = as_(OTTO)("POST", f"{REQUESTS}/{number}/cancel", json={"reason": "the cell is gone"})

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert desk.airflow.asked == [("cancel", uuid)]
    assert desk.lab.bookings.active(after=desk.lab.now()) == []
    last = as_(ADA)("GET", f"{REQUESTS}/{number}/history").json()[-1]
    assert (last["state"], last["actor"], last["reason"]) == ("cancelled", "otto", "the cell is gone")
    line = as_(OTTO)("GET", f"/api/v1/audit?subject={number}").json()[0]
    assert (line["actor"], line["action"], line["details"]) == ("otto", "cancel", {"reason": "the cell is gone"})


def test_what_is_over_cannot_be_cancelled(as_, submit, desk):
    first, second = (submit().json() for _ in range(2))
    desk.register.set_status(first["uuid"], "completed", at=desk.lab.now())
    as_(ADA)("POST", f"{REQUESTS}/{second['request_number']}/cancel", json={})

    for request in (first, second):
        answer = as_(ADA)("POST", f"{REQUESTS}/{request['request_number']}/cancel", json={})
        assert answer.status_code == 409
        assert "cannot be cancelled any more" in answer.json()["detail"]


def test_a_request_is_repeated_from_a_stage(as_, number, desk):
    answer = as_(OTTO)("POST", f"{REQUESTS}/{number}/retry", json={"stage": "plan_benches"})

    assert answer.status_code == 200
    assert desk.airflow.asked == [("retry", answer.json()["uuid"], "plan_benches")]
    assert desk.audit.lines[-1]["details"] == {"stage": "plan_benches"}


def test_a_stage_that_there_is_none_of_gets_a_suggestion(as_, number):
    answer = as_(OTTO)("POST", f"{REQUESTS}/{number}/retry", json={"stage": "plan_bench"})

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["hint"]) == ("stage", "did you mean 'plan_benches'?")


def test_what_was_cancelled_is_not_repeated(as_, number):
    as_(ADA)("POST", f"{REQUESTS}/{number}/cancel", json={})

    answer = as_(OTTO)("POST", f"{REQUESTS}/{number}/retry", json={"stage": "plan_benches"})

    assert answer.status_code == 409
    assert "submit it again" in answer.json()["detail"]


def test_the_list_is_there_as_a_table_and_computes_nothing_in_a_spreadsheet(as_, asked):
    for name in ("=1+1", "Ada"):
        as_(OTTO)("POST", "/api/v1/requests", json={**asked(), "requester_name": name, "requester_id": "x"})

    answer = as_(OTTO)("GET", "/api/v1/requests.csv?sort=created&descending=false")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert [row["requester_name"] for row in rows] == ["'=1+1", "Ada"]
    assert [row["request_number"] for row in rows] == ["TR-000001", "TR-000002"]


def test_a_last_day_is_meant_up_to_its_end(as_, asked, desk):
    as_(ADA)("POST", "/api/v1/requests", json=asked())
    day = desk.lab.now().date().isoformat()

    found = {to: as_(ADA)("GET", f"/api/v1/requests?created_to={to}").json()["total"] for to in (day, f"{day}T00:00Z")}

    assert found == {day: 1, f"{day}T00:00Z": 0}


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_fault_of_ours_is_told_without_its_inside(client, desk, monkeypatch, accept):
    def broken(*_arguments, **_more):
        raise KeyError("secret detail")

    monkeypatch.setattr(type(desk.register), "counts", broken)
    calm = TestClient(client.app, raise_server_exceptions=False)

    answer = calm.get("/lims/", headers={"x-person": OTTO.id, "accept": accept})

    assert answer.status_code == 500
    assert "A fault of Twinbench itself (KeyError)" in answer.text
    assert "secret detail" not in answer.text
