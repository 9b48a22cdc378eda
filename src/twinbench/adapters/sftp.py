"""The model pool on SFTP, as the LIMS sees it: ``<pool>/<request uuid>/`` holds what the digital twin uploads.

Names ending in ``.part`` are uploads under way and are never touched. Links are refused.
"""

from __future__ import annotations

import asyncio
import posixpath
import stat
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncssh

from twinbench.core.errors import BundleError, ConfigurationError, UnreachableError

__all__ = ["SftpPool"]

_Result = TypeVar("_Result")
_LARGEST_FILE_BYTES = 1 << 30


class SftpPool:
    """The pool behind one SFTP address.

    Args:
        url: ``sftp://user@host:port/path/of/the/pool``.
        key: File with the private key.
        known_hosts: File with the server's host key.
    """

    def __init__(self, url: str, *, key: str, known_hosts: str) -> None:
        self._address = urlsplit(url)
        self._key = key
        self._known_hosts = known_hosts

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[asyncssh.SFTPClient]:
        where = f"{self._address.hostname}:{self._address.port or 22}"
        keys = _read("TWINBENCH_SFTP_KEY", self._key, asyncssh.load_keypairs)
        known_hosts = _read("TWINBENCH_SFTP_KNOWN_HOSTS", self._known_hosts, asyncssh.read_known_hosts)
        try:
            async with (
                await asyncssh.connect(
                    self._address.hostname or "",
                    self._address.port or 22,
                    username=self._address.username or "",
                    client_keys=keys,
                    known_hosts=known_hosts,
                    config=None,
                    login_timeout=20,
                ) as connection,
                connection.start_sftp_client() as client,
            ):
                yield client
        except asyncssh.PermissionDenied as error:
            raise ConfigurationError(
                f"SFTP server {where} refuses user {self._address.username!r} with the key {self._key}: "
                f"{error.reason}. Give the server the matching public key, or set TWINBENCH_SFTP_KEY."
            ) from error
        except asyncssh.HostKeyNotVerifiable as error:
            raise ConfigurationError(
                f"SFTP server {where} shows a host key that {self._known_hosts} does not know: {error.reason}. "
                "If the server was renewed on purpose, replace its line there."
            ) from error
        except (OSError, asyncssh.ConnectionLost, asyncssh.DisconnectError) as error:
            raise UnreachableError(
                f"SFTP server {where} does not answer: {error}. See `twinbench status`, or the server's own log."
            ) from error

    def _run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run(work)

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

    def _folder(self, request_uuid: str) -> str:
        return posixpath.join(self._address.path or "/", request_uuid)

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
                if (attributes.size or 0) > _LARGEST_FILE_BYTES:
                    raise BundleError(f"{remote} has {attributes.size} bytes; at most {_LARGEST_FILE_BYTES} are taken.")
                copies.append(folder / posixpath.basename(name))
                await client.get(remote, str(copies[-1]))
        return copies

    def remove(self, request_uuid: str) -> None:
        """Remove what was taken from the pool; uploads under way stay."""
        self._take(request_uuid, self._remove(request_uuid))

    async def _remove(self, request_uuid: str) -> None:
        names = await self._names(request_uuid)
        async with self._session() as client:
            for name in names:
                if not name.endswith(".part"):
                    await client.remove(posixpath.join(self._folder(request_uuid), name))
            if names and not any(name.endswith(".part") for name in names):
                await client.rmdir(self._folder(request_uuid))


def _read(setting: str, path: str, read: Callable[[str], _Result]) -> _Result:
    """Read a file of keys; asyncssh would speak of the network if it is missing."""
    try:
        return read(path)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{setting} names {path}, which holds no such key: {error}.") from error
