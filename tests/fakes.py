"""A lab whose ports are fakes in memory: what is not under test, and nothing else, is made up.

Objects lie in real files and FMUs are the shipped ones, looked at once however often they come; the register, the pool,
the wire and the benches behind it are fakes. Each fake keeps what it was told, for tests to look at.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.fake_bookings import FakeBookings
from tests.fake_register import FakeRegister
from twinbench.adapters import fmi
from twinbench.adapters.objects import Objects
from twinbench.core.errors import BundleError, UnreachableError
from twinbench.core.pool_entries import QUARANTINE, Entry
from twinbench.orchestration.opening import read_catalogue, read_schemas
from twinbench.workflow.lab import Lab

INCLUDE = Path(__file__).resolve().parents[1] / "include"
REQUEST_UUID = "5b1c5a52-5c0e-4f3e-9d0a-2f6a0c7a1e11"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

Document = dict[str, Any]


def request_document(**changes: Any) -> Document:
    """A request that keeps to the schema."""
    return {
        "requester_name": "Ada Lovelace",
        "requester_id": "lab-42",
        "preferred_date": "2026-11-20T11:00:00Z",
        "uut": "Gen3b - Cell",
        "use_case": "Automotive",
        "standard": "IEC62660",
        "test_name": "Performance - Power",
        "test_bench": "Virtual",
        "runs": 4,
        "seed": 7,
        "custom_profile": None,
        **changes,
    }


class FakePool:
    """The pool: file name -> content, per request."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}

    def upload(self, request_uuid: str, files: dict[str, bytes]) -> None:
        self.files.setdefault(request_uuid, {}).update(files)

    def names(self, request_uuid: str) -> list[str]:
        return sorted(self.files.get(request_uuid, {}))

    def fetch(self, request_uuid: str, folder: Path) -> list[Path]:
        copies = []
        for name in self.names(request_uuid):
            if not name.endswith(".part"):
                copies.append(folder / name)
                copies[-1].write_bytes(self.files[request_uuid][name])
        return copies

    def remove(self, request_uuid: str, names: Collection[str]) -> None:
        there = self.files.pop(request_uuid, {})
        left = {name: content for name, content in there.items() if name not in names}
        if left:
            self.files[request_uuid] = left


class FakeDrops:
    """The same pool as a place where files lie anywhere: path -> content; moves end up in the requests' folders."""

    def __init__(self, pool: FakePool) -> None:
        self.files: dict[str, bytes] = {}
        self.moved: list[tuple[str, str]] = []
        self._pool = pool

    def entries(self) -> list[Entry]:
        return [each for each in self._all() if each.path.partition("/")[0] != QUARANTINE]

    def listing(self, folder: str) -> list[Entry]:
        if not folder:
            return [Entry(uuid, "folder") for uuid in sorted(self._pool.files)] + self._all()
        below = [each for each in self._all() if each.path.startswith(f"{folder}/")]
        names = sorted({each.path.removeprefix(f"{folder}/").partition("/")[0] for each in below})
        known = {each.path: each for each in below}
        return [known.get(f"{folder}/{name}", Entry(f"{folder}/{name}", "folder")) for name in names]

    def _all(self) -> list[Entry]:
        folders = {path.rpartition("/")[0] for path in self.files} - {""}
        files = [Entry(path, "file", len(content)) for path, content in self.files.items()]
        return sorted([*files, *(Entry(folder, "folder") for folder in folders)], key=lambda each: each.path)

    def read(self, path: str, *, most_bytes: int) -> bytes:
        return self.files[path][:most_bytes]

    def write(self, path: str, content: str) -> None:
        self.files[path] = content.encode()

    def move(self, moves: Sequence[tuple[str, str]]) -> None:
        for source, target in moves:
            folder, _, name = target.rpartition("/")
            if target in self.files or name in self._pool.files.get(folder, {}):
                raise BundleError(f"{target} is in the pool already.")
            content = self.files.pop(source)
            self.moved.append((source, target))
            if folder.startswith(QUARANTINE):
                self.files[target] = content
            else:
                self._pool.upload(folder, {name: content})

    def remove(self, path: str) -> None:
        self.files.pop(path, None)


class Models:
    """The real adapter, which tries the same files only once: what it finds depends on nothing else."""

    def __init__(self) -> None:
        self._found: dict[str, fmi.BundleCheck] = {}

    def open_bundle(self, path: Path) -> Any:
        return fmi.open_bundle(path)

    def check_bundle(self, path: Path) -> fmi.BundleCheck:
        content = hashlib.sha256()
        for file in sorted(file for file in path.rglob("*") if file.is_file()):
            content.update(f"{file.relative_to(path)} {hashlib.sha256(file.read_bytes()).hexdigest()} ".encode())
        key = content.hexdigest()
        if key not in self._found:
            self._found[key] = fmi.check_bundle(path)
        return self._found[key]


