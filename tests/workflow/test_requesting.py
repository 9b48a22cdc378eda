"""What people ask for is kept once, checked as the DAG checks it, and started; they end and repeat what is theirs."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fake_desk import ADA, BOB, NOBODY, OTTO, TWIN, carry_out, make_desk
from tests.fakes import NOON, request_document
from twinbench.core.booking import BookingState
from twinbench.core.errors import ConflictError, ForbiddenError, RequestError, UnknownError, UnreachableError
from twinbench.core.request import RequestState
from twinbench.workflow import planning
from twinbench.workflow.booked_benches import begin_assignment
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


@pytest.fixture
def desk_and_lab(tmp_path):
    return make_desk(tmp_path)


@pytest.mark.parametrize("state", ["submitted", "forwarded", "models-received", "designed", "evaluated", "failed"])
def test_a_request_is_cancelled_in_whatever_state_it_is(desk, state):
    made = submit(desk, ADA, request_document())
    desk.register.set_status(made.uuid, state, at=desk.lab.now())

    row = cancel(desk, ADA, made.number, reason="no cell")

    assert (row["status"], row["failure"]) == ("cancelled", "no cell")
    assert desk.airflow.asked == [("cancel", made.uuid)]
    assert desk.audit.lines[-1]["details"] == {"reason": "no cell"}


def test_a_completed_request_is_not_cancelled_and_nothing_changes(desk):
    made = submit(desk, ADA, request_document())
    desk.register.set_status(made.uuid, "completed", at=desk.lab.now())

    with pytest.raises(ConflictError, match="TR-000001 is completed: it cannot be cancelled any more"):
        cancel(desk, ADA, made.number)

    assert (desk.airflow.asked, [line["action"] for line in desk.audit.lines]) == ([], ["submit"])


def test_a_planned_request_gives_its_benches_back(desk_and_lab):
    desk, fake = desk_and_lab
    made = submit(desk, ADA, request_document())
    carry_out(desk, fake, made.uuid, until=RequestState.PLANNED)

    cancel(desk, ADA, made.number)

    assert {one.state for one in fake.bookings.of_request(made.uuid)} == {BookingState.RELEASED}
    assert fake.wire.commands == []


def running_on(desk, fake, bench):
    made = submit(desk, ADA, request_document(test_bench="Any"))
    hour = timedelta(hours=1)
    kind = "virtual" if bench.startswith("virtual") else "physical"
    document = {"runs": [1], "bench": bench, "kind": kind}
    held = {"bench": bench, "start": NOON, "end": NOON + hour, "round": 1, "document": document}
    fake.bookings.book(made.uuid, [held], at=NOON)
    fake.bookings.set_state(made.uuid, 1, None, BookingState.RUNNING, at=NOON)
    desk.register.set_status(made.uuid, "running", at=NOON)
    return made


@pytest.mark.parametrize(("bench", "aborted"), [("virtual-1", []), ("cycler-1", ["cycler-1"])])
def test_what_runs_is_ended_and_a_physical_bench_told_to_abort(desk_and_lab, bench, aborted):
    desk, fake = desk_and_lab
    made = running_on(desk, fake, bench)

    cancel(desk, OTTO, made.number)

    assert [(one["verb"], one["request_uuid"]) for one in fake.wire.commands] == [("abort", made.uuid)] * len(aborted)
    assert desk.audit.lines[-1]["details"].get("aborted", []) == aborted
    assert not any(one.state.holds for one in fake.bookings.of_request(made.uuid))


def test_a_bench_that_cannot_be_told_is_named_and_the_request_is_cancelled_all_the_same(desk_and_lab, monkeypatch):
    desk, fake = desk_and_lab
    made = running_on(desk, fake, "cycler-1")

    def away(*_, **__):
        raise UnreachableError("The broker does not answer.")

    monkeypatch.setattr(fake.wire, "bench", away)

    with pytest.raises(UnreachableError, match=r"is cancelled, but cycler-1 could not be told to abort.*broker"):
        cancel(desk, OTTO, made.number)

    assert desk.register.get(made.uuid)["status"] == "cancelled"
    assert desk.audit.lines[-1]["action"] == "cancel"


def test_while_airflow_is_away_nothing_is_cancelled_by_half(desk, monkeypatch):
    made = submit(desk, ADA, request_document())

    def away(_):
        raise UnreachableError("Airflow does not answer.")

    monkeypatch.setattr(desk.airflow, "cancel", away)

    with pytest.raises(UnreachableError):
        cancel(desk, ADA, made.number)

    assert desk.register.get(made.uuid)["status"] == "submitted"


def test_a_task_that_was_about_to_take_a_bench_gives_it_back(desk_and_lab):
    """Whoever cancels is quicker than the run's end."""
    desk, fake = desk_and_lab
    made = submit(desk, ADA, request_document())
    carry_out(desk, fake, made.uuid, until=RequestState.PLANNED)
    assignment = planning.virtual_assignments(desk.lab, made.uuid)[0]
    cancel(desk, ADA, made.number)

    for task in (planning.plan_benches, lambda *its: begin_assignment(*its, assignment)):
        with pytest.raises(ConflictError, match="TR-000001 was cancelled"):
            task(desk.lab, made.uuid)
        assert not any(one.state.holds for one in fake.bookings.of_request(made.uuid))


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
