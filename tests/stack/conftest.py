"""A whole local lab for tests: real services on free ports, in a folder of its own, ended and looked after."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from unittest import mock

import psutil
import pytest

from twinbench.stack import lab
from twinbench.stack.demo import await_dag
from twinbench.stack.site import HOST, USUAL_PORTS, Site

from .outside import Requester


@dataclass
class Notes:
    """An observer of a start that remembers."""

    notes: list[str] = field(default_factory=list)
    ready_parts: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def starting(self, service: object) -> None:
        pass

    def ready(self, service, seconds: float) -> None:
        self.ready_parts.append(service.name)


@dataclass
class RunningLab:
    """A lab that is up.

    Attributes:
        taken: A usual port that another program held when the lab started.
    """

    site: Site
    observer: Notes
    taken: int


def processes_of(site: Site) -> list[psutil.Process]:
    """Processes that the lab has started."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TWINBENCH_LAB_PROCESS") == str(site.root):
                found.append(process)
        except psutil.Error:
            continue
    return found


def processes_of_session(session: int) -> list[int]:
    """Ids of the processes in a session; Airflow's workers hide whose they are otherwise."""
    found = []
    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            if os.getsid(pid) == session and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found


@pytest.fixture(scope="session")
def running_lab(tmp_path_factory) -> Iterator[RunningLab]:
    """The whole lab; one of its usual ports is taken by somebody else. What is left of it afterwards is a failure."""
    mine = {"TWINBENCH_LAB": str(tmp_path_factory.mktemp("lab") / ".lab"), "TWINBENCH_BUNDLE_PATIENCE_S": "90"}
    observer = Notes()
    with mock.patch.dict(os.environ, mine), closing(socket.socket()) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # a developer's own lab has it: as good
            other.bind((HOST, USUAL_PORTS["mqtt"]))
            other.listen()
        try:
            site = lab.up(observer)
            yield RunningLab(site, observer, USUAL_PORTS["mqtt"])
        finally:
            session = int((Site.find().root / "supervisord.pid").read_text())
            lab.down()
            left = [*processes_of(Site.find()), *processes_of_session(session)]
    assert left == []


@pytest.fixture(scope="module")
def requester(running_lab):
    somebody = Requester(running_lab.site)
    await_dag(somebody.api)
    yield somebody
    somebody.http.close()
    somebody.api.close()
