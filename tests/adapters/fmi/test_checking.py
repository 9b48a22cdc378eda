"""Whatever is dropped as an FMU or a bundle is looked at safely, and everything wrong with it is said at once."""

from __future__ import annotations

import json
import stat
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from twinbench.adapters.fmi import check_bundle, inspect_archive, open_bundle
from twinbench.adapters.fmi.archive import Limits, unpack
from twinbench.adapters.fmi.trial import try_models
from twinbench.core.errors import BundleError
from twinbench.core.findings import Severity

pytestmark = pytest.mark.thorough

LIBRARY = "binaries/x86_64-linux/lag.so"
XML = "modelDescription.xml"


def codes(findings) -> list[str]:
    return [finding.code for finding in findings]


@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_a_good_fmu_is_summarised_without_findings(pack, lag_parts, version):
    summary, findings = inspect_archive(pack(lag_parts[version], "Front_Lag.fmu"))

    assert findings == []
    assert (summary.name, summary.fmi_version, summary.model_identifier) == ("Front_Lag", version, "lag")
    assert summary.co_simulation
    assert summary.platforms == ("x86_64-linux",)
    assert len(summary.sha256) == 64
    u = summary.variables["u"]
    assert (u.causality, u.type, u.unit, u.start, u.size) == ("input", "Float64", "V", "0", 1)
    assert summary.variables["count"].type == "Int32"


def test_arrays_have_dimensions(pack, lag_parts):
    summary, _ = inspect_archive(pack(lag_parts["3.0"]))

    assert summary.variables["w"].dimensions == (2,)


def edited(parts: dict[str, bytes], old: str, new: str) -> dict[str, bytes]:
    assert old.encode() in parts[XML]
    return {**parts, XML: parts[XML].replace(old.encode(), new.encode())}


@pytest.mark.parametrize(
    ("code", "words", "change"),
    [
        ("BUNDLE-NO-DESCRIPTION", "holds no", lambda p: {LIBRARY: p[LIBRARY]}),
        ("BUNDLE-DESCRIPTION-INVALID", "no well-formed", lambda p: {**p, XML: p[XML][:300]}),
        ("BUNDLE-DESCRIPTION-INVALID", "no well-formed", lambda p: {**p, XML: b""}),
        ("BUNDLE-DESCRIPTION-INVALID", "holds <html>", lambda p: {**p, XML: b"<html/>"}),
        (
            "BUNDLE-DESCRIPTION-INVALID",
            "follow FMI 3.0",
            lambda p: edited(p, 'valueReference="1"', 'valueReference="x"'),
        ),
        ("BUNDLE-DESCRIPTION-INVALID", "follow FMI 3.0", lambda p: edited(p, "ModelVariables", "Variables")),
        ("BUNDLE-FMI-VERSION", "is FMI 1.0", lambda p: edited(p, 'fmiVersion="3.0"', 'fmiVersion="1.0"')),
        ("BUNDLE-FMI-VERSION", "no stated version", lambda p: edited(p, 'fmiVersion="3.0"', "")),
        ("BUNDLE-NO-CO-SIMULATION", "no Co-Simulation", lambda p: edited(p, "CoSimulation", "ModelExchange")),
        ("BUNDLE-MODEL-IDENTIFIER", "../evil", lambda p: edited(p, 'Identifier="lag"', 'Identifier="../evil"')),
        ("BUNDLE-NO-LINUX-BINARY", "x86_64-windows", lambda p: {XML: p[XML], "binaries/x86_64-windows/lag.dll": b"MZ"}),
        ("BUNDLE-BINARY-NAME", "gal.so", lambda p: {XML: p[XML], "binaries/x86_64-linux/gal.so": p[LIBRARY]}),
        ("BUNDLE-BINARY-FORMAT", "no Linux library", lambda p: {**p, LIBRARY: b"MZ" * 50}),
        ("BUNDLE-BINARY-FORMAT", "cut off or damaged", lambda p: {**p, LIBRARY: p[LIBRARY][:9000]}),
        ("BUNDLE-LIBRARY-MISSING", "libq.so.6", lambda p: {**p, LIBRARY: p[LIBRARY].replace(b"libc.so", b"libq.so")}),
        ("BUNDLE-BINARY-FORMAT", "not for 64-bit Linux", lambda p: {**p, LIBRARY: b"\x7fELF\x01" + p[LIBRARY][5:]}),
    ],
)
def test_an_fmu_that_cannot_run_is_refused_with_its_reason(pack, lag_parts, code, words, change):
    _, findings = inspect_archive(pack(change(lag_parts["3.0"])))

    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    assert codes(errors) == [code]
    assert words in errors[0].message
    assert errors[0].hint


