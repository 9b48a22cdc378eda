"""Reads XML that strangers wrote: without document type or entities, of bounded size and depth, names without prefixes.

Prefixes are dropped since tools differ in what they declare, and nothing we read tells names apart by their namespace.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

__all__ = ["UnusableXmlError", "parse_strictly"]

_LIMIT_BYTES = 64 << 20
_MOST_LEVELS = 240


class UnusableXmlError(Exception):
    """What is wrong with a document, in words that follow its name."""


def parse_strictly(content: bytes) -> tuple[Element, int]:
    """Read a document.

    Returns:
        Its root, and how many elements it has.

    Raises:
        UnusableXmlError: If it cannot be used.
    """
    builder, depth, size = TreeBuilder(), 0, 0

    def refuse(*_: Any) -> None:
        raise UnusableXmlError("declares a document type or entities")

    def open_(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, size
        depth, size = depth + 1, size + 1
        if depth > _MOST_LEVELS:
            raise UnusableXmlError(f"is nested more than {_MOST_LEVELS} levels deep")
        builder.start(tag.rpartition(":")[2], attributes)

    def close(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag.rpartition(":")[2])

    if len(content) > _LIMIT_BYTES:
        raise UnusableXmlError(f"is larger than {_LIMIT_BYTES} bytes")
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = open_, close
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnusableXmlError(f"is no well-formed XML: {error}") from error
    return builder.close(), size
