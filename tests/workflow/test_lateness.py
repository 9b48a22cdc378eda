"""What is late is told once: in the log and in the request's area."""

import json
from datetime import timedelta

import pytest

from tests.fakes import INCLUDE, NOON, REQUEST_UUID, request_document
from twinbench.core.lateness import Patience
from twinbench.workflow.booked_benches import begin_assignment
from twinbench.workflow.intake import register
from twinbench.workflow.lateness import LATE, tell_late_benches, tell_late_stage
from twinbench.workflow.planning import physical_assignments

DUE = NOON - timedelta(minutes=1)


@pytest.fixture
def patience():
    return Patience.from_document(json.loads((INCLUDE / "catalogue" / "lateness.json").read_text()))


def later(fake, hours):
    object.__setattr__(fake.lab, "now", lambda: NOON + timedelta(hours=hours))


def test_models_that_are_not_there_in_time_are_told_once(fake, patience):
    register(fake.lab, REQUEST_UUID, request_document(), REQUEST_UUID)

    told = [tell_late_stage(fake.lab, REQUEST_UUID, patience, stage="models-received", due=DUE) for _ in range(2)]

    assert told == ["the digital twin's models are not there", ""]
    (entry,) = fake.lab.area(REQUEST_UUID).read_json(LATE)
    assert (entry["stage"], entry["due"], entry["noticed"]) == ("models-received", DUE.isoformat(), NOON.isoformat())
    assert "LATE: TR-000001: the digital twin's models are not there (due 2026-11-20 11:59 UTC)" in fake.said


def test_a_request_that_is_in_time_is_not_told(fake, patience):
    register(fake.lab, REQUEST_UUID, request_document(), REQUEST_UUID)
    fake.lab.requests.set_status(REQUEST_UUID, "designed", at=NOON)

    assert tell_late_stage(fake.lab, REQUEST_UUID, patience, stage="models-received", due=DUE) == ""
    assert not fake.lab.area(REQUEST_UUID).exists(LATE)


def test_a_run_that_is_not_even_registered_is_told(fake, patience):
    assert "not registered" in tell_late_stage(fake.lab, REQUEST_UUID, patience, stage="forwarded", due=DUE)
    assert any("LATE" in line for line in fake.said)


@pytest.mark.thorough
def test_a_test_that_does_not_begin_or_does_not_end_is_told(fake, planned, patience):
    planned(test_bench="Physical", runs=1)
    assert tell_late_benches(fake.lab, patience) == []

    later(fake, 0.3)
    (told,) = tell_late_benches(fake.lab, patience)
    assert (told["request"], told["dag_run_id"]) == ("TR-000001", "a run id")
    assert "has not begun on cycler-1" in told["late"]
    (assignment,) = physical_assignments(fake.lab, REQUEST_UUID)
    assert begin_assignment(fake.lab, REQUEST_UUID, assignment)["begun"]

    later(fake, 9)
    (told,) = tell_late_benches(fake.lab, patience)
    assert "takes longer than planned" in told["late"]
    assert tell_late_benches(fake.lab, patience) == []
