"""A real MQTT broker for tests, with the rights that the lab gives each party, and waiting for what it brings about.

Every test gets a broker of its own on free ports; it may be killed and started again.
"""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from twinbench.core import topics

PASSWORD = "swordfish"
BENCH = "b1"
_BINARY = Path(sys.executable).parent / "nats-server"


def eventually(condition: Callable[[], object], *, timeout_s: float = 30.0, every_s: float = 0.02) -> None:
    """Wait until something is so; fail if it is not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s"
        time.sleep(every_s)


def free_port() -> int:
    """A port below those that the system gives to whoever connects: nobody gets it before the broker listens."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _user(name: str, publish: list[str], subscribe: list[str]) -> dict:
    def subjects(allowed: list[str]) -> dict:
        return {"allow": [topic.replace("/", ".").replace("+", "*").replace("#", ">") for topic in allowed]}

    rights = {"publish": subjects(publish), "subscribe": subjects(subscribe)}
    return {"user": name, "password": PASSWORD, "permissions": rights}


def users() -> list[dict]:
    """The parties of the lab and what each may say and hear; ``anybody`` may everything."""
    lims_hears = [
        topics.request_ack(),
        topics.metrics_ack(),
        topics.bench_status(),
        topics.bench_events(),
        topics.METRICS,
    ]
    bench_says = [topics.bench_status(BENCH), topics.bench_events(BENCH), topics.bench_telemetry(BENCH)]
    return [
        _user(
            "lims",
            [topics.request(), topics.METRICS, topics.bench_commands()],
            [*lims_hears, topics.bench_telemetry()],
        ),
        _user("twin", [topics.request_ack(), topics.metrics_ack()], [topics.request(), topics.METRICS]),
        _user(f"bench-{BENCH}", bench_says, [topics.bench_commands(BENCH)]),
        _user("anybody", ["#"], ["#"]),
    ]


class Broker:
    """A nats-server with its files in one folder."""

    def __init__(self, folder: Path, tls: tuple[Path, Path] | None = None) -> None:
        self.folder, self.port = folder, free_port()
        self._tls = tls
        mqtt: dict = {"listen": f"127.0.0.1:{self.port}"}
        if tls:
            mqtt["tls"] = {"cert_file": str(tls[0]), "key_file": str(tls[1])}
        configuration = {
            "server_name": "test",
            "listen": f"127.0.0.1:{free_port()}",
            "jetstream": {"store_dir": str(folder / "store"), "sync_interval": "1s"},
            "mqtt": mqtt,
            "authorization": {"users": users()},
        }
        (folder / "nats.conf").write_text(json.dumps(configuration))
        self._process: subprocess.Popen | None = None

    def url(self, user: str, *, password: str = PASSWORD) -> str:
        return f"mqtt{'s' if self._tls else ''}://{user}:{password}@127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([_BINARY, "-c", self.folder / "nats.conf"], stdout=log, stderr=log)
        eventually(self._answers)

    def kill(self) -> None:
        """As a crash would: kill -9."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        self.kill()
        self.start()

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as plain:
                if self._tls:
                    context = ssl.create_default_context()
                    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                    context.wrap_socket(plain).close()
        except OSError:
            return False
        return True


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A running broker without TLS."""
    folder = tmp_path / "broker"
    folder.mkdir()
    running = Broker(folder)
    running.start()
    yield running
    running.kill()
