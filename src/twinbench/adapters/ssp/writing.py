"""Writes an SSP archive: the structure and, below ``resources/``, the FMUs as they are.

The same content gives the same bytes. Version 1.0 is written where it suffices, 2.0 for types and arrays of FMI 3.0.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from twinbench.core.bundle import BASE_UNITS, Connection, ModelSummary, Unit, Variable
from twinbench.core.errors import BundleError

__all__ = ["write_ssp"]

_SSP = "http://ssp-standard.org/SSP1/"
_SPACES = {
    "ssc": f"{_SSP}SystemStructureCommon",
    "ssd": f"{_SSP}SystemStructureDescription",
    "ssv": f"{_SSP}SystemStructureParameterValues",
}
_TYPES_1 = {"Float64": "Real", "Int32": "Integer", "Boolean": "Boolean", "String": "String", "Enumeration": "Integer"}
_KINDS_1 = ("input", "output", "parameter", "calculatedParameter")
_KINDS_2 = (*_KINDS_1, "structuralParameter", "local", "constant")
_UNSAFE = re.compile(r"[^\w .()+-]|^\.+")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_ssp(
    output: Path,
    *,
    name: str,
    models: Sequence[ModelSummary],
    files: Mapping[str, Path],
    connections: Sequence[Connection],
    start_values: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Write an archive.

    Args:
        output: The file; it appears when it is complete.
        name: What the system is called.
        models: The FMUs.
        files: FMU -> its file.
        connections: How they are wired.
        start_values: FMU -> variable -> value as text.

    Raises:
        BundleError: If a name cannot be written in XML.
    """
    models = sorted(models, key=lambda model: model.name)
    places = _places(models)
    structure = _structure(name, models, places, connections, start_values or {})
    partial = output.with_name(f"{output.name}.part")
    with zipfile.ZipFile(partial, "w") as archive:
        _add(archive, "SystemStructure.ssd", structure, zipfile.ZIP_DEFLATED)
        for model in models:
            _add(archive, places[model.name], files[model.name].read_bytes(), zipfile.ZIP_STORED)
    partial.replace(output)


def _places(models: Sequence[ModelSummary]) -> dict[str, str]:
    """Where each FMU goes in the archive: by its name, as far as every file system takes it."""
    places: dict[str, str] = {}
    taken: set[str] = set()
    for model in models:
        stem = name = _UNSAFE.sub("_", model.name)[:100]
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name.casefold())
        places[model.name] = f"resources/{name}.fmu"
    return places


def _add(archive: zipfile.ZipFile, name: str, content: bytes, compression: int) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type, entry.external_attr = compression, 0o644 << 16
    archive.writestr(entry, content)


def _structure(
    name: str,
    models: Sequence[ModelSummary],
    places: Mapping[str, str],
    connections: Sequence[Connection],
    start_values: Mapping[str, Mapping[str, str]],
) -> bytes:
    shown = {model.name: _shown(model, start_values.get(model.name, {})) for model in models}
    is_old = all(v.type in _TYPES_1 and not v.dimensions for variables in shown.values() for v in variables)
    for prefix, space in _SPACES.items():
        ElementTree.register_namespace(prefix, space)
    root = Element(_tag("ssd", "SystemStructureDescription"), name=name, version="1.0" if is_old else "2.0")
    system = SubElement(root, _tag("ssd", "System"), name=name)
    elements = SubElement(system, _tag("ssd", "Elements"))
    for model in models:
        component = SubElement(
            elements,
            _tag("ssd", "Component"),
            name=model.name,
            type="application/x-fmu-sharedlibrary",
            source=quote(places[model.name]),
        )
        _connectors(component, shown[model.name], is_old=is_old)
        _binding(component, model, start_values.get(model.name, {}), is_old=is_old)
    if connections:
        wiring = SubElement(system, _tag("ssd", "Connections"))
        for connection in connections:
            _connection(wiring, connection)
    _units(root, [variable for variables in shown.values() for variable in variables])
    ElementTree.indent(root)
    try:
        document = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"
        ElementTree.fromstring(document)
    except (ElementTree.ParseError, UnicodeError) as error:
        raise BundleError(f"{name!r} holds a name or value that XML cannot hold: {error}. Rename it.") from error
    return document