@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE a SYSTEM "http://localhost:1/a.dtd">',
    ],
)
def test_a_document_type_is_refused_before_any_entity_is_looked_at(pack, lag_parts, prolog):
    parts = edited(lag_parts["3.0"], "<fmiModelDescription", f"{prolog}<fmiModelDescription")

    summary, findings = inspect_archive(pack(parts))

    assert summary is None
    assert "document type" in findings[0].message


def test_what_breaks_the_standard_but_runs_is_a_warning(pack, lag_parts):
    summary, findings = inspect_archive(pack(edited(lag_parts["3.0"], '<Unit name="V"/>', '<Unit name="W"/>')))

    assert summary is not None
    assert set(codes(findings)) == {"BUNDLE-VALIDATION"}
    assert 'The unit "V"' in findings[0].message


def write_zip(path: Path, *entries: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
    return path


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "c:evil", "a\\..\\evil", "a\nb"])
def test_a_path_out_of_the_archive_is_refused(tmp_path, name):
    archive = write_zip(tmp_path / "a.fmu", ("harmless", b"1"), (name, b"2"))

    assert codes(unpack(archive, tmp_path / "out" / "here")) == ["BUNDLE-ZIP-PATH"]
    assert {path.name for path in tmp_path.rglob("*")} <= {"a.fmu", "out", "here", "harmless"}


def test_links_are_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16

    assert codes(unpack(write_zip(tmp_path / "a.fmu", (link, b"/etc/passwd")), tmp_path / "o")) == ["BUNDLE-ZIP-LINK"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(tmp_path):
    archive = write_zip(tmp_path / "a.fmu", ("a/b", b"1"), ("a//b", b"2"))

    assert codes(unpack(archive, tmp_path / "out")) == ["BUNDLE-ZIP-PATH"]


def test_a_file_that_is_also_a_folder_is_refused(tmp_path):
    archive = write_zip(tmp_path / "a.fmu", ("a", b"1"), ("a/b", b"2"))

    assert codes(unpack(archive, tmp_path / "out")) == ["BUNDLE-ZIP-DAMAGED"]


def test_a_bomb_is_stopped_by_what_comes_out_not_by_what_it_says(tmp_path):
    archive = write_zip(tmp_path / "a.fmu", ("bomb", b"\0" * 5_000_000))
    content = archive.read_bytes()
    lie = content.replace(struct.pack("<I", 5_000_000), struct.pack("<I", 50))
    archive.write_bytes(lie)
    findings = unpack(archive, tmp_path / "out", limits=Limits(free_bytes=100_000))

    assert codes(findings) in (["BUNDLE-ZIP-BOMB"], ["BUNDLE-ZIP-DAMAGED"])
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) < 500_000


@pytest.mark.parametrize(
    "limits", [Limits(free_bytes=1000, ratio=10), Limits(total_bytes=300_000), Limits(entries=1)], ids=str
)
def test_limits_are_kept(tmp_path, limits):
    archive = write_zip(tmp_path / "a.fmu", ("a", b"\0" * 400_000), ("b", b"1"))

    assert codes(unpack(archive, tmp_path / "out", limits=limits)) == ["BUNDLE-ZIP-BOMB"]
    assert unpack(archive, tmp_path / "again") == []


