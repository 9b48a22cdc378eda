"""The lab plans around what is booked; when a bench fails or a test overruns, little moves and people learn why."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.fakes import NOON, REQUEST_UUID, request_document
from twinbench.core.errors import BenchTakenError, PlanError, RequestError
from twinbench.workflow.booked_benches import begin_assignment, end_assignment
from twinbench.workflow.design import design_runs
from twinbench.workflow.intake import register, stage_bundle
from twinbench.workflow.planning import PLAN, physical_assignments, plan_benches, virtual_assignments
from twinbench.workflow.replanning import close_and_replan, replan_lab

OTHER = str(uuid.UUID(int=7))


@pytest.fixture
def ask(fake):
    """Brings a request up to its plan."""

    def bring(request_uuid=REQUEST_UUID, **changes):
        register(fake.lab, request_uuid, request_document(**changes), "a run id")
        fake.drop_bundle(request_uuid)
        stage_bundle(fake.lab, request_uuid)
        design_runs(fake.lab, request_uuid)
        plan_benches(fake.lab, request_uuid)
        return fake.lab.area(request_uuid)

    return bring


def at(fake, moment):
    object.__setattr__(fake.lab, "now", lambda: moment)


def held(fake, request_uuid):
    return [(one.bench, one.start, one.end) for one in fake.bookings.of_request(request_uuid) if one.state.holds]


def test_a_plan_is_booked_and_promised(fake, ask):
    ask(test_bench="Physical", runs=2)

    (booking,) = fake.bookings.of_request(REQUEST_UUID)

    assert (booking.bench, booking.start, booking.state) == ("cycler-1", NOON, "promised")
    assert booking.document["runs"] == [1, 2]
    assert "as asked for" in booking.document["reason"]


def test_a_second_request_plans_around_the_first(fake, ask):
    ask(test_bench="Physical")
    ask(OTHER, test_bench="Physical")

    ((_, _, first_end),) = held(fake, REQUEST_UUID)
    ((bench, second_start, _),) = held(fake, OTHER)

    assert (bench, second_start) == ("cycler-1", first_end)
    (second,) = fake.bookings.of_request(OTHER)
    assert "cycler-1 is taken" in second.document["waits_for"]
    assert "TR-000001" in second.document["waits_for"]
    assert fake.bookings.of_request(REQUEST_UUID)[0].document["waits_for"] == ""


def test_nothing_is_planned_while_a_bench_is_out_of_service(fake, ask):
    back = NOON + timedelta(hours=30)
    fake.bookings.close("cycler-1", NOON, back, reason="calibration", by="Ada", at=NOON)

    ask(test_bench="Physical")

    assert held(fake, REQUEST_UUID)[0][1] == back


def test_an_operator_is_in_one_place_at_a_time(fake, ask):
    """One operator sets up both benches, one after the other; a night lies between the day's last and first hour."""
    cycler = replace(
        fake.lab.catalogue.bench("cycler-1"),
        setup_min=60,
        demands=({"resource": "operator", "during": ["setup", "teardown"]},),
    )
    hours = [{"days": ["Mon", "Tue", "Wed", "Thu", "Fri"], "from": "08:00", "to": "18:00"}]
    catalogue = replace(
        fake.lab.catalogue,
        benches=(cycler, replace(cycler, name="cycler-2")),
        resources={"timezone": "UTC", "resources": [{"name": "operator", "capacity": 1, "hours": hours}]},
    )
    object.__setattr__(fake.lab, "catalogue", catalogue)
    at(fake, NOON + timedelta(hours=4, minutes=30))

    ask(test_bench="Physical")
    ask(OTHER, test_bench="Physical")

    assert held(fake, REQUEST_UUID)[0][1] == NOON + timedelta(hours=4, minutes=30)
    assert held(fake, OTHER)[0][1] == datetime.fromisoformat("2026-11-23T08:00:00+00:00")
    assert fake.bookings.of_request(OTHER)[0].document["resources"] == {"operator": 1}


def test_a_bench_that_was_taken_while_a_plan_was_made_is_planned_around(fake, ask, monkeypatch):
    book, raced = fake.bookings.book, []

    def slow(request_uuid, bookings, *, at):
        if not raced:
            raced.append(request_uuid)
            raise BenchTakenError("Bench virtual-1 is taken: plan again around it.")
        book(request_uuid, bookings, at=at)

    monkeypatch.setattr(fake.bookings, "book", slow)

    ask()

    assert held(fake, REQUEST_UUID)
    assert any("taken" in line for line in fake.said)


def test_a_failed_bench_moves_what_waits_for_it_and_says_why(fake, ask):
    ask(test_bench="Physical", preferred_date="2026-11-21T08:30:00Z")
    until = "2026-11-22T08:00:00+00:00"

    told = close_and_replan(fake.lab, {"bench": "cycler-1", "reason": "relay welded", "until": until})

    (moved,) = told["moved"]
    assert (moved["bench"], moved["start"]) == ("cycler-1", until)
    assert moved["because"] == "Bench cycler-1 is out of service: relay welded."
    (assignment,) = physical_assignments(fake.lab, REQUEST_UUID)
    assert assignment["start"] == until
    assert held(fake, REQUEST_UUID)[0][1] == datetime.fromisoformat(until)
    assert fake.lab.area(REQUEST_UUID).read_json(PLAN)["assignments"][0]["moved"][0]["because"] == moved["because"]


def test_a_bench_that_comes_back_within_a_minute_is_used_from_the_next_one(fake, ask):
    ask(test_bench="Physical", preferred_date="2026-11-21T08:30:00Z")

    close_and_replan(fake.lab, {"bench": "cycler-1", "reason": "relay", "until": "2026-11-21T08:45:10Z"})

    assert held(fake, REQUEST_UUID)[0][1] == datetime.fromisoformat("2026-11-21T08:46:00Z")