def _shown(model: ModelSummary, start_values: Mapping[str, str]) -> list[Variable]:
    """Inputs, outputs, and what is given a value."""
    return [v for v in model.variables.values() if v.causality in ("input", "output") or v.name in start_values]


def _units(root: Element, variables: Sequence[Variable]) -> None:
    """What the units of the connectors are, as the FMUs define them."""
    used: dict[str, Unit | None] = {}
    for variable in variables:
        if variable.unit and variable.type.startswith("Float"):
            used[variable.unit] = used.get(variable.unit) or variable.unit_definition
    if not used:
        return
    units = SubElement(root, _tag("ssd", "Units"))
    for name in sorted(used):
        base = SubElement(SubElement(units, _tag("ssc", "Unit"), name=name), _tag("ssc", "BaseUnit"))
        definition = used[name]
        if definition is not None:
            _define(base, definition)


def _define(base: Element, definition: Unit) -> None:
    for quantity, exponent in zip(BASE_UNITS, definition.exponents, strict=True):
        if exponent:
            base.set(quantity, str(exponent))
    if (definition.factor, definition.offset) != (1.0, 0.0):
        base.set("factor", repr(definition.factor))
        base.set("offset", repr(definition.offset))


def _connectors(component: Element, shown: Sequence[Variable], *, is_old: bool) -> None:
    connectors = SubElement(component, _tag("ssd", "Connectors"))
    for variable in shown:
        if variable.causality not in (_KINDS_1 if is_old else _KINDS_2):
            continue  # a binding sets it all the same
        connector = SubElement(connectors, _tag("ssd", "Connector"), name=variable.name, kind=variable.causality)
        type_ = SubElement(connector, _tag("ssc", _type(variable, is_old)))
        if variable.unit and variable.type.startswith("Float"):
            type_.set("unit", variable.unit)
        _dimensions(connector, variable)


def _dimensions(element: Element, variable: Variable) -> None:
    for length in variable.dimensions:
        SubElement(element, _tag("ssc", "Dimension"), size=str(length))


def _binding(component: Element, model: ModelSummary, values: Mapping[str, str], *, is_old: bool) -> None:
    if not values:
        return
    binding = SubElement(SubElement(component, _tag("ssd", "ParameterBindings")), _tag("ssd", "ParameterBinding"))
    held = SubElement(binding, _tag("ssd", "ParameterValues"))
    version = "1.0" if is_old else "2.0"
    parameters = SubElement(
        SubElement(held, _tag("ssv", "ParameterSet"), version=version, name="start values"), _tag("ssv", "Parameters")
    )
    for name in sorted(values):
        variable = model.variables.get(name)
        parameter = SubElement(parameters, _tag("ssv", "Parameter"), name=name)
        type_ = SubElement(parameter, _tag("ssv", _type(variable, is_old)))
        if variable and variable.dimensions and variable.type in ("String", "Binary"):
            for part in values[name].split():
                SubElement(type_, _tag("ssv", "Value"), value=part)
        else:
            type_.set("value", _written(variable, values[name]))
        if variable:
            _dimensions(parameter, variable)


def _written(variable: Variable | None, value: str) -> str:
    """A value as XML Schema writes it."""
    if variable is None or variable.type != "Boolean":
        return value
    return " ".join({"1.0": "true", "1": "true", "0.0": "false", "0": "false"}.get(p, p) for p in value.lower().split())


def _type(variable: Variable | None, is_old: bool) -> str:
    if variable is None:
        return "String"
    if is_old:
        return _TYPES_1[variable.type]
    return "Int64" if variable.type == "Enumeration" else variable.type


def _connection(wiring: Element, connection: Connection) -> None:
    made = SubElement(
        wiring,
        _tag("ssd", "Connection"),
        startElement=connection.source.model,
        startConnector=connection.source.signal,
        endElement=connection.target.model,
        endConnector=connection.target.signal,
    )
    if connection.is_converted or (connection.factor, connection.offset) != (1.0, 0.0):
        given = {"factor": repr(connection.factor), "offset": repr(connection.offset)}
        made.set("suppressUnitConversion", "true")  # else a reader converts the units once more
        SubElement(made, _tag("ssc", "LinearTransformation"), given)


def _tag(prefix: str, name: str) -> str:
    return f"{{{_SPACES[prefix]}}}{name}"
