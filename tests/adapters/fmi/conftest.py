"""Tiny FMUs, compiled here: ``lag`` for FMI 3.0 and 2.0, and bundles made of copies of it."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import fmpy.fmi2
import fmpy.fmi3
import pytest

SOURCE = Path(__file__).parent / "lag.c"
FILES = {"2.0": "binaries/linux64/lag.so", "3.0": "binaries/x86_64-linux/lag.so"}
SIGNALS = [("u", 1, "input"), ("y", 2, "output"), ("z", 3, "output")]
LIMITS = [("T", 4, "1"), ("fail_at", 7, "1e9"), ("nan_at", 8, "1e9"), ("end_at", 9, "1e9"), ("x0", 13, "0")]
LIMITS += [("crash_at", 14, "1e9"), ("hang_at", 15, "1e9"), ("jump_at", 16, "1e9")]
DEPENDENCIES = {2: "", 3: "1", 6: "5"}  # value references of FMI 3.0 are the indices of FMI 2.0 here


def description_3() -> str:
    variables = '<Float64 name="time" valueReference="0" causality="independent" variability="continuous"/>'
    for name, reference, causality in SIGNALS:
        start = ' start="0"' if causality == "input" else ""
        variables += f'<Float64 name="{name}" valueReference="{reference}" causality="{causality}" unit="V"{start}/>'
    for name, reference, start in LIMITS:
        kind = 'causality="parameter" variability="fixed"'
        variables += f'<Float64 name="{name}" valueReference="{reference}" {kind} start="{start}"/>'
    array = '<Dimension start="2"/></Float64>'
    variables += f'<Float64 name="v" valueReference="5" causality="input" start="0 0">{array}'
    variables += f'<Float64 name="w" valueReference="6" causality="output">{array}'
    variables += (
        '<String name="label" valueReference="10" causality="parameter" variability="fixed">'
        '<Start value="lag"/></String>'
        '<Int32 name="count" valueReference="11" causality="parameter" variability="fixed" start="0"/>'
        '<Boolean name="loud" valueReference="12" causality="parameter" variability="fixed" start="false"/>'
    )
    unknowns = "".join(
        f'<{kind} valueReference="{reference}" dependencies="{DEPENDENCIES[reference]}"/>'
        for kind in ("Output", "InitialUnknown")
        for reference in (2, 3, 6)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><fmiModelDescription fmiVersion="3.0" modelName="lag" '
        'instantiationToken="{lag}" description="A lag for tests"><CoSimulation modelIdentifier="lag" '
        'canGetAndSetFMUState="true" hasEventMode="true" canHandleVariableCommunicationStepSize="true"/>'
        f'<UnitDefinitions><Unit name="V"/></UnitDefinitions><ModelVariables>{variables}</ModelVariables>'
        f"<ModelStructure>{unknowns}</ModelStructure></fmiModelDescription>"
    )


def description_2() -> str:
    def scalar(name: str, reference: int, causality: str, inner: str, variability: str = "fixed") -> str:
        return (
            f'<ScalarVariable name="{name}" valueReference="{reference}" causality="{causality}" '
            f'variability="{variability}">{inner}</ScalarVariable>'
        )

    variables = ""
    for name, reference, causality in SIGNALS:
        start = ' start="0"' if causality == "input" else ""
        variables += scalar(name, reference, causality, f'<Real unit="V"{start}/>', "continuous")
    for name, reference, start in LIMITS:
        variables += scalar(name, reference, "parameter", f'<Real start="{start}"/>')
    variables += scalar("label", 10, "parameter", '<String start="lag"/>')
    variables += scalar("count", 11, "parameter", '<Integer start="0"/>')
    variables += scalar("loud", 12, "parameter", '<Boolean start="false"/>')
    unknowns = "".join(f'<Unknown index="{number}" dependencies="{DEPENDENCIES[number]}"/>' for number in (2, 3))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><fmiModelDescription fmiVersion="2.0" modelName="lag" guid="{lag}">'
        '<CoSimulation modelIdentifier="lag" canGetAndSetFMUstate="true"/>'
        '<UnitDefinitions><Unit name="V"/></UnitDefinitions>'
        f"<ModelVariables>{variables}</ModelVariables><ModelStructure><Outputs>{unknowns}</Outputs>"
        f"<InitialUnknowns>{unknowns}</InitialUnknowns></ModelStructure></fmiModelDescription>"
    )


DESCRIPTIONS = {"2.0": description_2, "3.0": description_3}


def _compile(folder: Path, version: str) -> bytes:
    """The library, with every FMI function: those that lag.c leaves out return an error."""
    kind = fmpy.fmi2.FMU2Slave if version == "2.0" else fmpy.fmi3.FMU3Slave
    source = SOURCE.read_text()
    names = [name for name in dir(kind) if name.startswith(("fmi2", "fmi3")) and f"{name}(" not in source]
    stubs = folder / "stubs.c"
    stubs.write_text("".join(f"int {name}(void) {{ return 3; }}\n" for name in names))
    library = folder / "lag.so"
    flags = ["-shared", "-fPIC", "-O1", "-ffp-contract=off", *(["-DFMI2"] if version == "2.0" else [])]
    subprocess.run(["gcc", *flags, "-o", library, SOURCE, stubs, "-lm"], check=True)
    return library.read_bytes()


@pytest.fixture(scope="session")
def lag_parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """Content of the FMU by FMI version: path in the archive -> bytes."""
    return {
        version: {
            "modelDescription.xml": DESCRIPTIONS[version]().encode(),
            FILES[version]: _compile(tmp_path_factory.mktemp("lag"), version),
        }
        for version in FILES
    }


@pytest.fixture
def pack(tmp_path: Path):
    """Pack a mapping of paths to contents as an archive in the test's folder."""

    def pack(parts: dict[str, bytes], name: str = "lag.fmu") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for place, content in parts.items():
                archive.writestr(place, content)
        return path

    return pack


@pytest.fixture
def bundle(tmp_path: Path, pack, lag_parts):
    """Make a bundle: FMU names with their FMI versions, and wires written ``A.y>B.u``."""

    def bundle(models: dict[str, str], wires: list[str]) -> Path:
        for name, version in models.items():
            pack(lag_parts[version], f"bundle/{name}.fmu")
        ends = [[end.split(".") for end in wire.split(">")] for wire in wires]
        entries = [{"OutSignalReference": f"/{a}/{y}/{y}", "InSignalReference": f"{b}/{u}"} for (a, y), (b, u) in ends]
        (tmp_path / "bundle/inter_connection.json").write_text(json.dumps(entries))
        return tmp_path / "bundle"

    return bundle
