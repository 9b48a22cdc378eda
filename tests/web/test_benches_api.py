"""REST: what each bench does and when it has room; out of service and back, with the lab planned again."""

from datetime import datetime, timedelta

import pytest

from tests.fake_desk import ADA, OTTO, carry_out
from tests.fakes import NOON

BENCHES = "/api/v1/benches"
CLOSURE = f"{BENCHES}/cycler-1/closure"


@pytest.fixture
def booked(as_, asked, desk, fake):
    """The bench that a planned request has, and that request's number."""
    told = as_(ADA)("POST", "/api/v1/requests", json=asked(runs=1)).json()
    carry_out(desk, fake, told["uuid"], until="planned")
    (booking,) = desk.lab.bookings.active(after=NOON)
    return booking.bench, told["request_number"]


def test_all_benches_are_told_as_the_catalogue_has_them(as_):
    benches = {bench["name"]: bench for bench in as_(ADA)("GET", BENCHES).json()}

    assert list(benches) == ["virtual-1", "virtual-2", "cycler-1"]
    assert (benches["virtual-1"]["state"], benches["virtual-1"]["liveness"]) == ("free", "online")
    assert (benches["cycler-1"]["state"], benches["cycler-1"]["heard_at"]) == ("unknown", None)
    assert datetime.fromisoformat(benches["virtual-1"]["free_at"]) == NOON


@pytest.mark.parametrize(("word", "state"), [("idle", "free"), ("offline", "offline")])
def test_a_physical_bench_is_what_it_said_last(as_, desk, word, state):
    desk.live.states["cycler-1"] = {"state": word, "heard_at": NOON}

    assert as_(ADA)("GET", f"{BENCHES}/cycler-1").json()["state"] == state


def test_a_booked_bench_is_busy_until_its_booking_ends(as_, booked, desk):
    bench, number = booked

    told = as_(OTTO)("GET", f"{BENCHES}/{bench}").json()

    (booking,) = told["bookings"]
    assert (booking["request_number"], booking["runs"]) == (number, [1])
    assert told["state"] == "busy"
    assert told["free_at"] == booking["end"]


def test_a_bench_that_there_is_none_of_gets_a_suggestion(as_):
    for method, path in (("GET", ""), ("POST", "/closure"), ("DELETE", "/closure")):
        answer = as_(OTTO)(method, f"{BENCHES}/cycler-2{path}", json={"reason": "x"} if method == "POST" else None)
        assert answer.status_code == 404
        assert "did you mean 'cycler-1'?" in answer.json()["detail"]


def test_a_bench_is_taken_out_of_service_until_further_notice_and_put_back(as_, desk):
    closed = as_(OTTO)("POST", CLOSURE, json={"reason": "calibration"})

    assert closed.json() == {
        "bench": "cycler-1",
        "reason": "calibration",
        "until": None,
        "laid_over": 0,
        "replanning": "",
    }
    told = as_(ADA)("GET", f"{BENCHES}/cycler-1").json()
    assert told["state"] == "closed"
    assert (told["closures"][0]["reason"], told["closures"][0]["by"], told["closures"][0]["end"]) == (
        "calibration",
        "otto",
        None,
    )

    opened = as_(OTTO)("DELETE", CLOSURE)

    assert [one["reason"] for one in opened.json()] == ["calibration"]
    assert as_(ADA)("GET", f"{BENCHES}/cycler-1").json()["closures"] == []
    assert [line["action"] for line in desk.audit.lines] == ["take out of service", "put back into service"]


def test_bookings_that_lie_in_the_time_are_planned_again(as_, booked, desk):
    bench, _ = booked

    answer = as_(OTTO)("POST", f"{BENCHES}/{bench}/closure", json={"reason": "smoke"})

    assert (answer.json()["laid_over"], answer.json()["replanning"]) == (1, "manual__replan")
    assert [asked[0] for asked in desk.airflow.asked] == ["replan"]


def test_a_bench_comes_back_by_itself_when_its_time_is_over(as_):
    until = NOON + timedelta(hours=2)

    as_(OTTO)("POST", CLOSURE, json={"reason": "calibration", "until": until.isoformat()})

    assert datetime.fromisoformat(as_(ADA)("GET", f"{BENCHES}/cycler-1").json()["free_at"]) == until


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"reason": "  "},
        {"reason": "x" * 501},
        {"reason": "x", "until": "soon"},
        {"reason": "x", "until": "2020-01-01T00:00:00Z"},
        {"reason": "x", "until": "2030-01-01T00:00:00"},
        {"reason": "x", "until": "9999-12-31T23:59:59Z"},
        {"reason": "x", "until": "0001-01-01T00:00:00+23:59"},
        {"reason": "x", "until": 1e300},
    ],
    ids=str,
)
def test_without_a_reason_or_with_a_time_that_is_none_nothing_is_closed(as_, desk, body):
    answer = as_(OTTO)("POST", CLOSURE, json=body)

    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"]
    assert desk.lab.bookings.closures(after=NOON) == []


def test_a_bench_in_service_cannot_be_put_back(as_):
    answer = as_(OTTO)("DELETE", CLOSURE)

    assert answer.status_code == 422
    assert "is in service" in answer.json()["detail"]
