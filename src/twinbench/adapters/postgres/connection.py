"""Connections to the LIMS database, and its migrations (alembic)."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extras

from twinbench.core.errors import RequestError, UnreachableError

__all__ = ["Database", "migrate"]

_FOR_SHORT_QUERIES = "-c max_parallel_workers_per_gather=0 -c jit=off"  # several people ask at the same time


class Database:
    """One database, over connections that are opened when they are needed and opened again when they were lost.

    It may be used from several threads; with one connection, their transactions follow one another.

    Args:
        url: ``postgresql://user:password@host:port/database``.
        connections: How many transactions may be under way at the same time.
    """

    def __init__(self, url: str, *, connections: int = 1) -> None:
        self._url = url
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()  # the one that was used last is the likeliest to live
        self._connections = connections
        for _ in range(connections):
            self._idle.put(None)

    def close(self) -> None:
        """Close the connections; the next use opens others."""
        for connection in [self._idle.get() for _ in range(self._connections)]:
            if connection is not None:
                connection.close()
            self._idle.put(None)

    @contextmanager
    def transaction(self) -> Iterator[psycopg2.extras.RealDictCursor]:
        """A cursor whose changes are kept together, or not at all.

        Raises:
            UnreachableError: If the server does not answer, or goes away meanwhile.
            RequestError: If a value is none that can be stored.
        """
        connection = self._idle.get()
        try:
            connection = self._living(connection)
            with connection, connection.cursor() as cursor:
                yield cursor
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            connection = None
            raise UnreachableError(
                f"The LIMS database does not answer: {str(error).strip()}. See `twinbench status`."
            ) from error
        except psycopg2.DataError as error:
            raise _unstorable(error) from error
        except ValueError as error:
            if isinstance(error, UnicodeEncodeError) or "NUL (0x00)" in str(error):  # said by psycopg2
                raise _unstorable(error) from error
            raise
        finally:
            self._idle.put(connection)

    def _living(self, connection: Any) -> Any:
        """The connection, after a question that tells whether the server is still there; else another one."""
        if connection is not None:
            try:
                with connection, connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                return connection
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                connection.close()
        return psycopg2.connect(
            self._url, cursor_factory=psycopg2.extras.RealDictCursor, connect_timeout=10, options=_FOR_SHORT_QUERIES
        )


def _unstorable(error: Exception) -> RequestError:
    return RequestError(f"A value cannot be stored: {str(error).strip()}. Give another one.")


def migrate(url: str) -> None:
    """Bring the database to this version's tables; nothing happens if it is there already."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url.replace("postgresql://", "postgresql+psycopg2://", 1)
    command.upgrade(config, "head")
