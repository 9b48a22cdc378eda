"""The register keeps a request once, tells how far it came and since when; the fake does the same."""

import math
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.fakes import REQUEST_UUID, request_document
from twinbench.adapters.postgres import CatalogueTables
from twinbench.core.errors import ConflictError, RequestError, UnknownError

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BOB = "0f3d0c56-9a8e-4d3a-9d8e-5b6a7c8d9e0f"


def minute(number):
    return NOON + timedelta(minutes=number)


def save(register, uuid=REQUEST_UUID, document=None, **more):
    return register.save(uuid, document or request_document(), folder="a folder", status="submitted", at=NOON, **more)


def test_a_request_is_shown_as_it_was_asked_for(register):
    number = save(register, submitted_by="ada", twin="fastest", workflow_id="a run", idempotency_key="k")

    row = register.get(REQUEST_UUID)
    assert row["document"] == request_document()
    assert (row["uuid"], row["request_number"]) == (REQUEST_UUID, number)
    assert (row["title"], row["uut"]) == ("Performance - Power on Gen3b - Cell", "Gen3b - Cell")
    assert (row["submitted_by"], row["twin"], row["workflow_id"]) == ("ada", "fastest", "a run")
    assert (row["status"], row["simulation_progress"], row["failure"]) == ("submitted", 0, None)
    assert row["preferred_date"] == datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
    assert register.by_number(number) == row
    assert register.by_key("ada", "k") == row


def test_saving_again_changes_nothing_but_tells_a_run_that_was_not_known(register):
    number = save(register, submitted_by="ada")
    again = save(register, document=request_document(runs=9), submitted_by="eve", twin="other", workflow_id="a run")
    save(register, workflow_id="another run")

    row = register.get(REQUEST_UUID)
    assert again == number
    assert (row["document"]["runs"], row["submitted_by"], row["twin"]) == (4, "ada", "")
    assert row["workflow_id"] == "a run"
    assert [entry["status"] for entry in register.history(REQUEST_UUID)] == ["submitted"]


def test_what_is_not_said_has_its_default_and_a_title_of_its_own_is_kept(register):
    document = {key: value for key, value in request_document().items() if key != "test_bench"}
    save(register, document={**document, "title": "Ageing of batch 7"})

    row = register.get(REQUEST_UUID)
    assert (row["test_bench"], row["title"]) == ("Virtual", "Ageing of batch 7")


def test_requests_are_found_by_state_and_by_their_uuids_the_oldest_first(register):
    uuids = [str(uuid4()) for _ in range(3)]
    for uuid in uuids:
        save(register, uuid)
    for uuid in uuids[:2]:
        register.set_status(uuid, "forwarded", at=minute(1))

    forwarded = register.in_state("forwarded")
    assert [row["uuid"] for row in forwarded if row["uuid"] in uuids] == uuids[:2]
    assert forwarded[-1] == register.get(uuids[1])
    assert [row["uuid"] for row in register.those([uuids[2], str(uuid4()), uuids[0]])] == [uuids[0], uuids[2]]
    assert register.those([]) == []


@pytest.mark.parametrize("name", [REQUEST_UUID, "no uuid at all", ""])
def test_an_unknown_request_is_told_as_such(register, name):
    with pytest.raises(UnknownError, match="is unknown"):
        register.get(name)
    assert register.history(name) == []


def test_an_unknown_number_or_key_is_told_as_such(register):
    save(register, submitted_by="ada", idempotency_key="k")

    with pytest.raises(UnknownError, match="no request TR-000099"):
        register.by_number("TR-000099")
    assert register.by_key("ada", "other") is None
    assert register.by_key("eve", "k") is None


def test_a_key_belongs_to_one_request_of_a_person(register):
    save(register, submitted_by="ada", idempotency_key="k")
    save(register, BOB, submitted_by="bob", idempotency_key="k")

    with pytest.raises(ConflictError, match="'k' was used by ada"):
        save(register, str(uuid4()), submitted_by="ada", idempotency_key="k")
    assert register.by_key("bob", "k")["uuid"] == BOB


def test_each_stage_has_the_time_at_which_it_was_reached(register):
    save(register)
    states = ["forwarded", "models-received", "designed", "planned", "running", "evaluated", "completed"]
    for number, state in enumerate(states):
        register.set_status(REQUEST_UUID, state, at=minute(number))

    row = register.get(REQUEST_UUID)
    names = ("fmu_ready", "doe_complete", "schedule_ready", "simulation_started", "simulation_complete", "completed")
    assert [row[f"{name}_at"] for name in names] == [minute(number) for number in range(1, 7)]
    assert (row["failed_at"], row["updated_at"]) == (None, minute(6))


def test_a_request_that_is_repeated_began_once_and_is_not_failed_any_more(register):
    save(register)
    for number, state in enumerate(["running", "failed", "planned", "running"]):
        register.set_status(REQUEST_UUID, state, at=minute(number), reason="no bench" if state == "failed" else "")

    row = register.get(REQUEST_UUID)
    assert (row["simulation_started_at"], row["schedule_ready_at"]) == (minute(0), minute(2))
    assert (row["failed_at"], row["failure"]) == (None, None)