def test_a_damaged_archive_is_refused(tmp_path, pack, lag_parts):
    path = pack(lag_parts["3.0"])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)

    assert codes(inspect_archive(path)[1]) == ["BUNDLE-ZIP-DAMAGED"]


def test_what_is_no_zip_is_refused(tmp_path):
    (tmp_path / "a.fmu").write_bytes(b"hello")

    assert codes(inspect_archive(tmp_path / "a.fmu")[1]) == ["BUNDLE-NOT-A-ZIP"]


def test_a_missing_fmu_is_an_error_of_the_bundle(tmp_path):
    with pytest.raises(BundleError, match="Check its path"):
        inspect_archive(tmp_path / "a.fmu")


def test_a_good_bundle_passes_with_notes_only(bundle):
    check = check_bundle(bundle({"A": "3.0", "B": "2.0"}, ["A.y>B.u"]))

    assert check.ok
    document = check.as_document()
    assert json.loads(json.dumps(document)) == document
    assert [model["name"] for model in document["models"]] == ["A", "B"]
    assert document["connections"] == [{"OutSignalReference": "/A/y/y", "InSignalReference": "/B/u/u"}]
    assert {finding["code"] for finding in document["findings"]} == {"BUNDLE-UNCONNECTED-INPUT"}
    assert {finding["where"] for finding in document["findings"]} == {"/A/u/u", "/A/v/v"}


def test_all_findings_of_a_bundle_come_at_once(bundle, pack):
    folder = bundle({"A": "3.0", "B": "3.0"}, ["A.yy>B.u", "A.z>B.z", "AA.y>B.u"])
    (folder / "notes.json").write_text("not ours")

    findings = check_bundle(folder).findings

    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    assert codes(errors) == ["BUNDLE-UNKNOWN-VARIABLE", "BUNDLE-NOT-AN-INPUT", "BUNDLE-UNKNOWN-MODEL"]
    assert not check_bundle(folder).ok


def test_a_refused_fmu_does_not_bring_findings_about_its_wires(bundle):
    folder = bundle({"A": "3.0", "B": "3.0"}, ["A.y>B.u"])
    (folder / "A.fmu").write_bytes(b"hello")

    assert codes(check_bundle(folder).findings) == ["BUNDLE-NOT-A-ZIP"]


def test_a_loop_is_reported(bundle):
    check = check_bundle(bundle({"A": "3.0", "B": "3.0"}, ["A.z>B.u", "B.z>A.u"]))

    assert check.ok
    (loop,) = (finding for finding in check.findings if finding.code == "BUNDLE-LOOP")
    assert loop.where == "A.z -> B.u -> B.z -> A.u"


def test_a_zipped_bundle_is_as_good_as_a_folder(bundle, tmp_path):
    folder = bundle({"A": "3.0", "B": "2.0"}, ["A.y>B.u"])
    files = [(f"fmus/{path.name}" if path.suffix == ".fmu" else path.name, path) for path in folder.iterdir()]
    archive = write_zip(tmp_path / "bundle.zip", *((name, path.read_bytes()) for name, path in sorted(files)))

    assert check_bundle(archive) == check_bundle(folder)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("BUNDLE-NO-FMU", lambda folder: (folder / "A.fmu").unlink()),
        ("BUNDLE-NO-CONNECTIONS-FILE", lambda folder: (folder / "inter_connection.json").unlink()),
        ("BUNDLE-TWO-CONNECTIONS-FILES", lambda folder: (folder / "connections.json").write_text("[]")),
        ("BUNDLE-CONNECTIONS-NOT-JSON", lambda folder: (folder / "inter_connection.json").write_text("[")),
        ("BUNDLE-NOT-FOUND", lambda folder: folder.rename(folder.with_name("elsewhere"))),
    ],
)
def test_a_bundle_with_the_wrong_files_is_refused(bundle, code, change):
    folder = bundle({"A": "3.0"}, [])
    change(folder)

    assert code in codes(check_bundle(folder).findings)


