"""The LIMS database (PostgreSQL): requests, the outbox of messages, and what physical benches have measured."""

from twinbench.adapters.postgres.connection import Database, migrate
from twinbench.adapters.postgres.outbox import PostgresOutbox
from twinbench.adapters.postgres.requests import Requests
from twinbench.adapters.postgres.telemetry import Telemetry

__all__ = ["Database", "PostgresOutbox", "Requests", "Telemetry", "migrate"]
