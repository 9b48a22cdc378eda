"""The lab as its use cases see it: the ports through which they reach the outside.

A use case is a plain function whose first argument is a :class:`Lab`. What stands behind a port (PostgreSQL, SFTP,
MQTT, FMUs, or a fake in a test) is the business of whoever opens the lab.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from twinbench.core.catalogue import Catalogue
from twinbench.core.findings import Finding
from twinbench.core.request import TestRequest
from twinbench.workflow.booking_store import BookingStore
from twinbench.workflow.drop_place import DropPlace

if TYPE_CHECKING:  # numpy comes with them, and the DAG files import this module at each parse
    from twinbench.core.bundle import Connection, ModelSummary
    from twinbench.core.cosim import Block, Coupling, Point, PointResult

__all__ = [
    "Area",
    "BenchLine",
    "BookingStore",
    "BundleReport",
    "Courier",
    "Crew",
    "Document",
    "DropPlace",
    "Lab",
    "ModelImporter",
    "ObjectStore",
    "OpenBundle",
    "Pool",
    "Requests",
    "Telemetry",
    "Wire",
]

Document = dict[str, Any]


class Requests(Protocol):
    """The register of test requests."""

    def save(
        self,
        request_uuid: str,
        document: Document,
        *,
        folder: str,
        status: str,
        at: datetime,
        submitted_by: str = "",
        idempotency_key: str | None = None,
        twin: str = "",
        workflow_id: str = "",
    ) -> str:
        """Keep a request, unless it is kept already; returns its number."""

    def set_status(self, request_uuid: str, status: str, *, at: datetime, reason: str = "", actor: str = "") -> None:
        """Move a request to another state, and note who did it if it was a person."""

    def set_progress(self, request_uuid: str, percent: int) -> None:
        """Say how much of its runs is done."""

    def set_results(self, request_uuid: str, *, metrics: Document, results_path: str, fmu_path: str) -> None:
        """Say what came of it, and where its results and models lie."""

    def get(self, request_uuid: str) -> Document:
        """One request."""

    def by_number(self, number: str) -> Document:
        """One request by its number, such as ``TR-000042``."""

    def in_state(self, status: str) -> list[Document]:
        """All requests in a state, the oldest first."""

    def those(self, request_uuids: Sequence[str]) -> list[Document]:
        """The requests of these UUIDs that there are, the oldest first."""


class ObjectStore(Protocol):
    """Where payload lives."""

    def url(self, key: str) -> str:
        """Full address, to show to people."""

    def read(self, key: str) -> bytes:
        """An object's content."""

    def write(self, key: str, content: bytes | str) -> None:
        """Make or replace an object."""

    def exists(self, key: str) -> bool:
        """Whether it is there."""

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix, sorted."""

    def remove(self, prefix: str) -> None:
        """Remove everything below a prefix."""

    def fetch(self, prefix: str, folder: Path) -> list[Path]:
        """Copy the objects below a prefix into a local folder."""


class Pool(Protocol):
    """Where the digital twin drops its models."""

    def names(self, request_uuid: str) -> list[str]:
        """What lies there for a request."""

    def fetch(self, request_uuid: str, folder: Path) -> list[Path]:
        """Copy the finished files."""

    def remove(self, request_uuid: str, names: Collection[str]) -> None:
        """Remove what was taken, and nothing that has come since."""


class Courier(Protocol):
    """Sends messages of runs to the digital twin and keeps each until it is acknowledged."""

    def send(self, stream: str, seq: int, topic: str, payload: Document) -> None:
        """Store a message, then send it."""

    def flush(self, timeout_s: float) -> int:
        """Wait for the acknowledgements; returns how many messages still lack theirs."""


class BenchLine(Protocol):
    """The line to one bench: what it says comes to the handlers that the line was opened with."""

    def send(self, command: Document) -> None:
        """Send a command."""


class Wire(Protocol):
    """Messages to and from the digital twin and the benches."""

    @property
    def metrics_topic(self) -> str:
        """Topic of the metrics messages."""

    def ask_twin(self, request_uuid: str, message: Document, *, timeout_s: float) -> Document:
        """Forward a request; returns the twin's acknowledgement."""

    def courier(self, streams: Sequence[str]) -> AbstractContextManager[Courier]:
        """A sender of the metrics of these runs."""

    def waiting(self, streams: Sequence[str]) -> int:
        """How many metrics messages of these runs the digital twin has not acknowledged."""

    def bench(
        self,
        bench: str,
        *,
        on_status: Callable[[Document], None],
        on_event: Callable[[Document], None],
        on_telemetry: Callable[[Document], None],
        on_reconnected: Callable[[], None],
    ) -> AbstractContextManager[BenchLine]:
        """Listen to a bench; handlers run one after another."""


