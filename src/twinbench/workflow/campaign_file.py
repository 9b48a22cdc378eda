"""The file of a campaign: a request whose design goes on in rounds, each chosen by what the ones before have taught.

goal      what its responses are for: to be learnt everywhere, or found where one is largest or smallest
error     how well a response is known, in percent of its range; below the limit the campaign ends
decision  what was learnt after a round, and whether it goes on
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from twinbench.core.access import Person
from twinbench.core.errors import UnknownError
from twinbench.core.request_query import RequestQuery
from twinbench.workflow.carried_out import goes_of
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.lab import Document
from twinbench.workflow.request_file import RequestFile, open_file
from twinbench.workflow.requesting import find_request

__all__ = ["Campaign", "Round", "campaigns_of", "open_campaign"]

_SHOWN = 50


@dataclass(frozen=True)
class Round:
    """One round.

    Attributes:
        runs: Its test points: levels, state, figures.
        decision: What was decided after it, in words; empty while it is not over.
        ends: Whether it was the last one by that decision.
        figures: What was learnt of each response: response -> ``{error_pct, credible_width, ...}``.
    """

    number: int
    runs: Sequence[Document]
    decision: str
    ends: bool
    figures: Document

    @property
    def state(self) -> str:
        """``decided`` or, while it is not, ``running`` or ``planned``."""
        if self.decision:
            return "decided"
        return "running" if any(run["summary"] for run in self.runs) else "planned"


@dataclass(frozen=True)
class Campaign:
    """A campaign as far as it has come.

    Attributes:
        rules: Its goal and when it ends: ``{responses, aim, initial, batch, budget, error_pct, credible_width}``.
        best: The run whose response is largest or smallest so far; None where that is not the goal, or none is known.
        bench_s: How long benches have been at work on it, as far as that was noted.
    """

    row: Document
    rules: Document
    rounds: Sequence[Round]
    best: Document | None
    bench_s: float
    is_over: bool

    @property
    def designed(self) -> int:
        """Runs designed so far."""
        return sum(len(one.runs) for one in self.rounds)

    @property
    def done(self) -> int:
        """Runs that are over, failed ones included: they count towards the budget."""
        return sum(bool(run["summary"]) for one in self.rounds for run in one.runs)

    @property
    def next_runs(self) -> Sequence[Document]:
        """Runs that are to come."""
        return [] if self.is_over else [run for one in self.rounds for run in one.runs if not run["summary"]]

    @property
    def why_next(self) -> str:
        """Why these runs: what was missing after the round before."""
        before = [one.decision for one in self.rounds if one.decision]
        if before:
            return before[-1]
        return "They are the first ones, spread over the whole region: nothing has been learnt yet."

    def errors(self, response: str) -> list[tuple[int, float]]:
        """How well a response was known after each round: number of the round, error in percent of its range."""
        known = [(one.number, one.figures.get(response, {}).get("error_pct")) for one in self.rounds]
        return [(number, float(error)) for number, error in known if error is not None]


def open_campaign(desk: FrontDesk, who: Person, number: str) -> Campaign:
    """The file of a campaign.

    Raises:
        UnknownError: If there is no such request that the person may see, or its design has no rounds.
    """
    row = find_request(desk, who, number)
    if "sequential" not in (row["document"].get("design") or {}):
        raise UnknownError(f"{row['request_number']} is no campaign: its design was made as a whole.")
    return _campaign(desk, open_file(desk, row))


def campaigns_of(desk: FrontDesk, who: Person) -> list[Campaign]:
    """The newest campaigns that a person may see."""
    found = desk.register.page(RequestQuery(who.scope, sequential=True, per_page=_SHOWN)).rows
    return [_campaign(desk, open_file(desk, desk.register.get(str(row["uuid"])))) for row in found]


def _campaign(desk: FrontDesk, file: RequestFile) -> Campaign:
    rules = dict(file.design.get("sequential") or file.row["document"]["design"]["sequential"])
    runs, decisions = file.runs(), {one["round"]: one for one in file.rounds}
    numbers = sorted({run["round"] for run in runs})
    return Campaign(
        row=file.row,
        rules=rules,
        rounds=[_round(number, runs, decisions.get(number, {})) for number in numbers],
        best=_best(rules, runs),
        bench_s=_bench_s(desk, file),
        is_over=file.is_over or any(one["done"] for one in decisions.values()),
    )


def _round(number: int, runs: Sequence[Document], decision: Document) -> Round:
    learnt: dict[str, Document] = {}
    for name, value in decision.get("figures", {}).items():
        response, _, figure = name.partition(".")
        if figure:
            learnt.setdefault(response, {})[figure] = value
    of_round = [run for run in runs if run["round"] == number]
    return Round(number, of_round, decision.get("reason", ""), bool(decision.get("done")), learnt)


def _best(rules: Document, runs: Sequence[Document]) -> Document | None:
    aim, responses = rules.get("aim", "learn"), rules.get("responses", ())
    if aim not in ("maximise", "minimise") or not responses:
        return None
    known = [run for run in runs if run["figures"].get(responses[0]) is not None]
    pick = max if aim == "maximise" else min
    return pick(known, key=lambda run: run["figures"][responses[0]], default=None)


def _bench_s(desk: FrontDesk, file: RequestFile) -> float:
    now = desk.lab.now()
    attempts = [one for go in goes_of(desk.lab, file) for one in go.attempts]
    return sum(_lasted_s(one.began_at, one.ended_at or now) for one in attempts)


def _lasted_s(began: datetime, ended: datetime) -> float:
    return max(0.0, (ended - began).total_seconds())
