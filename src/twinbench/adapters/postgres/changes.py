"""News of what changes in the LIMS database, told after the transaction that changed it.

request TR-000042   a request               bench cycler-1   a booking or closure of a bench
unit SN-17          a unit under test
lost                the database does not answer: nothing is heard for now
back                it does again, or too much was told at once: read anew whatever you show
"""

from __future__ import annotations

import asyncio
import logging
import select
import socket
import threading
import weakref
from collections.abc import Callable
from typing import Any

import psycopg2
from tenacity import Retrying, retry_if_exception_type, sleep_using_event, stop_when_event_set, wait_random_exponential

__all__ = ["BACK", "LOST", "ChangeFeed", "Changes"]

LOST, BACK = "lost", "back"
_LOG = logging.getLogger(__name__)
_AWAY = (psycopg2.OperationalError, psycopg2.InterfaceError)
_SOON_S, _LATEST_S = 0.2, 10.0
# A connection through which nothing comes for long: the kernel tells when the other end is gone.
_ALIVE: dict[str, Any] = {"keepalives": 1, "keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3}


class Changes:
    """A thread that listens and calls *told*; it connects again for as long as it takes.

    Args:
        url: Address of the LIMS database.
        told: Is called on that thread; what it raises is logged.
    """

    def __init__(self, url: str, told: Callable[[str], None]) -> None:
        self._url, self._told = url, told
        self._closing = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._is_lost = False
        self._thread = threading.Thread(target=self._live, name="lims-changes", daemon=True)

    def start(self) -> Changes:
        """Begin to listen."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Hear no more; returns when the thread has ended."""
        self._closing.set()
        self._wake.send(b"!")
        if self._thread.is_alive():
            self._thread.join()
        self._wake.close()
        self._woken.close()

    def _live(self) -> None:
        while not self._closing.is_set():
            attempts = Retrying(
                retry=retry_if_exception_type(_AWAY),
                wait=wait_random_exponential(multiplier=_SOON_S, max=_LATEST_S),
                stop=stop_when_event_set(self._closing),
                sleep=sleep_using_event(self._closing),
                reraise=True,
            )
            try:
                connection = attempts(self._connect)
            except _AWAY:
                return  # closed while nobody answered
            try:
                self._listen(connection)
            except _AWAY as error:
                self._lose(error)
            finally:
                connection.close()

    def _connect(self) -> Any:
        try:
            connection = psycopg2.connect(self._url, connect_timeout=10, **_ALIVE)
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("LISTEN lims")
        except _AWAY as error:
            self._lose(error)
            raise
        if self._is_lost:
            self._is_lost = False
            self._tell(BACK)
        return connection

    def _listen(self, connection: Any) -> None:
        while True:
            connection.poll()
            while connection.notifies:
                self._tell(connection.notifies.pop(0).payload)
            select.select([connection, self._woken], [], [])
            if self._closing.is_set():
                return

    def _lose(self, error: Exception) -> None:
        if not self._is_lost and not self._closing.is_set():
            self._is_lost = True
            _LOG.warning("The LIMS database does not tell its changes: %s", str(error).strip())
            self._tell(LOST)

    def _tell(self, news: str) -> None:
        try:
            self._told(news)
        except Exception:
            _LOG.exception("What changed (%s) could not be told", news)


class ChangeFeed:
    """Hands what any thread tells to everybody who looks, each in their own event loop and at their own pace."""

    def __init__(self, *, most: int = 1000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._viewers: weakref.WeakSet[Viewer] = weakref.WeakSet()

    def tell(self, news: str) -> None:
        """Tell everybody; does not wait for them."""
        with self._lock:
            viewers = list(self._viewers)
        for viewer in viewers:
            viewer.tell(news)

    def changes(self, *, beat_s: float | None = None) -> Viewer:
        """Whatever is told from now on; to be called where an event loop runs.

        Args:
            beat_s: If nothing is told for so long, the empty text is, so that a viewer who left is noticed.
        """
        viewer = Viewer(asyncio.get_running_loop(), self._most, beat_s)
        with self._lock:
            self._viewers.add(viewer)
        return viewer

    @property
    def viewers(self) -> int:
        """How many look."""
        with self._lock:
            return sum(not viewer.is_over for viewer in self._viewers)

    def close(self) -> None:
        """Let everybody's iteration end."""
        with self._lock:
            viewers = list(self._viewers)
        for viewer in viewers:
            viewer.end()


class Viewer:
    """The news of one who looks: each kind once, however often it was told since they last asked."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int, beat_s: float | None) -> None:
        self._loop, self._most, self._beat_s = loop, most, beat_s
        self._lock = threading.Lock()
        self._news: dict[str, None] = {}
        self._something = asyncio.Event()
        self.is_over = False

    def __aiter__(self) -> Viewer:
        return self

    async def __anext__(self) -> str:
        while True:
            with self._lock:
                if self.is_over:
                    raise StopAsyncIteration
                if self._news:
                    news = next(iter(self._news))
                    del self._news[news]
                    return news
                self._something.clear()
            try:
                await asyncio.wait_for(self._something.wait(), self._beat_s)
            except TimeoutError:
                return ""

    async def aclose(self) -> None:
        """Look no more."""
        self.end()

    def tell(self, news: str) -> None:
        """Keep news until they are asked for; if they are too many, tell only that they were."""
        with self._lock:
            is_first = not self._news
            # LOST and BACK are told in their order, so the older one of the same kind goes.
            if news in (LOST, BACK):
                self._news.pop(news, None)
            self._news[news] = None
            if len(self._news) > self._most:
                self._news = {BACK: None}
        if is_first:
            self._rouse()

    def end(self) -> None:
        """Let the iteration end."""
        with self._lock:
            self.is_over = True
        self._rouse()

    def _rouse(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._something.set)
        except RuntimeError:  # its loop is closed: nobody looks any more
            self.is_over = True
