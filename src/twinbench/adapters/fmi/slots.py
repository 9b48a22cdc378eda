"""Worker processes, each in a slot of its own: one that crashes or hangs loses its own work and nobody else's.

Processes are forked from a server that has loaded what they need (``multiprocessing``'s fork server), so a new one
works after milliseconds. A slot owns the only pipe to its process: a process that is killed in the middle of a word
leaves no lock behind. This is why no ready-made pool is used (docs/adr/0011).
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

__all__ = ["Slot"]

_LAST_PRINTED = 2000
_GRACE_S = 1.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_CONTEXT = multiprocessing.get_context("forkserver")
_PROGRAM = "twinbench.adapters.fmi.worker"


class Slot:
    """A place for one worker process at a time.

    Args:
        folder: Where its temporary files go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Any = None
        self.line: Connection
        self.deadline_s = float("inf")

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    def start(self) -> None:
        """Start a process, if there is none."""
        if self._process is not None:
            return
        self._scratch = Path(tempfile.mkdtemp(prefix="worker-", dir=self._folder))
        self.line, other = _CONTEXT.Pipe()
        with _no_main():
            _CONTEXT.set_forkserver_preload([_PROGRAM])
            self._process = _CONTEXT.Process(target=_serve, args=(other, str(self._scratch)), daemon=True)
            self._process.start()
        other.close()

    def send(self, *message: Any, within_s: float = float("inf")) -> None:
        """Give it work that has to be done in some time; it is started if need be."""
        self.start()
        self.deadline_s = time.monotonic() + within_s
        with suppress(OSError):  # it has died: whoever listens to it is told
            self.line.send(message)

    def receive(self) -> tuple[Any, ...] | None:
        """What it says; None if it is dead."""
        try:
            return tuple(self.line.recv())
        except (EOFError, OSError):
            return None

    @property
    def resident_bytes(self) -> int:
        """Memory it holds; 0 if it is dead."""
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError, AttributeError):
            return 0
        return int(pages) * _PAGE_BYTES

    @property
    def is_late(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() > self.deadline_s

    def stop(self) -> str:
        """End the process, which may free its FMUs first unless its time is over.

        Returns:
            How it ended if it was not by itself or by us, and what it printed last.
        """
        if self._process is None:
            return ""
        self.line.close()
        self._process.join(0 if self.is_late else _GRACE_S)
        code = self._process.exitcode
        self._process.kill()
        self._process.join()
        self._process.close()
        self._process = None
        printed = self._printed()
        shutil.rmtree(self._scratch, ignore_errors=True)
        how = _ending(code) if code else ""
        return f"{how}; it printed: {printed}" if how and printed else how

    def _printed(self) -> str:
        with suppress(OSError), (self._scratch / "printed.txt").open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _LAST_PRINTED))
            return file.read().decode("utf-8", errors="replace").strip()
        return ""


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _serve(line: Connection, scratch: str) -> None:
    from twinbench.adapters.fmi.worker import serve

    serve(line, scratch)


@contextmanager
def _no_main() -> Iterator[None]:
    """Keep the new process from importing the program that starts it, which may be all of Airflow."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
