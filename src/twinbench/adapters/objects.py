"""Object storage behind one URL: local files by default, Azure Blob (``abfs://``) on servers, through fsspec.

Keys are POSIX paths below the root. A write replaces the whole object, which appears under its name only when it is
complete: a blob by itself, a local file because it is written beside its place first. Threads may share the objects.
"""

from __future__ import annotations

import posixpath
import secrets
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from twinbench.core.errors import ConfigurationError, ResultError

__all__ = ["Objects"]

_UNFINISHED = ".unfinished"


class Objects:
    """The objects below one root.

    Args:
        url: For example ``file:///srv/lab`` or ``abfs://container/lab``.
    """

    def __init__(self, url: str) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(f"TWINBENCH_STORAGE_URL={url!r} cannot be opened: {error}") from error

    def _path(self, key: str) -> str:
        normal = posixpath.normpath(key)
        if normal == ".." or normal.startswith(("/", "../")):
            raise ConfigurationError(f"{key!r} is no key below the storage root.")
        return posixpath.normpath(posixpath.join(self._root, normal))

    def url(self, key: str) -> str:
        """Full address of an object, to show to people."""
        return str(self._files.unstrip_protocol(self._path(key)))

    def read(self, key: str) -> bytes:
        """The object's content.

        Raises:
            ResultError: If there is no such object.
        """
        try:
            return bytes(self._files.cat_file(self._path(key)))
        except FileNotFoundError:
            raise ResultError(f"{self.url(key)} does not exist: the stage that writes it has not run.") from None

    def write(self, key: str, content: bytes | str) -> None:
        """Make or replace an object."""
        data = content.encode() if isinstance(content, str) else content
        if isinstance(self._files, LocalFileSystem):
            _replace(Path(self._path(key)), data)
        else:
            self._files.pipe_file(self._path(key), data)

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        return bool(self._files.exists(self._path(key)))

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix, sorted."""
        found = self._files.find(self._path(prefix))
        return sorted(posixpath.relpath(path, self._root) for path in found if not path.endswith(_UNFINISHED))

    def remove(self, prefix: str) -> None:
        """Remove an object, or all objects below a prefix; nothing happens if there is none."""
        if self._files.exists(self._path(prefix)):
            self._files.rm(self._path(prefix), recursive=True)

    def fetch(self, prefix: str, folder: Path) -> list[Path]:
        """Copy the objects below a prefix into a local folder, flat; returns the files."""
        copies = []
        for key in self.keys(prefix):
            copies.append(folder / posixpath.basename(key))
            copies[-1].write_bytes(self.read(key))
        return copies


def _replace(path: Path, data: bytes) -> None:
    """Not with fsspec's transactions: threads share them, and they copy if the temporary folder is another disk's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_UNFINISHED}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
