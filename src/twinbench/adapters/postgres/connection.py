"""Connections to the LIMS database, and its migrations (alembic)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extras

from twinbench.core.errors import UnreachableError

__all__ = ["Database", "migrate"]


class Database:
    """One database; each use is a transaction on a connection of its own.

    Args:
        url: ``postgresql://user:password@host:port/database``.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def transaction(self) -> Iterator[psycopg2.extras.RealDictCursor]:
        """A cursor whose changes are kept together, or not at all.

        Raises:
            UnreachableError: If the server does not answer.
        """
        try:
            connection: Any = psycopg2.connect(
                self._url, cursor_factory=psycopg2.extras.RealDictCursor, connect_timeout=10
            )
        except psycopg2.OperationalError as error:
            raise UnreachableError(
                f"The LIMS database does not answer: {str(error).strip()}. See `twinbench status`."
            ) from error
        with closing(connection), connection, connection.cursor() as cursor:
            yield cursor


def migrate(url: str) -> None:
    """Bring the database to this version's tables; nothing happens if it is there already."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url.replace("postgresql://", "postgresql+psycopg2://", 1)
    command.upgrade(config, "head")
