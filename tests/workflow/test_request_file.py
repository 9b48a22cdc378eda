"""The file of a request tells what was, what is and what is to come, however far the request has come."""

from datetime import timedelta

import pytest

from tests.fake_desk import ADA, carry_out, make_desk
from tests.fakes import NOON, request_document
from twinbench.workflow.request_file import open_file
from twinbench.workflow.requesting import cancel, submit


@pytest.fixture
def desk_and_fake(tmp_path):
    return make_desk(tmp_path)


@pytest.fixture
def file_of(desk_and_fake):
    """The file of a new request, brought as far as is said."""
    desk, fake = desk_and_fake

    def bring(until=None, then=lambda desk, made: None):
        made = submit(desk, ADA, request_document(runs=2))
        if until:
            carry_out(desk, fake, made.uuid, until=until)
        then(desk, made)
        return open_file(desk, desk.register.get(made.uuid))

    return bring


def states(file):
    return [stage.state for stage in file.stages()]


def test_a_new_request_has_all_before_it(file_of):
    file = file_of()

    first, *rest = file.stages()
    assert (first.state, first.is_current, first.actor) == ("submitted", True, "ada")
    assert first.duration_s(NOON + timedelta(minutes=5)) == 300
    assert [stage.at for stage in rest] == [None] * 7
    assert rest[-1].state == "completed"
    assert (file.runs(), file.results(), file.findings, file.diagnosis) == ([], [], [], {})
    assert not file.has_report


def test_a_planned_request_tells_when_it_will_run(file_of):
    file = file_of("planned")

    expected = {stage.state: stage.expected for stage in file.stages() if stage.expected}
    assert list(expected) == ["running", "evaluated"]
    assert NOON <= expected["running"] < expected["evaluated"]
    assert {run["status"] for run in file.runs()} == {"planned"}
    assert all(run["start_min"] < run["end_min"] for run in file.runs())


@pytest.mark.thorough
def test_a_completed_request_has_everything_and_nothing_to_come(file_of):
    file = file_of("completed")

    assert file.is_over
    assert states(file)[-1] == "completed"
    assert all(stage.at for stage in file.stages())
    assert file.has_report
    assert [run["status"] for run in file.runs()] == ["completed"] * 2
    for row, run in zip(file.results(), file.runs(), strict=True):
        assert row == {
            "run": run["run"],
            **run["levels"],
            "bench": run["bench"],
            "status": "completed",
            **run["figures"],
        }
    assert file.provenance["models"]


def test_what_was_cancelled_has_nothing_to_come(file_of):
    file = file_of("planned", lambda desk, made: cancel(desk, ADA, made.number, reason="no cell"))

    assert (states(file)[-1], file.stages()[-1].reason, file.stages()[-1].actor) == ("cancelled", "no cell", "ada")


def test_why_it_failed_is_told_while_it_is_failed_and_no_longer_when_it_goes_on(desk_and_fake, file_of):
    desk, fake = desk_and_fake
    worst = {"code": "X", "severity": "error", "where": "here", "message": "is wrong", "hint": "mend it"}
    note = {**worst, "severity": "note"}

    def fail(desk, made):
        document = {"stage": "report", "error": "It is.", "findings": [note, worst], "when": NOON.isoformat()}
        fake.lab.area(made.uuid).write_json("diagnosis.json", document)
        desk.register.set_status(made.uuid, "failed", at=NOON, reason="It is.")

    file = file_of(None, fail)

    assert file.diagnosis["stage"] == "report"
    assert [finding["severity"] for finding in file.findings] == ["error", "note"]
    assert states(file) == ["submitted", "failed"]

    desk.register.set_status(file.row["uuid"], "planned", at=NOON)

    assert open_file(desk, desk.register.get(file.row["uuid"])).diagnosis == {}