def test_a_bench_that_has_just_come_back_takes_the_place_of_one_that_fails(fake, ask):
    ask(test_bench="Virtual", runs=1)
    ((bench, _, _),) = held(fake, REQUEST_UUID)
    other = {"virtual-1": "virtual-2", "virtual-2": "virtual-1"}[bench]
    fake.bookings.close(other, NOON, None, reason="licence", by="Ada", at=NOON)
    fake.bookings.reopen(other, at=NOON + timedelta(seconds=10))
    at(fake, NOON + timedelta(seconds=40))

    close_and_replan(fake.lab, {"bench": bench, "reason": "licence"})

    assert [one[:2] for one in held(fake, REQUEST_UUID)] == [(other, NOON + timedelta(minutes=1))]


def test_what_a_failed_bench_does_not_touch_stays_to_the_minute(fake, ask):
    ask(test_bench="Virtual", runs=6, preferred_date="2026-11-21T08:30:00Z")
    ask(OTHER, test_bench="Physical", preferred_date="2026-11-21T08:30:00Z")
    before = held(fake, REQUEST_UUID)

    told = close_and_replan(fake.lab, {"bench": "cycler-1", "reason": "relay welded"})

    assert held(fake, REQUEST_UUID) == before
    assert told["moved"] == []
    assert [one["runs"] for one in told["stuck"]] == [[1, 2, 3, 4]]
    assert "No other bench can take it" in told["stuck"][0]["because"]


def test_virtual_runs_go_to_another_bench_when_theirs_fails(fake, ask):
    ask(test_bench="Virtual", runs=1, preferred_date="2026-11-21T08:30:00Z")
    ((bench, start, _),) = held(fake, REQUEST_UUID)

    close_and_replan(fake.lab, {"bench": bench, "reason": "licence"})

    ((other, then, _),) = held(fake, REQUEST_UUID)
    assert (other != bench, then) == (True, start)
    assert virtual_assignments(fake.lab, REQUEST_UUID)[0]["bench"] == other


def test_an_overrun_pushes_what_comes_behind_it(fake, ask):
    ask(test_bench="Physical")
    ask(OTHER, test_bench="Physical")
    (assignment,) = physical_assignments(fake.lab, REQUEST_UUID)
    begin_assignment(fake.lab, REQUEST_UUID, assignment)
    ((_, _, end),) = held(fake, REQUEST_UUID)
    at(fake, end + timedelta(minutes=1))

    (moved,) = replan_lab(fake.lab)["moved"]

    assert datetime.fromisoformat(moved["start"]) >= end + timedelta(minutes=16)
    assert "takes longer than planned" in moved["because"]


def test_a_lab_in_order_is_left_alone(fake, ask):
    ask(test_bench="Physical")
    before = held(fake, REQUEST_UUID)

    assert close_and_replan(fake.lab, {"bench": "", "reason": ""})["moved"] == []
    assert held(fake, REQUEST_UUID) == before


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"bench": "cycler-9", "reason": "x"}, "There is no bench 'cycler-9'.*cycler-1"),
        ({"bench": "cycler-1", "reason": "x", "until": "tomorrow"}, "until 'tomorrow'"),
        ({"bench": "cycler-1", "reason": "x", "until": "2020-01-01T00:00:00Z"}, "until '2020"),
        ({"bench": "cycler-1", "reason": ""}, "for no reason: say one"),
    ],
)
def test_a_bench_that_is_taken_out_of_service_wrongly_is_refused(fake, parameters, message):
    with pytest.raises(RequestError, match=message):
        close_and_replan(fake.lab, parameters)


def test_a_task_that_waited_learns_where_its_runs_are_now(fake, ask):
    ask(test_bench="Virtual", runs=1, preferred_date="2026-11-21T08:30:00Z")
    (assignment,) = virtual_assignments(fake.lab, REQUEST_UUID)
    close_and_replan(fake.lab, {"bench": assignment["bench"], "reason": "licence"})
    at(fake, datetime.fromisoformat(assignment["start"]))

    begun = begin_assignment(fake.lab, REQUEST_UUID, assignment)

    assert begun["begun"]
    assert begun["bench"] != assignment["bench"]


def test_what_begins_too_early_waits(fake, ask):
    ask(preferred_date="2026-11-21T08:30:00Z")
    (assignment, *_) = virtual_assignments(fake.lab, REQUEST_UUID)

    assert begin_assignment(fake.lab, REQUEST_UUID, assignment)["begun"] is False


def test_a_bench_is_free_once_its_runs_are_done(fake, ask):
    ask(test_bench="Physical")
    (assignment,) = physical_assignments(fake.lab, REQUEST_UUID)
    begin_assignment(fake.lab, REQUEST_UUID, assignment)
    at(fake, NOON + timedelta(minutes=5))

    end_assignment(fake.lab, REQUEST_UUID, assignment)

    assert fake.bookings.active(after=NOON) == []


def test_a_request_that_is_resumed_books_its_bench_again_or_says_that_it_is_gone(fake, ask):
    ask(test_bench="Physical")
    (assignment,) = physical_assignments(fake.lab, REQUEST_UUID)
    fake.bookings.release(REQUEST_UUID, at=NOON)

    assert begin_assignment(fake.lab, REQUEST_UUID, assignment)["begun"]
    fake.bookings.release(REQUEST_UUID, at=NOON + timedelta(minutes=1))
    at(fake, NOON + timedelta(minutes=1))
    ask(OTHER, test_bench="Physical")

    with pytest.raises(PlanError, match="clear its task `plan_benches`"):
        begin_assignment(fake.lab, REQUEST_UUID, assignment)
