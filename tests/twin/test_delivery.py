"""Models are uploaded whole or not at all, the interconnection file last, and not twice."""

import os
import signal

import pytest

from tests.broker import eventually
from twinbench.core.errors import ConfigurationError, UnreachableError
from twinbench.stack.credentials import sftp_key, sftp_known_hosts
from twinbench.stack.pool import sftp_url
from twinbench.twin.delivery import Deliveries, UploadPool
from twinbench.twin.registry import Registry, seed_registry

pytestmark = pytest.mark.stack

REQUEST = "7d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a11"
NAMES = {"FMU_Battery_Model.fmu", "FMU_Input_Handler.fmu", "FMU_Output_Handler.fmu", "inter_connection.json"}


@pytest.fixture
def registry(fmus, tmp_path):
    seed_registry(fmus, tmp_path / "registry")
    return Registry(tmp_path / "registry")


@pytest.fixture
def bundle(registry):
    return registry.choose(test_name="Performance - Capacity", uut="Gen3b - Cell")


@pytest.fixture
def upload_pool(site, pool_folder):
    return UploadPool(sftp_url(site, "twin"), key=str(sftp_key(site, "twin")), known_hosts=str(sftp_known_hosts(site)))


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_bundle_lies_in_the_pool_under_the_models_own_names(upload_pool, pool_folder, bundle, fmus):
    assert upload_pool.deliver(REQUEST, bundle) is True

    assert content(pool_folder / REQUEST) == {path.name: path.read_bytes() for path in fmus.iterdir()}


def test_a_complete_bundle_is_not_uploaded_again_but_a_taken_one_is(upload_pool, pool_folder, bundle):
    upload_pool.deliver(REQUEST, bundle)
    before = {path.name: path.stat().st_mtime_ns for path in (pool_folder / REQUEST).iterdir()}

    assert upload_pool.deliver(REQUEST, bundle) is False
    assert {path.name: path.stat().st_mtime_ns for path in (pool_folder / REQUEST).iterdir()} == before

    for path in (pool_folder / REQUEST).iterdir():
        path.unlink()
    assert upload_pool.deliver(REQUEST, bundle) is True
    assert set(content(pool_folder / REQUEST)) == NAMES


def test_what_an_upload_left_half_done_is_replaced(upload_pool, pool_folder, bundle, fmus):
    (pool_folder / REQUEST).mkdir()
    (pool_folder / REQUEST / "FMU_Battery_Model.fmu").write_text("stale")
    (pool_folder / REQUEST / "FMU_Input_Handler.fmu.part").write_text("cut")

    assert upload_pool.deliver(REQUEST, bundle) is True
    assert content(pool_folder / REQUEST) == {path.name: path.read_bytes() for path in fmus.iterdir()}


def test_until_all_models_are_there_the_interconnection_file_is_not(upload_pool, pool_folder, bundle):
    os.truncate(bundle.wiring.path, 0)
    bundle.wiring.path.unlink()

    with pytest.raises((OSError, UnreachableError)):
        upload_pool.deliver(REQUEST, bundle)
    assert set(content(pool_folder / REQUEST)) == NAMES - {"inter_connection.json"}


def test_a_server_that_takes_nothing_is_an_error_with_its_words(upload_pool, pool_folder, bundle):
    (pool_folder / REQUEST).write_text("a file where the folder should be")

    with pytest.raises(UnreachableError, match=f"does not take the models of {REQUEST}"):
        upload_pool.deliver(REQUEST, bundle)


def test_a_wrong_key_is_named(site, pool_folder, bundle):
    stranger = UploadPool(
        sftp_url(site, "twin"), key=str(sftp_key(site, "stranger")), known_hosts=str(sftp_known_hosts(site))
    )

    with pytest.raises(ConfigurationError, match="refuses user 'twin'"):
        stranger.deliver(REQUEST, bundle)


def test_an_accepted_request_gets_its_models_even_if_the_server_is_away_at_first(
    store, registry, upload_pool, pool_folder, sftp, request_message, caplog
):
    deliveries = Deliveries(store, registry, upload_pool)
    store.note_request(REQUEST, request_message, {"status": "accepted"})
    sftp.end(signal.SIGKILL)
    try:
        deliveries.start()
        eventually(lambda: "delivery waits: SFTP server" in caplog.text)
    finally:
        sftp.start()

    deliveries.look()
    eventually(lambda: not store.undelivered())
    deliveries.stop()
    assert set(content(pool_folder / REQUEST)) == NAMES
