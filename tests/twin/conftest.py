"""The twin's real neighbours: PostgreSQL and the SFTP pool of the local lab, in a folder of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from jsonschema import Draft202012Validator

from tests.broker import broker, eventually, free_port
from twinbench.stack import database, pool
from twinbench.stack.service import Service
from twinbench.stack.site import PROJECT, Site
from twinbench.twin.store import TwinStore, migrate

__all__ = ["broker"]

REQUEST = "7d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a11"
TABLES = "twin_rejected, twin_chunk, twin_inbox, twin_run, twin_request"


class Process:
    """A service of the local lab, started without its supervisor."""

    def __init__(self, service: Service, log: Path) -> None:
        self.service, self.log = service, log
        self.running: subprocess.Popen | None = None

    def start(self) -> None:
        self.service.prepare()
        with self.log.open("ab") as log:
            environment = {**os.environ, **self.service.environment}
            self.running = subprocess.Popen(
                self.service.command, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        eventually(self._is_ready, timeout_s=60)
        self.service.settle()

    def _is_ready(self) -> bool:
        assert self.running
        assert self.running.poll() is None, self.log.read_text()
        try:
            return self.service.is_ready()
        except OSError:
            return False

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to it and its children; returns the exit code."""
        assert self.running
        os.killpg(self.running.pid, number)
        return self.running.wait(30)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    root = tmp_path_factory.mktemp("lab")
    ports = {"postgres": free_port(), "sftp": free_port()}
    (root / "ports.json").write_text(json.dumps(ports))
    return Site(root, ports)


@pytest.fixture(scope="session")
def postgres(site):
    process = Process(database.service(site), site.log("postgres"))
    process.start()
    migrate(database.database_url(site, "twin"))
    yield process
    process.end(signal.SIGINT)


@pytest.fixture
def database_url(site, postgres):
    """The twin's database, empty."""
    url = database.database_url(site, "twin")
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES}")
    return url


@pytest.fixture
def store(database_url):
    store = TwinStore(database_url)
    yield store
    store.close()


@pytest.fixture(scope="session")
def sftp(site):
    process = Process(pool.service(site), site.log("sftp"))
    process.start()
    yield process
    process.end()


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
