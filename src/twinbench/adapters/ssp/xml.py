"""Opens the XML documents of an SSP archive, which strangers wrote.

Names are taken without their namespaces: SSP 1.0 and 2.0 share them, and tools differ in what they declare.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from twinbench.core.strict_xml import UnusableXmlError, parse_strictly

__all__ = ["MOST_LEVELS", "Documents", "TooLargeError", "UnusableError", "children", "first", "number", "truth"]

MOST_LEVELS = 60
_MOST_ELEMENTS = 2_000_000


class UnusableError(Exception):
    """What is wrong with a document, in words, and what to do about it."""

    def __init__(self, message: str, hint: str = "Export the SSP anew.") -> None:
        super().__init__(message)
        self.hint = hint


class TooLargeError(Exception):
    """The documents ask for more work than they may, perhaps by referring to each other again and again."""

    hint = "Split the structure."


class Documents:
    """The documents of an archive, each parsed once however often it is referred to."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._read: dict[Path, tuple[Element, int] | UnusableError] = {}
        self._left = _MOST_ELEMENTS

    def spend(self, elements: int) -> None:
        """Take from what all documents together may ask for.

        Raises:
            TooLargeError: If nothing is left.
        """
        self._left -= elements
        if self._left < 0:
            raise TooLargeError(f"asks for more than {_MOST_ELEMENTS} elements to be read")

    def open(self, path: Path, tag: str) -> Element:
        """The root of a document, which is to be a *tag*.

        Raises:
            UnusableError: If it cannot be used.
            TooLargeError: If too much was read already.
        """
        if path not in self._read:
            try:
                self._read[path] = _parse(path)
            except UnusableError as error:
                self._read[path] = error
        found = self._read[path]
        if isinstance(found, UnusableError):
            raise found
        root, size = found
        self.spend(size)
        if root.tag != tag:
            raise UnusableError(f"{path.name} holds <{root.tag[:80]}>, not <{tag}>")
        return root

    def place(self, source: str, base: Path) -> Path:
        """The file a relative reference means.

        Args:
            source: The reference, percent-encoded.
            base: Folder it is relative to.

        Raises:
            UnusableError: If it leads out of the archive, or nothing is there.
        """
        shown, hint = repr(source[:200]), "Pack the file into the archive and refer to it by a relative path."
        try:
            parts = urlsplit(source)
            name = unquote(parts.path)
            is_outside = parts.scheme or parts.netloc or name.startswith("/") or "\\" in name or "\0" in name
            found = self._root if is_outside else (base / name).resolve()
            if is_outside or not found.is_relative_to(self._root):
                raise UnusableError(f"refers to {shown}, which is outside of the archive", hint)
            is_there = found.is_file()
        except (OSError, ValueError, RuntimeError) as error:
            raise UnusableError(f"refers to {shown}, which is no usable path: {error}", hint) from error
        if not is_there:
            raise UnusableError(f"refers to {shown}, which is not in the archive", hint)
        return found


def _parse(path: Path) -> tuple[Element, int]:
    """Read a document; returns its root and its number of elements."""
    try:
        return parse_strictly(path.read_bytes())
    except (OSError, UnusableXmlError) as error:
        raise UnusableError(f"{path.name} {error}") from error


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
    """An attribute that is a finite number.

    Raises:
        UnusableError: If it is something else.
    """
    text = element.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if "_" in text or not isfinite(value):  # Python reads 1_0
        raise UnusableError(f"{element.tag} has {name}={text[:80]!r}, which is no number", "Write a finite number.")
    return value


def truth(text: str | None) -> bool:
    """A boolean as XML writes it."""
    return (text or "").strip() in ("true", "1")
