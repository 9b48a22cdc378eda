"""What went wrong, as RFC 9457 problem details for programs and as a page for people: the same words in both."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from twinbench.core import errors
from twinbench.web.rendering import render

__all__ = ["PROBLEM", "TooLargeError", "add_handlers", "is_for_people", "plain_problem", "status_of"]

PROBLEM = "application/problem+json"


class TooLargeError(errors.LabError):
    """A body is larger than what is taken."""


_STATUS: tuple[tuple[type[errors.LabError], int], ...] = (  # the first that fits
    (TooLargeError, 413),
    (errors.ForbiddenError, 403),
    (errors.UnknownError, 404),
    (errors.ConflictError, 409),
    (errors.RequestError, 422),
    (errors.DesignError, 422),
    (errors.UnreachableError, 503),
    (errors.PlanError, 409),
)
_WORDS = {
    401: "You are not logged in",
    403: "You may not do this",
    404: "There is no such thing",
    405: "This cannot be done here",
    409: "This is not possible now",
    413: "That is too large",
    422: "Something has to be mended first",
    503: "A service does not answer",
}


def status_of(error: errors.LabError) -> int:
    """The HTTP status that says what kind of error it is."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def _details(status: int, detail: str, *, findings: Any = (), instance: str = "") -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": _WORDS.get(status, HTTPStatus(status).phrase),
        "status": status,
        "detail": detail,
    }
    if instance:
        document["instance"] = instance
    if findings:
        document["errors"] = findings
    return document


def plain_problem(error: errors.LabError, instance: str = "") -> JSONResponse:
    """Problem details of an error of the lab; ``errors`` names each field at fault."""
    findings = [
        {"field": finding.where, "message": finding.message, "hint": finding.hint, "code": finding.code}
        for finding in error.findings
    ]
    status = status_of(error)
    document = _details(status, str(error), findings=findings, instance=instance)
    retry = {"Retry-After": "5"} if error.transient else {}
    return JSONResponse(document, status, media_type=PROBLEM, headers=retry)


def is_for_people(request: Request) -> bool:
    """Whether a browser shows the answer as a page."""
    inside = request.url.path.removeprefix(request.scope.get("root_path", ""))
    return not inside.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def add_handlers(app: FastAPI) -> None:
    """Answer what is refused or goes wrong."""
    app.add_exception_handler(errors.LabError, _lab_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _fault)


async def _lab_error(request: Request, error: Any) -> Response:
    if not is_for_people(request):
        return plain_problem(error, request.url.path)
    status = status_of(error)
    return _page(request, status, _WORDS.get(status, "Something went wrong"), str(error))


async def _http_error(request: Request, error: Any) -> Response:
    unknown = not hasattr(request.state, "person")  # Airflow answers 401 without a token and 403 to a bad one
    if unknown and error.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and is_for_people(request):
        return RedirectResponse(request.app.state.login_address(request), status_code=303)
    title = _WORDS.get(error.status_code, HTTPStatus(error.status_code).phrase)
    if is_for_people(request):
        return _page(request, error.status_code, title, str(error.detail))
    document = _details(error.status_code, str(error.detail), instance=request.url.path)
    return JSONResponse(document, error.status_code, media_type=PROBLEM, headers=error.headers)


async def _invalid(request: Request, error: Any) -> Response:
    findings = [
        {"field": "/".join(map(str, entry["loc"][1:])) or str(entry["loc"][0]), "message": entry["msg"], "hint": ""}
        for entry in error.errors()
    ]
    detail = "; ".join(f"{finding['field']}: {finding['message']}" for finding in findings)
    if is_for_people(request):
        return _page(request, 422, _WORDS[422], detail)
    return JSONResponse(_details(422, detail, findings=findings, instance=request.url.path), 422, media_type=PROBLEM)


async def _fault(request: Request, error: Exception) -> Response:
    """A fault of ours: its traceback is in the log of the API server, and in nobody's browser."""
    text = f"A fault of Twinbench itself ({type(error).__name__}): its log has the traceback, you are not to blame."
    if is_for_people(request):
        return _page(request, 500, "Something went wrong", text)
    return JSONResponse(_details(500, text, instance=request.url.path), 500, media_type=PROBLEM)


def _page(request: Request, status: int, title: str, text: str) -> Response:
    if not hasattr(request.state, "person"):  # refused before anybody knew who asks
        return JSONResponse(_details(status, text), status, media_type=PROBLEM)
    return render(request, "problem.html", status=status, code=status, title=title, text=text)
