"""What every request and answer has to keep to: size, origin, headers.

size      a body of more than :data:`MOST_BYTES` is refused while it arrives
origin    a browser may change something only from our own pages; programs with a token of their own may always
headers   no script, style or frame but our own; nothing of a page is stored by others
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twinbench.core.errors import ForbiddenError, LabError
from twinbench.web.problems import TooLargeError, plain_problem

__all__ = ["MOST_BYTES", "Guard"]

MOST_BYTES = 2_000_000

_SAFE = {"GET", "HEAD", "OPTIONS"}
_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}


class Guard:
    """Middleware around the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or let through with limits and headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, answer = Headers(scope=scope), _with_headers(send)
        refusal = _refusal(scope["method"], headers)
        if refusal is not None:
            await plain_problem(refusal)(scope, receive, answer)
            return
        limited = _Limited(receive)
        await self._app(scope, limited, limited.refusing(scope, answer))
        if scope["method"] not in _SAFE:
            scope["app"].state.writes += 1  # what was answered before may be otherwise now


def _refusal(method: str, headers: Headers) -> LabError | None:
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MOST_BYTES:
        return TooLargeError(f"The body has {length} bytes: send {MOST_BYTES} at most.")
    if method not in _SAFE and not _is_from_here(headers):
        return ForbiddenError("This came from another site: open our own page and do it there.")
    return None


def _is_from_here(headers: Headers) -> bool:
    if headers.get("authorization", "").lower().startswith("bearer "):
        return True  # no browser sends that by itself
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


class _Limited:
    """A body that ends when it grows too large; then the answer is that it did, whatever the application says."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._arrived, self._refused = receive, 0, False

    async def __call__(self) -> Message:
        message = await self._receive()
        self._arrived += len(message.get("body", b""))
        if self._arrived > MOST_BYTES:
            self._refused = True
            return {"type": "http.request", "body": b"", "more_body": False}
        return message

    def refusing(self, scope: Scope, answer: Send) -> Send:
        """Send what the application answers, unless the body was too large."""
        told = False

        async def send(message: Message) -> None:
            nonlocal told
            if not self._refused:
                await answer(message)
            elif not told:
                told = True
                error = TooLargeError(f"The body has more than {MOST_BYTES} bytes: send that at most.")
                await plain_problem(error)(scope, self._receive, answer)

        return send


def _with_headers(send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _missing(headers):
                headers[name] = value
        await send(message)

    return answer


def _missing(headers: MutableHeaders) -> Iterable[tuple[str, str]]:
    wanted = {**_HEADERS, "cache-control": "no-store"}
    return [(name, value) for name, value in wanted.items() if name not in headers]