class Telemetry(Protocol):
    """What physical benches have measured."""

    def store(self, run_uuid: str, seq: int, message: Document) -> int:
        """Keep a message; returns the highest sequence number up to which none is missing."""

    def messages(self, run_uuid: str) -> list[Document]:
        """All messages of a run, in sequence."""


class BundleReport(Protocol):
    """What the check of a bundle found."""

    @property
    def ok(self) -> bool:
        """Whether it can be simulated."""

    @property
    def findings(self) -> Sequence[Finding]:
        """All findings at once."""

    @property
    def models(self) -> Sequence[ModelSummary]:
        """Its FMUs."""

    @property
    def connections(self) -> Sequence[Connection]:
        """How they are wired."""

    def as_document(self) -> Document:
        """As ``twinbench check --json`` prints it."""


class Crew(Protocol):
    """Processes that run many points of one bundle."""

    def __enter__(self) -> Crew:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """End the processes."""

    def run(
        self,
        points: Sequence[Point],
        *,
        on_block: Callable[[int, Block], None] = ...,
        cancelled: Callable[[], bool] = ...,
    ) -> Iterator[PointResult]:
        """Run points; one result for each, in their order. A block comes with the number of its point."""


class OpenBundle(Protocol):
    """A bundle that is unpacked and checked."""

    @property
    def check(self) -> BundleReport:
        """What the check found; FMUs were not tried."""

    @property
    def archives(self) -> Mapping[str, Path]:
        """FMU -> its file."""

    @property
    def start_values(self) -> Mapping[str, Mapping[str, str]]:
        """FMU -> variable -> value that the bundle itself brings."""

    def crew(self, *, coupling: Coupling | None = None, workers: int = 1, deadline_s: float = ...) -> Crew:
        """Processes that run it; each point has to be done in *deadline_s*."""


class ModelImporter(Protocol):
    """Checks and loads FMUs."""

    def check_bundle(self, path: Path) -> BundleReport:
        """Check a folder with FMUs and an interconnection file; FMUs are tried in processes of their own."""

    def open_bundle(self, path: Path) -> AbstractContextManager[OpenBundle]:
        """Unpack a bundle to run it."""


@dataclass(frozen=True)
class Lab:
    """Everything a use case may need.

    Attributes:
        schemas: The JSON Schemas of messages, by name: ``test_request``, ``bench_event`` and so on.
        now: The clock, in UTC.
        say: Tells an operator what happens, one line per event.
        versions: Names and versions of what computes results.
        workers: Processes with which a virtual bench simulates.
        run_deadline_s: Time one simulated run may take.
    """

    requests: Requests
    store: ObjectStore
    pool: Pool
    drops: DropPlace
    wire: Wire
    telemetry: Telemetry
    bookings: BookingStore
    models: ModelImporter
    catalogue: Catalogue
    schemas: Mapping[str, Mapping[str, Any]]
    now: Callable[[], datetime]
    say: Callable[[str], None]
    versions: Mapping[str, str]
    workers: int = 1
    run_deadline_s: float = 3600.0

    def area(self, request_uuid: str) -> Area:
        """The request's own area of the object storage."""
        return Area(self.store, str(self.requests.get(request_uuid)["simulation_folder"]))

    def request(self, request_uuid: str) -> TestRequest:
        """The request as it was registered."""
        return TestRequest.from_document(self.requests.get(request_uuid)["document"], uuid=request_uuid)


@dataclass(frozen=True)
class Area:
    """The folder of one request in object storage."""

    store: ObjectStore
    folder: str

    def key(self, name: str) -> str:
        """Storage key of a file of this request."""
        return f"{self.folder}/{name}"

    def url(self, name: str) -> str:
        """Address of a file of this request, to show to people."""
        return self.store.url(self.key(name))

    def exists(self, name: str) -> bool:
        """Whether the file is there."""
        return self.store.exists(self.key(name))

    def read_json(self, name: str) -> Any:
        """A JSON file's content."""
        return json.loads(self.store.read(self.key(name)))

    def write_json(self, name: str, document: object) -> None:
        """Write a JSON file, readable by people and the same for the same content."""
        self.store.write(self.key(name), json.dumps(document, indent=1, default=str) + "\n")

    def write(self, name: str, content: bytes | str) -> None:
        """Write a file."""
        self.store.write(self.key(name), content)

    def read(self, name: str) -> bytes:
        """Read a file."""
        return self.store.read(self.key(name))

    def fetch(self, prefix: str, folder: Path) -> list[Path]:
        """Copy the files below a prefix into a local folder."""
        return self.store.fetch(self.key(prefix), folder)
