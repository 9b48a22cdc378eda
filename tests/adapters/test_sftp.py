"""The pool on a real SFTP server: finished files are taken, unfinished ones left, and what is wrong is said."""

import os

import asyncssh
import pytest

from tests.broker import free_port
from twinbench.adapters.sftp import SftpPool
from twinbench.core.errors import BundleError, ConfigurationError, UnreachableError
from twinbench.stack.credentials import sftp_key, sftp_known_hosts
from twinbench.stack.pool import sftp_url

REQUEST = "9d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a99"


@pytest.fixture
def folder(site, sftp):
    """The request's folder, where the server keeps it; empty."""
    place = site.folder("sftp", "twin", "pool", REQUEST)
    yield place
    for path in place.iterdir():
        path.unlink()
    place.rmdir()


def pool(site, **changes):
    settings = {
        "url": sftp_url(site, "lims"),
        "key": str(sftp_key(site, "lims")),
        "known_hosts": str(sftp_known_hosts(site)),
        **changes,
    }
    return SftpPool(settings.pop("url"), **settings)


def test_finished_files_are_taken_and_uploads_under_way_and_what_came_since_are_left(site, folder, tmp_path):
    (folder / "A.fmu").write_bytes(b"model")
    (folder / "inter_connection.json.part").write_bytes(b"half")
    ours = pool(site)

    assert ours.names(REQUEST) == ["A.fmu", "inter_connection.json.part"]
    assert [file.read_bytes() for file in ours.fetch(REQUEST, tmp_path)] == [b"model"]
    (folder / "B.fmu").write_bytes(b"came since")
    ours.remove(REQUEST, ["A.fmu"])

    assert sorted(path.name for path in folder.iterdir()) == ["B.fmu", "inter_connection.json.part"]


def test_a_request_without_a_folder_has_nothing(site, sftp, tmp_path):
    ours = pool(site)

    assert ours.names("00000000-0000-4000-8000-000000000000") == []
    assert ours.fetch("00000000-0000-4000-8000-000000000000", tmp_path) == []


def test_a_link_is_refused(site, folder, tmp_path):
    (folder / "real.fmu").write_bytes(b"model")
    os.symlink("real.fmu", folder / "A.fmu")
    with pytest.raises(BundleError, match=r"A\.fmu is no plain file"):
        pool(site).fetch(REQUEST, tmp_path)

    (folder / "A.fmu").unlink()
    (tmp_path / "secret").write_text("secret")
    os.symlink(tmp_path / "secret", folder / "B.fmu")
    with pytest.raises(BundleError, match="leads out of your folder"):
        pool(site).fetch(REQUEST, tmp_path)


def test_a_folder_is_refused_by_name(site, folder, tmp_path):
    (folder / "fmus").mkdir()
    try:
        with pytest.raises(BundleError, match=rf"{REQUEST}/fmus is no plain file: upload FMUs and the interconnection"):
            pool(site).fetch(REQUEST, tmp_path)
    finally:
        (folder / "fmus").rmdir()


def test_a_file_that_is_too_large_is_refused_before_it_is_copied(site, folder, tmp_path, monkeypatch):
    monkeypatch.setattr("twinbench.adapters.sftp.pool.LARGEST_FILE_BYTES", 3)
    (folder / "A.fmu").write_bytes(b"model")

    with pytest.raises(BundleError, match=r"A\.fmu has 5 bytes; at most 3 are taken"):
        pool(site).fetch(REQUEST, tmp_path)

    assert not (tmp_path / "A.fmu").exists()


def test_a_folder_that_is_emptied_is_removed(site, sftp):
    place = site.folder("sftp", "twin", "pool", "a-request")
    (place / "A.fmu").write_bytes(b"model")

    pool(site).remove("a-request", ["A.fmu"])
    pool(site).remove("a-request", ["A.fmu"])

    assert not place.exists()


@pytest.mark.parametrize(("setting", "content"), [("key", None), ("key", "no key"), ("known_hosts", None)])
def test_a_file_of_keys_that_is_none_is_named_with_its_setting(tmp_path, setting, content):
    paths = {"key": tmp_path / "key", "known_hosts": tmp_path / "known_hosts"}
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(paths["key"]))
    paths["known_hosts"].write_text("")
    paths[setting].write_text(content) if content else paths[setting].unlink()
    url = f"sftp://lims@127.0.0.1:{free_port()}/pool"
    ours = SftpPool(url, **{name: str(path) for name, path in paths.items()})

    with pytest.raises(ConfigurationError, match=rf"TWINBENCH_SFTP_{setting.upper()} names {paths[setting]}"):
        ours.names(REQUEST)


def test_a_wrong_key_is_told_with_user_file_and_remedy_and_not_tried_again(site, sftp, tmp_path):
    wrong = tmp_path / "wrong_key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(wrong))

    with pytest.raises(
        ConfigurationError, match=rf"refuses user 'lims' with the key {wrong}.*TWINBENCH_SFTP_KEY"
    ) as told:
        pool(site, key=str(wrong)).names(REQUEST)

    assert not told.value.transient


@pytest.mark.parametrize("knows", ["nobody", "another server at that address"])
def test_a_server_that_is_not_known_is_not_trusted(site, sftp, tmp_path, knows):
    known_hosts = tmp_path / "known_hosts"
    another = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    known_hosts.write_text("" if knows == "nobody" else f"[127.0.0.1]:{site.ports['sftp']} {another}")

    with pytest.raises(ConfigurationError, match=rf"shows a host key that {known_hosts} does not know") as told:
        pool(site, known_hosts=str(known_hosts)).names(REQUEST)

    assert not told.value.transient


def test_a_server_that_is_away_may_be_asked_again(site, sftp):
    url = f"sftp://lims@127.0.0.1:{free_port()}/pool"

    with pytest.raises(UnreachableError, match="does not answer") as told:
        pool(site, url=url).names(REQUEST)

    assert told.value.transient
