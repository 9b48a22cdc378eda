"""The LIMS database (PostgreSQL): requests, bench bookings, the outbox of messages, what physical benches measured."""

from twinbench.adapters.postgres.bookings import Bookings
from twinbench.adapters.postgres.connection import Database, migrate
from twinbench.adapters.postgres.outbox import PostgresOutbox
from twinbench.adapters.postgres.requests import Requests
from twinbench.adapters.postgres.telemetry import Telemetry

__all__ = ["Bookings", "Database", "PostgresOutbox", "Requests", "Telemetry", "migrate"]
