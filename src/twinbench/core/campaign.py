"""A campaign: many requests for one purpose, how they differ, and what came of them.

Vocabulary:

    template  what all members have in common, as a request's document
    grid      field -> values; there is a member for each combination
    member    one request; its UUID follows from the campaign's and from what it asks for
    open      submitted, and not over yet

Since a member's UUID follows from what it is, submitting a campaign again submits nothing twice.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any
from uuid import UUID, uuid5

from twinbench.core.errors import RequestError
from twinbench.core.request import RequestState

__all__ = ["MOST_MEMBERS", "Campaign", "Member", "as_table", "next_members", "summary_of"]

MOST_MEMBERS = 500


@dataclass(frozen=True)
class Member:
    """One request of a campaign.

    Attributes:
        differs: In what it is not like the template.
    """

    uuid: str
    document: Mapping[str, Any]
    differs: Mapping[str, Any]


@dataclass(frozen=True)
class Campaign:
    """A campaign whose document keeps to ``campaign.schema.json``."""

    uuid: str
    name: str
    most_open: int
    members: tuple[Member, ...]

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, uuid: str) -> Campaign:
        """Read a document, and make its members in the order in which they are written.

        Raises:
            RequestError: If it has no members, too many, or two that are the same.
        """
        ways = _differences(document.get("grid") or {}, document.get("members") or [{}])
        members = tuple(_member(uuid, document["template"], differs) for differs in ways)
        twice = [member.differs for member, count in _counted(members) if count > 1]
        if twice:
            raise RequestError(f"Several members ask for the same: {_told(twice[0])}. Leave one of them.")
        return cls(uuid, str(document["name"]), int(document.get("most_open", 4)), members)


def _differences(grid: Mapping[str, Sequence[Any]], own: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    count = len(own)
    for values in grid.values():
        count *= len(values)
    if count > MOST_MEMBERS:
        raise RequestError(f"The campaign has {count} members: {MOST_MEMBERS} at most; make several campaigns of it.")
    points = [dict(zip(grid, point, strict=True)) for point in itertools.product(*grid.values())]
    both = sorted({name for each in own for name in each} & set(grid))
    if both:
        raise RequestError(f"{', '.join(both)} differs in the grid and in members too: say it in one place.")
    return [{**point, **each} for each in own for point in points]


def _member(campaign_uuid: str, template: Mapping[str, Any], differs: Mapping[str, Any]) -> Member:
    document = {**template, **differs}
    return Member(str(uuid5(UUID(campaign_uuid), json.dumps(document, sort_keys=True))), document, differs)


def _counted(members: Iterable[Member]) -> list[tuple[Member, int]]:
    counts = Counter(member.uuid for member in members)
    return [(member, counts[member.uuid]) for member in {member.uuid: member for member in members}.values()]


def _told(differs: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in differs.items()) or "the template as it is"


def next_members(campaign: Campaign, states: Mapping[str, str]) -> list[Member]:
    """The members to submit now, so that no more than allowed are open.

    Args:
        campaign: The campaign.
        states: State of each request that is known, by its UUID.
    """
    is_open = [not RequestState(states[member.uuid]).is_over for member in campaign.members if member.uuid in states]
    free = max(0, campaign.most_open - sum(is_open))
    return [member for member in campaign.members if member.uuid not in states][:free]


def summary_of(campaign: Campaign, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """How far a campaign is, and what came of each member: its number, state, reason and key figures.

    Args:
        campaign: The campaign.
        rows: Row of each request that is known, by its UUID.
    """
    members = [_summary_of_member(member, rows.get(member.uuid)) for member in campaign.members]
    counts = Counter(member["state"] for member in members)
    over = sum(counts[state] for state in RequestState if state.is_over)
    return {
        "uuid": campaign.uuid,
        "name": campaign.name,
        "most_open": campaign.most_open,
        "is_over": over == len(members),
        "counts": {state: counts[state] for state in ("to come", *RequestState) if counts[state]},
        "members": members,
    }


def _summary_of_member(member: Member, row: Mapping[str, Any] | None) -> dict[str, Any]:
    known = row or {}
    return {
        "uuid": member.uuid,
        "request_number": known.get("request_number"),
        "state": str(known.get("status") or "to come"),
        "failure": known.get("failure"),
        "differs": dict(member.differs),
        "figures": _figures(known.get("test_metrics_json") or {}),
    }


def _figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Its counts, and the mean of each figure over its runs."""
    counts = {name: value for name, value in metrics.items() if _is_number(value)}
    values: dict[str, list[float]] = {}
    for run in metrics.get("figures", ()):
        for name, value in run.items():
            if _is_number(value) and name != "run":
                values.setdefault(name, []).append(value)
    return counts | {f"mean {name}": fmean(numbers) for name, numbers in values.items()}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_table(summary: Mapping[str, Any]) -> str:
    """A summary as CSV: a line a member, its differences and figures in columns of their own."""
    rows = [_row(member) for member in summary["members"]]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(member: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: _cell(member[name]) for name in ("request_number", "uuid", "state", "failure")}
    return own | {name: _cell(value) for name, value in (member["differs"] | member["figures"]).items()}


def _cell(value: Any) -> Any:
    """What a spreadsheet would compute is text."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return json.dumps(value) if isinstance(value, dict | list) else value
