"""Where the local lab lives: its folder, its ports, its generated secrets.

Everything is below ``.lab/`` of the project (or ``TWINBENCH_LAB``); deleting that folder forgets the lab.
Ports are chosen once and kept, so that addresses in a browser's history stay right; a port that somebody else has
taken in the meantime is replaced by a free one. Labs that start at the same time choose different ones.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

__all__ = ["HOST", "PROJECT", "USUAL_PORTS", "Site", "free_port"]

HOST = "127.0.0.1"
PROJECT = Path(__file__).resolve().parents[3]
USUAL_PORTS = {
    **{"airflow": 8080, "mqtt": 8883, "sftp": 2222, "postgres": 5432, "nats": 4222, "supervisor": 9001},
    **{"task-logs": 8793, "trigger-logs": 8794},
}


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(preferred: int) -> int:
    """The preferred port if it is free, else the next free one above it."""
    return next(filter(is_free, range(preferred, 65_536)))


def _claim(port: int, held: ExitStack) -> bool:
    """Hold a free port against other labs that start now; tells whether it was to be had.

    What is held is the UDP port of the same number, which no part of a lab uses: the port itself has to stay free for
    the service that will listen there.
    """
    claim = socket.socket(type=socket.SOCK_DGRAM)
    try:
        claim.bind((HOST, port))
    except OSError:
        claim.close()
        return False
    held.enter_context(closing(claim))
    return is_free(port)


@dataclass(frozen=True)
class Site:
    """One local lab.

    Attributes:
        root: Folder that holds everything the lab writes.
        ports: Service name to port on the loopback interface.
    """

    root: Path
    ports: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def find(cls) -> Site:
        """The lab of this project, with the ports it was last given."""
        root = Path(os.environ.get("TWINBENCH_LAB") or PROJECT / ".lab").resolve()
        stored = root / "ports.json"
        return cls(root, json.loads(stored.read_text()) if stored.exists() else {})

    @contextmanager
    def with_ports(self) -> Iterator[Site]:
        """The same lab with a free port for every service, kept for the next start.

        Until the block is left, no other lab that starts chooses one of them.
        """
        with ExitStack() as held:
            ports = {}
            for name, usual in USUAL_PORTS.items():
                wanted = chain([self.ports.get(name, usual)], range(usual, 65_536))
                ports[name] = next(port for port in wanted if _claim(port, held))
            self.folder()
            (self.root / "ports.json").write_text(json.dumps(ports, indent=1))
            yield Site(self.root, ports)

    def folder(self, *parts: str) -> Path:
        """A folder of the lab, made if need be and closed to other users."""
        path = self.root.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def log(self, name: str) -> Path:
        """Log file of a service."""
        return self.folder("log") / f"{name}.log"

    def secret(self, name: str) -> str:
        """A generated password or key, the same at every call."""
        path = self.folder("secrets") / name
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24))
        return path.read_text()

    @property
    def airflow_url(self) -> str:
        """Address of Airflow's pages and REST API."""
        return f"http://{HOST}:{self.ports['airflow']}"


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file that only its owner may read."""
    data = content.encode() if isinstance(content, str) else content
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(data)
