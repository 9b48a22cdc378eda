"""Bindings and mappings of parameters: which start value goes where.

binding    values (.ssv, or inline) for an element, under a prefix
mapping    (.ssm, or inline) which value goes to which name, perhaps transformed; other names stay as they are
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from twinbench.adapters.ssp.xml import UnusableError, children, first, number, parse, place

__all__ = ["bindings"]

_TEXTS = ("String", "Enumeration", "Binary")


def bindings(element: Element, base: Path, root: Path) -> Iterator[dict[str, str] | UnusableError]:
    """The values each binding of an element gives, by the name of the target; what cannot be used instead of them.

    Args:
        element: A component or system.
        base: Folder of the structure.
        root: Folder of the archive.
    """
    for binding in children(element, "ParameterBindings", "ParameterBinding"):
        try:
            values = _values(binding, base, root)
            mapped = _mapped(binding, values, base, root)
            prefix = binding.get("prefix", "")
            yield {prefix + name: value for name, value in mapped.items()}
        except UnusableError as error:
            yield error


def _values(binding: Element, base: Path, root: Path) -> dict[str, str]:
    source = binding.get("source")
    if source is None:
        document = first(binding, "ParameterValues", "ParameterSet")
    elif binding.get("sourceBase") == "component":
        raise UnusableError(f"takes its values from {source!r} within the FMU, which is not supported")
    else:
        document = parse(place(source, base, root))
    return {parameter.get("name", ""): _value(parameter) for parameter in children(document, "Parameters", "Parameter")}


def _value(parameter: Element) -> str:
    """The value as text; the elements of an array are separated by blanks."""
    type_ = next((child for child in parameter if child.tag not in ("Dimension", "Annotations")), None)
    if type_ is None:
        raise UnusableError(f"gives the parameter {parameter.get('name')!r} no value")
    if type_.get("value") is not None:
        return str(type_.get("value")).strip() if type_.tag not in _TEXTS else str(type_.get("value"))
    parts = [str(child.get("value", child.text or "")).strip() for child in type_ if child.tag in ("Value", "Element")]
    if not parts:
        raise UnusableError(f"gives the parameter {parameter.get('name')!r} no value")
    return " ".join(parts)


def _mapped(binding: Element, values: dict[str, str], base: Path, root: Path) -> dict[str, str]:
    mapping = first(binding, "ParameterMapping")
    if mapping is None:
        return values
    source = mapping.get("source")
    document = first(mapping, "ParameterMapping") if source is None else parse(place(source, base, root))
    entries = list(children(document, "MappingEntry"))
    mapped = {name: value for name, value in values.items() if name not in {e.get("source") for e in entries}}
    for entry in entries:
        name = entry.get("source", "")
        if name in values:
            mapped[entry.get("target", "")] = _transformed(entry, values[name])
    return mapped


def _transformed(entry: Element, value: str) -> str:
    linear = first(entry, "LinearTransformation")
    if linear is not None:
        factor, offset = number(linear, "factor", 1.0), number(linear, "offset", 0.0)
        try:
            return " ".join(repr(factor * float(part) + offset) for part in value.split())
        except ValueError:
            raise UnusableError(f"transforms {value!r}, which is no number") from None
    for kind in ("BooleanMappingTransformation", "IntegerMappingTransformation", "EnumerationMappingTransformation"):
        table = first(entry, kind)
        if table is not None:
            known = {str(line.get("source")).strip(): str(line.get("target")) for line in children(table, "MapEntry")}
            if value.strip() not in known:
                raise UnusableError(f"maps {entry.get('source')!r} = {value!r}, for which it has no entry")
            return known[value.strip()]
    return value
