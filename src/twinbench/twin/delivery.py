"""Uploads models to the pool by SFTP, and keeps at it until each accepted request has its own.

A bundle lies in ``<pool>/<request uuid>/``. Each file is uploaded under a temporary name (``*.part``) and then renamed;
the interconnection file comes last and says that the bundle is complete.
"""

from __future__ import annotations

import logging
import posixpath
import threading

from twinbench.adapters.sftp import SftpPool
from twinbench.core.bundle import is_interconnection_name
from twinbench.core.errors import LabError, UnreachableError
from twinbench.twin.registry import Bundle, Registry
from twinbench.twin.store import TwinStore

__all__ = ["Deliveries", "UploadPool"]

log = logging.getLogger(__name__)

_RETRY_S = 5.0
_LONGEST_RETRY_S = 60.0


class UploadPool(SftpPool):
    """The pool as the twin sees it: it uploads."""

    def deliver(self, request_uuid: str, bundle: Bundle) -> bool:
        """Upload a bundle, unless a complete one lies there; tells whether it did. What was left half done is replaced.

        Raises:
            UnreachableError: If the server does not answer or does not take it.
        """
        import asyncssh

        try:
            return self._run(self._deliver(request_uuid, bundle))
        except asyncssh.SFTPError as error:
            raise UnreachableError(
                f"The SFTP pool does not take the models of {request_uuid}: {error.reason}. "
                "May the twin write there, and is there room?"
            ) from error

    async def _deliver(self, request_uuid: str, bundle: Bundle) -> bool:
        async with self._session() as client:
            folder = self._folder(request_uuid)
            await client.makedirs(folder, exist_ok=True)
            there = [str(name) for name in await client.listdir(folder) if name not in (".", "..")]
            if any(is_interconnection_name(name) for name in there):
                return False
            for name in there:
                await client.remove(posixpath.join(folder, name))
            for file in (*bundle.models, bundle.wiring):
                target = posixpath.join(folder, file.name)
                await client.put(str(file.path), f"{target}.part")
                await client.rename(f"{target}.part", target)
            return True


class Deliveries:
    """Serves the requests that were accepted, one after another, on a thread of its own."""

    def __init__(self, store: TwinStore, registry: Registry, pool: UploadPool) -> None:
        self._store, self._registry, self._pool = store, registry, pool
        self._news, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)

    def start(self) -> None:
        """Begin with what was left undone before."""
        self._news.set()
        self._thread.start()

    def look(self) -> None:
        """There is something to deliver."""
        self._news.set()

    def stop(self) -> None:
        """End after the upload under way."""
        self._stopped.set()
        self._news.set()
        self._thread.join()

    def _run(self) -> None:
        pause_s = _RETRY_S
        while self._news.wait() and not self._stopped.is_set():
            self._news.clear()
            if self._serve_all():
                pause_s = _RETRY_S
            elif not self._news.wait(pause_s):
                self._news.set()
                pause_s = min(2 * pause_s, _LONGEST_RETRY_S)

    def _serve_all(self) -> bool:
        """Deliver what is due; whether nothing is left."""
        try:
            due = self._store.undelivered()
        except LabError as error:
            log.warning("deliveries wait: %s", error)
            return False
        return all([self._stopped.is_set() or self._serve(*request) for request in due])

    def _serve(self, request_uuid: str, message: dict[str, str]) -> bool:
        try:
            bundle = self._registry.choose(test_name=message["test_name"], uut=message["test_UUT"])
            is_new = self._pool.deliver(request_uuid, bundle)
            self._store.note_delivery(request_uuid)
        except (LabError, OSError) as error:
            log.warning("request=%s delivery waits: %s", request_uuid, error)
            return False
        log.info("request=%s models=%d %s", request_uuid, len(bundle.models), "uploaded" if is_new else "were there")
        return True
