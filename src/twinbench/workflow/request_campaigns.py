"""Campaigns of many requests, as people look at them: how far each is, and what came of its members.

The lab sees all of them. Whoever does not work in the lab sees those whose requests that person may all see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from twinbench.core.access import Person
from twinbench.core.errors import UnknownError
from twinbench.workflow.campaign import campaign_summary, campaigns
from twinbench.workflow.front_desk import FrontDesk
from twinbench.workflow.lab import Document

__all__ = ["RequestCampaign", "open_request_campaign", "request_campaigns"]

_SHOWN = 20


@dataclass(frozen=True)
class RequestCampaign:
    """A campaign of many requests.

    Attributes:
        members: ``{uuid, request_number, state, failure, differs, figures}`` in the order in which they are submitted.
        counts: State -> how many members are in it; ``to come`` for those that are not submitted.
        most_open: So many members are under way at most.
    """

    uuid: str
    name: str
    begun_at: datetime
    members: Sequence[Document]
    counts: Document
    most_open: int
    is_over: bool

    @property
    def over(self) -> int:
        """Members of which nothing more will come by itself."""
        return sum(self.counts.get(state, 0) for state in ("completed", "failed", "cancelled"))

    @property
    def differences(self) -> list[str]:
        """Fields in which members differ."""
        return list(dict.fromkeys(name for member in self.members for name in member["differs"]))

    @property
    def figures(self) -> list[str]:
        """Names of the figures that any member has."""
        return list(dict.fromkeys(name for member in self.members for name in member["figures"]))


def request_campaigns(desk: FrontDesk, who: Person) -> list[RequestCampaign]:
    """The newest ones that a person may see."""
    found = []
    for kept in campaigns(desk.lab)[:_SHOWN]:
        one = _campaign(desk, kept)
        if _sees(desk, who, one):
            found.append(one)
    return found


def open_request_campaign(desk: FrontDesk, who: Person, campaign_uuid: str) -> RequestCampaign:
    """One of them.

    Raises:
        UnknownError: If there is none, or none that the person may know of.
    """
    for kept in campaigns(desk.lab):
        if kept["uuid"] == campaign_uuid and _sees(desk, who, one := _campaign(desk, kept)):
            return one
    raise UnknownError(f"There is no campaign {campaign_uuid} that {who.name} may see.")


def _campaign(desk: FrontDesk, kept: Document) -> RequestCampaign:
    summary = campaign_summary(desk.lab, kept["uuid"])
    return RequestCampaign(
        uuid=kept["uuid"],
        name=kept["name"],
        begun_at=datetime.fromisoformat(kept["begun_at"]),
        members=summary["members"],
        counts=summary["counts"],
        most_open=summary["most_open"],
        is_over=summary["is_over"],
    )


def _sees(desk: FrontDesk, who: Person, one: RequestCampaign) -> bool:
    if who.works_in_the_lab:
        return True
    known = [member["uuid"] for member in one.members if member["request_number"]]
    return bool(known) and all(who.sees(desk.register.get(uuid)) for uuid in known)
