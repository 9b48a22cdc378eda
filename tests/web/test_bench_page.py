"""A bench's page tells what it does, did and will do, and to whom it may tell for whom."""

from datetime import timedelta

import pytest

from tests.fake_desk import ADA, OTTO, TWIN, carry_out
from tests.fakes import NOON, request_document
from tests.web.markup import assert_sound
from twinbench.workflow.booked_benches import begin_assignment, end_assignment
from twinbench.workflow.planning import virtual_assignments
from twinbench.workflow.requesting import submit

HOUR = timedelta(hours=1)
READING = {
    "kind": "telemetry",
    "topic": "lab/v1/benches/cycler-1/telemetry",
    "heard_at": NOON,
    "run": 1,
    "run_uuid": "a run",
    "seq": 7,
    "final": False,
    "reading": {"time_s": 90.0, "Cell_Voltage_01": 3.7, "<b>": "<i>"},
}


@pytest.fixture
def planned(lab):
    """A planned request of two runs: its submission."""
    made = submit(lab[0], ADA, request_document(runs=2))
    carry_out(*lab, made.uuid, until="planned")
    return made


def carry(lab, made, *steps):
    for step in steps:
        for assignment in virtual_assignments(lab[0].lab, made.uuid):
            step(lab[0].lab, made.uuid, assignment)


def test_an_idle_bench_says_what_it_can_do_and_that_nothing_is_booked(shown):
    read = shown("/benches/cycler-1")

    for words in ("-30 to 30 A", "Nothing is booked", "It has done nothing yet", "Never, as far as is known"):
        assert words in read.words
    assert "Nobody knows whether it is there" in read.words
    assert "Nothing heard yet" in read.words


@pytest.mark.parametrize("name", ["cycler-1", "virtual-1", "virtual-2"])
@pytest.mark.parametrize("person", [ADA, OTTO, TWIN], ids=lambda one: one.id)
def test_it_is_linked_from_the_board_and_the_dashboard(shown, name, person):
    for path in ("/", "/benches"):
        assert shown(path, person).all("a", href=f"/lims/benches/{name}")
    assert shown(f"/benches/{name}", person).text_of("h1") == name


def test_what_is_booked_stands_in_its_queue_and_leads_to_its_request(shown, planned):
    read = shown("/benches/virtual-1")

    assert read.all("a", href=f"/lims/requests/{planned.number}")
    assert "Promised" in read.words
    assert shown(f"/requests/{planned.number}").all("a", href="/lims/benches/virtual-1")


def test_what_is_over_stands_in_its_history_with_how_long_it_took(shown, lab, planned):
    carry(lab, planned, begin_assignment)
    object.__setattr__(lab[0].lab, "now", lambda: NOON + HOUR)
    carry(lab, planned, end_assignment)

    words = shown("/benches/virtual-1").words

    assert "The last 1, the newest first" in words
    assert "1 h" in words[words.index("What it has done") :]


def test_others_learn_that_it_is_used_but_not_for_whom_nor_what_it_said(shown, as_, lab, planned):
    lab[0].live.messages["virtual-1"] = [READING]
    carry(lab, planned, begin_assignment)

    read = shown("/benches/virtual-1", TWIN)

    assert planned.number not in read.words
    assert "in use" in read.words
    assert "What it said last" not in read.words
    assert as_(TWIN)("GET", "/api/v1/benches/virtual-1/messages").status_code == 403
    (one,) = as_(TWIN)("GET", "/api/v1/benches/virtual-1").json()["bookings"]
    assert (one["request_number"], one["began_at"][:10]) == (None, "2026-11-20")


def test_what_it_said_last_is_told_by_topic_with_the_last_reading(shown, as_, desk):
    desk.live.messages["cycler-1"] = [READING]
    desk.live.states["cycler-1"] = {"state": "idle", "heard_at": NOON}

    read = shown("/benches/cycler-1")

    for words in (READING["topic"], "Message 7 of run 1.", "Cell Voltage 01 3.7 V", "<b> <i>"):
        assert words in read.words
    assert shown("/benches/cycler-1/part/messages", whole=False).ids[0] == "bench-messages"
    assert as_(OTTO)("GET", "/api/v1/benches/cycler-1/messages").json()[0]["seq"] == 7


def test_readings_of_the_run_under_way_are_drawn(shown, desk, lab, planned):
    desk.live.messages["virtual-1"] = [READING]
    carry(lab, planned, begin_assignment)

    drawn = shown("/benches/virtual-1").all("figure")

    runs = virtual_assignments(desk.lab, planned.uuid)[0]["runs"]
    assert any(f"/runs/{runs[0]}/signals" in (one.get("data-trends") or "") for one in drawn) == (1 in runs)


def test_whoever_takes_it_out_of_service_there_comes_back_there_and_finds_the_reason(page, shown, as_):
    answer = page(OTTO)("POST", "/benches/cycler-1/close", data={"reason": "calibration", "back": "cycler-1"})

    assert answer.headers["location"].startswith("/lims/benches/cycler-1?done=cycler-1%20is%20out%20of%20service")
    assert "calibration" in shown("/benches/cycler-1").words
    (closure,) = as_(OTTO)("GET", "/api/v1/benches/cycler-1/history").json()["closures"]
    assert (closure["reason"], closure["by"]) == ("calibration", "otto")
    again = page(OTTO)("POST", "/benches/cycler-1/reopen", data={"back": "https://elsewhere.example"})
    assert again.headers["location"].startswith("/lims/benches?done=")


def test_whoever_may_not_close_it_is_not_offered_to(shown):
    assert "Take out of service" not in shown("/benches/cycler-1", ADA).words
    assert "Take out of service" in shown("/benches/cycler-1", OTTO).words


@pytest.mark.parametrize("path", ["/benches/cycler-9", "/benches/cycler-9/part/now", "/benches/cycler-9/part/messages"])
def test_a_bench_that_there_is_not_is_said_with_the_one_that_was_meant(page, path):
    answer = page(OTTO)("GET", path)

    assert answer.status_code == 404
    assert "cycler-1" in assert_sound(answer.text).words
