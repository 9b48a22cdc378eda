"""Supervision of the local lab by supervisord: its configuration, and its remote control.

supervisord restarts what dies, keeps and rotates the logs and ends whole process groups. Which service starts after
which, and when one is ready, is the business of :mod:`twinbench.stack.lab`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from twinbench.core.errors import ConfigurationError
from twinbench.stack.service import Service
from twinbench.stack.site import HOST, PROJECT, Site, write_private

__all__ = ["ProcessState", "Supervisor"]

_MARK = "TWINBENCH_LAB_PROCESS"


@dataclass(frozen=True)
class ProcessState:
    """What the supervisor says of one service.

    Attributes:
        name: The service.
        state: supervisord's word: RUNNING, STARTING, BACKOFF, STOPPED, EXITED, FATAL.
        pid: Process id; 0 if there is none.
        since: Seconds since the epoch of the last start.
        restarts: How often it died and was started again since the lab came up.
    """

    name: str
    state: str
    pid: int
    since: int
    restarts: int


def _quoted(value: str) -> str:
    """A value as supervisord's configuration wants it: it knows both quotes, but no escapes within them."""
    quote = "'" if '"' in value else '"'
    if quote in value:
        raise ConfigurationError("A setting holds both kinds of quotes, which the supervisor cannot be given.")
    return quote + value.replace("%", "%%") + quote


def _command(parts: Sequence[str]) -> str:
    return shlex.join(parts).replace("%", "%%")


def _program(site: Site, service: Service) -> str:
    variables = {**service.environment, _MARK: str(site.root), "PYTHONUNBUFFERED": "1"}
    lines = {
        "command": _command(service.command),
        "directory": str(PROJECT),
        "environment": ",".join(f"{name}={_quoted(value)}" for name, value in variables.items()),
        "autostart": "false",
        "autorestart": "true",
        "startsecs": "2",
        "startretries": "3",
        "stopsignal": service.stop_signal,
        "stopasgroup": "false" if service.owns_children else "true",
        "killasgroup": "true",
        "stopwaitsecs": "5",
        "redirect_stderr": "true",
        "stdout_logfile": str(site.log(service.name)).replace("%", "%%"),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "2",
    }
    return "\n".join([f"[program:{service.name}]", *(f"{name}={value}" for name, value in lines.items())])


class Supervisor:
    """The supervisor of one lab, reached over its loopback port with its own password."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def _call(self, method: str, *arguments: Any) -> Any:
        password = self._site.secret("supervisor")
        port = self._site.ports.get("supervisor", 1)
        with xmlrpc.client.ServerProxy(f"http://lab:{password}@{HOST}:{port}/RPC2") as remote:
            return getattr(remote.supervisor, method)(*arguments)

    def is_up(self) -> bool:
        """Whether this lab's supervisor runs."""
        try:
            return bool(self._call("getState")["statecode"] == 1)
        except (OSError, xmlrpc.client.Error):
            return False

    def launch(self, waves: Sequence[Sequence[Service]]) -> None:
        """Start the supervisor with these services, none of which it starts by itself; the last wave is ended first."""
        end_leftovers(self._site, _supervisor_pid(self._site))
        configuration = self._site.folder() / "supervisord.conf"
        write_private(configuration, self._configuration(waves))
        log = self._site.log("supervisord")
        self._put_logs_aside()
        started = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, _MARK: str(self._site.root)},
        )
        if started.returncode or not self._wait_until_up():
            raise ConfigurationError(
                f"The supervisor did not start: {(started.stderr or started.stdout).strip()[-500:]} Its log: {log}"
            )

    def _put_logs_aside(self) -> None:
        """Move the logs of the last time to ``log/previous``: readiness and restarts are read from the logs of this."""
        previous = self._site.folder("log", "previous")
        for log in self._site.folder("log").glob("*.log"):
            log.replace(previous / log.name)

    @retry(
        stop=stop_after_delay(10),
        wait=wait_fixed(0.1),
        retry=retry_if_result(lambda up: not up),
        retry_error_callback=lambda _: False,
    )
    def _wait_until_up(self) -> bool:
        return self.is_up()

    def _configuration(self, waves: Sequence[Sequence[Service]]) -> str:
        site = self._site
        head = f"""[supervisord]
logfile={site.log("supervisord")}
pidfile={site.folder() / "supervisord.pid"}
nodaemon=false
{"user=root" if os.geteuid() == 0 else ""}
[inet_http_server]
port={HOST}:{site.ports["supervisor"]}
username=lab
password={site.secret("supervisor")}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
        groups = [
            f"[group:wave-{number}]\nprograms={','.join(service.name for service in wave)}\npriority={number}"
            for number, wave in enumerate(waves, start=1)
        ]
        return head + "\n".join([*(_program(site, service) for wave in waves for service in wave), *groups]) + "\n"

    def start(self, name: str) -> None:
        """Ask for a service to be started; does not wait."""
        group = next(known["group"] for known in self._call("getAllProcessInfo") if known["name"] == name)
        with contextlib.suppress(xmlrpc.client.Fault):
            self._call("startProcess", f"{group}:{name}", False)

    def states(self) -> list[ProcessState]:
        """All services of the lab; none if it is down."""
        if not self.is_up():
            return []
        restarts = self._restarts()
        return [
            ProcessState(
                known["name"], known["statename"], known["pid"], known["start"], restarts.get(known["name"], 0)
            )
            for known in self._call("getAllProcessInfo")
        ]

    def _restarts(self) -> Mapping[str, int]:
        """Deaths by service, as the supervisor's log tells them."""
        counts: dict[str, int] = {}
        log = self._site.log("supervisord")
        for name in re.findall(r"exited: (\S+) ", log.read_text() if log.exists() else ""):
            counts[name] = counts.get(name, 0) + 1
        return counts

    def shut_down(self) -> None:
        """End every service and the supervisor, and see to it that no process of the lab is left."""
        pid = _supervisor_pid(self._site)
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            self._call("shutdown")
            psutil.Process(pid).wait(timeout=60)
        end_leftovers(self._site, pid)


def _supervisor_pid(site: Site) -> int:
    """Process id of the supervisor, or of the last one; 0 if there was none."""
    pidfile = site.root / "supervisord.pid"
    return int(pidfile.read_text()) if pidfile.exists() else 0


def end_leftovers(site: Site, supervisor_pid: int) -> None:
    """End processes of this lab that nobody supervises any more (after a power cut, a kill -9).

    Most are known by a mark in their environment. Airflow's workers write their title over that; they are known by
    their session, which the supervisor has founded, as long as no other process has taken its id.
    """
    session = 0 if psutil.pid_exists(supervisor_pid) else supervisor_pid
    mine = [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and (_belongs(process, site) or _is_of_session(process, session))
    ]
    ancestors = {process.pid for process in psutil.Process().parents()}
    leftovers = [process for process in mine if process.pid not in ancestors]
    for process in leftovers:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    stubborn = psutil.wait_procs(leftovers, timeout=10)[1]
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=10)


def _belongs(process: psutil.Process, site: Site) -> bool:
    try:
        return process.environ().get(_MARK) == str(site.root) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def _is_of_session(process: psutil.Process, session: int) -> bool:
    try:
        return session > 0 and os.getsid(process.pid) == session and process.cwd() == str(PROJECT)
    except (psutil.Error, OSError):
        return False
