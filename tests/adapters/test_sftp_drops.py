"""What lies beside the requests' folders, on a real SFTP server and in the fake alike: listed, read and moved."""

import os
import shutil

import pytest

from tests.broker import free_port
from tests.fakes import FakeDrops, FakePool
from twinbench.adapters.sftp import SftpDrops, SftpPool
from twinbench.core.errors import BundleError, UnknownError, UnreachableError
from twinbench.core.pool_entries import Entry
from twinbench.stack.credentials import sftp_key, sftp_known_hosts
from twinbench.stack.pool import sftp_url

REQUEST = "9d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a99"


def keys(site):
    return {"key": str(sftp_key(site, "lims")), "known_hosts": str(sftp_known_hosts(site))}


@pytest.fixture
def folder(site, sftp):
    """The pool, where the server keeps it; empty."""
    place = site.folder("sftp", "twin", "pool")
    shutil.rmtree(place)
    place.mkdir(mode=0o700)
    return place


@pytest.fixture
def real(site, folder):
    return SftpDrops(sftp_url(site, "lims"), **keys(site))


class Either:
    """What holds for both; *put* lays a file down, *names_of* tells what a request's folder holds."""

    def test_files_and_folders_are_listed_but_not_requests_own_and_not_the_quarantine(self, drops, put):
        for path in ("A.fmu", "x/B.fmu", "quarantine/y/C.fmu"):
            put(path, b"12345")

        found = {(entry.path, entry.kind) for entry in drops.entries()}

        assert found == {("A.fmu", "file"), ("x", "folder"), ("x/B.fmu", "file")}
        assert [entry.size for entry in drops.entries() if entry.path == "A.fmu"] == [5]
        assert [(entry.path, entry.kind) for entry in drops.listing("quarantine")] == [("quarantine/y", "folder")]
        assert drops.listing("nowhere") == []
        assert {entry.path for entry in drops.listing("")} >= {"A.fmu", "x"}

    def test_a_file_is_read_as_far_as_is_wanted(self, drops, put):
        put("A.fmu", b"12345")

        assert drops.read("A.fmu", most_bytes=3) == b"123"

    def test_files_are_moved_into_a_request_s_folder_and_emptied_folders_go(self, drops, put, names_of):
        put("x/A.fmu", b"1")
        put("x/connections.json", b"2")

        drops.move([("x/A.fmu", f"{REQUEST}/A.fmu"), ("x/connections.json", f"{REQUEST}/connections.json")])

        assert names_of(REQUEST) == ["A.fmu", "connections.json"]
        assert drops.entries() == []

    def test_nothing_is_written_over(self, drops, put, names_of):
        put("A.fmu", b"1")
        drops.move([("A.fmu", f"{REQUEST}/A.fmu")])
        put("A.fmu", b"2")

        with pytest.raises(BundleError, match=f"{REQUEST}/A.fmu is in the pool already"):
            drops.move([("A.fmu", f"{REQUEST}/A.fmu")])

        assert drops.read("A.fmu", most_bytes=9) == b"2"

    def test_files_of_our_own_are_written_and_removed(self, drops):
        drops.write("quarantine/x.json", "{}")
        drops.write("quarantine/x.json", "[]")
        assert drops.read("quarantine/x.json", most_bytes=9) == b"[]"

        drops.remove("quarantine/x.json")
        drops.remove("quarantine/x.json")

        assert drops.listing("quarantine") == []


class TestFake(Either):
    @pytest.fixture
    def pool(self):
        return FakePool()

    @pytest.fixture
    def drops(self, pool):
        return FakeDrops(pool)

    @pytest.fixture
    def put(self, drops):
        return drops.files.__setitem__

    @pytest.fixture
    def names_of(self, pool):
        return pool.names


class TestReal(Either):
    @pytest.fixture
    def drops(self, real):
        return real

    @pytest.fixture
    def put(self, folder):
        def put(path, content):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)

        return put

    @pytest.fixture
    def names_of(self, site):
        return SftpPool(sftp_url(site, "lims"), **keys(site)).names


def test_hostile_names_and_links_are_listed_and_moved_like_any_other(real, folder):
    names = [b"\xff\xfe.fmu", b"A\n\x1b[31m.fmu", b"-rf", b"C:\\x.fmu", "Zelle-für-Ä.fmu".encode()]
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(name)
    os.symlink("-rf", folder / "link.fmu")
    found = real.entries()

    real.move([(entry.path, f"quarantine/x/{number}") for number, entry in enumerate(found)])

    assert {entry.kind for entry in found if entry.path == "link.fmu"} == {"other"}
    assert sorted(
        file.read_bytes() for file in (folder / "quarantine" / "x").iterdir() if not file.is_symlink()
    ) == sorted(names)
    assert [path.name for path in folder.iterdir()] == ["quarantine"]


def test_a_request_s_own_folder_is_known_by_its_name_alone(real, folder):
    for name in (REQUEST, f"x-{REQUEST}", REQUEST.upper()):
        (folder / name).mkdir()

    assert [entry.path for entry in real.entries()] == sorted([REQUEST.upper(), f"x-{REQUEST}"])


def test_a_flood_is_looked_at_in_parts(real, folder, monkeypatch):
    monkeypatch.setattr("twinbench.adapters.sftp.drops._MOST_ENTRIES", 7)
    for number in range(20):
        (folder / f"{number}.fmu").touch()

    assert len(real.entries()) == 7


def test_what_is_gone_or_may_not_be_moved_is_told(real, folder):
    with pytest.raises(UnknownError, match="not in the pool any more"):
        real.move([("A.fmu", f"{REQUEST}/A.fmu")])

    (folder / "A.fmu").touch()
    (folder / "B.fmu").touch()
    with pytest.raises(BundleError, match="refuses to have the pool put in order"):
        real.move([("A.fmu", "B.fmu/A.fmu")])
    assert (folder / "A.fmu").exists()


def test_a_server_that_is_away_may_be_asked_again(site, sftp):
    drops = SftpDrops(f"sftp://lims@127.0.0.1:{free_port()}/pool", **keys(site))

    with pytest.raises(UnreachableError, match="does not answer"):
        drops.entries()


def test_entries_tell_size_and_time(real, folder):
    (folder / "A.fmu").write_bytes(b"123")
    os.utime(folder / "A.fmu", (1_000, 1_000))

    assert real.entries() == [Entry("A.fmu", "file", 3, 1_000)]
