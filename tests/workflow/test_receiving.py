"""Whatever is dropped into the pool goes to the one request it is for, or is kept aside with the reason; never lost."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes import INCLUDE, REQUEST_UUID, make_lab, request_document
from twinbench.core.errors import BundleError, ConflictError, UnknownError
from twinbench.core.request import RequestState
from twinbench.workflow.intake import forward_to_twin, register, say_what_is_missing, stage_bundle
from twinbench.workflow.receiving import assign_drop, left_over, quarantined, receive_drops

OTHER = "9d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a99"
BUNDLE = {file.name: file.read_bytes() for file in sorted((INCLUDE / "fmus").iterdir())}
MODELS = [name for name in BUNDLE if name.endswith(".fmu")]


@pytest.fixture
def fake(tmp_path):
    return make_lab(tmp_path)


def waits(fake, *uuids, models=()):
    """Let requests wait for their models; *models* are those that the digital twin says will come."""
    fake.wire.answer = {"status": "accepted", "models": [{"file": name} for name in models]}
    for uuid in uuids:
        register(fake.lab, uuid, request_document(), uuid)
        forward_to_twin(fake.lab, uuid)


def look(fake, *, unchanged_s=10.0, patience_s=60.0):
    ages = {entry.shown: unchanged_s for entry in fake.drops.entries()}
    return receive_drops(fake.lab, ages, patience_s=patience_s)


def reason_of(told):
    ((kept,), nothing) = told["quarantined"], [*told["handed_on"], *told["waiting"]]
    assert nothing == []
    return kept["reason"]


@pytest.mark.parametrize("last", ["inter_connection.json", "connections.json"])
def test_a_flat_drop_goes_to_the_only_request_that_waits_with_the_interconnection_last(fake, last):
    waits(fake, REQUEST_UUID)
    fake.drops.files = {**{name: BUNDLE[name] for name in MODELS}, last: BUNDLE["inter_connection.json"]}

    told = look(fake)

    assert [drop["request"] for drop in told["handed_on"]] == ["TR-000001"]
    assert fake.drops.files == {}
    assert fake.drops.moved[-1] == (last, f"{REQUEST_UUID}/{last}")
    assert stage_bundle(fake.lab, REQUEST_UUID)["models"] == len(MODELS)
    assert fake.lab.area(REQUEST_UUID).read_json("drop.json")["how"] == "it is the only request that waits for models"


def test_a_uuid_in_the_names_says_whose_it_is_however_many_wait(fake):
    waits(fake, REQUEST_UUID, OTHER)
    fake.drops.files = {name.replace(".", f"_{OTHER}."): content for name, content in BUNDLE.items()}

    look(fake)

    assert fake.pool.names(REQUEST_UUID) == []
    assert fake.pool.files[OTHER] == BUNDLE


def test_the_models_that_the_twin_announced_say_whose_it_is(fake):
    waits(fake, REQUEST_UUID, models=["Other.fmu"])
    waits(fake, OTHER, models=MODELS)
    fake.drops.files = dict(BUNDLE)

    told = look(fake)

    assert told["handed_on"][0]["how"] == "the digital twin said that these models come for it"
    assert fake.pool.files[OTHER] == BUNDLE


@pytest.mark.parametrize(("models", "words"), [(MODELS, "for all of them"), ((), "for none of them")])
def test_what_fits_several_requests_is_kept_aside_and_names_them_with_the_remedy(fake, models, words):
    waits(fake, REQUEST_UUID, OTHER, models=models)
    fake.drops.files = dict(BUNDLE)

    told = look(fake)

    (kept,) = told["quarantined"]
    assert "2 requests wait" in kept["reason"]
    assert words in kept["reason"]
    assert [one[:9] for one in kept["requests"]] == ["TR-000001", "TR-000002"]
    assert f"rename quarantine/{kept['drop']}" in kept["remedy"]
    assert kept["dag_run_ids"] == [REQUEST_UUID, OTHER]
    assert {fake.drops.files[f"quarantine/{kept['drop']}/{name}"] for name in BUNDLE} == set(BUNDLE.values())
    assert [one["reason"] for one in quarantined(fake.lab)] == [kept["reason"]]


def test_what_nobody_waits_for_is_kept_aside(fake):
    fake.drops.files = dict(BUNDLE)

    assert reason_of(look(fake)) == "no request waits for models"


def test_a_drop_for_an_unknown_request_is_kept_aside(fake):
    fake.drops.files = {f"{OTHER}.d/{name}": content for name, content in BUNDLE.items()}

    assert reason_of(look(fake)) == f"its names name request {OTHER}, which the lab does not know"


def test_a_drop_that_is_repeated_is_kept_aside_and_changes_nothing(fake):
    waits(fake, REQUEST_UUID)
    drop = {name.replace(".", f"-{REQUEST_UUID}."): content for name, content in BUNDLE.items()}
    fake.drops.files = dict(drop)
    look(fake)

    fake.drops.files |= drop
    assert "another bundle waiting" in reason_of(look(fake))
    stage_bundle(fake.lab, REQUEST_UUID)
    fake.drops.files |= drop
    assert "is models-received and needs no models" in reason_of(look(fake))
    assert len(quarantined(fake.lab)) == 2


@pytest.mark.parametrize("state", [RequestState.COMPLETED, RequestState.CANCELLED])
def test_a_drop_for_a_request_that_is_over_is_kept_aside(fake, state):
    waits(fake, REQUEST_UUID)
    fake.requests.rows[REQUEST_UUID]["status"] = state
    fake.drops.files = {f"{REQUEST_UUID}_x/{name}": content for name, content in BUNDLE.items()}

    assert f"is {state} and needs no models" in reason_of(look(fake))


def test_a_corrected_bundle_reaches_a_request_that_had_failed_for_want_of_it(fake):
    waits(fake, REQUEST_UUID)
    fake.requests.set_status(REQUEST_UUID, "failed", at=fake.lab.now(), reason="await_bundle: nothing came")
    fake.drops.files = {name.replace(".", f"_{REQUEST_UUID}."): content for name, content in BUNDLE.items()}

    assert len(look(fake)["handed_on"]) == 1


def test_what_is_still_written_is_left_alone(fake):
    waits(fake, REQUEST_UUID)
    fake.drops.files = dict(BUNDLE)

    told = look(fake, unchanged_s=1.0)

    assert len(told["waiting"]) == 1
    assert fake.drops.files == BUNDLE


def test_a_half_drop_waits_and_is_kept_aside_when_patience_is_over(fake):
    waits(fake, REQUEST_UUID)
    fake.drops.files = {name: content for name, content in BUNDLE.items() if name != "FMU_Output_Handler.fmu"}
    before = dict(fake.drops.files)

    assert "names FMU_Output_Handler" in look(fake, unchanged_s=59.0)["waiting"][0]["reason"]
    assert fake.drops.files == before
    assert "names FMU_Output_Handler" in reason_of(look(fake, unchanged_s=60.0))


def test_a_drop_that_was_moved_by_half_is_moved_to_its_end(fake):
    """Somebody pulled the plug after some of its files."""
    for moved in range(1, len(BUNDLE)):
        uuid = f"00000000-0000-4000-8000-{moved:012d}"
        waits(fake, uuid)
        fake.drops.files = dict(BUNDLE)
        look(fake)
        done = [target.rpartition("/")[2] for _, target in fake.drops.moved[-len(BUNDLE) :]]
        for name in done[moved:]:
            fake.drops.files[name] = fake.pool.files[uuid].pop(name)

        assert look(fake)["handed_on"][0]["dag_run_id"] == uuid
        assert fake.pool.files[uuid] == BUNDLE
        fake.requests.rows[uuid]["status"] = "models-received"


def test_what_one_drop_lacks_in_a_request_s_folder_is_not_taken_for_its_rest_while_it_is_uploaded(fake):
    waits(fake, REQUEST_UUID)
    fake.pool.upload(REQUEST_UUID, {"FMU_Output_Handler.fmu": b"x"})
    fake.drops.files = {**BUNDLE, "FMU_Output_Handler.fmu.part": b"half"}
    del fake.drops.files["FMU_Output_Handler.fmu"]

    assert "FMU_Output_Handler.fmu.part is not finished" in look(fake)["waiting"][0]["reason"]


def test_a_drop_that_cannot_be_moved_or_read_does_not_keep_others_from_it(fake, monkeypatch):
    waits(fake, REQUEST_UUID)
    fake.drops.files = {
        **BUNDLE,
        "locked/A.fmu": b"x",
        "locked/connections.json": b"[]",
        "gone/connections.json": b"[]",
    }
    move, read = fake.drops.move, fake.drops.read

    def refuse_move(moves):
        if moves[0][0].startswith("locked"):
            raise BundleError("The SFTP server refuses.")
        move(moves)

    def refuse_read(path, *, most_bytes):
        if path.startswith("gone"):
            raise UnknownError("It is not in the pool any more.")
        return read(path, most_bytes=most_bytes)

    monkeypatch.setattr(fake.drops, "move", refuse_move)
    monkeypatch.setattr(fake.drops, "read", refuse_read)

    told = look(fake)

    assert [one["dag_run_id"] for one in told["handed_on"]] == [REQUEST_UUID]
    assert [one["reason"] for one in told["waiting"]] == [
        "its interconnection file is being written",
        "The SFTP server refuses.",
    ]


def test_a_request_whose_own_upload_is_under_way_gets_no_other_models(fake):
    waits(fake, REQUEST_UUID)
    fake.pool.upload(REQUEST_UUID, {"Own.fmu.part": b"x"})
    fake.drops.files = dict(BUNDLE)

    assert reason_of(look(fake)) == "no request waits for models"


def test_names_that_are_not_plain_are_kept_under_plain_ones(fake):
    hostile = {"A\n\x1b[31m.fmu": b"1", "-rf": b"2", "C:\\x.fmu": b"3", "\udcff.fmu": b"4", "....fmu": b"5"}
    fake.drops.files = dict(hostile)

    told = look(fake)

    assert len(told["quarantined"]) == len(hostile)
    kept = {path: data for path, data in fake.drops.files.items() if not path.endswith(".json")}
    assert sorted(kept.values()) == sorted(hostile.values())
    assert all(path.isascii() and path.isprintable() and "\\" not in path for path in fake.drops.files)
    json.dumps(told)


def test_a_person_says_whose_a_drop_is(fake):
    waits(fake, REQUEST_UUID, OTHER)
    fake.drops.files = dict(BUNDLE)
    (kept,) = look(fake)["quarantined"]

    told = assign_drop(fake.lab, kept["drop"], "TR-000002")

    assert told["request"] == "TR-000002"
    assert fake.pool.files[OTHER] == BUNDLE
    assert (fake.drops.files, quarantined(fake.lab)) == ({}, [])


def test_a_drop_cannot_be_given_to_what_needs_none_or_does_not_exist(fake):
    waits(fake, REQUEST_UUID, OTHER)
    fake.drops.files = dict(BUNDLE)
    (kept,) = look(fake)["quarantined"]
    fake.requests.rows[OTHER]["status"] = "completed"
    before = dict(fake.drops.files)

    with pytest.raises(ConflictError, match=r"TR-000002.*is completed and needs no models"):
        assign_drop(fake.lab, kept["drop"], "TR-000002")
    for name, number in (
        ("../x", "TR-000001"),
        ("..", "TR-000001"),
        ("nothing", "TR-000001"),
        (kept["drop"], "TR-000009"),
    ):
        with pytest.raises(UnknownError):
            assign_drop(fake.lab, name, number)
    assert fake.drops.files == before


def test_what_lies_in_folders_that_no_request_empties_any_more_is_told(fake):
    waits(fake, REQUEST_UUID, "00000000-0000-4000-8000-000000000000")
    fake.requests.rows[REQUEST_UUID]["status"] = "completed"
    for uuid in (REQUEST_UUID, OTHER, "00000000-0000-4000-8000-000000000000"):
        fake.pool.upload(uuid, {"A.fmu": b"x"})

    assert left_over(fake.lab) == [
        {"folder": REQUEST_UUID, "reason": "TR-000001 is completed"},
        {"folder": OTHER, "reason": "the lab does not know this request"},
    ]


def test_a_request_that_waited_in_vain_is_told_of_the_quarantine(fake):
    waits(fake, REQUEST_UUID, OTHER)
    fake.drops.files = dict(BUNDLE)
    (kept,) = look(fake)["quarantined"]

    assert f"In quarantine are {kept['drop']}" in say_what_is_missing(fake.lab, REQUEST_UUID)


PATHS = st.sampled_from([*BUNDLE, "connections.json", "x/FMU_Input_Handler.fmu", "x/connections.json", "é", "a.zip",
                         *(f"{REQUEST_UUID}_{name}" for name in BUNDLE), f"{OTHER}-inter_connection.json"])  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.dictionaries(PATHS, st.sampled_from(["", "{}", "[]", *BUNDLE])), st.sampled_from([0.0, 10.0, 100.0]))
def test_nothing_that_is_dropped_is_lost(tmp_path, drop, unchanged_s):
    fake = make_lab(tmp_path)
    waits(fake, REQUEST_UUID)
    files = {path: BUNDLE.get(content, content.encode()) for path, content in drop.items()}
    fake.drops.files = dict(files)

    look(fake, unchanged_s=unchanged_s)
    look(fake, unchanged_s=unchanged_s)

    there = [data for path, data in fake.drops.files.items() if path.count("/") != 1 or "quarantine" not in path]
    there += fake.pool.files.get(REQUEST_UUID, {}).values()
    assert sorted(there) == sorted(files.values())
    if unchanged_s == 100.0:
        assert [entry for entry in fake.drops.entries() if entry.kind == "file"] == []
