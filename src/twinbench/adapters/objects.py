"""Object storage behind one URL: local files by default, Azure Blob (``abfs://``) on servers, through fsspec.

Keys are POSIX paths below the root. A write replaces the whole object; locally it appears under its name only when it
is complete.
"""

from __future__ import annotations

import posixpath
from pathlib import Path

import fsspec

from twinbench.core.errors import ConfigurationError, ResultError

__all__ = ["Objects"]


class Objects:
    """The objects below one root.

    Args:
        url: For example ``file:///srv/lab`` or ``abfs://container/lab``.
    """

    def __init__(self, url: str) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(url, auto_mkdir=True)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(f"TWINBENCH_STORAGE_URL={url!r} cannot be opened: {error}") from error

    def _path(self, key: str) -> str:
        normal = posixpath.normpath(key)
        if normal.startswith(("/", "..")):
            raise ConfigurationError(f"{key!r} is no key below the storage root.")
        return posixpath.join(self._root, normal)

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
        with self._files.transaction, self._files.open(self._path(key), "wb") as handle:
            handle.write(data)

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        return bool(self._files.exists(self._path(key)))

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix, sorted."""
        found = self._files.find(self._path(prefix))
        return sorted(posixpath.relpath(path, self._root) for path in found)

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
