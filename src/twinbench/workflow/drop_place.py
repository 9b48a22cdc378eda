"""The port of the pool as a place where models may lie anywhere: listed, read and moved, never copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twinbench.core.pool_entries import Entry

__all__ = ["DropPlace"]


class DropPlace(Protocol):
    """The pool; paths are relative to it."""

    def entries(self) -> list[Entry]:
        """All that lies flat, and what is in folders that are no request's own; the quarantine aside."""

    def listing(self, folder: str) -> list[Entry]:
        """What lies in one folder, or in the pool itself if none is said; nothing if there is no such folder."""

    def read(self, path: str, *, most_bytes: int) -> bytes:
        """The beginning of a file."""

    def write(self, path: str, content: str) -> None:
        """Write a file of our own; its folder is made."""

    def move(self, moves: Sequence[tuple[str, str]]) -> None:
        """Rename files in this order; folders are made, and removed when they are empty. Nothing is written over."""

    def remove(self, path: str) -> None:
        """Remove a file of our own."""
