"""The LIMS database (PostgreSQL): requests, bookings, catalogue, inventory, audit log, outbox, telemetry."""

from twinbench.adapters.postgres.audit import AuditLog
from twinbench.adapters.postgres.bench_past import BenchPast
from twinbench.adapters.postgres.bookings import Bookings
from twinbench.adapters.postgres.catalogue_tables import CatalogueTables
from twinbench.adapters.postgres.changes import ChangeFeed, Changes
from twinbench.adapters.postgres.connection import Database, migrate
from twinbench.adapters.postgres.inventory import Inventory
from twinbench.adapters.postgres.outbox import PostgresOutbox
from twinbench.adapters.postgres.requests import Requests
from twinbench.adapters.postgres.telemetry import Telemetry
from twinbench.adapters.postgres.twin_books import TwinBooks

__all__ = [
    "AuditLog",
    "BenchPast",
    "Bookings",
    "CatalogueTables",
    "ChangeFeed",
    "Changes",
    "Database",
    "Inventory",
    "PostgresOutbox",
    "Requests",
    "Telemetry",
    "TwinBooks",
    "migrate",
]
