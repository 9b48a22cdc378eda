"""Each stage of the lab's patience is a deadline of the DAG, and what Airflow then calls tells what is late."""

import asyncio
import json
import shutil
from datetime import timedelta

import pytest

from tests.fakes import INCLUDE, NOON, REQUEST_UUID
from twinbench.orchestration import run_notes
from twinbench.orchestration.deadlines import stage_deadlines, tell_late
from twinbench.orchestration.lab_steps import LateBenches

CONTEXT = {
    "dag_run": {"dag_run_id": REQUEST_UUID, "dag_id": "carry_out_request"},
    "deadline": {"id": "1", "deadline_time": "2026-11-20T11:59:00Z"},
}


@pytest.fixture
def notes(monkeypatch):
    written = []
    monkeypatch.setattr(run_notes, "note_run", lambda run_id, line, **_: written.append((run_id, line)))
    return written


def test_the_labs_own_patience_decides(tmp_path, monkeypatch):
    shutil.copytree(INCLUDE / "catalogue", tmp_path / "catalogue")
    stages = [{"state": "planned", "within_min": 7, "what": "no plan"}]
    (tmp_path / "catalogue" / "lateness.json").write_text(json.dumps({"stages": stages, "bench_grace_min": 1}))
    monkeypatch.setenv("TWINBENCH_INCLUDE", str(tmp_path))

    (deadline,) = stage_deadlines()

    assert deadline.interval == timedelta(minutes=7)
    assert deadline.callback.path == "twinbench.orchestration.deadlines.tell_late"
    assert deadline.callback.kwargs == {"stage": "planned"}


def test_a_late_request_is_noted_where_people_look(fake, notes):
    late = asyncio.run(tell_late(stage="models-received", context=CONTEXT))

    assert late == "the digital twin's models are not there"
    assert notes == [(REQUEST_UUID, "Late: the digital twin's models are not there.")]
    assert fake.lab.area(REQUEST_UUID).exists("late.json")


def test_a_request_in_time_is_left_alone(fake, notes):
    fake.lab.requests.set_status(REQUEST_UUID, "planned", at=NOON)

    assert asyncio.run(tell_late(stage="planned", context=CONTEXT)) == ""
    assert notes == []


def test_every_hour_it_is_looked_which_tests_are_behind_their_plan(fake, notes):
    start = NOON - timedelta(hours=1)
    booking = {"bench": "cycler-1", "start": start, "end": NOON, "round": 1, "document": {"runs": [1]}}
    fake.bookings.book(REQUEST_UUID, [booking], at=start)

    (told,) = LateBenches(task_id="tell_late").execute({"params": {}})

    assert told["request"] == "TR-000001"
    ((run_id, line),) = notes
    assert run_id == REQUEST_UUID
    assert line.startswith("Late: the test has not begun on cycler-1")
