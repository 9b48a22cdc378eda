"""One run of a request: what was set, when and where it ran, what came out, and the rows themselves."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, Response

from twinbench.core.access import Person
from twinbench.core.units_of_names import unit_of
from twinbench.web.api.requests import Number
from twinbench.web.downloads import attachment
from twinbench.web.rendering import render
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.request_file import open_file
from twinbench.workflow.requesting import find_request
from twinbench.workflow.run_file import RunFile, open_run, raw_file

__all__ = ["router"]

router = APIRouter(prefix="/requests/{number}/runs/{run}", include_in_schema=False)

_ENDS = {
    "end": "the procedure is over",
    "limit": "a limit was reached",
    "temperature": "a temperature was reached",
    "unfinished": "its time was over before the procedure was",
    "cancelled": "it was cancelled",
    "error": "an error ended it",
    "crashed": "a model crashed",
    "deadline": "it took longer than it may",
}

_NAMES = {
    "discharged_Ah": "charge given",
    "charged_Ah": "charge taken",
    "discharged_Wh": "energy given",
    "charged_Wh": "energy taken",
    "soc_start_pct": "SoC at the start",
    "soc_end_pct": "SoC at the end",
    "soh_end_pct": "SoH at the end",
    "voltage_min_V": "lowest voltage",
    "voltage_max_V": "highest voltage",
    "temperature_max_degC": "highest temperature",
    "outside_limits_s": "time outside the limits",
}


@router.get("", response_class=HTMLResponse)
def show_run(request: Request, desk: Desk, who: Who, number: Number, run: int) -> HTMLResponse:
    """The page."""
    facts = _facts(desk, who, number, run)
    told = facts["row"]["request_number"]
    crumbs = [("Requests", "/requests"), (told, f"/requests/{told}"), (f"Run {run}", "")]
    return render(request, "run.html", title=f"Run {run} of {told}", breadcrumbs=crumbs, **facts)


@router.get("/part/state", response_class=HTMLResponse)
def show_state(request: Request, desk: Desk, who: Who, number: Number, run: int) -> HTMLResponse:
    """How far it is anew."""
    return render(request, "run_state.html", **_facts(desk, who, number, run))


def _facts(desk: FrontDesk, who: Person, number: str, run: int) -> dict[str, Any]:
    row = find_request(desk, who, number)
    file = open_run(desk, open_file(desk, row), run)
    reason = str(file.entry["summary"].get("stop_reason") or "")
    return {
        "row": row,
        "file": file,
        "run": file.entry,
        "figures": _figures(file),
        "ended_by": _ENDS.get(reason, reason),
    }


@router.get("/files/{name}", response_class=Response)
def download(desk: Desk, who: Who, number: Number, run: int, name: Annotated[str, Path(max_length=60)]) -> Response:
    """One of its files."""
    row = find_request(desk, who, number)
    content, media = raw_file(open_file(desk, row), run, name)
    return attachment(content, f"{row['request_number']}-run-{run:04d}-{name}", media)


def _figures(file: RunFile) -> list[dict[str, str]]:
    """What it came down to, named as people do: name, value and unit."""
    return [_figure(name, value) for name, value in file.entry["figures"].items() if value is not None]


def _figure(name: str, value: object) -> dict[str, str]:
    unit = unit_of(name)
    words = _NAMES.get(name) or name.removesuffix(f"_{name.rpartition('_')[2]}") if unit else name
    told = f"{value:.5g}" if isinstance(value, int | float) else str(value)
    title = words.replace("_", " ")
    return {"name": title[:1].upper() + title[1:], "value": told, "unit": "" if unit == "1" else unit}
