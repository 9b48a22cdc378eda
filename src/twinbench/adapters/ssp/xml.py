"""Opens the XML documents of an SSP archive, which strangers wrote.

Names are taken without their namespaces: SSP 1.0 and 2.0 share them, and tools differ in what they declare.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

__all__ = ["MOST_LEVELS", "UnusableError", "children", "first", "number", "parse", "place", "truth"]

MOST_LEVELS = 60
_LIMIT_BYTES = 64 << 20


class UnusableError(Exception):
    """What is wrong with a document, in words."""


def parse(path: Path) -> Element:
    """Read a document without a document type and of bounded size and depth.

    Raises:
        UnusableError: If it cannot be used.
    """
    try:
        if path.stat().st_size > _LIMIT_BYTES:
            raise UnusableError(f"is larger than {_LIMIT_BYTES} bytes")
        content = path.read_bytes()
        _probe(content)
        root = ElementTree.fromstring(content)
    except (OSError, ValueError, LookupError, expat.ExpatError, ElementTree.ParseError) as error:
        raise UnusableError(f"is no readable XML: {error}") from error
    for element in root.iter():
        element.tag = _local(element.tag)
    return root


def _probe(content: bytes) -> None:
    depth = 0

    def refuse(*_: Any) -> None:
        raise UnusableError("declares a document type or entities")

    def open_(*_: Any) -> None:
        nonlocal depth
        depth += 1
        if depth > 4 * MOST_LEVELS:
            raise UnusableError(f"is nested more than {4 * MOST_LEVELS} levels deep")

    def close(*_: Any) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = open_, close
    parser.Parse(content, True)


def _local(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Element | None, *path: str) -> Iterator[Element]:
    """All elements at the end of a path of names."""
    if element is None:
        return
    for child in element:
        if child.tag == path[0]:
            if len(path) == 1:
                yield child
            else:
                yield from children(child, *path[1:])


def first(element: Element | None, *path: str) -> Element | None:
    """The first element at the end of a path of names."""
    return next(children(element, *path), None)


def number(element: Element, name: str, default: float) -> float:
    """An attribute that is a number.

    Raises:
        UnusableError: If it is something else.
    """
    text = element.get(name)
    try:
        return default if text is None else float(text)
    except ValueError:
        raise UnusableError(f"{element.tag} has {name}={text!r}, which is no number") from None


def truth(text: str | None) -> bool:
    """A boolean as XML writes it."""
    return (text or "").strip() in ("true", "1")


def place(source: str, base: Path, root: Path) -> Path:
    """The file a relative reference means.

    Args:
        source: The reference, percent-encoded.
        base: Folder it is relative to.
        root: Folder it must not leave.

    Raises:
        UnusableError: If it leads elsewhere, or nothing is there.
    """
    parts = urlsplit(source)
    if parts.scheme or parts.netloc or parts.path.startswith("/") or "\\" in source or "\0" in unquote(source):
        raise UnusableError(f"refers to {source!r}, which is outside of the archive")
    found = (base / unquote(parts.path)).resolve()
    if not found.is_relative_to(root.resolve()):
        raise UnusableError(f"refers to {source!r}, which is outside of the archive")
    if not found.is_file():
        raise UnusableError(f"refers to {source!r}, which is not in the archive")
    return found
