"""Commands to a bench: which are carried out, which are refused and why."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from twinbench.adapters.mqtt import Message
from twinbench.bench.job import Job
from twinbench.bench.state import AgentState
from twinbench.core.errors import BenchError, LabError, ResultError
from twinbench.core.request import validate_document

__all__ = ["Bench", "CommandDesk"]

log = logging.getLogger(__name__)

Document = dict[str, Any]

_CLOCKS_MAY_DIFFER = timedelta(seconds=5)


class Bench(Protocol):
    """What commands work on: the agent."""

    epoch: str

    @property
    def job(self) -> Job | None:
        """What is being carried out."""

    def begin(self, command: Document) -> None:
        """Carry out a start command."""

    def announce(self, command_id: str, event: str, *, reason: str = "", runs: Sequence[Document] = ()) -> None:
        """Tell the LIMS what became of a command."""

    def repeat(self, event: Document | None) -> None:
        """Say an event again."""


class Acknowledged(Protocol):
    """Who minds that telemetry is stored: a courier."""

    def acknowledge(self, stream: str, upto: int) -> None:
        """The LIMS has all messages of the stream up to this one."""


class CommandDesk:
    """Takes commands, one after another, and answers each with events."""

    def __init__(self, bench: Bench, state: AgentState, telemetry: Acknowledged, *, schema: Mapping[str, Any]) -> None:
        self._bench, self._state, self._telemetry, self._schema = bench, state, telemetry, schema

    def take(self, message: Message) -> None:
        """Handle a message on the bench's command topic."""
        try:
            command = message.document()
        except ResultError as error:
            log.warning("ignored: %s", error)
            return
        findings = validate_document(command, self._schema)
        command_id = command.get("command_id")
        if command.get("verb") == "acknowledge" and not findings:
            self._telemetry.acknowledge(command["run_uuid"], command["upto"])
        elif not isinstance(command_id, str) or not command_id or message.retained:
            log.warning("ignored a command: retained=%s findings=%s", message.retained, [*map(str, findings)])
        elif findings:
            reason = "The command is malformed: " + "; ".join(map(str, findings))
            self._bench.announce(command_id, "refused", reason=reason)
        else:
            self._obey(command_id, command)

    def _obey(self, command_id: str, command: Document) -> None:
        if not self._state.remember(command_id, command):
            self._bench.announce(command_id, "duplicate")
            self._bench.repeat(self._state.last_event(command_id))
            return
        try:
            self._check_fresh(command)
            if command["verb"] == "start":
                self._start(command)
            else:
                self._abort(command_id, command)
        except LabError as error:
            self._bench.announce(command_id, "refused", reason=str(error))

    def _check_fresh(self, command: Document) -> None:
        now = datetime.now(UTC)
        issued_at, not_after = _moment(command, "issued_at"), _moment(command, "not_after")
        if now > not_after:
            raise BenchError(f"The command was to be taken up by {not_after}, it is {now} now: send a new one.")
        if issued_at - now > _CLOCKS_MAY_DIFFER:
            raise BenchError(f"The command is of {issued_at}, but it is {now} here: set the clocks by NTP.")

    def _start(self, command: Document) -> None:
        epoch, job = command.get("epoch"), self._bench.job
        if epoch and epoch != self._bench.epoch:
            raise BenchError(f"The command is for epoch {epoch}, this is {self._bench.epoch}: the agent has restarted.")
        if job:
            raise BenchError(f"The bench is busy with command {job.command_id}: wait for its end or abort it.")
        self._bench.begin(command)

    def _abort(self, command_id: str, command: Document) -> None:
        job = self._bench.job
        if job is None or job.request_uuid != command["request_uuid"]:
            raise BenchError(f"Nothing of request {command['request_uuid']} is running here.")
        self._bench.announce(command_id, "accepted")
        job.cut_short(f"aborted by command {command_id}")


def _moment(command: Document, name: str) -> datetime:
    return datetime.fromisoformat(command[name].upper())  # the schema lets a small z pass, Python does not
