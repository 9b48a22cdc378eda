"""Models that come to the running lab damaged, in part or without an address are told of, and none is lost."""

import json
import shutil

import pytest

from tests.broker import eventually
from tests.fakes import request_document
from twinbench.stack.site import PROJECT

from .outside import another_twin

pytestmark = pytest.mark.timeout(600)


_REGISTRY = ("twin", "registry", "Performance and ageing", "Cell", "Gen3b", "Physics-based")


def upload_a_model_only(site, request_uuid):
    folder = site.folder("sftp", "twin", "pool", request_uuid)
    shutil.copy(PROJECT / "include" / "fmus" / "FMU_Battery_Model.fmu", folder)


def drop(site, named, *, without=()):
    """Drop the shipped bundle flat into the pool, as the digital twin sees it; the interconnection file comes last."""
    pool = site.folder("sftp", "twin", "pool")
    for file in sorted((PROJECT / "include" / "fmus").iterdir()):
        if file.name not in without:
            part = pool / f"{file.name}.part"
            shutil.copy(file, part)
            part.rename(pool / named.format(name=file.stem, suffix=file.suffix))


def in_quarantine(site, words):
    """Names of the drops that were put into quarantine for a reason with these words."""
    folder = site.folder("sftp", "twin", "pool", "quarantine")
    return [file.stem for file in folder.glob("*.json") if words in json.loads(file.read_text())["reason"]]


@pytest.fixture(scope="module")
def handed_on(requester):
    """Two requests and where their models came from: one was given a drop that might have been for either and was kept
    aside until a person said whose it is, the other one a drop that names it."""
    site, pool = requester.site, requester.site.folder("sftp", "twin", "pool")
    with another_twin(site, lambda *_: None):
        first, second = (requester.ask(request_document(runs=1)).json()["dag_run_id"] for _ in range(2))
        eventually(lambda: all(map(requester.awaits_models, (first, second))), timeout_s=60, every_s=0.5)

        drop(site, "{name}{suffix}")
        eventually(lambda: in_quarantine(site, "2 requests wait"), timeout_s=60, every_s=0.5)
        drop(site, f"{{name}}_{second}{{suffix}}")
        (kept,) = in_quarantine(site, "2 requests wait")
        (pool / "quarantine" / kept).rename(pool / first)
        eventually(lambda: all(map(requester.has_models, (first, second))), timeout_s=60, every_s=0.5)
    assert [file for file in pool.iterdir() if file.is_file()] == []
    return first, second, kept


def test_an_fmu_that_is_no_zip_is_diagnosed_and_kept(requester, handed_on):
    """While others are carried out."""
    test = "Performance - SOC adjustment"
    folder = requester.site.folder(*_REGISTRY, test)
    for name in ("FMU_Input_Handler", "FMU_Output_Handler"):
        shutil.copy(PROJECT / "include" / "fmus" / f"{name}.fmu", folder / f"{name}_1.0.fmu")
    shutil.copy(PROJECT / "include" / "fmus" / "inter_connection.json", folder / "inter_connection_1.0.json")
    (folder / "FMU_Battery_Model_2.0.fmu").write_bytes(b"this is no zip")

    request_uuid = requester.ask(request_document(test_name=test)).json()["dag_run_id"]
    state, seen = requester.wait(request_uuid)

    assert state == "failed"
    assert seen["stage_bundle"] & {"failed"}
    assert "up_for_retry" not in seen["stage_bundle"]
    diagnosis = json.loads((requester.area(request_uuid) / "diagnosis.json").read_text())
    assert "FMU_Battery_Model.fmu" in diagnosis["error"]
    assert requester.row(request_uuid)["failure"] == f"stage_bundle: {diagnosis['error']}"
    kept = requester.area(request_uuid) / "fastest-models" / "fmus" / "FMU_Battery_Model.fmu"
    assert kept.read_bytes() == b"this is no zip"


def test_models_that_are_dropped_flat_are_handed_on_or_kept_aside_with_the_reason(requester, handed_on):
    first, second, kept = handed_on

    states = {one: requester.wait(one)[0] for one in (second, first)}

    assert states == {second: "success", first: "success"}
    told = json.loads((requester.area(second) / "drop.json").read_text())
    assert (told["request"], told["how"]) == (requester.row(second)["request_number"], "its UUID is in the names")
    notes = {one: requester.api.run(one)["note"] for one in (first, second)}
    assert f"rename quarantine/{kept}" in notes[first]
    assert "handed on: its UUID is in the names" in notes[second]


def test_uploads_that_are_not_completed_are_explained_and_kept(requester):
    """One in the request's own folder, one that was dropped flat: neither is lost, both are told."""
    site = requester.site
    with another_twin(site, upload_a_model_only):
        request_uuid = requester.ask(request_document(runs=1)).json()["dag_run_id"]
        drop(site, "{name}{suffix}", without=["FMU_Output_Handler.fmu"])
        state, seen = requester.wait(request_uuid)

    assert state == "failed"
    assert "deferred" in seen["await_bundle"]
    failure = requester.row(request_uuid)["failure"]
    assert failure.startswith("await_bundle: ")
    assert "holds FMU_Battery_Model.fmu but no inter_connection.json" in failure
    assert (site.folder("sftp", "twin", "pool", request_uuid) / "FMU_Battery_Model.fmu").exists()
    eventually(lambda: in_quarantine(site, "names FMU_Output_Handler, of which there is no FMU"), timeout_s=100)
