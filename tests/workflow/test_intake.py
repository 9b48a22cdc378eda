"""Intake keeps what is right, refuses what is wrong in one clear sentence, and loses nothing that arrived."""

import pytest

from tests.fakes import REQUEST_UUID, request_document
from twinbench.core.errors import BundleError, RequestError, UnreachableError
from twinbench.workflow.intake import forward_to_twin, register, say_what_is_missing, stage_bundle

INTERCONNECTION = "inter_connection.json"


@pytest.fixture
def registered(fake):
    register(fake.lab, REQUEST_UUID, request_document(), "a run id")
    return fake


def test_a_request_is_kept_with_its_number_folder_and_run(fake):
    told = register(fake.lab, REQUEST_UUID, request_document(), "manual__x")

    assert told["request_number"] == "TR-000001"
    assert told["folder"] == f"fastest_simulation_20261120_{REQUEST_UUID}"
    kept = fake.lab.area(REQUEST_UUID).read_json("request.json")
    assert (kept["uuid"], kept["dag_run_id"], kept["runs"]) == (REQUEST_UUID, "manual__x", 4)


def test_asking_twice_makes_one_request(fake):
    first = register(fake.lab, REQUEST_UUID, request_document(), "a")
    second = register(fake.lab, REQUEST_UUID, request_document(), "a")

    assert first == second
    assert fake.requests.states == ["submitted"]


def test_who_asked_airflow_directly_submitted_it_and_the_units_twin_answers(fake):
    register(fake.lab, REQUEST_UUID, request_document(), "manual__x")

    row = fake.requests.get(REQUEST_UUID)
    assert (row["submitted_by"], row["twin"], row["workflow_id"]) == ("lab-42", "fastest", "manual__x")


def test_what_the_front_desk_has_kept_stays_as_it_is(fake):
    kept = {"folder": "a folder", "status": "submitted", "at": fake.lab.now(), "submitted_by": "ada", "twin": "other"}
    number = fake.requests.save(REQUEST_UUID, request_document(), **kept, idempotency_key="k")

    told = register(fake.lab, REQUEST_UUID, request_document(), "a run")

    row = fake.requests.get(REQUEST_UUID)
    assert told == {"uuid": REQUEST_UUID, "request_number": number, "folder": "a folder"}
    assert (row["submitted_by"], row["twin"], row["workflow_id"]) == ("ada", "other", "a run")
    assert fake.requests.states == ["submitted"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"test_name": "Performance - Capacityy"}, "Performance - Capacity"),
        ({"runs": 0}, "runs"),
        ({"preferred_date": "soon"}, "preferred_date"),
        ({"use_case": "Marine"}, "use_case"),
        ({"standard": "UL1642"}, "Performance - Power"),
    ],
)
def test_a_wrong_request_is_refused_and_not_kept(fake, changes, words):
    with pytest.raises(RequestError, match=words):
        register(fake.lab, REQUEST_UUID, request_document(**changes), "a run id")

    assert fake.requests.rows == {}


def test_the_twin_is_told_what_the_documents_say(registered):
    forward_to_twin(registered.lab, REQUEST_UUID)

    (message,) = registered.wire.asked
    assert message["test_UUID"] == REQUEST_UUID
    assert message["test_name"] == "Performance - Power"
    assert registered.requests.rows[REQUEST_UUID]["status"] == "forwarded"


def test_a_twin_that_refuses_gives_its_reason(registered):
    registered.wire.answer = {"status": "refused", "reason": "no model for that cell"}

    with pytest.raises(RequestError, match="no model for that cell"):
        forward_to_twin(registered.lab, REQUEST_UUID)


def test_a_twin_that_is_away_may_be_asked_again(registered):
    registered.wire.twin_is_there = False

    with pytest.raises(UnreachableError) as caught:
        forward_to_twin(registered.lab, REQUEST_UUID)

    assert caught.value.transient


def test_a_good_bundle_moves_from_the_pool_into_the_area(registered):
    registered.drop_bundle()

    told = stage_bundle(registered.lab, REQUEST_UUID)

    area = registered.lab.area(REQUEST_UUID)
    assert told["models"] == 3
    assert registered.pool.names(REQUEST_UUID) == []
    assert area.exists("fastest-models/fmus/FMU_Battery_Model.fmu")
    assert area.exists("fastest-models/inter_connection.json")
    assert [model["fmi_version"] for model in area.read_json("fastest-models/models.json")] == ["3.0"] * 3


def test_staging_again_uses_what_is_there(registered):
    registered.drop_bundle()

    assert stage_bundle(registered.lab, REQUEST_UUID) == stage_bundle(registered.lab, REQUEST_UUID)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"FMU_Battery_Model.fmu": b"no zip at all"}, r"FMU_Battery_Model\.fmu.*zip"),
        ({INTERCONNECTION: b"[{]"}, INTERCONNECTION),
        ({INTERCONNECTION: None}, r"inter_connection\.json: is missing"),
    ],
)
def test_a_bad_bundle_is_refused_by_name_and_kept(registered, changes, words):
    registered.drop_bundle(**changes)

    with pytest.raises(BundleError, match=words) as caught:
        stage_bundle(registered.lab, REQUEST_UUID)

    assert not caught.value.transient
    area = registered.lab.area(REQUEST_UUID)
    assert area.exists("fastest-models/fmus/FMU_Output_Handler.fmu")
    assert any(finding["severity"] == "error" for finding in area.read_json("fastest-models/findings.json"))


def test_a_corrected_upload_replaces_the_bad_bundle(registered):
    registered.drop_bundle(**{"FMU_Battery_Model.fmu": b"no zip at all"})
    with pytest.raises(BundleError):
        stage_bundle(registered.lab, REQUEST_UUID)
    registered.drop_bundle()

    assert stage_bundle(registered.lab, REQUEST_UUID)["models"] == 3


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "is empty"),
        ({"A.fmu": b""}, r"holds A\.fmu but no inter_connection\.json"),
        ({"A.fmu": b"", "inter_connection.json.part": b""}, "but no inter_connection"),
    ],
)
def test_what_is_missing_in_the_pool_is_said(registered, files, words):
    registered.pool.upload(REQUEST_UUID, files)

    assert words.replace("\\", "") in say_what_is_missing(registered.lab, REQUEST_UUID)
