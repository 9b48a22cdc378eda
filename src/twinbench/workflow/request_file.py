"""The file of a request: all that is written about it, for whoever looks at it.

stages     the states it went through and those to come, with times, actor and reason
findings   what was found in its bundle and its results, and why it failed
runs       its test points: levels, bench, how far each is, what it came down to
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from twinbench.core.request import RequestState
from twinbench.workflow.approval import APPROVAL
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.lab import Area, Document
from twinbench.workflow.lateness import LATE
from twinbench.workflow.results import read_summary, result_name

__all__ = ["REPORT", "RequestFile", "Stage", "open_file"]

REPORT = "results/report.html"
_DESIGN, _PLAN, _EVALUATION = "doe-output/design.json", "schedule-output/plan.json", "results/evaluation.json"
_ROUNDS = "doe-output/rounds.json"


@dataclass(frozen=True)
class Stage:
    """A state that the request reached, or is to reach.

    Attributes:
        at: When it was reached; None if it is to come.
        until: When the next one was reached; None if it is the current one or to come.
        expected: When it will be reached, as far as the bench plan says.
    """

    state: str
    at: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    reason: str = ""
    is_current: bool = False
    expected: datetime | None = None

    def duration_s(self, now: datetime) -> float | None:
        """How long it lasted, up to now if it is the current one."""
        return None if self.at is None else ((self.until or now) - self.at).total_seconds()


@dataclass(frozen=True)
class RequestFile:
    """What is written about one request; what is not there yet is empty."""

    row: Document
    history: Sequence[Document]
    area: Area

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return RequestState(self.row["status"]).is_over

    @cached_property
    def design(self) -> Document:
        """The design of experiment."""
        return dict(self._read(_DESIGN))

    @cached_property
    def plan(self) -> Document:
        """The bench plan."""
        return dict(self._read(_PLAN))

    @cached_property
    def evaluation(self) -> Document:
        """Figures of each run, and findings."""
        return dict(self._read(_EVALUATION))

    @cached_property
    def rounds(self) -> list[Document]:
        """Decisions of a sequential design."""
        return list(self._read(_ROUNDS) or [])

    @cached_property
    def provenance(self) -> Document:
        """How every number came about."""
        return dict(self._read("provenance.json"))

    @cached_property
    def diagnosis(self) -> Document:
        """Why it failed: ``{stage, error, findings, when}``; empty if it did not, or goes on again."""
        return dict(self._read("diagnosis.json")) if self.row["status"] == RequestState.FAILED else {}

    @cached_property
    def approvals(self) -> list[Document]:
        """What people have decided before an abuse test began: ``{decision, by, at, comment, ...}``."""
        return list(self._read(APPROVAL) or [])

    @cached_property
    def lateness(self) -> list[Document]:
        """What was late: ``{stage, what, due, noticed}``."""
        return list(self._read(LATE) or [])

    @cached_property
    def models(self) -> list[Document]:
        """The FMUs of its bundle."""
        return list(self._read("fastest-models/models.json") or [])

    @cached_property
    def findings(self) -> list[Document]:
        """What was found, the worst first: ``{about, code, severity, where, message, hint}``."""
        sources = (
            ("request", self.diagnosis.get("findings", [])),
            ("model bundle", self._read("fastest-models/findings.json") or []),
            ("results", self.evaluation.get("findings", [])),
        )
        found = [{"about": about, **finding} for about, findings in sources for finding in findings]
        order = ("error", "warning", "note")
        return sorted(found, key=lambda finding: order.index(finding["severity"]))

    @property
    def has_report(self) -> bool:
        """Whether the report is written."""
        return self.area.exists(REPORT)

    def _read(self, name: str) -> Any:
        return self.area.read_json(name) if self.area.exists(name) else {}

    def stages(self) -> list[Stage]:
        """What it went through, then what is to come."""
        found = []
        for number, entry in enumerate(self.history):
            last = number == len(self.history) - 1
            until = None if last else self.history[number + 1]["at"]
            actor, reason = entry.get("actor") or "", entry["reason"] or ""
            found.append(Stage(entry["status"], entry["at"], until, actor, reason, is_current=last))
        to_come = RequestState(found[-1].state).following() if found and not self.is_over else ()
        return [*found, *(Stage(str(state), expected=self._expected(state)) for state in to_come)]

    def _expected(self, state: RequestState) -> datetime | None:
        parts = self.plan.get("assignments", [])
        if not parts or state not in (RequestState.RUNNING, RequestState.EVALUATED):
            return None
        key, pick = ("start", min) if state is RequestState.RUNNING else ("end", max)
        return pick(datetime.fromisoformat(part[key]) for part in parts)

    def factors(self) -> list[Document]:
        """Factors of the design: ``{name, unit, low, high, ...}``."""
        return list(self.design.get("factors", []))

    def runs(self) -> list[Document]:
        """Test points: ``{run, levels, round, bench, start, end, status, summary, figures, has_data}``."""
        figures = {entry["run"]: entry for entry in self.evaluation.get("runs", [])}
        places = {run: part for part in self.plan.get("assignments", []) for run in part["runs"]}
        return [self._run(run, places.get(run["run"]), figures.get(run["run"])) for run in self.design.get("runs", [])]

    def _run(self, run: Mapping[str, Any], part: Mapping[str, Any] | None, figures: Document | None) -> Document:
        number = int(run["run"])
        summary = read_summary(self.area, number)
        intervals = part["intervals"] if part else []
        interval: Document = next((one for one in intervals if one["run"] == number), {})
        return {
            "run": number,
            "levels": run["levels"],
            "round": run.get("round", 1),
            "bench": (summary or part or {}).get("bench", ""),
            "kind": (summary or part or {}).get("kind", ""),
            "start_min": interval.get("start_min"),
            "end_min": interval.get("end_min"),
            "status": summary["status"] if summary else ("planned" if part else "designed"),
            "summary": summary or {},
            "figures": {name: value for name, value in (figures or {}).items() if name != "run"},
            "has_data": self.area.exists(result_name(number, "parquet")),
        }

    def results(self) -> list[Document]:
        """One flat row per run, for tables: levels, bench, status, figures."""
        return [
            {"run": run["run"], **run["levels"], "bench": run["bench"], "status": run["status"], **run["figures"]}
            for run in self.runs()
        ]


def open_file(desk: FrontDesk, row: Document) -> RequestFile:
    """The file of a request whose row is known."""
    area = Area(desk.lab.store, str(row["simulation_folder"]))
    return RequestFile(row, desk.register.history(str(row["uuid"])), area)
