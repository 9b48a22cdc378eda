"""What people ask for is kept once, checked as the DAG checks it, and started; they end and repeat what is theirs."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fake_desk import ADA, BOB, NOBODY, OTTO, TWIN, make_desk
from tests.fakes import request_document
from twinbench.core.errors import ConflictError, ForbiddenError, RequestError, UnknownError, UnreachableError
from twinbench.workflow.requesting import STAGES, cancel, check_request, find_request, retry, submit

LABELS = st.text(min_size=1, max_size=200)


@pytest.fixture
def desk(tmp_path):
    return make_desk(tmp_path)[0]


def test_a_request_is_kept_before_airflow_hears_of_it(desk):
    desk.airflow.is_away = True

    with pytest.raises(UnreachableError):
        submit(desk, ADA, request_document(), key="k")

    (row,) = desk.register.rows.values()
    assert (row["status"], row["submitted_by"], row["twin"]) == ("submitted", "ada", "fastest")
    assert row["workflow_id"] == row["uuid"]


def test_what_was_kept_is_started_when_it_is_sent_again_and_not_twice(desk):
    desk.airflow.is_away = True
    with pytest.raises(UnreachableError):
        submit(desk, ADA, request_document(), key="k")
    desk.airflow.is_away = False

    again, third = (submit(desk, ADA, request_document(), key="k") for _ in range(2))

    assert again == third
    assert again.repeated
    assert list(desk.airflow.runs) == [again.uuid]


def test_what_goes_on_already_is_not_started_anew(desk):
    made = submit(desk, ADA, request_document(), key="k")
    desk.register.set_status(made.uuid, "running", at=desk.lab.now())
    desk.airflow.is_away = True

    assert submit(desk, ADA, request_document(), key="k").number == made.number


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(LABELS, LABELS)
def test_a_key_is_one_request_of_one_person_whatever_it_looks_like(tmp_path, key, other):
    desk = make_desk(tmp_path)[0]

    first, again, of_bob = (submit(desk, who, request_document(), key=key) for who in (ADA, ADA, BOB))

    assert (first.uuid, again.repeated) == (again.uuid, True)
    assert of_bob.uuid != first.uuid
    assert (submit(desk, ADA, request_document(), key=other).uuid == first.uuid) == (key == other)
    assert str(UUID(first.uuid)) == first.uuid


def test_a_key_used_for_something_else_is_a_conflict_that_names_it(desk):
    submit(desk, ADA, request_document(), key="k")

    with pytest.raises(ConflictError, match="TR-000001"):
        submit(desk, ADA, request_document(runs=5), key="k")


def test_a_key_is_short(desk):
    with pytest.raises(RequestError, match="201 characters"):
        submit(desk, ADA, request_document(), key="k" * 201)


def test_a_request_is_signed_by_whoever_sends_it_unless_the_lab_does(desk):
    own = submit(desk, ADA, request_document(requester_name="Mallory"))
    for_other = submit(desk, OTTO, request_document(requester_name="Mallory"))

    assert desk.register.get(own.uuid)["requester_name"] == "Ada Lovelace"
    assert desk.register.get(for_other.uuid)["requester_name"] == "Mallory"


@pytest.mark.parametrize("person", [TWIN, NOBODY], ids=lambda one: one.id)
def test_not_everybody_asks(desk, person):
    with pytest.raises(ForbiddenError, match="lab manager, operator, requester"):
        submit(desk, person, request_document())

    assert desk.register.rows == {}


def test_what_is_refused_is_neither_kept_nor_started(desk):
    with pytest.raises(RequestError) as refused:
        submit(desk, ADA, request_document(runs=0, uut="Gen9"))

    assert {finding.where for finding in refused.value.findings} == {"runs", "uut"}
    assert (desk.register.rows, desk.airflow.runs, desk.audit.lines) == ({}, {}, [])


def test_checking_tells_what_a_request_is(desk):
    assert check_request(desk, request_document()).test_name == "Performance - Power"


def test_a_request_is_found_by_number_and_uuid_by_whoever_may_see_it(desk):
    made = submit(desk, ADA, request_document())

    assert find_request(desk, ADA, made.number) == find_request(desk, OTTO, made.uuid)
    for person, number in ((BOB, made.number), (ADA, "TR-000002"), (ADA, "x"), (ADA, ""), (OTTO, "TR-")):
        with pytest.raises(UnknownError):
            find_request(desk, person, number)


def test_what_was_never_started_can_be_cancelled(desk):
    desk.airflow.is_away = True
    with pytest.raises(UnreachableError):
        submit(desk, ADA, request_document(), key="k")

    row = cancel(desk, ADA, "TR-000001")

    assert (row["status"], row["failure"]) == ("cancelled", "no reason given")


def test_what_is_cancelled_stays_so_when_it_is_sent_again(desk):
    made = submit(desk, ADA, request_document(), key="k")
    cancel(desk, ADA, made.number, reason="no cell")

    assert submit(desk, ADA, request_document(), key="k").repeated
    assert desk.register.get(made.uuid)["status"] == "cancelled"
    with pytest.raises(ConflictError, match="cannot be cancelled any more"):
        cancel(desk, ADA, made.number)


def test_others_requests_are_neither_cancelled_nor_repeated(desk):
    made = submit(desk, ADA, request_document())

    for act in (lambda who: cancel(desk, who, made.number), lambda who: retry(desk, who, made.number, stage="report")):
        with pytest.raises(UnknownError):
            act(BOB)
        with pytest.raises(ForbiddenError):
            act(TWIN)
    assert desk.airflow.asked == []


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_a_task_from_which_a_request_is_repeated(desk, stage):
    made = submit(desk, ADA, request_document())

    retry(desk, OTTO, made.number, stage=stage)

    assert desk.airflow.asked == [("retry", made.uuid, stage)]
    assert desk.audit.lines[-1]["action"] == "retry"
