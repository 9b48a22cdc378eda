"""Requests of an older laboratory are found like new ones after the migration, and what was made can be taken back."""

import json
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from alembic import command
from alembic.config import Config

from tests.fakes import REQUEST_UUID, request_document
from twinbench.adapters import postgres as adapter
from twinbench.adapters.postgres import Requests, migrate
from twinbench.core.access import RequestScope
from twinbench.core.request_query import RequestQuery

OLD = """INSERT INTO test_requests (uuid, requester_id, requester_name, preferred_date, document, status,
             simulation_folder, created_at, updated_at)
         VALUES (%s, 'lab-42', 'Ada Lovelace', now(), %s, 'completed', 'a folder', now(), now())"""


@pytest.fixture
def alembic(lims_url):
    config = Config()
    config.set_main_option("script_location", str(Path(adapter.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = lims_url.replace("postgresql://", "postgresql+psycopg2://", 1)
    yield config
    migrate(lims_url)


def test_older_requests_are_counted_and_found(lims, lims_url, alembic):
    command.downgrade(alembic, "0002")
    with closing(psycopg2.connect(lims_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(OLD, (REQUEST_UUID, json.dumps(request_document())))
    migrate(lims_url)

    page = Requests(lims).page(RequestQuery(RequestScope(person="lab-42"), text="lovelace power TR-000001"))
    assert [row["title"] for row in page.rows] == ["Performance - Power on Gen3b - Cell"]
    assert Requests(lims).counts(RequestScope(everything=True))["completed"] == 1


def test_the_migrations_can_be_taken_back_and_made_again(lims, lims_url, alembic):
    Requests(lims).save(
        REQUEST_UUID, request_document(), folder="f", status="failed", at=psycopg2.TimestampFromTicks(0)
    )
    for revision in ("0003", "0002"):
        command.downgrade(alembic, revision)
    migrate(lims_url)

    assert Requests(lims).get(REQUEST_UUID)["status"] == "failed"