def test_each_change_of_state_is_kept_with_reason_and_actor(register):
    save(register, submitted_by="ada")
    register.set_status(REQUEST_UUID, "failed", at=NOON, reason="no bench")
    register.set_status(REQUEST_UUID, "failed", at=NOON, reason="said again")
    register.set_status(REQUEST_UUID, "cancelled", at=NOON, reason="no use", actor="bob")

    assert register.history(REQUEST_UUID) == [
        {"at": NOON, "status": "submitted", "reason": "", "actor": "ada"},
        {"at": NOON, "status": "failed", "reason": "no bench", "actor": ""},
        {"at": NOON, "status": "cancelled", "reason": "no use", "actor": "bob"},
    ]
    assert register.get(REQUEST_UUID)["failure"] == "no use"


def test_a_clock_that_is_late_changes_nothing_before_it_was_made(register):
    save(register)
    register.set_status(REQUEST_UUID, "forwarded", at=minute(-5))

    assert register.get(REQUEST_UUID)["updated_at"] == NOON


def test_what_was_cancelled_stays_so_and_what_is_completed_cannot_be_cancelled(register):
    save(register)
    save(register, BOB)
    register.set_status(REQUEST_UUID, "cancelled", at=NOON)
    register.set_status(REQUEST_UUID, "failed", at=NOON, reason="its run was ended")
    register.set_status(BOB, "completed", at=NOON)

    with pytest.raises(ConflictError, match="completed"):
        register.set_status(BOB, "cancelled", at=NOON)
    assert [register.get(uuid)["status"] for uuid in (REQUEST_UUID, BOB)] == ["cancelled", "completed"]
    assert [entry["status"] for entry in register.history(REQUEST_UUID)] == ["submitted", "cancelled"]


def test_results_and_progress_are_kept(register):
    save(register)
    register.set_progress(REQUEST_UUID, 40)
    register.set_results(
        REQUEST_UUID, metrics={"figures": [{"run": 1, "energy_Wh": 18.5}]}, results_path="a", fmu_path="b"
    )

    row = register.get(REQUEST_UUID)
    assert row["simulation_progress"] == 40
    assert row["test_metrics_json"] == {"figures": [{"run": 1, "energy_Wh": 18.5}]}
    assert (row["simulation_results_path"], row["fmu_blob_path"]) == ("a", "b")


def test_changing_a_row_that_was_read_changes_nothing_that_is_kept(register):
    save(register)
    register.get(REQUEST_UUID)["document"]["runs"] = 99

    assert register.get(REQUEST_UUID)["document"]["runs"] == 4


@pytest.mark.stack
class TestTables:
    """What only the real register has: columns, foreign keys, and what a database refuses."""

    @pytest.fixture
    def is_fake(self):
        return False

    def columns(self, lims):
        with lims.transaction() as cursor:
            cursor.execute("SELECT * FROM test_requests")
            return dict(cursor.fetchall()[0])

    def test_codes_point_into_the_catalogues_tables_as_soon_as_those_know_them(self, register, lims, catalogue):
        save(register)
        unknown = self.columns(lims)
        CatalogueTables(lims).load(catalogue)
        known = self.columns(lims)

        references = ("uut_id_id", "use_case_id", "standard_id", "test_id")
        assert [unknown[name] for name in references] == [None] * 4
        assert all(known[name] for name in references)

    def test_a_code_the_catalogue_does_not_have_points_nowhere(self, register, lims, catalogue):
        CatalogueTables(lims).load(catalogue)
        save(register, document=request_document(uut="Gen9 - Cell"))

        row = self.columns(lims)
        assert row["uut_id_id"] is None
        assert row["test_id"] is not None
        assert register.get(REQUEST_UUID)["uut"] == "Gen9 - Cell"

    def test_no_number_is_stored_as_none(self, register):
        save(register)
        register.set_results(REQUEST_UUID, metrics={"a": math.nan, "b": math.inf}, results_path="", fmu_path="")

        assert register.get(REQUEST_UUID)["test_metrics_json"] == {"a": None, "b": None}

    @pytest.mark.parametrize("name", ["Ada\x00", "Ada\ud800", "\\"])
    def test_text_that_cannot_be_stored_is_refused_and_other_text_is_kept(self, register, name):
        if name == "\\":
            save(register, document=request_document(requester_name=name))
            assert register.get(REQUEST_UUID)["requester_name"] == name
            return
        with pytest.raises(RequestError, match="cannot be stored"):
            save(register, document=request_document(requester_name=name))

    def test_numbers_follow_one_another(self, register):
        assert [save(register, str(UUID(int=n))) for n in range(2)] == ["TR-000001", "TR-000002"]
        assert [row["request_number"] for row in register.newest(1)] == ["TR-000002"]
