"""Several requests that were ticked in the list: what would be cancelled, by name, and then what was."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from twinbench.web.rendering import render, root_of
from twinbench.web.visitor import Desk, Who
from twinbench.web.words import Words
from twinbench.workflow.selected_requests import cancel_selected, look_at_selected

__all__ = ["router"]

router = APIRouter(prefix="/requests/cancel", include_in_schema=False)

_CRUMBS = [("Requests", "/requests"), ("Cancel", "")]
Numbers = Annotated[list[Annotated[str, Query(max_length=40)]] | None, Query(max_length=1000)]
PostedNumbers = Annotated[list[Words] | None, Form(max_length=1000)]


@router.get("", response_class=HTMLResponse)
def ask(request: Request, desk: Desk, who: Who, number: Numbers = None) -> HTMLResponse:
    """The question as a page, for browsers without JavaScript."""
    selected = look_at_selected(desk, who, number or ())
    return render(request, "cancel_selected_page.html", title="Cancel requests", breadcrumbs=_CRUMBS, selected=selected)


@router.get("/part", response_class=HTMLResponse)
def ask_in_dialog(request: Request, desk: Desk, who: Who, number: Numbers = None) -> HTMLResponse:
    """The question as what stands in a dialog."""
    return render(request, "cancel_selected.html", selected=look_at_selected(desk, who, number or ()))


@router.post("", response_class=HTMLResponse)
def cancel_them(
    request: Request,
    desk: Desk,
    who: Who,
    number: PostedNumbers = None,
    reason: Annotated[Words, Form(max_length=500)] = "",
) -> Response:
    """Cancel them; back to the list, or to what could not be."""
    done = cancel_selected(desk, who, number or (), reason=reason)
    if any(one.obstacle for one in done):
        return render(request, "cancelled_page.html", title="Cancel requests", breadcrumbs=_CRUMBS, done=done)
    told = "It is cancelled." if len(done) == 1 else f"{len(done)} requests are cancelled."
    return RedirectResponse(f"{root_of(request)}/requests?done={told.replace(' ', '+')}", status_code=303)
