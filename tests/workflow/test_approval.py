"""A person agrees before an abuse test begins on a physical bench; who did is kept, and no is no."""

from datetime import datetime, timedelta

import pytest

from tests.fakes import NOON, REQUEST_UUID, request_document
from twinbench.core.errors import RequestError
from twinbench.workflow.approval import APPROVAL, approval_needed, record_decision
from twinbench.workflow.booked_benches import begin_assignment
from twinbench.workflow.headline import headline
from twinbench.workflow.intake import register
from twinbench.workflow.planning import physical_assignments

pytestmark = pytest.mark.thorough

ABUSE = {"standard": "IEC62660-3:2022", "test_name": "Electrical - Forced discharge", "runs": 1}
YES = {"decision": "Approve", "by": "Grace Hopper", "by_id": "7", "at": NOON.isoformat(), "comment": "all clear"}
NO = {**YES, "decision": "Reject", "comment": "the chamber is open"}


class Audit:
    """An audit log, in a list."""

    def __init__(self):
        self.lines = []

    def note(self, actor, action, subject, details, *, at):
        self.lines.append((actor, action, subject, details["comment"], at))


@pytest.fixture
def audit():
    return Audit()


def later(fake, minutes):
    object.__setattr__(fake.lab, "now", lambda: NOON + timedelta(minutes=minutes))


def test_a_request_is_named_by_its_number_and_what_it_is_about(fake):
    register(fake.lab, REQUEST_UUID, request_document(), REQUEST_UUID)

    assert headline(fake.lab, REQUEST_UUID) == (
        "TR-000001: Performance - Power (IEC62660) on Gen3b - Cell for Ada Lovelace"
    )


def test_who_is_asked_is_told_what_begins_where_and_when(fake, planned):
    planned(test_bench="Physical", **ABUSE)

    question = approval_needed(fake.lab, REQUEST_UUID)

    assert question["subject"] == "TR-000001: may 'Electrical - Forced discharge' begin on cycler-1?"
    for said in (
        "Gen3b - Cell",
        "safety-electrical",
        "6.4.3",
        "cycler-1",
        "2026-11-20 12:00 UTC",
        " A at 25",
        "min",
        "Four eyes",
    ):
        assert said in question["body"]
    assert [(one["bench"], one["runs"]) for one in question["asked"]] == [("cycler-1", [1])]


@pytest.mark.parametrize(
    "changes", [{"test_bench": "Physical", "runs": 1}, {"test_bench": "Virtual", **ABUSE}], ids=["no abuse", "virtual"]
)
def test_nobody_is_asked_without_need(fake, planned, changes):
    planned(**changes)

    assert approval_needed(fake.lab, REQUEST_UUID) is None


def test_who_has_approved_is_kept(fake, planned, audit):
    area = planned(test_bench="Physical", **ABUSE)

    record_decision(fake.lab, REQUEST_UUID, YES, audit)

    (entry,) = area.read_json(APPROVAL)
    assert (entry["decision"], entry["by"], entry["comment"], entry["round"]) == (
        "Approve",
        "Grace Hopper",
        "all clear",
        1,
    )
    assert entry["asked"][0]["bench"] == "cycler-1"
    assert audit.lines == [("Grace Hopper", "approve abuse test", "TR-000001", "all clear", NOON)]


@pytest.mark.parametrize("who", ["lab-42", "LAB-42", "starter"])
def test_nobody_approves_a_test_that_the_same_person_has_asked_for(fake, planned, audit, who):
    area = planned(test_bench="Physical", **ABUSE)
    before = physical_assignments(fake.lab, REQUEST_UUID)
    later(fake, 600)

    kept = record_decision(fake.lab, REQUEST_UUID, {**YES, "by": who}, audit, ["starter"])

    assert f"{who} has asked for this test and may not approve it as well" in kept["refused"]
    assert area.read_json(APPROVAL) == [kept]
    assert audit.lines[0][:2] == (who, "approve own abuse test")
    assert physical_assignments(fake.lab, REQUEST_UUID) == before
    assert "refused" not in record_decision(fake.lab, REQUEST_UUID, YES, audit, ["starter"])


def test_whoever_asks_on_behalf_of_somebody_else_does_not_approve_either(fake, planned, audit):
    planned(test_bench="Physical", **ABUSE)
    fake.requests.rows[REQUEST_UUID]["submitted_by"] = "otto"

    assert "refused" in record_decision(fake.lab, REQUEST_UUID, {**YES, "by": "otto"}, audit)


def test_whoever_has_asked_for_a_test_may_reject_it(fake, planned, audit):
    planned(test_bench="Physical", **ABUSE)

    with pytest.raises(RequestError, match="lab-42 has rejected"):
        record_decision(fake.lab, REQUEST_UUID, {**NO, "by": "lab-42"}, audit)


def test_no_is_told_with_the_reason_and_kept_too(fake, planned, audit):
    area = planned(test_bench="Physical", **ABUSE)

    with pytest.raises(RequestError, match=r"Grace Hopper has rejected .* the chamber is open.*approve_abuse"):
        record_decision(fake.lab, REQUEST_UUID, NO, audit)

    assert area.read_json(APPROVAL)[0]["decision"] == "Reject"
    assert audit.lines[0][:2] == ("Grace Hopper", "reject abuse test")


def test_an_approval_in_time_keeps_the_plan(fake, planned, audit):
    planned(test_bench="Physical", **ABUSE)
    before = physical_assignments(fake.lab, REQUEST_UUID)
    later(fake, 1)

    record_decision(fake.lab, REQUEST_UUID, YES, audit)

    assert physical_assignments(fake.lab, REQUEST_UUID) == before


def test_an_approval_that_comes_after_the_planned_start_plans_the_bench_again(fake, planned, audit):
    """Otherwise the test would begin in somebody else's time."""
    planned(test_bench="Physical", **ABUSE)
    (before,) = physical_assignments(fake.lab, REQUEST_UUID)
    later(fake, 600)

    record_decision(fake.lab, REQUEST_UUID, YES, audit)

    (after,) = physical_assignments(fake.lab, REQUEST_UUID)
    assert after["runs"] == before["runs"]
    assert datetime.fromisoformat(after["start"]) == NOON + timedelta(minutes=600)
    assert begin_assignment(fake.lab, REQUEST_UUID, before)["begun"]


def test_a_request_that_was_rejected_may_be_approved_when_it_is_asked_again(fake, planned, audit):
    area = planned(test_bench="Physical", **ABUSE)
    with pytest.raises(RequestError):
        record_decision(fake.lab, REQUEST_UUID, NO, audit)
    fake.bookings.release(REQUEST_UUID, at=NOON)
    fake.lab.requests.set_status(REQUEST_UUID, "failed", at=NOON)

    record_decision(fake.lab, REQUEST_UUID, YES, audit)

    assert [entry["decision"] for entry in area.read_json(APPROVAL)] == ["Reject", "Approve"]
    assert fake.requests.rows[REQUEST_UUID]["status"] == "planned"
    assert [one.bench for one in fake.bookings.of_request(REQUEST_UUID) if one.state.holds] == ["cycler-1"]
