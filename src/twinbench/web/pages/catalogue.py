"""Catalogue: what can be asked for, and which units the lab has; kept by the lab manager."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from twinbench.core.access import Action
from twinbench.web.api.catalogue import Kind
from twinbench.web.rendering import render, root_of
from twinbench.web.visitor import Desk, Who
from twinbench.web.words import Words
from twinbench.workflow.catalogue_keeping import UNIT_STATES, keep_unit, switch_entry

__all__ = ["router"]

router = APIRouter(prefix="/catalogue", include_in_schema=False)

_Text = Annotated[Words, Form(max_length=200)]


@router.get("", response_class=HTMLResponse)
def catalogue(request: Request, desk: Desk, who: Who) -> HTMLResponse:
    """The page."""
    titles = ("Units under test", "Use cases", "Standards", "Tests")
    kinds = [(kind.value, title, desk.catalogue.entries(kind.value)) for kind, title in zip(Kind, titles, strict=True)]
    return render(
        request,
        "catalogue.html",
        title="Catalogue",
        kinds=kinds,
        units=desk.inventory.units(),
        unit_states=UNIT_STATES,
        uuts=[uut.code for uut in desk.lab.catalogue.uuts],
        may_switch=who.may(Action.KEEP_CATALOGUE),
        may_keep=who.may(Action.KEEP_INVENTORY),
    )


@router.post("/switch", response_class=RedirectResponse)
def switch(
    request: Request, desk: Desk, who: Who, kind: Annotated[Kind, Form()], code: _Text, active: bool = Form()
) -> Response:
    """Switch an entry on or off."""
    switch_entry(desk, who, kind.value, code, active=active)
    told = f"{code} is switched {'on' if active else 'off'}."
    return RedirectResponse(f"{root_of(request)}/catalogue?done={quote(told)}#{kind.value}", status_code=303)


@router.post("/units", response_class=RedirectResponse)
def unit(
    request: Request,
    desk: Desk,
    who: Who,
    serial: _Text,
    uut: _Text,
    chemistry: _Text = "",
    state: _Text = "available",
    location: _Text = "",
    notes: Annotated[Words, Form(max_length=2_000)] = "",
) -> Response:
    """Add a unit to the inventory, or change it."""
    told = {"serial": serial, "uut": uut, "chemistry": chemistry, "state": state, "location": location, "notes": notes}
    keep_unit(desk, who, told)
    done = quote(f"{serial} is kept.")
    return RedirectResponse(f"{root_of(request)}/catalogue?done={done}#units", status_code=303)
