"""New request: describe the test once, correctly.

What can be chosen follows from what was chosen before; without JavaScript a button fetches the new choices. What is
refused comes back as it was typed, with the words of REST at each field.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from twinbench.core.access import Action, Person
from twinbench.core.errors import ConflictError, LabError, RequestError, UnreachableError
from twinbench.web.rendering import render, root_of
from twinbench.web.request_form import document_of, errors_at_fields, values_of
from twinbench.web.sketch import profile_svg, profile_words
from twinbench.web.visitor import Desk, Who
from twinbench.workflow.catalogue_keeping import offered_tests
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.profile_files import read_profile
from twinbench.workflow.requesting import find_request, submit

__all__ = ["router"]

router = APIRouter(prefix="/requests/new", include_in_schema=False)

_AIMS = (
    ("", "The test's own factors, spread evenly"),
    ("screening", "Screening: which factors matter"),
    ("effects", "Effects: how much each factor does"),
    ("response-surface", "Response surface: where the optimum is"),
    ("exploration", "Exploration: the whole range"),
)
_BENCHES = (
    ("Virtual", "Virtual", "simulated with the digital twin's models"),
    ("Physical", "Physical", "on a cycler"),
    ("Any", "Any", "whichever is true enough and costs least"),
)


@router.get("", response_class=HTMLResponse)
def form(request: Request, desk: Desk, who: Who, copy_of: str = "") -> HTMLResponse:
    """An empty form, or one filled in like another request."""
    who.require(Action.SUBMIT)
    values = dict(request.query_params)
    if copy_of:
        values = values_of(find_request(desk, who, copy_of)["document"], request.app.state.time_zone) | values
    return _page(request, desk, who, values)


@router.get("/choices", response_class=HTMLResponse)
def choices(request: Request, desk: Desk, who: Who) -> HTMLResponse:
    """The choices that follow from the others."""
    who.require(Action.SUBMIT)
    values = dict(request.query_params)
    return render(request, "new_request_choices.html", error_of={}, **_form_facts(desk, who, values))


@router.post("/profile", response_class=HTMLResponse)
async def preview(request: Request, who: Who) -> HTMLResponse:
    """What an uploaded profile looks like; it is kept in the form."""
    who.require(Action.SUBMIT)
    async with request.form(max_files=1, max_fields=50) as sent:
        content = await _uploaded(sent)
    try:
        profile = read_profile(content)
    except RequestError as error:
        return render(request, "profile_preview.html", error=str(error), profile=None)
    return render(
        request,
        "profile_preview.html",
        error="",
        profile=json.dumps(profile),
        svg=profile_svg(profile),
        words=profile_words(profile),
    )


@router.post("", response_class=HTMLResponse)
async def send(request: Request, desk: Desk, who: Who) -> Response:
    """Submit it, or say what has to be mended."""
    from starlette.concurrency import run_in_threadpool

    who.require(Action.SUBMIT)
    async with request.form(max_files=1, max_fields=100) as sent:
        values = {name: value for name, value in sent.items() if isinstance(value, str)}
        content = await _uploaded(sent)
    return await run_in_threadpool(_send, request, desk, who, values, content)


def _send(request: Request, desk: FrontDesk, who: Person, values: dict[str, str], content: bytes) -> Response:
    with suppress(RequestError):  # a file that is sent comes back with the form
        values = {**values, "profile": json.dumps(read_profile(content))} if content else values
    if "update_choices" in values:
        return _page(request, desk, who, values)
    try:
        document = document_of(values, content, request.app.state.time_zone)
        made = submit(desk, who, document, key=values.get("key", ""))
    except UnreachableError as error:
        told = f"{error} Or send it again here."
        return _page(request, desk, who, values, errors=[("", told)], status=503)
    except ConflictError as error:  # sent before and changed since: with a new key it may be sent as well
        told = f"{error} Send it again to ask for this, too."
        return _page(request, desk, who, {**values, "key": ""}, errors=[("", told)], status=409)
    except LabError as error:
        return _page(
            request, desk, who, values, errors=errors_at_fields(error, desk.lab.schemas["test_request"]), status=422
        )
    told = "It+is+submitted:+what+becomes+of+it+is+shown+here+as+it+happens."
    return RedirectResponse(f"{root_of(request)}/requests/{made.number}?sent=new-request&done={told}", status_code=303)


async def _uploaded(sent: FormData) -> bytes:
    file = sent.get("profile_file")
    return b"" if file is None or isinstance(file, str) else await file.read()


def _page(
    request: Request,
    desk: FrontDesk,
    who: Person,
    values: Mapping[str, str],
    *,
    errors: list[tuple[str, str]] | None = None,
    status: int = 200,
) -> HTMLResponse:
    from uuid import uuid4

    facts = _form_facts(desk, who, values)
    found = errors or []
    key = values.get("key") or str(uuid4())
    title = "New request"
    crumbs = [("Requests", "/requests"), (title, "")]
    shown = {field: message for field, message in reversed(found) if field}
    now = f"{desk.lab.now().astimezone(ZoneInfo(request.app.state.time_zone)):%Y-%m-%dT%H:%M}"
    return render(
        request,
        "new_request.html",
        status=status,
        title=title,
        breadcrumbs=crumbs,
        errors=found,
        error_of=shown,
        key=key,
        earliest=now,
        profile=_kept_profile(values),
        is_filled=bool(values),
        **facts,
    )


def _kept_profile(values: Mapping[str, str]) -> dict[str, Any] | None:
    if not values.get("profile"):
        return None
    try:
        profile = read_profile(values["profile"].encode())
    except RequestError:
        return None
    return {"text": json.dumps(profile), "svg": profile_svg(profile), "words": profile_words(profile)}


def _form_facts(desk: FrontDesk, who: Person, values: Mapping[str, str]) -> dict[str, Any]:
    kinds = ("uuts", "use_cases", "standards")
    entries = {kind: [entry for entry in desk.catalogue.entries(kind) if entry["is_active"]] for kind in kinds}
    chosen = {name: values.get(name, "") for name in ("uut", "use_case", "standard")}
    known = all(
        value in {entry["code"] for entry in entries[kind]} for value, kind in zip(chosen.values(), kinds, strict=True)
    )
    tests = offered_tests(desk, **chosen) if known else []
    test = next((test for test in tests if test["name"] == values.get("test_name")), None)
    kept = dict(values) if test or not known else {**values, "test_name": ""}
    benches = _BENCHES if test is None or test["virtual_capable"] else tuple(b for b in _BENCHES if b[0] != "Virtual")
    return {
        "values": {"runs": "6", "seed": "1", "test_bench": "Virtual", **kept},
        "entries": entries,
        "tests": tests,
        "test": test,
        "chosen_all": all(chosen.values()),
        "aims": _AIMS,
        "benches": benches,
        "for_others": who.works_in_the_lab,
    }
