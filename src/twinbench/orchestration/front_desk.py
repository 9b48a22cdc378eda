"""Opens the front desk for the pages inside Airflow: the lab, its tables, Airflow's REST API, what happens now."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

from twinbench.adapters.environment import Settings
from twinbench.adapters.mqtt.listening import LabEars
from twinbench.adapters.postgres import (
    AuditLog,
    BenchPast,
    CatalogueTables,
    ChangeFeed,
    Changes,
    Database,
    Inventory,
    Requests,
    TwinBooks,
)
from twinbench.adapters.postgres.changes import LOST
from twinbench.orchestration.opening import open_airflow, open_lab
from twinbench.workflow.front_desk import FrontDesk

__all__ = ["open_front_desk"]

_CONNECTIONS = 4  # of the pages to the database
_BEAT_S = 5.0  # a viewer that hears nothing for so long is told that the line is alive


class LiveLab:
    """Changes of the database and words on the broker, told to all who look."""

    def __init__(self, feed: ChangeFeed) -> None:
        self._feed = feed
        self._told = 0
        self._hears_database = True
        self.ears: LabEars | None = None
        self.database: Changes | None = None

    def tell(self, news: str) -> None:
        """Tell all who look; readings of a run change no page but the one that shows them."""
        self._told += not news.startswith("run ")
        self._feed.tell(news)

    def tell_of_database(self, news: str) -> None:
        """Likewise, and remember whether the database can be heard."""
        self._hears_database = news != LOST
        self.tell(news)

    async def changes(self) -> AsyncIterator[str]:
        """Whatever changes from now on; empty while nothing does."""
        async for news in self._feed.changes(beat_s=_BEAT_S):
            yield news

    def version(self) -> int:
        """How many changes were told."""
        return self._told

    def connected(self) -> dict[str, bool]:
        """Which parts can be heard."""
        return {"database": self._hears_database, "broker": self.ears is not None and self.ears.is_open}

    def bench_states(self) -> dict[str, dict[str, Any]]:
        """What each physical bench said last."""
        return self.ears.bench_states() if self.ears else {}

    def bench_messages(self, bench: str) -> list[dict[str, Any]]:
        """The last message of each kind from a bench."""
        return self.ears.bench_messages(bench) if self.ears else []

    def readings(self, request_uuid: str) -> dict[int, list[dict[str, Any]]]:
        """The newest readings of each run of a request."""
        return self.ears.readings(request_uuid) if self.ears else {}


def open_front_desk(settings: Settings | None = None) -> FrontDesk:
    """The front desk behind the settings of this process; listens from now on.

    Raises:
        ConfigurationError: If a setting is missing or wrong.
    """
    known = settings or Settings.from_environment()
    lab = open_lab(known)
    database = Database(known.database_url, connections=_CONNECTIONS)
    live = LiveLab(ChangeFeed())
    live.ears = LabEars(known.mqtt_url, ca=known.mqtt_ca, metrics_topic=known.metrics_topic, told=live.tell).start()
    live.database = Changes(known.database_url, live.tell_of_database).start()
    return FrontDesk(
        lab=lab,
        register=Requests(database),
        catalogue=CatalogueTables(database),
        inventory=Inventory(database),
        past=BenchPast(database),
        twins=TwinBooks(database),
        audit=AuditLog(database),
        airflow=open_airflow(known),
        live=live,
        airflow_url=os.environ.get("AIRFLOW__API__BASE_URL", "").rstrip("/"),
    )
