"""Campaigns: is the loop converging, and what will it do next?

A campaign is a request whose design goes on in rounds, each chosen by what the ones before have taught.
"""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from twinbench.core.request_query import RequestQuery
from twinbench.web.rendering import render
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.lab import Document
from twinbench.workflow.request_file import open_file

__all__ = ["router"]

router = APIRouter(prefix="/campaigns", include_in_schema=False)

_SHOWN = 50


@router.get("", response_class=HTMLResponse)
def campaigns(request: Request, desk: Desk, who: Who) -> HTMLResponse:
    """The page: the newest first."""
    query = RequestQuery(who.scope, sequential=True, per_page=_SHOWN)
    rows = [_campaign(desk, desk.register.get(str(row["uuid"]))) for row in desk.register.page(query).rows]
    return render(request, "campaigns.html", title="Campaigns", campaigns=rows)


def _campaign(desk: FrontDesk, row: Document) -> Document:
    file = open_file(desk, row)
    rules = file.design.get("sequential", {})
    runs = file.runs()
    return {
        "row": row,
        "rules": rules,
        "rounds": file.rounds,
        "done": sum(run["status"] == "completed" for run in runs),
        "runs": len(runs),
        "decision": file.rounds[-1]["reason"] if file.rounds else "",
        "figures": file.rounds[-1].get("figures", {}) if file.rounds else {},
        "is_over": bool(file.rounds and file.rounds[-1]["done"]),
    }
