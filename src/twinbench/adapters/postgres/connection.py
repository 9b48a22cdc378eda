"""Connections to the LIMS database, and its migrations (alembic)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extras

from twinbench.core.errors import UnreachableError

__all__ = ["Database", "migrate"]


class Database:
    """One database, over one connection that is opened when it is needed and opened again when it was lost.

    It may be used from several threads; their transactions follow one another.

    Args:
        url: ``postgresql://user:password@host:port/database``.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._connection: Any = None

    def close(self) -> None:
        """Close the connection; the next use opens another one."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @contextmanager
    def transaction(self) -> Iterator[psycopg2.extras.RealDictCursor]:
        """A cursor whose changes are kept together, or not at all.

        Raises:
            UnreachableError: If the server does not answer, or goes away meanwhile.
        """
        with self._lock:
            try:
                connection = self._open()
                with connection, connection.cursor() as cursor:
                    yield cursor
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                self._connection = None
                raise UnreachableError(
                    f"The LIMS database does not answer: {str(error).strip()}. See `twinbench status`."
                ) from error

    def _open(self) -> Any:
        """The connection, after a question that tells whether the server is still there."""
        if self._connection is not None:
            try:
                with self._connection, self._connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                self._connection.close()
                self._connection = None
        if self._connection is None:
            self._connection = psycopg2.connect(
                self._url, cursor_factory=psycopg2.extras.RealDictCursor, connect_timeout=10
            )
        return self._connection


def migrate(url: str) -> None:
    """Bring the database to this version's tables; nothing happens if it is there already."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url.replace("postgresql://", "postgresql+psycopg2://", 1)
    command.upgrade(config, "head")
