from contextlib import closing

import psycopg2
import pytest

from tests.broker import broker
from tests.services import postgres, sftp, site
from twinbench.adapters.postgres import Database, migrate
from twinbench.stack import database

__all__ = ["broker", "postgres", "sftp", "site"]

EMPTIED = """
    TRUNCATE bench_bookings, bench_closures, bench_telemetry, outbox, twin_deliveries, request_history, test_requests,
        request_tally, request_subjects, request_people, uut_inventory, test_name_applicability, standard_tests,
        test_names, relevant_standards, use_cases, uut_ids, catalogue_loaded RESTART IDENTITY;
    ALTER TABLE audit_log DISABLE TRIGGER audit_log_stays;
    TRUNCATE audit_log;
    ALTER TABLE audit_log ENABLE TRIGGER audit_log_stays;
"""


@pytest.fixture
def lims_url(site, postgres):
    """The LIMS database, empty."""
    url = database.database_url(site, "lims")
    migrate(url)
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(EMPTIED)
    return url


@pytest.fixture
def lims(lims_url):
    database = Database(lims_url)
    yield database
    database.close()
