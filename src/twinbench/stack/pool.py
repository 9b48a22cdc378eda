"""SFTP server of the local lab: keys only, one jail per party, nothing but files.

The digital twin's jail is ``.lab/sftp/twin``, where it finds ``/pool``; the LIMS looks into all jails and finds the
same folder as ``/twin/pool``. Links are refused, so no path can lead out of a jail.

Run by the supervisor as ``python -m twinbench.stack.pool``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncssh

from twinbench.stack.credentials import sftp_host_key, sftp_key
from twinbench.stack.service import Service
from twinbench.stack.site import HOST, Site

__all__ = ["LIMS_POOL", "TWIN_POOL", "service", "sftp_url"]

TWIN_POOL = "/pool"
LIMS_POOL = "/twin/pool"


def _jails(site: Site) -> dict[str, Path]:
    return {"lims": site.folder("sftp"), "twin": site.folder("sftp", "twin")}


def sftp_url(site: Site, party: str) -> str:
    """Address of the pool as the party sees it."""
    return f"sftp://{party}@{HOST}:{site.ports['sftp']}{TWIN_POOL if party == 'twin' else LIMS_POOL}"


class _Jail(asyncssh.SFTPServer):
    """Files below one folder; links are refused both when made and when met."""

    def __init__(self, channel: asyncssh.SSHServerChannel, *, root: Path) -> None:
        super().__init__(channel, chroot=str(root).encode())
        self._jail = os.path.realpath(root).encode()

    def map_path(self, path: bytes) -> bytes:
        mapped = super().map_path(path)
        real = os.path.realpath(mapped)
        if real != self._jail and not real.startswith(self._jail + b"/"):
            raise asyncssh.SFTPPermissionDenied("That path leads out of your folder.")
        return mapped

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("Links are not accepted here: upload the file itself.")

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("Links are not accepted here: upload the file itself.")


class _Door(asyncssh.SSHServer):
    """Lets in the parties whose public key is known, each with its own key only."""

    def __init__(self, keys: dict[str, Path]) -> None:
        self._keys = keys
        self._connection: asyncssh.SSHServerConnection

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        if username in self._keys:
            self._connection.set_authorized_keys(str(self._keys[username]))
        return True

    def password_auth_supported(self) -> bool:
        return False


async def _serve(site: Site) -> None:
    jails = _jails(site)
    keys = {party: sftp_key(site, party).with_suffix(".pub") for party in jails}
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = await asyncssh.create_server(
        lambda: _Door(keys),
        HOST,
        site.ports["sftp"],
        server_host_keys=[str(sftp_host_key(site))],
        sftp_factory=lambda channel: _Jail(channel, root=jails[channel.get_extra_info("username")]),
        allow_scp=False,
        agent_forwarding=False,
        x11_forwarding=False,
        login_timeout=20,
    )
    print(f"sftp listens on {HOST}:{site.ports['sftp']}", flush=True)
    async with server:
        await stopped.wait()


async def _answers(site: Site) -> bool:
    known = f"[{HOST}]:{site.ports['sftp']} {sftp_host_key(site).with_suffix('.pub').read_text()}"
    connecting = asyncssh.connect(
        HOST,
        site.ports["sftp"],
        username="lims",
        client_keys=[str(sftp_key(site, "lims"))],
        known_hosts=known.encode(),
        config=None,
    )
    async with await asyncio.wait_for(connecting, 5) as connection, connection.start_sftp_client() as client:
        is_there = await client.isdir(LIMS_POOL)
    return is_there


def is_ready(site: Site) -> bool:
    """Whether the LIMS can see the pool."""
    try:
        return asyncio.run(_answers(site))
    except (OSError, asyncssh.Error, TimeoutError):
        return False


def service(site: Site) -> Service:
    """The SFTP server, with its keys and jails."""

    def prepare() -> None:
        sftp_host_key(site)
        for party in _jails(site):
            sftp_key(site, party)
        site.folder("sftp", "twin", "pool")

    return Service(
        name="sftp",
        title="SFTP server with the model pool",
        command=(sys.executable, "-m", "twinbench.stack.pool"),
        environment={"TWINBENCH_LAB": str(site.root)},
        prepare=prepare,
        is_ready=lambda: is_ready(site),
    )


if __name__ == "__main__":
    asyncio.run(_serve(Site.find()))