def test_two_fmus_of_one_name_are_refused(bundle, pack, lag_parts):
    folder = bundle({"A": "3.0"}, [])
    pack(lag_parts["3.0"], "bundle/fmus/A.fmu")

    assert "BUNDLE-FMU-TWICE" in codes(check_bundle(folder).findings)


def test_a_single_fmu_is_checked_as_a_bundle_of_its_own(pack, lag_parts):
    check = check_bundle(pack(lag_parts["3.0"], "Front.fmu"))

    assert check.ok
    assert [model.name for model in check.models] == ["Front"]


def test_start_values_of_an_ssp_that_no_fmu_has_are_left_out_and_told(tmp_path, pack, lag_parts):
    pack(lag_parts["3.0"], "inside/lag.fmu")
    binding = (
        "<ParameterBindings><ParameterBinding><ParameterValues><ParameterSet><Parameters>"
        '<Parameter name="T"><Real value="2"/></Parameter><Parameter name="Q"><Real value="2"/></Parameter>'
        "</Parameters></ParameterSet></ParameterValues></ParameterBinding></ParameterBindings>"
    )
    (tmp_path / "inside/SystemStructure.ssd").write_text(
        "<SystemStructureDescription><System><Elements>"
        f'<Component name="A" source="lag.fmu">{binding}</Component></Elements></System></SystemStructureDescription>'
    )

    with open_bundle(tmp_path / "inside") as opened:
        assert opened.start_values == {"A": {"T": "2"}}
        assert [f.code for f in opened.check.findings if "Q" in f.message] == ["BUNDLE-UNKNOWN-START"]


@pytest.mark.parametrize("version", ["2.0", "3.0"])
@pytest.mark.parametrize(
    ("start", "code", "severity", "words"),
    [
        (
            {"crash_at": "0"},
            "BUNDLE-TRIAL-CRASHED",
            Severity.ERROR,
            "SIGSEGV; it printed: last words) in the stage 'step'",
        ),
        ({"hang_at": "0.1"}, "BUNDLE-TRIAL-HANGS", Severity.ERROR, "stopped after 1 s in the stage 'step'"),
        ({"fail_at": "0.1"}, "BUNDLE-TRIAL-FAILED", Severity.WARNING, "could not step by 0.01 s at t = 0.1 s"),
        ({"T": "-1"}, "BUNDLE-TRIAL-FAILED", Severity.WARNING, "T must be positive"),
        ({"nan_at": "0.1"}, "BUNDLE-TRIAL-FAILED", Severity.WARNING, "A.y, A.z became NaN"),
    ],
)
def test_each_fmu_is_tried_in_a_process_of_its_own(bundle, version, start, code, severity, words):
    with open_bundle(bundle({"A": version}, [])) as opened:
        (finding,) = try_models(replace(opened.models(), start_values={"A": start}), deadline_s=1.0)

    assert (finding.code, finding.severity, finding.where) == (code, severity, "A.fmu")
    assert words in finding.message


def test_a_token_that_does_not_match_is_found_in_the_trial(pack, lag_parts, tmp_path):
    pack(edited(lag_parts["3.0"], 'instantiationToken="{lag}"', 'instantiationToken="{other}"'), "bundle/A.fmu")
    (tmp_path / "bundle/inter_connection.json").write_text("[]")

    (finding,) = (
        finding for finding in check_bundle(tmp_path / "bundle").findings if finding.severity == Severity.ERROR
    )

    assert (finding.code, finding.where) == ("BUNDLE-INSTANTIATION-FAILED", "A.fmu")
    assert "token" in finding.hint


def test_a_good_fmu_passes_its_trial(bundle):
    with open_bundle(bundle({"A": "2.0", "B": "3.0"}, [])) as opened:
        assert try_models(opened.models()) == []
