"""The front desk: what pages and REST see of the laboratory, as ports.

    register   the table of requests, as a list to look through
    audit log  who did what, and when
    inventory  the units under test that the lab has
    past       what benches have done, and when they were out of service
    twins      what digital twins were sent, and what they have acknowledged
    airflow    starts, ends and repeats the runs that carry requests
    live       what changes while somebody looks: rows of the database, benches' words, readings

Use cases of people are plain functions whose first two arguments are the :class:`FrontDesk` and the person who acts;
they check what the person may do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from twinbench.core.access import Person, RequestScope
from twinbench.core.request_query import RequestPage, RequestQuery
from twinbench.workflow.lab import Document, Lab, Requests
from twinbench.workflow.lab_records import BenchPast, TwinBooks

__all__ = [
    "AuditLog",
    "BenchPast",
    "CatalogueTables",
    "FrontDesk",
    "Inventory",
    "Live",
    "Orchestrator",
    "Register",
    "TwinBooks",
]


class Register(Requests, Protocol):
    """The table of requests, as people look through it too."""

    def by_key(self, submitted_by: str, key: str) -> Document | None:
        """The request that a person submitted with an idempotency key; None if there is none."""

    def page(self, query: RequestQuery) -> RequestPage:
        """What a query finds."""

    def counts(self, scope: RequestScope) -> dict[str, int]:
        """How many requests are in each state."""

    def history(self, request_uuid: str) -> list[Document]:
        """The states a request went through, in order: ``{at, status, reason, actor}``."""

    def facets(self, scope: RequestScope) -> dict[str, list[str]]:
        """Values that occur, for filters: ``{uut, standard, test_name, use_case}``."""


class AuditLog(Protocol):
    """Who did what; nothing is ever changed or removed."""

    def note(self, actor: str, action: str, subject: str, details: Mapping[str, Any], *, at: datetime) -> None:
        """Write a line."""

    def entries(self, *, subject: str = "", limit: int = 200) -> list[Document]:
        """The newest lines first: ``{at, actor, action, subject, details}``."""


class CatalogueTables(Protocol):
    """The catalogue as tables: what may be asked for, as far as the lab manager has not switched it off."""

    def applicable(self, uut: str, use_case: str, standard: str) -> list[str]:
        """Names of the tests that apply."""

    def entries(self, kind: str) -> list[Document]:
        """Entries of ``uuts``, ``use_cases``, ``standards``, ``test_names``: code, name, description, is_active."""

    def set_active(self, kind: str, code: str, active: bool) -> None:
        """Switch an entry on or off."""


class Inventory(Protocol):
    """The units under test that the lab has."""

    def units(self, *, text: str = "", state: str = "") -> list[Document]:
        """``{serial, uut, level, chemistry, state, location, notes, updated_at}`` by serial."""

    def save(self, unit: Mapping[str, Any], *, at: datetime) -> None:
        """Add a unit, or change the one with its serial."""


class Orchestrator(Protocol):
    """Airflow, as far as people start, end or repeat the runs that carry requests."""

    def submit(self, request_uuid: str, document: Document) -> Document:
        """Start the run of a request."""

    def cancel(self, run_id: str) -> None:
        """End a run."""

    def retry(self, run_id: str, task_id: str) -> None:
        """Repeat a run from a task on."""

    def replan(self, parameters: Document) -> str:
        """Start a run of ``replan_lab``; returns its id."""


class Live(Protocol):
    """What happens at the moment."""

    def changes(self) -> AsyncIterator[str]:
        """Whatever changes from now on: ``request TR-000042``, ``bench cycler-1``; empty while nothing does."""

    def version(self) -> int:
        """A number that grows whenever something changes."""

    def connected(self) -> dict[str, bool]:
        """Which of the parts that tell what happens can be heard: ``database``, ``broker``."""

    def bench_states(self) -> dict[str, Document]:
        """What each physical bench said last, with ``heard_at``."""

    def bench_messages(self, bench: str) -> list[Document]:
        """The last message of each kind from a bench, ``{topic, kind, heard_at, ...}``: what it said, in short."""

    def readings(self, request_uuid: str) -> dict[int, list[Document]]:
        """The newest readings of each run of a request that is under way: ``{time_s, voltage_V, ...}``."""


@dataclass(frozen=True)
class FrontDesk:
    """What pages and REST work on."""

    lab: Lab
    register: Register
    catalogue: CatalogueTables
    inventory: Inventory
    past: BenchPast
    twins: TwinBooks
    audit: AuditLog
    airflow: Orchestrator
    live: Live
    airflow_url: str = ""

    def note(self, who: Person, action: str, subject: str, **details: Any) -> None:
        """Write a line of the audit log."""
        self.audit.note(who.id, action, subject, details, at=self.lab.now())


DeskOpener = Callable[[], FrontDesk]
