"""What lies in the pool beside the requests' own folders: it is listed, read and moved, never copied or removed.

Paths are relative to the pool. Names are bytes for the server; what is no UTF-8 in them comes as surrogates.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, TypeVar
from uuid import UUID

import asyncssh

from twinbench.adapters.sftp.connection import SftpConnection
from twinbench.core.errors import BundleError, UnknownError, UnreachableError
from twinbench.core.pool_entries import QUARANTINE, Entry

__all__ = ["SftpDrops"]

_Result = TypeVar("_Result")
_MOST_ENTRIES = 1000  # looked at at once; the others come when these are gone


class SftpDrops(SftpConnection):
    """The pool, the requests' own folders aside."""

    def _do(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        try:
            return self._run(work)
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection) as error:
            raise UnreachableError(f"The SFTP server went away: {error.reason}. See `twinbench status`.") from error
        except asyncssh.SFTPNoSuchFile as error:
            raise UnknownError(f"It is not in the pool any more: {error.reason}.") from error
        except asyncssh.SFTPError as error:
            raise BundleError(
                f"The SFTP server refuses to have the pool put in order: {error.reason}. "
                "Give the LIMS rights to read, rename and make folders there."
            ) from error

    def _path(self, path: str) -> bytes:
        return os.fsencode(self._folder(path))

    def entries(self) -> list[Entry]:
        """All files and folders that lie flat, and what is in those folders; not requests' own, not the quarantine.

        Raises:
            UnreachableError: If the server does not answer.
        """
        return self._do(self._entries())

    async def _entries(self) -> list[Entry]:
        async with self._session() as client:
            found = []
            async for entry in _listed(client, self._path(""), ""):
                if not _is_of_a_request(entry) and entry.path != QUARANTINE:
                    found.append(entry)
                    if entry.kind == "folder":
                        found += [each async for each in _listed(client, self._path(entry.path), f"{entry.path}/")]
                if len(found) >= _MOST_ENTRIES:
                    break
            return found[:_MOST_ENTRIES]

    def listing(self, folder: str) -> list[Entry]:
        """What lies in one folder of the pool, or in the pool itself; nothing if there is no such folder."""
        return self._do(self._listing(folder))

    async def _listing(self, folder: str) -> list[Entry]:
        async with self._session() as client:
            if not await client.isdir(self._path(folder)):
                return []
            prefix = f"{folder}/" if folder else ""
            found = [each async for each in _listed(client, self._path(folder), prefix)]
            return sorted(found, key=lambda each: each.path)

    def read(self, path: str, *, most_bytes: int) -> bytes:
        """The beginning of a file, up to a number of bytes."""
        return self._do(self._read(path, most_bytes))

    async def _read(self, path: str, most_bytes: int) -> bytes:
        async with self._session() as client, client.open(self._path(path), "rb") as file:
            content = await file.read(most_bytes)
            return content if isinstance(content, bytes) else content.encode()

    def write(self, path: str, content: str) -> None:
        """Write a file of our own; its folder is made."""
        self._do(self._write(path, content))

    async def _write(self, path: str, content: str) -> None:
        async with self._session() as client:
            await client.makedirs(posixpath.dirname(self._path(path)), exist_ok=True)
            async with client.open(self._path(path), "wb") as file:
                await file.write(content.encode())

    def move(self, moves: Sequence[tuple[str, str]]) -> None:
        """Rename files in this order, each whole or not at all; folders are made, and removed when they are empty.

        Raises:
            BundleError: If something is there already under a new name; what was moved before stays moved.
        """
        self._do(self._move(moves))

    async def _move(self, moves: Sequence[tuple[str, str]]) -> None:
        async with self._session() as client:
            for source, target in moves:
                await client.makedirs(posixpath.dirname(self._path(target)), exist_ok=True)
                if await client.lexists(self._path(target)):
                    raise BundleError(f"{target} is in the pool already: take it away, then this is tried again.")
                await client.rename(self._path(source), self._path(target))
            for folder in {posixpath.dirname(source) for source, _ in moves} - {""}:
                if not [each async for each in _listed(client, self._path(folder), "")]:
                    await client.rmdir(self._path(folder))

    def remove(self, path: str) -> None:
        """Remove a file of our own; nothing happens if there is none."""
        self._do(self._remove(path))

    async def _remove(self, path: str) -> None:
        async with self._session() as client:
            if await client.lexists(self._path(path)):
                await client.remove(self._path(path))


async def _listed(client: asyncssh.SFTPClient, folder: bytes, prefix: str) -> AsyncIterator[Entry]:
    async for found in client.scandir(folder):
        name = os.fsdecode(found.filename)
        if name not in (".", ".."):
            mode = found.attrs.permissions or 0
            kind = "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"
            yield Entry(prefix + name, kind, found.attrs.size or 0, int(found.attrs.mtime or 0))


def _is_of_a_request(entry: Entry) -> bool:
    try:
        return entry.kind == "folder" and str(UUID(entry.path)) == entry.path
    except ValueError:
        return False
