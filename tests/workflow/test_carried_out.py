"""What became of a bench plan is told beside it: while it goes on, when it is over, and when it was cut short."""

from datetime import timedelta

import pytest

from tests.fake_desk import ADA, BOB, carry_out, make_desk
from tests.fakes import NOON, request_document
from twinbench.core.booking import BookingState
from twinbench.workflow.booked_benches import begin_assignment, end_assignment
from twinbench.workflow.carried_out import as_document, goes_of, others_beside
from twinbench.workflow.planning import virtual_assignments
from twinbench.workflow.request_file import open_file
from twinbench.workflow.requesting import submit

MINUTE = timedelta(minutes=1)


@pytest.fixture
def lab(tmp_path):
    return make_desk(tmp_path)


@pytest.fixture
def planned(lab):
    """A planned request: its UUID."""
    desk, fake = lab
    made = submit(desk, ADA, request_document(runs=2))
    carry_out(desk, fake, made.uuid, until="planned")
    return made.uuid


def at(lab, minutes):
    object.__setattr__(lab[0].lab, "now", lambda: NOON + minutes * MINUTE)


def goes(lab, uuid):
    desk = lab[0]
    return goes_of(desk.lab, open_file(desk, desk.register.get(uuid)))


def carry(lab, uuid, step):
    for assignment in virtual_assignments(lab[0].lab, uuid):
        step(lab[0].lab, uuid, assignment)


def test_nothing_is_told_before_there_is_a_plan(lab):
    made = submit(lab[0], ADA, request_document())

    assert goes(lab, made.uuid) == []


def test_what_is_planned_has_no_attempt_and_says_why_it_is_there(lab, planned):
    found = goes(lab, planned)

    assert sorted(run.run for go in found for run in go.runs) == [1, 2]
    assert {go.state for go in found} == {"planned"}
    assert all(go.why[0] == "Virtual, as asked for." for go in found)
    assert all(go.late(go.start) is None for go in found)
    assert found[0].late(found[0].start + 5 * MINUTE) == 5 * MINUTE


def test_what_runs_has_begun_and_no_end(lab, planned):
    at(lab, 2)
    carry(lab, planned, begin_assignment)

    for go in goes(lab, planned):
        assert (go.state, go.last.began_at, go.last.ended_at) == ("running", NOON + 2 * MINUTE, None)
        assert go.late(go.end) is None
        assert go.late(go.end + 7 * MINUTE) == 7 * MINUTE


def test_what_is_done_is_told_with_its_end_and_how_far_from_the_plan_that_is(lab, planned):
    at(lab, 2)
    carry(lab, planned, begin_assignment)
    at(lab, 9)
    carry(lab, planned, end_assignment)

    for go in goes(lab, planned):
        assert (go.state, go.last.ended_at) == ("done", NOON + 9 * MINUTE)
        assert go.late(NOON + 99 * MINUTE) == NOON + 9 * MINUTE - go.end
        assert as_document(go)["attempts"][0]["began_at"] == NOON + 2 * MINUTE


def test_what_was_cut_short_stays_beside_what_followed(lab, planned):
    """A request that fails gives its benches back; one that is resumed books them again."""
    fake = lab[1]
    carry(lab, planned, begin_assignment)
    fake.bookings.release(planned, at=NOON + MINUTE)
    at(lab, 3)
    carry(lab, planned, begin_assignment)

    for go in goes(lab, planned):
        assert [(one.state, one.ended_at) for one in go.attempts] == [("cut short", NOON + MINUTE), ("running", None)]


def test_a_booking_of_before_anybody_noted_times_claims_none(lab, planned):
    fake = lab[1]
    carry(lab, planned, begin_assignment)
    for number, row in fake.bookings.rows.items():
        fake.bookings.rows[number] = type(row)(**{**vars(row), "began_at": None, "state": BookingState.DONE})

    assert [go.attempts for go in goes(lab, planned)] == [[]] * len(goes(lab, planned))


def test_others_that_are_before_it_on_the_same_benches_are_told_until_it_is_over(lab, planned):
    desk, fake = lab
    later = submit(desk, BOB, request_document(runs=2))
    carry_out(desk, fake, later.uuid, until="planned")

    before = others_beside(desk.lab, open_file(desk, desk.register.get(later.uuid)), goes(lab, later.uuid))

    assert {one.request_uuid for one in before} == {planned}
    assert {one.bench for one in before} <= {go.bench for go in goes(lab, later.uuid)}
    desk.register.set_status(later.uuid, "failed", at=NOON)
    assert others_beside(desk.lab, open_file(desk, desk.register.get(later.uuid)), goes(lab, later.uuid)) == []
