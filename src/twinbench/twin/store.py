"""What the twin keeps, in a PostgreSQL database of its own: requests, metrics, and what was no metrics message.

Samples are stored per message and variable as two arrays of little-endian doubles with their smallest and largest
value, so that a trend of a million samples is drawn without reading them.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg2
from psycopg2.extras import Json, execute_values

from twinbench.core.errors import ResultError, UnreachableError
from twinbench.core.telemetry import Metrics, Series, message_id

__all__ = ["Progress", "Rejected", "TwinStore", "migrate"]


@dataclass(frozen=True)
class Progress:
    """How far a run's messages are stored.

    Attributes:
        upto: Highest number before which none is missing.
        rejected: How many of the stored ones were no metrics messages.
    """

    run_uuid: str
    upto: int
    stored: int
    rejected: int


@dataclass(frozen=True)
class Rejected:
    """A message that is no metrics message.

    Attributes:
        place: Run and number, if at least these can be read; it then counts as arrived, or it would come for ever.
    """

    topic: str
    payload: bytes
    reason: str
    place: tuple[str, int] | None = None


class TwinStore:
    """The twin's tables; may be used from several threads. A lost connection is made again at the next use.

    Args:
        url: ``postgresql://user:password@host:port/database``.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._connection: Any = None

    def close(self) -> None:
        """Disconnect."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = psycopg2.connect(self._url, connect_timeout=5)
                with self._connection, self._connection.cursor() as cursor:
                    yield cursor
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                self._drop()
                raise UnreachableError(f"The twin's database does not answer: {str(error).strip()}") from error
            except (psycopg2.DataError, psycopg2.IntegrityError) as error:
                raise ResultError(f"The twin's database does not take this: {str(error).strip()}") from error

    # Requests

    def note_request(self, request_uuid: str, message: dict[str, Any], answer: dict[str, Any]) -> None:
        """Keep a request with its answer; one that was accepted is to be delivered (again)."""
        with self._transaction() as cursor:
            cursor.execute(
                "INSERT INTO twin_request (request_uuid, message, answer, status) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (request_uuid) DO UPDATE SET message = excluded.message, answer = excluded.answer, "
                "status = excluded.status, asked = twin_request.asked + 1, delivered_at = NULL",
                (request_uuid, Json(message), Json(answer), answer["status"]),
            )

    def undelivered(self) -> list[tuple[str, dict[str, Any]]]:
        """Accepted requests that have no models yet, the oldest first."""
        with self._transaction() as cursor:
            cursor.execute(
                "SELECT request_uuid, message FROM twin_request "
                "WHERE status = 'accepted' AND delivered_at IS NULL ORDER BY received_at"
            )
            return list(cursor.fetchall())

    def note_delivery(self, request_uuid: str) -> None:
        """The models of a request lie in the pool."""
        with self._transaction() as cursor:
            cursor.execute("UPDATE twin_request SET delivered_at = now() WHERE request_uuid = %s", (request_uuid,))

    # Metrics

    def keep(self, messages: Sequence[Metrics], rejected: Sequence[Rejected] = ()) -> list[Progress]:
        """Store messages, each once however often it comes, all of them or none; returns how far their runs are.

        Raises:
            UnreachableError: If the database does not answer.
            ResultError: If it does not take one of them.
        """
        with self._transaction() as cursor:
            for refused in rejected:
                _put_aside(cursor, refused)
            if messages:
                _insert(cursor, messages)
            runs = {message.label.run_uuid for message in messages} | {r.place[0] for r in rejected if r.place}
            return [_advance(cursor, run_uuid) for run_uuid in sorted(runs)]

    def counts(self, request_uuid: str) -> dict[str, int]:
        """How many ``messages``, ``samples``, ``runs`` and ``finished`` runs of a request are stored."""
        with self._transaction() as cursor:
            cursor.execute(
                "SELECT count(*), count(DISTINCT run_uuid), count(*) FILTER (WHERE final) "
                "FROM twin_inbox WHERE request_uuid = %s AND NOT rejected",
                (request_uuid,),
            )
            messages, runs, finished = cursor.fetchone()
            cursor.execute(
                "SELECT coalesce(sum(samples), 0)::bigint FROM twin_chunk JOIN twin_inbox USING (run_uuid, seq) "
                "WHERE request_uuid = %s",
                (request_uuid,),
            )
            return {"messages": messages, "samples": cursor.fetchone()[0], "runs": runs, "finished": finished}


def _insert(cursor: Any, messages: Sequence[Metrics]) -> None:
    labels = {message.label.run_uuid: message.label for message in messages}
    execute_values(
        cursor,
        "INSERT INTO twin_run (run_uuid, request_uuid, run, label) VALUES %s "
        "ON CONFLICT (run_uuid) DO UPDATE SET request_uuid = excluded.request_uuid, run = excluded.run, "
        "label = excluded.label WHERE twin_run.label IS NULL",
        [(label.run_uuid, label.request_uuid, label.run, Json(asdict(label))) for label in labels.values()],
    )
    rows = [(m.message_id, m.label.request_uuid, m.label.run_uuid, m.seq, m.final) for m in messages]
    new = execute_values(
        cursor,
        "INSERT INTO twin_inbox (message_id, request_uuid, run_uuid, seq, final) VALUES %s "
        "ON CONFLICT (message_id) DO NOTHING RETURNING message_id, run_uuid",
        rows,
        page_size=1000,
        fetch=True,
    )
    for run_uuid, count in Counter(run_uuid for _, run_uuid in new).items():
        cursor.execute("UPDATE twin_run SET stored = stored + %s WHERE run_uuid = %s", (count, run_uuid))
    fresh = {identifier for identifier, _ in new}
    chunks = []
    for message in messages:
        if message.message_id in fresh:
            fresh.discard(message.message_id)  # the same message may be twice in one batch
            chunks += [_chunk(message, series) for series in message.series if series.values]
    columns = (
        "run_uuid, seq, variable, type, unit, samples, time_min_s, time_max_s, value_min, value_max, time_s, value"
    )
    execute_values(cursor, f"INSERT INTO twin_chunk ({columns}) VALUES %s ON CONFLICT DO NOTHING", chunks)


def _chunk(message: Metrics, series: Series) -> tuple[Any, ...]:
    times, values = np.array(series.time_s, dtype="<f8"), np.array(series.values, dtype="<f8")
    return (
        *(message.label.run_uuid, message.seq, series.name, series.type, series.unit, len(values)),
        *(float(times.min()), float(times.max()), float(values.min()), float(values.max())),
        *(psycopg2.Binary(times.tobytes()), psycopg2.Binary(values.tobytes())),
    )


def _put_aside(cursor: Any, refused: Rejected) -> None:
    cursor.execute(
        "INSERT INTO twin_rejected (topic, payload, reason) VALUES (%s, %s, %s)",
        (refused.topic, psycopg2.Binary(refused.payload), refused.reason.replace("\x00", "")),
    )
    if refused.place:
        run_uuid, seq = refused.place
        cursor.execute("INSERT INTO twin_run (run_uuid) VALUES (%s) ON CONFLICT DO NOTHING", (run_uuid,))
        cursor.execute(
            "INSERT INTO twin_inbox (message_id, run_uuid, seq, rejected) VALUES (%s, %s, %s, true) "
            "ON CONFLICT DO NOTHING",
            (message_id(run_uuid, seq), run_uuid, seq),
        )
        new = cursor.rowcount
        cursor.execute(
            "UPDATE twin_run SET stored = stored + %s, rejected = rejected + %s WHERE run_uuid = %s",
            (new, new, run_uuid),
        )


def _advance(cursor: Any, run_uuid: str) -> Progress:
    """Move a run's mark up to the first gap."""
    cursor.execute("SELECT upto FROM twin_run WHERE run_uuid = %s FOR UPDATE", (run_uuid,))
    (upto,) = cursor.fetchone()
    cursor.execute(
        "SELECT coalesce(max(seq), %(upto)s) FROM (SELECT seq, seq - row_number() OVER (ORDER BY seq) AS island "
        "FROM twin_inbox WHERE run_uuid = %(run)s AND seq > %(upto)s) later WHERE island = %(upto)s",
        {"upto": upto, "run": run_uuid},
    )
    (upto,) = cursor.fetchone()
    cursor.execute(
        "UPDATE twin_run SET upto = %s, changed_at = now() WHERE run_uuid = %s RETURNING upto, stored, rejected",
        (upto, run_uuid),
    )
    return Progress(run_uuid, *cursor.fetchone())


def migrate(url: str) -> None:
    """Bring the database to this version's tables.

    Raises:
        UnreachableError: If it does not answer.
    """
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import OperationalError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url.replace("postgresql://", "postgresql+psycopg2://", 1)
    try:
        command.upgrade(config, "head")
    except OperationalError as error:
        raise UnreachableError(f"The twin's database does not answer: {error.orig}") from error
