"""What an unpacked FMU says about itself, and whether the lab can run it.

The model description is read twice: first by a parser that refuses document types, so entities never get a chance, then
by FMPy. What FMPy's validation says are warnings: a quarter of real FMUs break the standard in some way that does not
keep them from running.
"""

from __future__ import annotations

import re
from contextlib import suppress
from math import isfinite
from pathlib import Path

import fmpy
from fmpy.model_description import ModelDescription, ModelVariable, Unknown, ValidationError
from fmpy.model_description import Unit as FmiUnit

from twinbench.adapters.fmi.library import library_fault, missing_libraries
from twinbench.core.bundle import BASE_UNITS, ModelSummary, Unit, Variable
from twinbench.core.findings import Finding, Severity
from twinbench.core.strict_xml import UnusableXmlError, parse_strictly

__all__ = ["BINARY_FOLDERS", "describe", "read_description", "validation_findings"]

BINARY_FOLDERS = {"2.0": "linux64", "3.0": "x86_64-linux"}

_PLATFORMS = {"linux64": "x86_64-linux", "win64": "x86_64-windows", "win32": "x86-windows", "darwin64": "x86_64-darwin"}
_TYPES = {"Real": "Float64", "Integer": "Int32"}
_IDENTIFIER = re.compile(r"\w[\w.-]*", re.ASCII)  # some tools write what is no name in C, and it runs
_SLOW_ABOVE_VARIABLES = 1000


def describe(name: str, sha256: str, folder: Path) -> tuple[ModelSummary | None, list[Finding]]:
    """Read an unpacked FMU; no summary if its model description cannot be used."""

    def refuse(code: str, message: str, hint: str) -> tuple[None, list[Finding]]:
        return None, [Finding(code, Severity.ERROR, f"{name}.fmu", message, hint)]

    path = folder / "modelDescription.xml"
    if not path.is_file():
        hint = "modelDescription.xml belongs at the top of the archive, not in a folder."
        return refuse("BUNDLE-NO-DESCRIPTION", "holds no modelDescription.xml", hint)
    try:
        version = _probe(path)
    except UnusableXmlError as error:
        hint = "Export the FMU anew; a model description is plain XML in UTF-8 without a document type."
        return refuse("BUNDLE-DESCRIPTION-INVALID", f"modelDescription.xml {error}", hint)
    if version not in BINARY_FOLDERS:
        return refuse("BUNDLE-FMI-VERSION", f"is FMI {version}", "Export it for FMI 2.0 or 3.0, Co-Simulation.")
    try:
        description = read_description(folder)
        summary = _summarise(name, sha256, folder, description)
    except Exception as error:  # FMPy raises whatever comes; each means that the description is wrong
        message = f"modelDescription.xml does not follow FMI {version}: {error or type(error).__name__}"
        return refuse("BUNDLE-DESCRIPTION-INVALID", message, "Export the FMU anew.")
    if not summary.co_simulation:
        hint = "Export it for Co-Simulation."
        message = "has no Co-Simulation interface"
        return summary, [Finding("BUNDLE-NO-CO-SIMULATION", Severity.ERROR, f"{name}.fmu", message, hint)]
    return summary, _check_runnable(summary, folder, description)


def read_description(folder: Path) -> ModelDescription:
    """FMPy's view of a model description that has passed :func:`describe`."""
    return fmpy.read_model_description(str(folder / "modelDescription.xml"), validate=False)


def validation_findings(summary: ModelSummary, folder: Path) -> list[Finding]:
    """What FMPy's validation says, as warnings."""
    try:
        fmpy.read_model_description(
            str(folder / "modelDescription.xml"),
            validate=True,
            validate_variable_names=len(summary.variables) <= _SLOW_ABOVE_VARIABLES,
            validate_model_structure=True,
        )
    except ValidationError as error:
        problems = error.problems
    except Exception as error:  # as above
        problems = [str(error)]
    else:
        problems = []
    hint = "The model may run all the same; tell its author."
    where = f"{summary.name}.fmu"
    return [Finding("BUNDLE-VALIDATION", Severity.WARNING, where, str(problem), hint) for problem in problems]


def _probe(path: Path) -> str:
    """The FMI version, by a parser that stops at a document type."""
    root, _ = parse_strictly(path.read_bytes())
    if root.tag != "fmiModelDescription":
        raise UnusableXmlError(f"holds <{root.tag[:80]}>, not <fmiModelDescription>")
    return root.get("fmiVersion", "of no stated version")


def _summarise(name: str, sha256: str, folder: Path, description: ModelDescription) -> ModelSummary:
    simulation = description.coSimulation
    return ModelSummary(
        name=name,
        fmi_version=str(description.fmiVersion),
        sha256=sha256,
        variables=_variables(description),
        co_simulation=simulation is not None,
        platforms=tuple(
            sorted({_PLATFORMS.get(binary.parent.name, binary.parent.name) for binary in _binaries(folder)})
        ),
        model_identifier=str(simulation.modelIdentifier) if simulation else "",
        description=str(description.description or ""),
        step_size_s=_step_size_s(description),
    )


