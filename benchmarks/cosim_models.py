"""Builds the FMUs and wired systems that ``cosim.py`` times its engines with, from ``cosim_models.c`` with gcc."""

from __future__ import annotations

import json
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("cosim_models.c")


@dataclass(frozen=True)
class Kind:
    """One model: variables as (name, causality, start), in the order of their value references."""

    number: int
    variables: tuple[tuple[str, str, float | None], ...]
    depends: dict[str, str]


KINDS = {
    "Oscillator": Kind(1, (("x0", "output", None), ("x1", "output", None), ("mu", "parameter", 1.0)), {}),
    "Gain": Kind(2, (("u", "input", 0.0), ("y", "output", None), ("k", "parameter", 1.01)), {"y": "1"}),
    "Mass": Kind(3, (("f", "input", 0.0), ("x", "output", None), ("v", "output", None)), {}),
    "Spring": Kind(
        4, (("x", "input", 0.0), ("v", "input", 0.0), ("f", "output", None), ("k", "parameter", 1.0)), {"f": "1 2"}
    ),
    "Filter": Kind(5, (("u", "input", 1.0), ("y", "output", None)), {}),
}


@dataclass(frozen=True)
class Wired:
    """A system: FMU -> kind, wires as (FMU, output, FMU, input), what is weighed."""

    fmi: int
    models: dict[str, str]
    wires: tuple[tuple[str, str, str, str], ...]
    is_bare: bool = False
    step_s: float = 0.01

    @property
    def outputs(self) -> list[tuple[str, str]]:
        """All outputs, FMU by FMU."""
        return [
            (name, variable)
            for name, kind in self.models.items()
            for variable, causality, _ in KINDS[kind].variables
            if causality == "output"
        ]


_CHAIN = (("src", "x0", "ga", "u"), ("ga", "y", "gb", "u"))
_LOOP = (("mass", "x", "spring", "x"), ("mass", "v", "spring", "v"), ("spring", "f", "mass", "f"))
SYSTEMS = {
    "bare2": Wired(2, {"src": "Oscillator", "ga": "Gain", "gb": "Gain"}, _CHAIN, is_bare=True),
    "light2": Wired(2, {"src": "Oscillator", "ga": "Gain", "gb": "Gain"}, _CHAIN),
    "light3": Wired(3, {"src": "Oscillator", "ga": "Gain", "gb": "Gain"}, _CHAIN),
    "two2": Wired(2, {"mass": "Mass", "spring": "Spring"}, _LOOP),
    "heavy2": Wired(2, {"fa": "Filter", "fb": "Filter"}, (("fa", "y", "fb", "u"),)),
    "heavy3": Wired(3, {"fa": "Filter", "fb": "Filter"}, (("fa", "y", "fb", "u"),)),
}


def build(folder: Path) -> dict[str, Path]:
    """Build all systems; returns the folder of each bundle."""
    wanted = {(kind, system.fmi, system.is_bare) for system in SYSTEMS.values() for kind in system.models.values()}
    fmus = {(name, fmi, is_bare): _build_fmu(folder, name, fmi, is_bare=is_bare) for name, fmi, is_bare in wanted}
    bundles = {}
    for name, system in SYSTEMS.items():
        bundle = folder / name
        bundle.mkdir()
        for model, kind in system.models.items():
            (bundle / f"{model}.fmu").write_bytes(fmus[kind, system.fmi, system.is_bare])
        wires = [
            {"OutSignalReference": f"/{a}/{y}/{y}", "InSignalReference": f"/{b}/{u}/{u}"} for a, y, b, u in system.wires
        ]
        (bundle / "inter_connection.json").write_text(json.dumps(wires))
        bundles[name] = bundle
    return bundles


def _build_fmu(folder: Path, name: str, fmi: int, *, is_bare: bool) -> bytes:
    import fmpy.fmi2
    import fmpy.fmi3

    kind, source = KINDS[name], SOURCE.read_text()
    interface = fmpy.fmi2.FMU2Slave if fmi == 2 else fmpy.fmi3.FMU3Slave
    missing = [n for n in dir(interface) if n.startswith(f"fmi{fmi}") and f"{n}(" not in source]
    stubs = folder / "stubs.c"
    stubs.write_text("".join(f"int {n}(void) {{ return 3; }}\n" for n in missing))
    library = folder / "model.so"
    defines = [f"-DMODEL={kind.number}", *(["-DFMI2"] if fmi == 2 else []), *(["-DBARE"] if is_bare else [])]
    flags = ["-shared", "-fPIC", "-O2", "-ffp-contract=off", *defines]
    subprocess.run(["gcc", *flags, "-w", "-o", library, SOURCE, stubs], check=True)
    place = "linux64" if fmi == 2 else "x86_64-linux"
    with zipfile.ZipFile(folder / "model.fmu", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("modelDescription.xml", _describe_2(name, kind) if fmi == 2 else _describe_3(name, kind))
        archive.write(library, f"binaries/{place}/{name}.so")
    return (folder / "model.fmu").read_bytes()


def _describe_2(name: str, kind: Kind) -> str:
    variables = "".join(
        f'<ScalarVariable name="{v}" valueReference="{reference}" causality="{causality}" '
        f'variability="{"fixed" if causality == "parameter" else "continuous"}">'
        f"<Real{_start(start)}/></ScalarVariable>"
        for reference, (v, causality, start) in enumerate(kind.variables, 1)
    )
    unknowns = "".join(
        f'<Unknown index="{index}" dependencies="{kind.depends.get(v, "")}"/>' for index, v in _outputs(kind)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><fmiModelDescription fmiVersion="2.0" modelName="{name}" guid="{name}">'
        f'<CoSimulation modelIdentifier="{name}" canGetAndSetFMUstate="true" '
        'canHandleVariableCommunicationStepSize="true"/>'
        f"<ModelVariables>{variables}</ModelVariables><ModelStructure><Outputs>{unknowns}</Outputs>"
        f"<InitialUnknowns>{unknowns}</InitialUnknowns></ModelStructure></fmiModelDescription>"
    )


def _describe_3(name: str, kind: Kind) -> str:
    variables = '<Float64 name="time" valueReference="0" causality="independent" variability="continuous"/>'
    for reference, (v, causality, start) in enumerate(kind.variables, 1):
        fixed = ' variability="fixed"' if causality == "parameter" else ""
        variables += f'<Float64 name="{v}" valueReference="{reference}" causality="{causality}"{fixed}{_start(start)}/>'
    unknowns = "".join(
        f'<{tag} valueReference="{index}" dependencies="{kind.depends.get(v, "")}"/>'
        for tag in ("Output", "InitialUnknown")
        for index, v in _outputs(kind)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><fmiModelDescription fmiVersion="3.0" modelName="{name}" '
        f'instantiationToken="{name}"><CoSimulation modelIdentifier="{name}" canGetAndSetFMUState="true" '
        'canHandleVariableCommunicationStepSize="true"/>'
        f"<ModelVariables>{variables}</ModelVariables><ModelStructure>{unknowns}</ModelStructure></fmiModelDescription>"
    )


def _outputs(kind: Kind) -> list[tuple[int, str]]:
    return [(index, v) for index, (v, causality, _) in enumerate(kind.variables, 1) if causality == "output"]


def _start(start: float | None) -> str:
    return "" if start is None else f' start="{start}"'
