"""Bindings and mappings of parameters: which start value goes where.

binding    values (.ssv, or inline) for an element, under a prefix
mapping    (.ssm, or inline) which value goes to which name, perhaps transformed; what it does not name is left out
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isfinite
from pathlib import Path
from xml.etree.ElementTree import Element

from twinbench.adapters.ssp.xml import Documents, UnusableError, children, first, number

__all__ = ["bindings", "scaled"]

_TEXTS = ("String", "Enumeration", "Binary")
_TABLES = ("BooleanMappingTransformation", "IntegerMappingTransformation", "EnumerationMappingTransformation")
_TRUTHS = {"1": "true", "0": "false"}
_HINT = "Mend or remove it."


def bindings(element: Element, base: Path, documents: Documents) -> Iterator[dict[str, str] | UnusableError]:
    """The values each binding of an element gives, by the name of the target; what cannot be used instead of them.

    Args:
        element: A component or system.
        base: Folder of the structure.
        documents: Those of the archive.
    """
    for binding in children(element, "ParameterBindings", "ParameterBinding"):
        try:
            held = first(binding, "ParameterValues", "ParameterSet")
            parameters = _document(binding, held, "ParameterSet", base, documents)
            if parameters is None:
                raise UnusableError("gives neither values nor their source", _HINT)
            values = _values(parameters, binding.get("prefix", ""))
            mapping = first(binding, "ParameterMapping")
            if mapping is not None:
                held = first(mapping, "ParameterMapping")
                values = _mapped(_document(mapping, held, "ParameterMapping", base, documents), values)
            yield values
        except UnusableError as error:
            yield error


def _document(referrer: Element, held: Element | None, tag: str, base: Path, documents: Documents) -> Element | None:
    """What a binding or mapping refers to or, without a source, holds."""
    source = referrer.get("source")
    if source is None:
        return held
    if referrer.get("sourceBase") == "component":
        hint = "Pack the file into the archive, beside the FMU."
        raise UnusableError(f"refers to {source[:200]!r} within the FMU, which is not supported", hint)
    return documents.open(documents.place(source, base), tag)


def _values(parameters: Element, prefix: str) -> dict[str, str]:
    items = {
        enumeration.get("name", ""): {item.get("name", ""): item.get("value", "") for item in enumeration}
        for enumeration in children(parameters, "Enumerations", "Enumeration")
    }
    return {
        prefix + parameter.get("name", ""): _value(parameter, items)
        for parameter in children(parameters, "Parameters", "Parameter")
    }


def _value(parameter: Element, items: dict[str, dict[str, str]]) -> str:
    """The value as text; the elements of an array are separated by blanks."""
    type_ = next((child for child in parameter if child.tag not in ("Dimension", "Annotations")), None)
    parts = [] if type_ is None else [child.get("value", "") for child in children(type_, "Value")]
    text = None if type_ is None else type_.get("value", " ".join(parts) if parts else None)
    if type_ is None or text is None:
        raise UnusableError(f"gives the parameter {parameter.get('name', '')[:80]!r} no value", _HINT)
    if type_.tag == "Enumeration":
        known = items.get(type_.get("name", ""), {})
        return " ".join(known.get(part, part) for part in parts) if parts else known.get(text, text)
    if type_.tag == "Boolean":
        return _each(text, lambda part: _TRUTHS.get(part, part))
    return text if type_.tag in _TEXTS else text.strip()


def _each(text: str, change: Callable[[str], str]) -> str:
    return " ".join(change(part) for part in text.split())


def _mapped(mapping: Element | None, values: dict[str, str]) -> dict[str, str]:
    mapped = {}
    for entry in children(mapping, "MappingEntry"):
        source, target = entry.get("source"), entry.get("target")
        if source is None or target is None:
            raise UnusableError("has a mapping entry without source or target", _HINT)
        if source in values:
            mapped[target] = _transformed(entry, values[source])
    return mapped


def _transformed(entry: Element, value: str) -> str:
    linear = first(entry, "LinearTransformation")
    if linear is not None:
        return scaled(value, number(linear, "factor", 1.0), number(linear, "offset", 0.0))
    for kind in _TABLES:
        table = first(entry, kind)
        if table is None:
            continue
        lines = {line.get("source", "").strip(): line.get("target", "").strip() for line in children(table, "MapEntry")}
        if kind == _TABLES[0]:
            lines = {_TRUTHS.get(key, key): _TRUTHS.get(target, target) for key, target in lines.items()}
        return lines[value] if value in lines else " ".join(lines.get(part, part) for part in value.split())
    return value


def scaled(value: str, factor: float, offset: float) -> str:
    """The value, each element times *factor* plus *offset*.

    Raises:
        UnusableError: If it is or becomes no number.
    """
    if (factor, offset) == (1.0, 0.0):
        return value
    try:
        numbers = [factor * float(part) + offset for part in value.split()]
    except ValueError:
        numbers = []
    if not numbers or not all(map(isfinite, numbers)):
        raise UnusableError(f"transforms {value[:80]!r}, which is or becomes no number", _HINT)
    return " ".join(map(repr, numbers))
