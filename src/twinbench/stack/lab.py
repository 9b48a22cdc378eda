"""Up, down and status of the local lab.

``up`` starts the services in waves; the services of a wave start together, and the next wave begins when all of
them answer. A second ``up`` finds everything running and changes nothing.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from twinbench.adapters.postgres import CatalogueTables, Database
from twinbench.adapters.postgres import migrate as lims_migrate
from twinbench.core.errors import ConfigurationError
from twinbench.orchestration.opening import read_catalogue
from twinbench.stack import airflow, broker, database, parties, pool
from twinbench.stack.service import Service
from twinbench.stack.site import PROJECT, USUAL_PORTS, Site
from twinbench.stack.supervision import Supervisor

__all__ = ["BENCH_SPEED", "Observer", "Part", "down", "status", "up"]

BENCH_SPEED = 600.0


class Observer(Protocol):
    """Who is told how the start goes."""

    def note(self, text: str) -> None:
        """Something worth knowing."""

    def starting(self, service: Service) -> None:
        """A service is being started."""

    def ready(self, service: Service, seconds: float) -> None:
        """A service answers."""


@dataclass(frozen=True)
class Part:
    """One line of ``status``."""

    name: str
    title: str
    state: str
    pid: int
    restarts: int
    log: str


def _waves(site: Site) -> list[list[Service]]:
    benches = parties.physical_benches()
    lims = parties.lims_environment(site)
    ground = [database.service(site), broker.service(site, benches=benches), pool.service(site)]
    agents = [parties.bench_agent(site, bench, speed=BENCH_SPEED) for bench in benches]
    return [ground, [parties.reference_twin(site), *agents, *airflow.services(site, lims)]]


@contextmanager
def _only_one(site: Site) -> Iterator[None]:
    """Hold the lab's lock, so that two starts at the same time do not meet."""
    with (site.folder() / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def up(observer: Observer) -> Site:
    """Start the lab, or finish a start that was cut short.

    Raises:
        ConfigurationError: If a part does not start; says which, why, and where its log is.
    """
    site = Site.find()
    with _only_one(site):
        if Supervisor(site).is_up():
            _start(site, Supervisor(site), _waves(site), observer)
            return site
        with site.with_ports() as claimed:
            _tell_of_ports(site, claimed, observer)
            _launch(claimed, observer)
    return claimed


def _tell_of_ports(site: Site, claimed: Site, observer: Observer) -> None:
    for name, port in claimed.ports.items():
        expected = site.ports.get(name, USUAL_PORTS[name])
        if port != expected:
            observer.note(f"Port {expected} ({name}) is taken by another program; using {port} instead.")


def _launch(site: Site, observer: Observer) -> None:
    supervisor, waves = Supervisor(site), _waves(site)
    try:
        for service in (service for wave in waves for service in wave):
            service.prepare()
        supervisor.launch(waves)
        _start(site, supervisor, waves, observer)
    except BaseException:
        supervisor.shut_down()
        raise


def _start(site: Site, supervisor: Supervisor, waves: Sequence[Sequence[Service]], observer: Observer) -> None:
    running = {state.name for state in supervisor.states() if state.state in ("RUNNING", "STARTING")}
    for wave in waves:
        missing = [service for service in wave if service.name not in running]
        for service in missing:
            if service.name == "api-server":
                _migrate(site, observer)
            observer.starting(service)
            supervisor.start(service.name)
        with ThreadPoolExecutor(max_workers=len(wave)) as watchers:
            list(watchers.map(lambda service: _await_ready(site, supervisor, service, observer), missing))


def _migrate(site: Site, observer: Observer) -> None:
    observer.note("Preparing the databases …")
    lims = database.database_url(site, "lims")
    lims_migrate(lims)
    with closing(Database(lims)) as opened:
        CatalogueTables(opened).load(read_catalogue(PROJECT / "include"))
    airflow.migrate(site)


def _await_ready(site: Site, supervisor: Supervisor, service: Service, observer: Observer) -> None:
    begun = time.monotonic()
    attempts = Retrying(
        stop=stop_after_delay(service.patience_s), wait=wait_fixed(0.2), retry=retry_if_result(lambda ready: not ready)
    )
    try:
        attempts(lambda: _has_failed(site, supervisor, service) or service.is_ready())
    except RetryError:
        raise _failure(site, service, f"does not answer after {service.patience_s:.0f} s") from None
    service.settle()
    observer.ready(service, time.monotonic() - begun)


def _has_failed(site: Site, supervisor: Supervisor, service: Service) -> bool:
    state = next((state for state in supervisor.states() if state.name == service.name), None)
    if state is None or state.state == "FATAL":
        raise _failure(site, service, "ends as soon as it is started")
    return False


def _failure(site: Site, service: Service, what: str) -> ConfigurationError:
    log = site.log(service.name)
    last = _last_words(log)
    return ConfigurationError(
        f"{service.title} ({service.name}) {what}.\n"
        f"  Its last words: {last}\n  Its log:        {log}\n"
        f"  Remedy:         mend what the log says, then `twinbench up` again; `rm -rf {site.root}` begins afresh."
    )


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()] if log.exists() else []
    told = [line for line in lines if line]
    errors = [line for line in told[-50:] if "error" in line.lower() or "fatal" in line.lower()]
    return (errors or told or ["(it wrote nothing)"])[-1][:300]


def down() -> bool:
    """End the lab; nothing of it stays behind. Tells whether there was something to end."""
    site = Site.find()
    supervisor = Supervisor(site)
    was_up = supervisor.is_up()
    supervisor.shut_down()
    return was_up


def status() -> list[Part]:
    """Every part of the lab and how it is; empty if the lab is down."""
    site = Site.find()
    states = Supervisor(site).states()
    titles = {service.name: service.title for wave in _waves(site) for service in wave} if states else {}
    return [
        Part(state.name, titles.get(state.name, ""), state.state, state.pid, state.restarts, str(site.log(state.name)))
        for state in states
    ]
