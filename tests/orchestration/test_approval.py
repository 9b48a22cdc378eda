"""The task asks a person where one has to be asked, holding no worker; a no fails the request and is not repeated."""

from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskAwaitingInput

from tests.fakes import NOON, REQUEST_UUID, make_lab, request_document
from twinbench.orchestration import opening
from twinbench.orchestration.approval import AbuseApproval
from twinbench.workflow.design import design_runs
from twinbench.workflow.intake import register, stage_bundle
from twinbench.workflow.planning import plan_benches

pytestmark = pytest.mark.thorough

ABUSE = {"standard": "IEC62660-3:2022", "test_name": "Electrical - Forced discharge", "runs": 1}
INSTANCE = SimpleNamespace(id="ti-1", task_id="approve_abuse", try_number=1)
CONTEXT = {"run_id": REQUEST_UUID, "ti": INSTANCE, "task_instance": INSTANCE, "task": SimpleNamespace(retries=5)}


@pytest.fixture
def fake(tmp_path, monkeypatch):
    fake = make_lab(tmp_path)
    monkeypatch.setattr(opening, "open_lab", lambda: fake.lab)
    audit = SimpleNamespace(note=lambda *_, **__: None)
    monkeypatch.setattr("twinbench.orchestration.approval.open_audit_log", lambda: audit)
    monkeypatch.setattr("airflow.sdk.get_current_context", lambda: CONTEXT)
    return fake


@pytest.fixture
def asked(monkeypatch):
    """What Airflow was told to ask."""
    questions = []
    monkeypatch.setattr(
        "airflow.providers.standard.operators.hitl.upsert_hitl_detail", lambda **detail: questions.append(detail)
    )
    return questions


def planned(fake, **changes):
    register(fake.lab, REQUEST_UUID, request_document(test_bench="Physical", **changes), REQUEST_UUID)
    fake.drop_bundle()
    for use_case in (stage_bundle, design_runs, plan_benches):
        use_case(fake.lab, REQUEST_UUID)


def answer(option, comment="", name="Grace Hopper"):
    person = {"id": "7", "name": name}
    given = {"chosen_options": [option], "params_input": {"comment": comment}, "responded_at": NOON}
    return AbuseApproval(task_id="approve_abuse").execute_complete(CONTEXT, {**given, "responded_by_user": person})


def test_it_passes_at_once_where_nothing_is_dangerous(fake, asked):
    planned(fake, runs=1)

    assert AbuseApproval(task_id="approve_abuse").execute(CONTEXT) is None
    assert asked == []


def test_it_asks_and_waits_without_a_worker_or_a_trigger(fake, asked):
    planned(fake, **ABUSE)

    with pytest.raises(TaskAwaitingInput):
        AbuseApproval(task_id="approve_abuse").execute(CONTEXT)

    (question,) = asked
    assert question["options"] == ["Approve", "Reject"]
    assert question["subject"].startswith("TR-000001: may 'Electrical - Forced discharge' begin")
    assert "cycler-1" in question["body"]
    assert list(question["params"]) == ["comment"]


def test_who_approves_is_kept_in_the_requests_area(fake):
    planned(fake, **ABUSE)

    answer("Approve", "all clear")

    (entry,) = fake.lab.area(REQUEST_UUID).read_json("approval.json")
    assert (entry["by"], entry["by_id"], entry["at"]) == ("Grace Hopper", "7", NOON.isoformat())


def test_a_no_fails_the_request_at_once_and_gives_its_bench_back(fake):
    planned(fake, **ABUSE)

    with pytest.raises(AirflowFailException, match="Grace Hopper has rejected"):
        answer("Reject", "the chamber is open")

    assert fake.requests.rows[REQUEST_UUID]["status"] == "failed"
    assert "the chamber is open" in fake.lab.area(REQUEST_UUID).read_json("diagnosis.json")["error"]
    assert not any(one.state.holds for one in fake.bookings.of_request(REQUEST_UUID))


def test_an_approval_of_ones_own_test_is_kept_as_refused_and_the_task_asks_again(fake, asked):
    planned(fake, **ABUSE)

    with pytest.raises(TaskAwaitingInput):
        answer("Approve", name="lab-42")

    assert len(asked) == 1
    (entry,) = fake.lab.area(REQUEST_UUID).read_json("approval.json")
    assert "may not approve it as well" in entry["refused"]
    assert fake.requests.rows[REQUEST_UUID]["status"] == "planned"


def test_whoever_started_the_run_in_airflow_does_not_approve_it_either(fake, asked, monkeypatch):
    planned(fake, **ABUSE)
    monkeypatch.setitem(CONTEXT, "dag_run", SimpleNamespace(triggering_user_name="Grace Hopper"))

    with pytest.raises(TaskAwaitingInput):
        answer("Approve")
