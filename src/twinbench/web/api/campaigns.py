"""Campaigns: requests whose design goes on in rounds, and many requests for one purpose; what came of them."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query

from twinbench.core.campaign import as_table
from twinbench.web.api.requests import Number
from twinbench.web.downloads import CSV, attachment
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.campaign_file import Campaign, campaigns_of, open_campaign
from twinbench.workflow.request_campaigns import open_request_campaign, request_campaigns

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/campaigns", tags=["campaigns"])


class Form(StrEnum):
    """How a campaign is sent."""

    JSON = "json"
    CSV = "csv"


@router.get("")
def list_campaigns(desk: Desk, who: Who) -> list[dict[str, Any]]:
    """The newest campaigns that one may see: those of many requests, then requests that go on in rounds."""
    return [*map(asdict, request_campaigns(desk, who)), *map(_document, campaigns_of(desk, who))]


@router.get("/{number}", response_model=None)
def show_campaign(desk: Desk, who: Who, number: Number, form: Annotated[Form, Query()] = Form.JSON) -> Any:
    """One campaign.

    Of a request in rounds (by its number): goal and stop rule, rounds with runs and decisions, what is best so far,
    budget, what is next. Of many requests (by its UUID): how far it is and what came of each, as CSV too.
    """
    if number.startswith("TR-"):
        return _document(open_campaign(desk, who, number))
    one = asdict(open_request_campaign(desk, who, number))
    if form is Form.CSV:
        return attachment(as_table(one).encode(), f"campaign-{number}.csv", CSV)
    return one


def _document(one: Campaign) -> dict[str, Any]:
    rounds = [
        {
            "round": each.number,
            "state": each.state,
            "runs": [{key: run[key] for key in ("run", "levels", "status", "figures")} for run in each.runs],
            "decision": each.decision,
            "ends": each.ends,
            "learnt": each.figures,
        }
        for each in one.rounds
    ]
    return {
        "request_number": one.row["request_number"],
        "title": one.row["title"],
        "status": one.row["status"],
        "rules": one.rules,
        "is_over": one.is_over,
        "runs_done": one.done,
        "runs_designed": one.designed,
        "budget": one.rules.get("budget"),
        "bench_s": one.bench_s,
        "best": one.best and {key: one.best[key] for key in ("run", "levels", "figures")},
        "next_runs": [run["run"] for run in one.next_runs],
        "why_next": one.why_next if one.next_runs else "",
        "rounds": rounds,
    }
