"""Addresses where nothing is: told as everything else is, and only to those who are logged in."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from twinbench.core.errors import UnknownError

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/{anything:path}", response_class=HTMLResponse)
async def nowhere(anything: str) -> HTMLResponse:
    """Nothing."""
    raise UnknownError(f"There is no page {anything[:200]!r}: go to the dashboard, or see the REST interface at /docs.")
