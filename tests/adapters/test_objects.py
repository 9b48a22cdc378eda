"""Objects are read back as they were written, appear whole or not at all, and stay below their root."""

import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.adapters.objects import Objects
from twinbench.core.errors import ConfigurationError, ResultError


@pytest.fixture(params=["file", "memory"])
def objects(request, tmp_path):
    return Objects(tmp_path.as_uri() if request.param == "file" else f"memory://{tmp_path.name}")


names = st.text("abcXYZ019 -_.%&üλ", min_size=1, max_size=20).filter(lambda name: name.strip("."))


@pytest.mark.parametrize("kind", ["file", "memory"])
@given(contents=st.dictionaries(names, st.binary(max_size=200), max_size=5), folder=names)
def test_what_is_written_is_read_and_listed_whatever_its_name(tmp_path_factory, kind, contents, folder):
    place = tmp_path_factory.mktemp("storage")
    objects = Objects(place.as_uri() if kind == "file" else f"memory://{place.name}")
    for name, content in contents.items():
        objects.write(f"{folder}/{name}", content)

    assert {key: objects.read(key) for key in objects.keys("")} == {
        f"{folder}/{name}": content for name, content in contents.items()
    }
    objects.remove(folder)
    assert objects.keys("") == []


def test_text_is_written_as_utf_8_and_an_objects_address_can_be_shown(objects):
    objects.write("a/b.txt", "25 °C")

    assert objects.read("a/b.txt") == "25 °C".encode()
    assert objects.url("a/b.txt").endswith("/a/b.txt")
    assert objects.url("a/b.txt").startswith(("file:///", "memory://"))


def test_keys_are_sorted_and_below_the_prefix(objects):
    for key in ("results/b.txt", "results/a/c.txt", "other/x.txt", "results-2/y.txt"):
        objects.write(key, "text")

    assert objects.keys("results") == ["results/a/c.txt", "results/b.txt"]
    assert objects.keys("results/b.txt") == ["results/b.txt"]
    assert objects.keys("nothing") == []


def test_writing_again_replaces_and_removing_removes(objects):
    objects.write("results/a.txt", "first")
    objects.write("results/a.txt", "second")
    assert objects.read("results/a.txt") == b"second"

    objects.write("other/b.txt", "stays")

    objects.remove("results")
    objects.remove("results")
    assert not objects.exists("results/a.txt")

    objects.remove("other/b.txt")
    assert not objects.exists("other/b.txt")


def test_a_missing_object_is_told_with_its_address(objects):
    with pytest.raises(ResultError, match=r"results/a\.json does not exist: the stage that writes it has not run"):
        objects.read("results/a.json")


@pytest.mark.parametrize("key", ["../a", "/etc/passwd", "a/../../b", ".."])
def test_no_key_leads_out_of_the_root(objects, key):
    for use in (objects.read, objects.exists, objects.keys, objects.remove, lambda key: objects.write(key, "text")):
        with pytest.raises(ConfigurationError, match="is no key below the storage root"):
            use(key)


def test_fetching_copies_into_one_folder(objects, tmp_path):
    objects.write("models/fmus/a.fmu", b"a")
    objects.write("models/b.json", b"b")
    folder = tmp_path / "copies"
    folder.mkdir()

    files = objects.fetch("models", folder)

    assert sorted(file.name for file in files) == ["a.fmu", "b.json"]
    assert (folder / "a.fmu").read_bytes() == b"a"


@contextmanager
def files_of_at_most(size):
    """As if the disk were full after *size* bytes of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_breaks_off_leaves_what_was_there(tmp_path):
    objects = Objects(tmp_path.as_uri())
    objects.write("a.txt", "whole")

    with files_of_at_most(1000), pytest.raises(OSError, match="too large"):
        objects.write("a.txt", b"x" * 2000)

    assert objects.read("a.txt") == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_a_killed_program_left_unfinished_is_no_object(tmp_path):
    objects = Objects(tmp_path.as_uri())
    objects.write("results/a.txt", "whole")
    (tmp_path / "results" / ".b.txt.01234567.unfinished").write_text("hal")

    assert objects.keys("results") == ["results/a.txt"]


def test_whoever_reads_sees_the_old_or_the_new_but_no_half(tmp_path):
    objects, whole = Objects(tmp_path.as_uri()), [bytes([letter]) * 1_000_000 for letter in b"ab"]
    objects.write("a.bin", whole[0])
    done = threading.Event()

    def rewrite():
        for turn in range(60):
            objects.write("a.bin", whole[turn % 2])
        done.set()

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(rewrite)
        while not done.is_set() and not writing.done():
            assert objects.read("a.bin") in whole
        writing.result()


def test_threads_may_write_at_the_same_time(objects):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: objects.write(f"results/{n}.txt", str(n)), range(400)))

    assert {key: objects.read(key) for key in objects.keys("results")} == {
        f"results/{n}.txt": str(n).encode() for n in range(400)
    }


def test_an_unknown_kind_of_storage_is_told_with_its_setting():
    with pytest.raises(ConfigurationError, match="TWINBENCH_STORAGE_URL='nonsense://x'"):
        Objects("nonsense://x")
