"""A person agrees before an abuse test begins on a physical bench.

approval.json   in the request's area: one entry for each time somebody was asked and answered:
                ``{round, decision, by, by_id, at, comment, asked}``; the last one of a round counts, unless it has
                ``refused``: why it does not. The audit log has the same.

Which tests these are is the lab's rule (``approval`` in ``include/catalogue/bench_choice.json``). Who may answer is for
the login to say: whoever may edit Airflow's "HITL Detail". Four eyes: whoever has asked for the test may reject it, but
not approve it, whatever roles that person has.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from twinbench.core.battery.procedure import Procedure
from twinbench.core.battery.procedures import remark
from twinbench.core.errors import RequestError
from twinbench.core.request import RequestState
from twinbench.workflow.design import run_folder
from twinbench.workflow.front_desk import AuditLog
from twinbench.workflow.headline import headline
from twinbench.workflow.lab import Area, Document, Lab
from twinbench.workflow.planning import PLAN, plan_benches

__all__ = ["APPROVAL", "APPROVE", "REJECT", "approval_needed", "record_decision"]

APPROVAL = "approval.json"
APPROVE, REJECT = "Approve", "Reject"
_AT_ONCE = timedelta(minutes=2)  # so late an answer changes no plan


def approval_needed(lab: Lab, request_uuid: str) -> Document | None:
    """What a person has to be asked before the newest round's physical tests begin; None if nobody has to be.

    Returns:
        ``subject`` and ``body`` (Markdown) of the question, ``round``, and the ``asked`` benches, runs and starts.
    """
    area, request = lab.area(request_uuid), lab.request(request_uuid)
    test = lab.catalogue.test(request.standard, request.test_name)
    reason = lab.catalogue.choice.needs_approval(test)
    number, parts = _physical(area)
    if not reason or not parts:
        return None
    asked = [{key: part[key] for key in ("bench", "runs", "start")} for part in parts]
    lines = [
        f"**{headline(lab, request_uuid)}**" + (f", round {number}" if number > 1 else ""),
        f"This is {reason}. Category: {test.category}. Clause: {test.clause or 'not known'}.",
        *(f"* {_told(area, part)}" for part in parts),
        "The test follows a profile of the requester's own." if request.custom_profile else remark(test),
        f"Four eyes: {request.requester_name} ({request.requester_id}) or whoever has asked for this test in that name "
        "may reject it, but not approve it.",
        "Approve it only if the unit, the bench and the people around it are ready. If the start has passed by then, "
        "the benches are planned again. Reject it, and the request fails and gives its benches back.",
    ]
    benches = ", ".join(dict.fromkeys(part["bench"] for part in parts))
    row = lab.requests.get(request_uuid)
    subject = f"{row['request_number']}: may {test.name!r} begin on {benches}?"
    return {"subject": subject, "body": "\n\n".join(filter(None, lines)), "round": number, "asked": asked}


def _physical(area: Area) -> tuple[int, list[Document]]:
    """The newest round of the plan, and what of it is done on physical benches."""
    plan = area.read_json(PLAN)
    number = int(plan.get("round", 1))
    parts = [part for part in plan["assignments"] if part.get("round", 1) == number and part["kind"] == "physical"]
    return number, parts


def _told(area: Area, part: Mapping[str, Any]) -> str:
    """What a bench would do: when, how long, with which currents and temperatures."""
    procedures = [Procedure.from_document(area.read_json(f"{run_folder(run)}/procedure.json")) for run in part["runs"]]
    low_A = min(one.current_range_A[0] for one in procedures)
    high_A = max(one.current_range_A[1] for one in procedures)
    low_degC = min(one.ambient_range_degC[0] for one in procedures)
    high_degC = max(one.ambient_range_degC[1] for one in procedures)
    minutes = math.ceil(sum(one.duration_s for one in procedures) / 60)
    runs = ", ".join(map(str, part["runs"]))
    start = datetime.fromisoformat(part["start"])
    return (
        f"Bench **{part['bench']}**, planned start {start:%Y-%m-%d %H:%M} UTC: run {runs}, "
        f"{low_A:g} to {high_A:g} A at {low_degC:g} to {high_degC:g} °C, up to {minutes} min"
    )


def record_decision(
    lab: Lab, request_uuid: str, decision: Mapping[str, Any], audit: AuditLog, started_by: Iterable[str] = ()
) -> Document:
    """Keep what a person has decided; if the planned start has passed meanwhile, plan the benches again.

    Args:
        lab: The lab.
        request_uuid: Which request.
        decision: ``decision`` (Approve or Reject), ``by``, ``by_id``, ``at``, ``comment``.
        audit: Where it is noted as well.
        started_by: Who started its run in Airflow, if that was a person.

    Returns:
        What is kept; with ``refused`` if it does not count, since one's own test has to be approved by another person.

    Raises:
        RequestError: If it was rejected; says by whom and why.
    """
    area = lab.area(request_uuid)
    number, parts = _physical(area)
    asked = [{key: part[key] for key in ("bench", "runs", "start")} for part in parts]
    test_name, row = lab.request(request_uuid).test_name, lab.requests.get(request_uuid)
    entry = {"round": number, **decision, "asked": asked, **_refusal(row, decision, started_by)}
    area.write_json(APPROVAL, [*(area.read_json(APPROVAL) if area.exists(APPROVAL) else []), entry])
    action = f"{entry['decision'].lower()} {'own ' if 'refused' in entry else ''}abuse test"
    audit.note(entry["by"], action, row["request_number"], {"test": test_name, **entry}, at=lab.now())
    lab.say(f"{row['request_number']}: {entry['decision']} {test_name!r} by {entry['by']}")
    if "refused" in entry:
        lab.say(f"{row['request_number']}: {entry['refused']}")
        return entry
    if decision["decision"] != APPROVE:
        why = f": {decision['comment']}" if decision.get("comment") else ""
        raise RequestError(
            f"{decision['by']} has rejected {test_name!r} on a physical bench{why}. Submit the request anew when the "
            "reason is gone, or clear the task `approve_abuse` to ask again."
        )
    if not _is_held(lab, request_uuid, parts) and _is_wholly_physical(area, number):
        plan_benches(lab, request_uuid)
    elif row["status"] == RequestState.FAILED:
        lab.requests.set_status(request_uuid, RequestState.PLANNED, at=lab.now())
    return entry


def _refusal(row: Mapping[str, Any], decision: Mapping[str, Any], started_by: Iterable[str]) -> Document:
    """Why a decision does not count: nobody approves a test that the same person has asked for."""
    asked_by = {row["submitted_by"], row["document"]["requester_id"], *started_by} - {"", None}
    if decision["decision"] != APPROVE or decision["by"].casefold() not in {name.casefold() for name in asked_by}:
        return {}
    return {
        "refused": f"{decision['by']} has asked for this test and may not approve it as well: "
        "somebody else with the right to has to. It is asked again."
    }


def _is_held(lab: Lab, request_uuid: str, parts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each bench is still held for its runs, and from now on or later."""
    now = lab.now()
    held = [one for one in lab.bookings.of_request(request_uuid) if one.state.holds]
    in_time = [list(one.document["runs"]) for one in held if one.state.begun or one.start > now - _AT_ONCE]
    return all(list(part["runs"]) in in_time for part in parts)


def _is_wholly_physical(area: Area, number: int) -> bool:
    """Whether nothing of the round is done elsewhere, where planning again would move what is under way."""
    return all(
        part["kind"] == "physical" for part in area.read_json(PLAN)["assignments"] if part.get("round", 1) == number
    )