def _step_size_s(description: ModelDescription) -> float | None:
    """The step it was made for: its fixed internal one, or that of its default experiment."""
    experiment = description.defaultExperiment
    fixed = getattr(description.coSimulation, "fixedInternalStepSize", None)
    for text in (fixed, experiment.stepSize if experiment else None):
        with suppress(TypeError, ValueError):
            step_s = float(text)  # type: ignore[arg-type]
            if isfinite(step_s) and step_s > 0:
                return step_s
    return None


def _variables(description: ModelDescription) -> dict[str, Variable]:
    units = {unit.name: _unit(unit) for unit in description.unitDefinitions}
    depends = {unknown.variable.name: _names(unknown) for unknown in description.outputs}
    starts = {unknown.variable.name: _names(unknown) for unknown in description.initialUnknowns}
    found = {}
    for variable in description.modelVariables:
        declared = variable.declaredType
        unit = variable.unit or (declared.unit if declared else None)
        relative = variable.relativeQuantity
        if relative is None and declared:
            relative = declared.relativeQuantity
        found[variable.name] = Variable(
            name=variable.name,
            causality=variable.causality,
            type=_TYPES.get(variable.type, variable.type),
            unit=unit,
            dimensions=tuple(variable.shape or ()),
            sized_by=_sized_by(variable),
            start=variable.start,
            reference=int(variable.valueReference),
            variability=str(variable.variability),
            depends_on=depends.get(variable.name),
            starts_from=starts.get(variable.name, () if variable.initial == "exact" else None),
            unit_definition=units.get(unit),
            is_relative=bool(relative),
        )
    return found


def _sized_by(variable: ModelVariable) -> tuple[str | int, ...]:
    axes = [axis.variable.name if axis.variable else int(axis.start) for axis in variable.dimensions or ()]
    return tuple(axes) if any(isinstance(axis, str) for axis in axes) else ()


def _names(unknown: Unknown) -> tuple[str, ...] | None:
    """What an output depends on directly; None if the FMU does not say."""
    return None if unknown.dependencies is None else tuple(variable.name for variable in unknown.dependencies)


def _unit(definition: FmiUnit) -> Unit | None:
    base = definition.baseUnit
    if base is None:
        return None
    exponents = tuple(int(getattr(base, name)) for name in BASE_UNITS)
    factor, offset = float(base.factor), float(base.offset)
    return Unit(exponents, factor, offset) if factor and isfinite(factor) and isfinite(offset) else None


def _binaries(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("binaries/*/*")) if path.suffix in (".so", ".dll", ".dylib")]


def _check_runnable(summary: ModelSummary, folder: Path, description: ModelDescription) -> list[Finding]:
    """What keeps this machine from running the FMU."""
    where = f"{summary.name}.fmu"

    def error(code: str, message: str, hint: str) -> list[Finding]:
        return [Finding(code, Severity.ERROR, where, message, hint)]

    identifier = summary.model_identifier
    if not _IDENTIFIER.fullmatch(identifier):
        hint = "A model identifier is a name as in C: letters, digits and underscores."
        return error("BUNDLE-MODEL-IDENTIFIER", f"modelIdentifier {identifier!r} is no file name", hint)
    binaries = sorted(folder.glob(f"binaries/{BINARY_FOLDERS[summary.fmi_version]}/*.so"))
    if not binaries:
        message = f"has no binary for 64-bit Linux, only for {', '.join(summary.platforms) or 'no platform'}"
        return error("BUNDLE-NO-LINUX-BINARY", message, "Export it with a Linux binary (x86_64).")
    library = next((path for path in binaries if path.stem == identifier), None)
    if library is None:
        message = f"modelIdentifier is {identifier} but the binary is {', '.join(path.name for path in binaries)}"
        return error("BUNDLE-BINARY-NAME", message, f"Name the binary {identifier}.so.")
    if fault := library_fault(library):
        return error("BUNDLE-BINARY-FORMAT", f"{library.name} {fault}", "Export the FMU anew, for Linux x86_64.")
    if missing := missing_libraries(library):
        message = f"{library.name} needs {', '.join(missing)}, which is not on this machine"
        hint = "Install it (its package), or export the FMU with everything it needs inside."
        return error("BUNDLE-LIBRARY-MISSING", message, hint)
    message, hint = "needs the tool that exported it", "It runs only where that tool is installed."
    note = Finding("BUNDLE-NEEDS-TOOL", Severity.WARNING, where, message, hint)
    return [note] if description.coSimulation.needsExecutionTool else []
