"""Campaigns: is the loop converging, and what will it do next?"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from twinbench.core.access import Person
from twinbench.core.units_of_names import unit_of
from twinbench.web.api.requests import Number
from twinbench.web.error_plot import error_svg
from twinbench.web.rendering import render
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.campaign_file import Campaign, campaigns_of, open_campaign
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.request_file import open_file

__all__ = ["router"]

router = APIRouter(prefix="/campaigns", include_in_schema=False)

_GOALS = {
    "learn": "know {} everywhere in the region",
    "maximise": "find where {} is largest",
    "minimise": "find where {} is smallest",
}


@router.get("", response_class=HTMLResponse)
def campaigns(request: Request, desk: Desk, who: Who) -> HTMLResponse:
    """The page: the newest first."""
    lines = [{"campaign": one, "goal": _goal(one), "last": _last_errors(one)} for one in campaigns_of(desk, who)]
    return render(request, "campaigns.html", title="Campaigns", lines=lines)


@router.get("/{number}", response_class=HTMLResponse)
def show_campaign(request: Request, desk: Desk, who: Who, number: Number) -> HTMLResponse:
    """One campaign."""
    facts = _facts(desk, who, number)
    told = facts["row"]["request_number"]
    crumbs = [("Campaigns", "/campaigns"), (told, "")]
    return render(request, "campaign.html", title=f"Campaign {told}", breadcrumbs=crumbs, **facts)


@router.get("/{number}/part/rounds", response_class=HTMLResponse)
def show_rounds(request: Request, desk: Desk, who: Who, number: Number) -> HTMLResponse:
    """What changes on it anew."""
    return render(request, "campaign_part.html", **_facts(desk, who, number))


def _facts(desk: FrontDesk, who: Person, number: str) -> dict[str, Any]:
    one = open_campaign(desk, who, number)
    responses = list(one.rules.get("responses", ()))
    series = {name: one.errors(name) for name in responses}
    limit = one.rules.get("error_pct")
    what = (
        "error, in percent of the range" if one.rules.get("aim", "learn") == "learn" else "improvement still expected"
    )
    label = f"{what.capitalize()}, of {', '.join(responses)} after each of {len(one.rounds)} rounds"
    return {
        "row": one.row,
        "campaign": one,
        "goal": _goal(one),
        "ends": _ends(one),
        "responses": [{"name": name, "unit": unit_of(name)} for name in responses],
        "factors": open_file(desk, one.row).factors(),
        "limit": limit,
        "plot": error_svg(series, limit=limit, label=label) if any(series.values()) else None,
        "plot_label": label,
    }


def _goal(one: Campaign) -> str:
    """What it is for, in words."""
    form = _GOALS.get(str(one.rules.get("aim", "learn")), "learn about {}")
    told = form.format(", ".join(one.rules.get("responses", ())))
    return told[:1].upper() + told[1:]


def _ends(one: Campaign) -> list[str]:
    """When it ends, sentence by sentence."""
    rules, told = one.rules, []
    if rules.get("error_pct") is not None:
        what = "error" if rules.get("aim", "learn") == "learn" else "improvement that is still expected"
        told.append(f"when the {what} is below {rules['error_pct']:g} % of the range")
    for name, width in (rules.get("credible_width") or {}).items():
        told.append(f"when {name} is known within {width:g} {unit_of(name)}".rstrip())
    return [*told, f"after {rules.get('budget', '–')} runs at the latest"]


def _last_errors(one: Campaign) -> list[str]:
    found = [(name, one.errors(name)) for name in one.rules.get("responses", ())]
    return [f"{name} {errors[-1][1]:.2g} %" for name, errors in found if errors]
