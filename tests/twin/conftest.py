"""The twin's real neighbours, and its database, empty."""

from __future__ import annotations

import json
from contextlib import closing

import psycopg2
import pytest
from jsonschema import Draft202012Validator

from tests.broker import broker
from tests.services import postgres, sftp, site
from twinbench.stack import database
from twinbench.stack.site import PROJECT
from twinbench.twin.store import TwinStore, migrate

__all__ = ["broker", "postgres", "sftp", "site"]

REQUEST = "7d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a11"
TABLES = "twin_rejected, twin_chunk, twin_inbox, twin_run, twin_request"


@pytest.fixture
def database_url(site, postgres):
    """The twin's database, empty."""
    url = database.database_url(site, "twin")
    migrate(url)
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES}")
    return url


@pytest.fixture
def store(database_url):
    store = TwinStore(database_url)
    yield store
    store.close()


@pytest.fixture
def pool_folder(site, sftp):
    """The pool on the server's disk, empty."""
    folder = site.folder("sftp", "twin", "pool")
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    return folder


@pytest.fixture
def fmus(tmp_path):
    """A folder as include/fmus; the content of the models does not matter to the twin."""
    folder = tmp_path / "fmus"
    folder.mkdir()
    for name in ("FMU_Input_Handler", "FMU_Battery_Model", "FMU_Output_Handler"):
        (folder / f"{name}.fmu").write_bytes(f"{name} 1.0".encode() * 1000)
    (folder / "inter_connection.json").write_text("[]")
    return folder


@pytest.fixture
def request_message():
    return {
        "test_name": "Performance - Capacity",
        "test_UUID": REQUEST,
        "test_UUT": "Gen3b - Cell",
        "test_bench": "Virtual",
        "use_case": "Automotive",
        "variables": {"test_procedures": [], "custom_profile": None, "FMU_signal_connections": []},
        "test_date": "2026-12-01 10:00:00",
        "status": {"value": "In Progress", "last_update": "2026-11-20 10:00:00"},
    }


@pytest.fixture(scope="session")
def validator():
    """The validator of a message's schema, by its name."""

    def validator(name: str) -> Draft202012Validator:
        return Draft202012Validator(json.loads((PROJECT / "include" / "schemas" / f"{name}.schema.json").read_text()))

    return validator
