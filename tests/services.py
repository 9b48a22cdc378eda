"""Real services of the local lab for tests: PostgreSQL and the SFTP pool, without a supervisor, in a folder apart."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.broker import eventually, free_port
from twinbench.stack import database, pool
from twinbench.stack.service import Service
from twinbench.stack.site import Site


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
    yield process
    process.end(signal.SIGINT)


@pytest.fixture(scope="session")
def sftp(site):
    process = Process(pool.service(site), site.log("sftp"))
    process.start()
    yield process
    process.end()
