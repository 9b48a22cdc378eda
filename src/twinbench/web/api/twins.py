"""Digital twins: the bundles they have sent, versions of their models, what they have acknowledged."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from twinbench.web.visitor import Desk, Who
from twinbench.workflow.twin_file import bundles_of, twin_lines, versions_of

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/twins", tags=["twins"])


@router.get("")
def list_twins(desk: Desk, who: Who) -> list[dict[str, Any]]:
    """Each twin: its last bundle, its last acknowledgement, and the messages that wait for it, by request."""
    return [
        {
            "name": line.name,
            "state": line.state,
            "last_bundle": line.last_bundle or None,
            "published_at": line.published_at,
            "delivered": line.delivered or None,
            "backlog": line.backlog,
            "backlog_since": line.since,
            "waiting": list(line.waiting),
        }
        for line in twin_lines(desk, who)
    ]


@router.get("/bundles")
def list_bundles(desk: Desk, who: Who) -> list[dict[str, Any]]:
    """Bundles of the requests that twins took on last, each with the result of its check."""
    return [{**asdict(one), "state": one.state} for one in bundles_of(desk, who)]


@router.get("/models")
def list_models(desk: Desk, who: Who) -> list[dict[str, Any]]:
    """Every version of every model in these bundles."""
    return [asdict(one) for one in versions_of(bundles_of(desk, who))]
