"""The model pool on SFTP, as the LIMS sees it: ``<pool>/<request uuid>/`` holds what the digital twin uploads.

Names ending in ``.part`` are uploads under way and are never touched. Links are refused.
"""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Collection, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import asyncssh

from twinbench.adapters.sftp.connection import SftpConnection
from twinbench.core.errors import BundleError, UnreachableError
from twinbench.core.pool_entries import LARGEST_FILE_BYTES

__all__ = ["SftpPool"]

_Result = TypeVar("_Result")


class SftpPool(SftpConnection):
    """The requests' own folders in the pool."""

    def _take(self, request_uuid: str, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Do something in a request's folder; what the server refuses there is the uploader's business."""
        try:
            return self._run(work)
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection) as error:
            raise UnreachableError(f"The SFTP server went away: {error.reason}. See `twinbench status`.") from error
        except asyncssh.SFTPError as error:
            raise BundleError(
                f"The pool folder of request {request_uuid} cannot be taken in: {error.reason} "
                "Upload plain files with rights to read and remove them."
            ) from error

    def names(self, request_uuid: str) -> list[str]:
        """What lies in the request's pool folder, unfinished uploads included; empty without such a folder."""
        return self._take(request_uuid, self._names(request_uuid))

    async def _names(self, request_uuid: str) -> list[str]:
        async with self._session() as client:
            folder = self._folder(request_uuid)
            if not await client.isdir(folder):
                return []
            return sorted(str(name) for name in await client.listdir(folder) if name not in (".", ".."))

    def fetch(self, request_uuid: str, folder: Path) -> list[Path]:
        """Copy the finished files of a request into a local folder.

        Raises:
            BundleError: If an entry is no plain file or too large.
            UnreachableError: If the server does not answer.
        """
        return self._take(request_uuid, self._fetch(request_uuid, folder))

    async def _fetch(self, request_uuid: str, folder: Path) -> list[Path]:
        copies = []
        for name in await self._names(request_uuid):
            if name.endswith(".part"):
                continue
            async with self._session() as client:
                remote = posixpath.join(self._folder(request_uuid), name)
                attributes = await client.lstat(remote)
                if not stat.S_ISREG(attributes.permissions or 0):
                    raise BundleError(f"{remote} is no plain file: upload FMUs and the interconnection file only.")
                if (attributes.size or 0) > LARGEST_FILE_BYTES:
                    raise BundleError(f"{remote} has {attributes.size} bytes; at most {LARGEST_FILE_BYTES} are taken.")
                copies.append(folder / posixpath.basename(name))
                await client.get(remote, str(copies[-1]))
        return copies

    def remove(self, request_uuid: str, names: Collection[str]) -> None:
        """Remove what was taken from the pool; what has come since stays, and so does the folder then."""
        self._take(request_uuid, self._remove(request_uuid, names))

    async def _remove(self, request_uuid: str, taken: Collection[str]) -> None:
        there = await self._names(request_uuid)
        async with self._session() as client:
            for name in sorted(set(there) & set(taken)):
                await client.remove(posixpath.join(self._folder(request_uuid), name))
            if there and set(there) <= set(taken):
                await client.rmdir(self._folder(request_uuid))
