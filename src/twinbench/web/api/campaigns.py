"""Campaigns: requests whose design goes on in rounds; what each has taught, and what follows."""

from typing import Any

from fastapi import APIRouter

from twinbench.web.api.requests import Number
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.campaign_file import Campaign, campaigns_of, open_campaign

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/campaigns", tags=["campaigns"])


@router.get("")
def list_campaigns(desk: Desk, who: Who) -> list[dict[str, Any]]:
    """The newest campaigns that one may see."""
    return [_document(one) for one in campaigns_of(desk, who)]


@router.get("/{number}")
def show_campaign(desk: Desk, who: Who, number: Number) -> dict[str, Any]:
    """One campaign: goal and stop rule, rounds with runs and decisions, what is best so far, budget, what is next."""
    return _document(open_campaign(desk, who, number))


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
