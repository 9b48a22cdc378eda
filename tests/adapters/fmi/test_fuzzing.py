"""Damaged and hostile bundles never break the checker, never hang it, and never write outside its folder."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinbench.adapters.fmi import check_bundle, open_bundle
from twinbench.core.findings import blocking

FUZZ = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MOST_S = 10.0  # of CPU time: a busy machine does not decide
XML = "modelDescription.xml"

mutations = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=8)


def mutated(content: bytes, changes) -> bytes:
    """Replace some bytes at some places."""
    made = bytearray(content)
    for where, length, new in changes:
        place = int(where * max(0, len(made) - 1))
        made[place : place + length] = new
    return bytes(made)


@contextmanager
def watched():
    """A folder of its own for a bundle and for temporary files; nothing else may appear in it, and time is bounded."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "bundle").mkdir()
        (root / "tmp").mkdir()
        before, tempfile.tempdir = tempfile.tempdir, str(root / "tmp")
        begun = time.process_time()
        try:
            yield root / "bundle"
        finally:
            tempfile.tempdir = before
        assert time.process_time() - begun < MOST_S
        assert {path.name for path in root.iterdir()} == {"bundle", "tmp"}
        assert list((root / "tmp").iterdir()) == []


def write_fmu(path: Path, parts: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, content in parts.items():
            archive.writestr(place, content)
    return path.read_bytes()


@pytest.mark.thorough
@given(mutations)
@FUZZ
def test_a_damaged_archive(lag_parts, changes):
    with watched() as folder:
        content = write_fmu(folder / "A.fmu", lag_parts["3.0"])
        (folder / "A.fmu").write_bytes(mutated(content, changes))
        (folder / "inter_connection.json").write_text("[]")

        with open_bundle(folder) as opened:
            assert all(finding.hint for finding in opened.check.findings)


@pytest.mark.thorough
@given(mutations, st.sampled_from(["2.0", "3.0"]))
@FUZZ
def test_a_damaged_model_description(lag_parts, changes, version):
    with watched() as folder:
        parts = dict(lag_parts[version])
        write_fmu(folder / "A.fmu", {**parts, XML: mutated(parts[XML], changes)})
        (folder / "inter_connection.json").write_text('[{"OutSignalReference": "A/y", "InSignalReference": "A/u"}]')

        with open_bundle(folder) as opened:
            assert all(finding.hint for finding in opened.check.findings)
            if opened.check.ok:
                assert [model.name for model in opened.check.models] == ["A"]


@pytest.mark.thorough
@given(mutations)
@FUZZ
def test_a_damaged_library(lag_parts, changes):
    with watched() as folder:
        parts = dict(lag_parts["3.0"])
        library = "binaries/x86_64-linux/lag.so"
        write_fmu(folder / "A.fmu", {**parts, library: mutated(parts[library], changes)})
        (folder / "inter_connection.json").write_text("[]")

        with open_bundle(folder):
            pass


JSON = json.dumps([{"OutSignalReference": "/A/y/y", "InSignalReference": "/A/u/u"}] * 2).encode()


@pytest.mark.thorough
@given(mutations)
@FUZZ
def test_a_damaged_interconnection_file(lag_parts, changes):
    with watched() as folder:
        write_fmu(folder / "A.fmu", lag_parts["3.0"])
        (folder / "inter_connection.json").write_bytes(mutated(JSON, changes))

        with open_bundle(folder) as opened:
            assert len(opened.check.models) == 1


@pytest.mark.thorough
@given(mutations)
@settings(FUZZ, max_examples=4)
def test_a_damaged_library_that_is_tried_takes_only_its_trial_along(lag_parts, tmp_path_factory, changes):
    parts = dict(lag_parts["3.0"])
    library = "binaries/x86_64-linux/lag.so"
    end = len(parts[library])
    code = [(0.05 + 0.3 * where, min(length, 3), new[:3]) for where, length, new in changes]
    folder = tmp_path_factory.mktemp("damaged")
    write_fmu(folder / "A.fmu", {**parts, library: mutated(parts[library], code)[:end].ljust(end, b"\0")})
    (folder / "inter_connection.json").write_text("[]")

    check_bundle(folder, deadline_s=1.0)

    assert len(list(folder.iterdir())) == 2


@pytest.mark.thorough
def test_a_json_file_of_brackets_and_one_of_a_million_entries(bundle):
    folder = bundle({"A": "3.0"}, [])
    for text in ("[" * 1_000_000, "[" + "{}," * 300_000 + "{}]", "[" + "1" * 1_000_000 + "]"):
        (folder / "inter_connection.json").write_text(text)
        begun = time.process_time()

        with open_bundle(folder) as opened:
            assert blocking(opened.check.findings)
        assert time.process_time() - begun < MOST_S


@pytest.mark.parametrize("levels", [1000, 100_000])
def test_a_model_description_that_nests_deeply(lag_parts, tmp_path, levels):
    parts = dict(lag_parts["3.0"])
    parts[XML] = parts[XML].replace(
        b"</fmiModelDescription>", b"<a>" * levels + b"</a>" * levels + b"</fmiModelDescription>"
    )
    write_fmu(tmp_path / "A.fmu", parts)
    (tmp_path / "inter_connection.json").write_text("[]")

    with open_bundle(tmp_path) as opened:
        codes = [finding.code for finding in blocking(opened.check.findings)]
        assert codes == ["BUNDLE-DESCRIPTION-INVALID"]


def test_an_ssp_is_checked_as_a_bundle_is(bundle, tmp_path):
    folder = bundle({"A": "3.0"}, [])
    inside = tmp_path / "inside"
    (inside / "resources").mkdir(parents=True)
    shutil.copy(folder / "A.fmu", inside / "resources/A.fmu")
    (inside / "SystemStructure.ssd").write_text("<SystemStructureDescription><System>&evil;</System>")

    with open_bundle(inside) as opened:
        assert [finding.code for finding in blocking(opened.check.findings)] == ["SSP-UNREADABLE", "BUNDLE-NO-FMU"]
