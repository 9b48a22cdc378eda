"""A session with the SFTP server behind one address, and what its refusals mean."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncssh

from twinbench.core.errors import ConfigurationError, UnreachableError

__all__ = ["SftpConnection"]

_Result = TypeVar("_Result")


class SftpConnection:
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

    def _folder(self, *names: str) -> str:
        return posixpath.join(self._address.path or "/", *names)


def _read(setting: str, path: str, read: Callable[[str], _Result]) -> _Result:
    """Read a file of keys; asyncssh would speak of the network if it is missing."""
    try:
        return read(path)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{setting} names {path}, which holds no such key: {error}.") from error