class FakeTelemetry:
    """Telemetry, in dictionaries."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[int, Document]] = {}

    def store(self, run_uuid: str, seq: int, message: Document) -> int:
        of_run = self.stored.setdefault(run_uuid, {})
        of_run.setdefault(seq, message)
        return next(upto for upto in range(len(of_run), -2, -1) if all(n in of_run for n in range(upto + 1)))

    def messages(self, run_uuid: str) -> list[Document]:
        return [message for _, message in sorted(self.stored.get(run_uuid, {}).items())]


@dataclass
class FakeCourier:
    """Delivers at once, or not at all while the twin is away."""

    wire: FakeWire

    def send(self, stream: str, seq: int, topic: str, payload: Document) -> None:
        self.wire.outbox[stream, seq] = (topic, payload)

    def flush(self, timeout_s: float) -> int:
        if self.wire.twin_is_there:
            for (stream, seq), (topic, payload) in sorted(self.wire.outbox.items()):
                self.wire.collected.setdefault((stream, seq), (topic, payload))
            self.wire.outbox.clear()
        return len(self.wire.outbox)


@dataclass
class FakeWire:
    """The wire, with a digital twin that answers *answer*, and benches that are called with each command.

    Attributes:
        collected: What the twin has, by run and sequence number.
        benches: Bench -> what it does with a command: it is given the command and a function per message it may send.
    """

    metrics_topic: str = "metrics"
    answer: Document = field(default_factory=lambda: {"status": "accepted", "models": []})
    on_asked: Callable[[str], None] = lambda _request: None
    twin_is_there: bool = True
    asked: list[Document] = field(default_factory=list)
    outbox: dict[tuple[str, int], tuple[str, Document]] = field(default_factory=dict)
    collected: dict[tuple[str, int], tuple[str, Document]] = field(default_factory=dict)
    commands: list[Document] = field(default_factory=list)
    benches: dict[str, Callable[..., None]] = field(default_factory=dict)

    def ask_twin(self, request_uuid: str, message: Document, *, timeout_s: float) -> Document:
        if not self.twin_is_there:
            raise UnreachableError("The digital twin does not answer.")
        self.asked.append(message)
        self.on_asked(request_uuid)
        return self.answer

    @contextmanager
    def courier(self, streams: Sequence[str]) -> Iterator[FakeCourier]:
        yield FakeCourier(self)

    def waiting(self, streams: Sequence[str]) -> int:
        return sum(stream in streams for stream, _ in self.outbox)

    @contextmanager
    def bench(self, bench: str, *, on_status: Any, on_event: Any, on_telemetry: Any, on_reconnected: Any) -> Any:
        line = _FakeLine(self, bench, on_status, on_event, on_telemetry)
        line.open()
        try:
            yield line
        finally:
            line.close()


class _FakeLine:
    """A line whose bench lives on a thread, as handlers must not be called by the one that sends."""

    def __init__(self, wire: FakeWire, bench: str, on_status: Any, on_event: Any, on_telemetry: Any) -> None:
        self._wire, self._bench = wire, bench
        self._handlers = {"status": on_status, "event": on_event, "telemetry": on_telemetry}
        self._work: queue.SimpleQueue[Document | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._work.put(None)
        self._thread.join(10)

    def send(self, command: Document) -> None:
        self._wire.commands.append(command)
        self._work.put(command)

    def _live(self) -> None:
        behave = self._wire.benches.get(self._bench)
        if behave:
            behave(None, self._handlers)
        while (command := self._work.get()) is not None:
            if behave:
                behave(command, self._handlers)


@dataclass
class FakeLab:
    """A lab of fakes, and the fakes."""

    lab: Lab
    requests: FakeRegister
    pool: FakePool
    drops: FakeDrops
    wire: FakeWire
    telemetry: FakeTelemetry
    bookings: FakeBookings
    said: list[str]

    def drop_bundle(self, request_uuid: str = REQUEST_UUID, **changes: bytes | None) -> None:
        """Upload the shipped bundle; *changes* replace a file's content, None leaves it out."""
        files = {file.name: file.read_bytes() for file in sorted((INCLUDE / "fmus").iterdir())}
        files.update({name: content for name, content in changes.items() if content is not None})
        self.pool.upload(
            request_uuid, {name: data for name, data in files.items() if changes.get(name, b"") is not None}
        )


MODELS = Models()
CATALOGUE, SCHEMAS = read_catalogue(INCLUDE), read_schemas(INCLUDE)


def make_lab(storage: Path) -> FakeLab:
    """A lab whose objects lie below *storage*, at noon of a certain day."""
    requests, pool, wire, telemetry, said = FakeRegister(), FakePool(), FakeWire(), FakeTelemetry(), []
    bookings, drops = FakeBookings(requests.rows), FakeDrops(pool)
    lab = Lab(
        requests=requests,
        store=Objects(storage.as_uri()),
        pool=pool,
        drops=drops,
        wire=wire,
        telemetry=telemetry,
        bookings=bookings,
        models=MODELS,
        catalogue=CATALOGUE,
        schemas=SCHEMAS,
        now=lambda: NOON,
        say=said.append,
        versions={"twinbench": "test"},
    )
    return FakeLab(lab, requests, pool, drops, wire, telemetry, bookings, said)
