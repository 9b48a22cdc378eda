"""The agent of one bench: says how the bench is, takes commands, carries them out, streams what is measured.

A command is carried out once, however often it arrives, and only while it is fresh (``not_after``). What an agent was
doing when it ended suddenly is reported as failed at its next start; it never begins again by itself.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_when_event_set, wait_exponential
from tenacity.nap import sleep_using_event

from twinbench.adapters.environment import Settings
from twinbench.adapters.mqtt import Courier, MqttClient, Will
from twinbench.adapters.outbox import SqliteOutbox
from twinbench.adapters.termination import asked_to_end, wait_for
from twinbench.bench.commands import CommandDesk
from twinbench.bench.drivers import Driver, open_driver
from twinbench.bench.job import Job
from twinbench.bench.state import AgentState
from twinbench.core import topics
from twinbench.core.errors import ConfigurationError, LabError, UnreachableError

__all__ = ["Agent", "run"]

log = logging.getLogger(__name__)

Document = dict[str, Any]

_POST_TIMEOUT_S = 2.0
_END_TIMEOUT_S = 10.0
_LONGEST_REASON = 2000


def run(bench: str, driver_name: str, settings: Settings, *, speed: float = 1.0, state_dir: Path) -> None:
    """Run the agent of a bench until SIGTERM or SIGINT.

    Args:
        bench: Name of the bench, as in the catalogue.
        driver_name: Name of its driver.
        settings: Where the broker is.
        speed: Simulated seconds per second, for a simulated driver.
        state_dir: Folder in which the agent keeps what it must not forget.

    Raises:
        ConfigurationError: If a setting or name is wrong.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stopped = asked_to_end()
    driver = open_driver(driver_name, settings, speed=speed)
    agent = Agent(bench, driver, driver_name=driver_name, settings=settings, state_dir=state_dir)
    patience = Retrying(
        retry=retry_if_exception_type(UnreachableError),
        wait=wait_exponential(0.5, max=10),
        stop=stop_when_event_set(stopped),
        sleep=sleep_using_event(stopped),
        before_sleep=lambda state: log.warning("bench waits: %s", state.outcome and state.outcome.exception()),
    )
    try:
        patience(agent.open)
        log.info("bench ready bench=%s driver=%s epoch=%s", bench, driver_name, agent.epoch)
        wait_for(stopped)
        log.info("bench ends bench=%s", bench)
    except RetryError:
        log.info("bench ends bench=%s, it has not reached its broker", bench)
    finally:
        agent.close()


class Agent:
    """The agent of a bench, not yet connected.

    Args:
        bench: Name of the bench.
        driver: Its hardware.
        driver_name: What that is called in the status.
        settings: Where the broker and the schemas are.
        state_dir: Folder for its files; made if need be.
        patience_s: How long ``finished`` waits for the LIMS to acknowledge telemetry.

    Attributes:
        epoch: Another one at each start.

    Raises:
        ConfigurationError: If the name or the folder is none.
    """

    def __init__(
        self,
        bench: str,
        driver: Driver,
        *,
        driver_name: str,
        settings: Settings,
        state_dir: Path,
        patience_s: float = 60.0,
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", bench):
            raise ConfigurationError(f"{bench!r} is no name of a bench: use letters, digits, - and _.")
        state_dir.mkdir(parents=True, exist_ok=True)
        self.bench, self.epoch = bench, secrets.token_hex(8)
        self._driver, self._driver_name, self._settings, self._patience_s = driver, driver_name, settings, patience_s
        self._state, self._outbox = AgentState(state_dir / "commands.db"), SqliteOutbox(state_dir / "outbox.db")
        self._schema = json.loads((settings.include / "schemas" / "bench_command.schema.json").read_text())
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._client: MqttClient | None = None
        self._courier: Courier | None = None

    def open(self) -> None:
        """Connect, say what became of an interrupted command, and begin to take new ones.

        Raises:
            UnreachableError: If the broker does not answer; may be tried again.
            ConfigurationError: If it refuses the agent.
        """
        client = MqttClient(
            self._settings.mqtt_url,
            ca=self._settings.mqtt_ca,
            client_id=f"bench-{self.bench}",
            clean_session=False,
            will=Will(topics.bench_status(self.bench), self._status("offline")),
            on_reconnected=self._say_all,
        )
        courier = Courier(client, self._outbox, streams=self._outbox.streams())
        desk = CommandDesk(self, self._state, courier, schema=self._schema)
        client.subscribe(topics.bench_commands(self.bench), desk.take)
        self._client, self._courier = client, courier
        self._fail_interrupted()
        try:
            client.open()
        except LabError:
            courier.close()
            self._client = None
            raise
        self._say_all()

    def close(self) -> None:
        """End what is running, say that the bench is offline, and disconnect."""
        if job := self.job:
            job.cut_short("agent stopped during run")
            job.join(_END_TIMEOUT_S)
        if self._client and self._courier:
            self._say_status("offline")
            self._courier.close()
            self._client.close()
        self._state.close()
        self._outbox.close()

    @property
    def job(self) -> Job | None:
        """What is being carried out."""
        with self._lock:
            return self._job

    def begin(self, command: Document) -> None:
        """Carry out a start command; the bench must be idle.

        Raises:
            RequestError: If a procedure makes no sense.
        """
        assert self._courier  # noqa: S101 - commands come over an open client
        job = Job(
            self.bench,
            command,
            self._driver,
            telemetry=self._courier,
            topic=topics.bench_telemetry(self.bench),
            state=self._state,
            announce=self.announce,
            on_end=self._ended,
            patience_s=self._patience_s,
        )
        with self._lock:
            self._job = job
        self.announce(job.command_id, "accepted")
        self._say_status("running")
        job.start()

    def _ended(self) -> None:
        with self._lock:
            self._job = None
        self._say_status("idle")

    def announce(self, command_id: str, event: str, *, reason: str = "", runs: Sequence[Document] = ()) -> None:
        """Tell the LIMS what became of a command, and keep it."""
        document: Document = {"command_id": command_id, "event": event, "bench": self.bench, "at": _now()}
        if reason:
            document["reason"] = reason[:_LONGEST_REASON]
        if runs:
            document["runs"] = list(runs)
        if event != "duplicate":
            self._state.note_event(command_id, document)
        log.info("command=%s %s %s", command_id, event, reason)
        self.repeat(document)

    def repeat(self, event: Document | None) -> None:
        """Say an event again."""
        if event:
            self._post(topics.bench_events(self.bench), event)

    def _fail_interrupted(self) -> None:
        for command in self._state.unfinished():
            runs = self._state.measured(command["command_id"])
            self.announce(command["command_id"], "failed", reason="agent restarted during run", runs=runs)

    def _say_all(self) -> None:
        """After a connection: the broker may have said "offline" in the agent's name, or lost what was said last."""
        if self._courier:
            self._courier.send_again()
        self._say_status("running" if self.job else "idle")
        self.repeat(self._state.newest_event())

    def _say_status(self, state: str) -> None:
        self._post(topics.bench_status(self.bench), self._status(state), retain=True)

    def _status(self, state: str) -> Document:
        return {"bench": self.bench, "state": state, "epoch": self.epoch, "driver": self._driver_name, "at": _now()}

    def _post(self, topic: str, document: Document, *, retain: bool = False) -> None:
        if self._client is None:
            return
        try:
            self._client.post(topic, document, qos=1, retain=retain, timeout_s=_POST_TIMEOUT_S)
        except UnreachableError as error:  # said again when the broker is back
            log.warning("not said: %s", error)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
