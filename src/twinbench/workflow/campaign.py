"""A campaign is carried out: its requests are submitted, a few at a time, until all are over, and then summed up.

What is kept lies in ``campaigns/{uuid}/`` of the object storage: ``campaign.json`` (what was asked), and in the end
``summary.json`` and ``summary.csv``. How far it is, is always read from the register of requests, so a campaign goes on
wherever it was cut short. A page needs :func:`campaigns` and :func:`campaign_summary`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from twinbench.core.campaign import Campaign, Member, as_table, next_members, summary_of
from twinbench.core.errors import ConflictError, LabError, RequestError, ResultError, UnknownError
from twinbench.core.findings import Finding, Severity, blocking
from twinbench.core.request import RequestState, simulation_folder, validate_document
from twinbench.workflow.intake import check_document
from twinbench.workflow.lab import Document, Lab

__all__ = ["begin_campaign", "campaign_summary", "campaigns", "close_campaign", "is_due", "submit_next"]

_ROOT = "campaigns"
_MOST_FAULTS = 20


class Submitter(Protocol):
    """Airflow, as far as a campaign needs it."""

    def submit(self, request_uuid: str, document: Document) -> Document:
        """Start the run of a request; a conflict if it has one."""


def begin_campaign(lab: Lab, campaign_uuid: str, document: Mapping[str, Any]) -> Document:
    """Check every member as a request by itself would be, and keep the campaign.

    Raises:
        RequestError: If one of them cannot be carried out; names each member and field at fault.
    """
    faults = blocking(validate_document(dict(document), lab.schemas["campaign"]))
    if faults:
        raise RequestError("The campaign is malformed: " + "; ".join(map(str, faults)), findings=faults)
    campaign = Campaign.from_document(document, uuid=campaign_uuid)
    faults = tuple(fault for number, member in enumerate(campaign.members, 1) for fault in _faults(lab, number, member))
    if faults:
        told = "; ".join(map(str, faults[:_MOST_FAULTS])) + ("; and more" if len(faults) > _MOST_FAULTS else "")
        raise RequestError(f"The campaign cannot be carried out as written: {told}", findings=faults)
    key = f"{_ROOT}/{campaign_uuid}/campaign.json"
    if not lab.store.exists(key):
        kept = {"uuid": campaign_uuid, "begun_at": lab.now().isoformat(), "document": dict(document)}
        lab.store.write(key, json.dumps(kept, indent=1) + "\n")
    return {"uuid": campaign_uuid, "name": campaign.name, "members": len(campaign.members)}


def _faults(lab: Lab, number: int, member: Member) -> list[Finding]:
    try:
        check_document(lab, member.document)
    except LabError as error:
        whole = [Finding("CAMPAIGN-MEMBER", Severity.ERROR, "", str(error))]
        return [
            Finding(each.code, each.severity, f"member {number} {each.where}".strip(), each.message, each.hint)
            for each in error.findings or whole
        ]
    return []


def submit_next(lab: Lab, airflow: Submitter, campaign_uuid: str) -> Document:
    """Submit as many members as may be open; says how far the campaign is.

    A member is kept before Airflow hears of it, and one that was kept only is submitted again: nothing is left out or
    begun twice, wherever this was cut short.

    Raises:
        UnreachableError: If Airflow does not answer.
    """
    campaign = _campaign(lab, campaign_uuid)
    states = _states(lab, campaign)
    waiting = [member for member in campaign.members if states.get(member.uuid) == RequestState.SUBMITTED]
    for member in next_members(campaign, states):
        _keep(lab, member)
        waiting.append(member)
    for member in waiting:
        try:
            airflow.submit(member.uuid, dict(member.document))
        except ConflictError:
            lab.say(f"{member.uuid} has a run already")
    states = _states(lab, campaign)
    over = sum(RequestState(state).is_over for state in states.values())
    return {
        **{"members": len(campaign.members), "submitted": len(states), "over": over},
        "is_over": over == len(campaign.members),
    }


def _keep(lab: Lab, member: Member) -> None:
    request = check_document(lab, member.document, request_uuid=member.uuid)
    now = lab.now()
    number = lab.requests.save(
        member.uuid,
        dict(member.document),
        folder=simulation_folder(member.uuid, now.date()),
        status=RequestState.SUBMITTED,
        at=now,
        submitted_by=request.requester_id,
        twin=lab.catalogue.uut(request.uut).twin,
        workflow_id=member.uuid,
    )
    lab.say(f"{number} is submitted: {dict(member.differs)}")


def is_due(lab: Lab, campaign_uuid: str) -> bool:
    """Whether another member may be submitted, or all are over."""
    campaign = _campaign(lab, campaign_uuid)
    states = _states(lab, campaign)
    is_over = len(states) == len(campaign.members) and all(RequestState(state).is_over for state in states.values())
    return is_over or bool(next_members(campaign, states))


def close_campaign(lab: Lab, campaign_uuid: str) -> Document:
    """Write the summary, for programs and as a table; returns how many requests ended how, and where it lies."""
    summary = campaign_summary(lab, campaign_uuid)
    folder = f"{_ROOT}/{campaign_uuid}"
    lab.store.write(f"{folder}/summary.json", json.dumps(summary, indent=1) + "\n")
    lab.store.write(f"{folder}/summary.csv", as_table(summary))
    return {"counts": summary["counts"], "summary": lab.store.url(f"{folder}/summary.csv")}


def campaign_summary(lab: Lab, campaign_uuid: str) -> Document:
    """How far a campaign is at the moment, and what came of each member (:func:`core.campaign.summary_of`)."""
    campaign = _campaign(lab, campaign_uuid)
    rows = lab.requests.those([member.uuid for member in campaign.members])
    return summary_of(campaign, {str(row["uuid"]): row for row in rows})


def campaigns(lab: Lab) -> list[Document]:
    """All campaigns, the newest first: ``{uuid, name, begun_at, members}``."""
    kept = [json.loads(lab.store.read(key)) for key in lab.store.keys(_ROOT) if key.endswith("/campaign.json")]
    told = [
        {"uuid": one["uuid"], "name": one["document"]["name"], "begun_at": one["begun_at"], "members": _count(one)}
        for one in kept
    ]
    return sorted(told, key=lambda one: str(one["begun_at"]), reverse=True)


def _count(kept: Mapping[str, Any]) -> int:
    return len(Campaign.from_document(kept["document"], uuid=kept["uuid"]).members)


def _campaign(lab: Lab, campaign_uuid: str) -> Campaign:
    try:
        kept = json.loads(lab.store.read(f"{_ROOT}/{campaign_uuid}/campaign.json"))
    except ResultError as error:
        raise UnknownError(f"There is no campaign {campaign_uuid}: see the runs of run_campaign in Airflow.") from error
    return Campaign.from_document(kept["document"], uuid=campaign_uuid)


def _states(lab: Lab, campaign: Campaign) -> dict[str, str]:
    rows: Sequence[Mapping[str, Any]] = lab.requests.those([member.uuid for member in campaign.members])
    return {str(row["uuid"]): str(row["status"]) for row in rows}
