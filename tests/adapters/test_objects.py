"""Objects are read back as they were written, appear whole or not at all, and stay below their root."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.adapters.objects import Objects
from twinbench.core.errors import ConfigurationError, ResultError


@pytest.fixture(params=["file", "memory"])
def objects(request, tmp_path):
    return Objects(tmp_path.as_uri() if request.param == "file" else f"memory://{tmp_path.name}")


@given(st.binary(max_size=200))
def test_what_is_written_is_read(content):
    objects = Objects("memory://round-trip")
    objects.write("a/b.bin", content)

    assert objects.read("a/b.bin") == content


def test_keys_are_sorted_and_below_the_prefix(objects):
    for key in ("results/b.txt", "results/a/c.txt", "other/x.txt"):
        objects.write(key, "text")

    assert objects.keys("results") == ["results/a/c.txt", "results/b.txt"]


def test_writing_again_replaces_and_removing_removes(objects):
    objects.write("results/a.txt", "first")
    objects.write("results/a.txt", "second")
    assert objects.read("results/a.txt") == b"second"

    objects.remove("results")
    objects.remove("results")

    assert not objects.exists("results/a.txt")


def test_a_missing_object_is_told_with_its_address(objects):
    with pytest.raises(ResultError, match=r"results/a\.json does not exist: the stage that writes it has not run"):
        objects.read("results/a.json")


@pytest.mark.parametrize("key", ["../a", "/etc/passwd", "a/../../b"])
def test_no_key_leads_out_of_the_root(objects, key):
    with pytest.raises(ConfigurationError, match="no key below"):
        objects.write(key, "text")


def test_fetching_copies_into_one_folder(objects, tmp_path):
    objects.write("models/fmus/a.fmu", b"a")
    objects.write("models/b.json", b"b")
    folder = tmp_path / "copies"
    folder.mkdir()

    files = objects.fetch("models", folder)

    assert sorted(file.name for file in files) == ["a.fmu", "b.json"]
    assert (folder / "a.fmu").read_bytes() == b"a"


def test_a_file_that_is_being_written_is_not_seen_under_its_name(tmp_path, monkeypatch):
    objects = Objects(tmp_path.as_uri())
    objects.write("a.txt", "whole")
    real_open = objects._files.open

    def breaking(*arguments, **options):
        file = real_open(*arguments, **options)
        monkeypatch.setattr(file, "write", lambda _data: (_ for _ in ()).throw(OSError("the disk is full")))
        return file

    monkeypatch.setattr(objects._files, "open", breaking)
    with pytest.raises(OSError, match="disk is full"):
        objects.write("a.txt", "another")

    assert Path(tmp_path / "a.txt").read_text() == "whole"


def test_an_unknown_kind_of_storage_is_told_with_its_setting():
    with pytest.raises(ConfigurationError, match="TWINBENCH_STORAGE_URL='nonsense://x'"):
        Objects("nonsense://x")
