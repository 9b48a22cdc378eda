"""What the pool lists: files and folders, the request that a name names, and which names are fit to take.

What is no UTF-8 in a name is kept as surrogates, so that the file can still be named to the server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from twinbench.core.bundle import is_interconnection_name

__all__ = [
    "LARGEST_FILE_BYTES",
    "LARGEST_WIRING_BYTES",
    "QUARANTINE",
    "QUIET_S",
    "Entry",
    "plain_name",
    "unfit",
    "uuids_in",
]

QUARANTINE = "quarantine"  # folder of the pool for what cannot be handed on
QUIET_S = 5.0  # what has not changed for so long is settled: nobody writes to it any more
LARGEST_FILE_BYTES = 1 << 30
LARGEST_WIRING_BYTES = 4 << 20

_UUID = re.compile(r"[-_. ]*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[-_. ]*", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .()+-]{0,149}")


@dataclass(frozen=True)
class Entry:
    """One file or folder.

    Attributes:
        path: Its name, or folder and name.
        kind: ``file``, ``folder`` or ``other``.
        modified: When it was changed, by the server's clock.
    """

    path: str
    kind: str = "file"
    size: int = 0
    modified: int = 0

    @property
    def name(self) -> str:
        """Without its folder."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The folder it lies in, or that it is; empty if it lies flat."""
        return self.path if self.kind == "folder" and "/" not in self.path else self.path.rpartition("/")[0]

    @property
    def shown(self) -> str:
        """The path as it can be written everywhere."""
        return self.path.encode("unicode_escape").decode("ascii")

    @property
    def is_wiring(self) -> bool:
        """Whether it is an interconnection file, with or without a UUID in its name."""
        return self.kind == "file" and is_interconnection_name(plain_name(self.name))

    @property
    def is_under_way(self) -> bool:
        """Whether it is being uploaded, by its name."""
        return self.name.endswith(".part")


def plain_name(name: str) -> str:
    """A file's name without the UUID in it."""
    stem, dot, suffix = name.rpartition(".")
    match = _UUID.search(stem)
    if not match:
        return name
    between = "_" if stem[: match.start()] and stem[match.end() :] else ""
    return f"{stem[: match.start()]}{between}{stem[match.end() :]}{dot}{suffix}"


def unfit(entry: Entry) -> str:
    """What is wrong with one entry, whatever lies around it."""
    if entry.kind != "file":
        return f"{entry.shown} is no plain file"
    if not _PLAIN.fullmatch(entry.name):
        return f"the name {entry.shown} is not plain: use letters, digits, and _ . - + ( )"
    if entry.size > LARGEST_FILE_BYTES:
        return f"{entry.shown} has {entry.size} bytes; at most {LARGEST_FILE_BYTES} are taken"
    if entry.is_wiring and entry.size > LARGEST_WIRING_BYTES:
        return f"{entry.shown} has {entry.size} bytes; an interconnection file has {LARGEST_WIRING_BYTES} at most"
    return ""


def uuids_in(text: str) -> list[str]:
    """The requests that a name names."""
    return [found.lower() for found in _UUID.findall(text)]
