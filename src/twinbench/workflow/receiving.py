"""Receiving: models that were dropped anywhere in the pool are handed on to the request they are for, or kept aside.

    handed on    moved to the request's own folder, interconnection file last, where its run waits for it
    quarantined  moved to ``quarantine/<name>/`` of the pool; reason and remedy are in ``quarantine/<name>.json``
    waiting      left where it lies, because it is not complete yet

Whose a drop is, is told by a UUID in its names; else by the models that the digital twin said would come for a request;
else it is the only request's that waits. Nothing is guessed beyond that, nothing is removed, nothing written over.
Looking again goes on where a look was cut short: the files of a drop are moved one by one, and those that a
half-moved drop lacks are found in the folder they went to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from twinbench.core.drops import Drop, sort_drops
from twinbench.core.errors import BundleError, ConflictError, UnknownError
from twinbench.core.pool_entries import LARGEST_WIRING_BYTES, QUARANTINE, QUIET_S, Entry, plain_name, uuids_in
from twinbench.workflow.addressing import TAKES_MODELS, HomelessError, addressee, is_the_rest_of, takes_models
from twinbench.workflow.lab import Document, Lab

__all__ = ["assign_drop", "left_over", "quarantined", "receive_drops"]

_DROPPED = "drop.json"


def receive_drops(lab: Lab, unchanged_s: Mapping[str, float], *, patience_s: float) -> Document:
    """Deal with everything that lies in the pool outside requests' own folders.

    Args:
        lab: The lab.
        unchanged_s: For how long each entry has not changed, by how its path is shown; what is not named is new.
        patience_s: What is not complete and has not changed for so long is quarantined.

    Returns:
        ``{handed_on, quarantined, waiting}``, each a list of drops.
    """
    entries = lab.drops.entries()
    age_s = {entry.path: unchanged_s.get(entry.shown, 0.0) for entry in entries}
    settled = [entry for entry in entries if entry.is_wiring and age_s[entry.path] >= QUIET_S]
    wirings = {path: content for entry in settled for path, content in _read(lab, entry).items()}
    told: dict[str, list[Document]] = {"handed_on": [], "quarantined": [], "waiting": []}
    for drop in sort_drops(entries, wirings):
        youngest_s = min((age_s[path] for path in drop.files), default=0.0)
        try:
            outcome, document = _deal_with(lab, drop, youngest_s, is_stale=youngest_s >= patience_s)
        except (BundleError, UnknownError) as error:  # that one cannot be moved, or is gone; the others can
            outcome, document = "waiting", {**drop.as_dict(), "reason": str(error)}
        told[outcome].append(document)
        lab.say(f"{drop.label}: {outcome.replace('_', ' ')} {document.get('reason') or document.get('request', '')}")
    return told


def _read(lab: Lab, entry: Entry) -> dict[str, bytes]:
    """An interconnection file, if it is not too large and can be read."""
    try:
        is_small = entry.size <= LARGEST_WIRING_BYTES
        return {entry.path: lab.drops.read(entry.path, most_bytes=LARGEST_WIRING_BYTES)} if is_small else {}
    except (BundleError, UnknownError) as error:
        lab.say(f"{entry.shown} is not read: {error}")
        return {}


def _deal_with(lab: Lab, drop: Drop, youngest_s: float, *, is_stale: bool) -> tuple[str, Document]:
    if youngest_s < QUIET_S:
        return "waiting", {**drop.as_dict(), "reason": "it is still being written"}
    try:
        if drop.fault:
            raise HomelessError(drop.fault)
        row, how = addressee(lab, drop)
        if drop.lacks and not is_the_rest_of(lab, drop, row):
            raise HomelessError(drop.lacks, [row])
        return "handed_on", _hand_on(lab, drop, row, how)
    except HomelessError as reason:
        if drop.lacks and not drop.fault and not is_stale:
            return "waiting", {**drop.as_dict(), "reason": drop.lacks}
        return "quarantined", _quarantine(lab, drop, drop.fault or drop.lacks or str(reason), reason.requests)


def _hand_on(lab: Lab, drop: Drop, row: Mapping[str, Any], how: str) -> Document:
    request_uuid = str(row["uuid"])
    both = sorted(set(drop.files.values()) & set(lab.pool.names(request_uuid)))
    if both:
        raise HomelessError(f"the pool folder of {row['request_number']} has {', '.join(both)} already", [row])
    document = {
        **{"drop": drop.label, "request": row["request_number"], "dag_run_id": _run_id(row), "how": how},
        "files": list(drop.files.values()),
    }
    lab.area(request_uuid).write_json(_DROPPED, {**document, "at": lab.now().isoformat()})
    lab.drops.move([(path, f"{request_uuid}/{name}") for path, name in drop.files.items()])
    return document


def _run_id(row: Mapping[str, Any]) -> str:
    return str(row.get("workflow_id") or row["uuid"])


def _quarantine(lab: Lab, drop: Drop, reason: str, requests: Sequence[Mapping[str, Any]]) -> Document:
    name = _quarantine_name(lab, drop)
    folder = f"{QUARANTINE}/{name}"
    kept = _names_kept(drop)
    may_be = [f"{row['request_number']} ({row['uuid']}): {row['test_name']} on {row['uut']}" for row in requests]
    number, uuid = (
        (requests[0]["request_number"], requests[0]["uuid"]) if len(requests) == 1 else ("TR-…", "the request's UUID")
    )
    document = {
        **{"drop": name, "at": lab.now().isoformat(), "reason": reason, "requests": may_be},
        "dag_run_ids": [_run_id(row) for row in requests],
        "files": [{"name": kept[path], "was": Entry(path).shown} for path in drop.files],
        "remedy": (
            f"Mend what is wrong, then say whose it is: rename {folder} in the pool to {uuid}, "
            f"or `twinbench pool assign {name} {number}`. What nobody needs may be removed there."
        ),
    }
    lab.drops.write(f"{folder}.json", json.dumps(document, indent=1) + "\n")
    lab.drops.move([(path, f"{folder}/{kept[path]}") for path in drop.files])
    return document


def _names_kept(drop: Drop) -> dict[str, str]:
    """Each file by its own name, unless it is not plain or two have it."""
    names = {path: name if _plainly(name) == name else "" for path, name in drop.files.items()}
    if "" in names.values() or len(set(names.values())) < len(names):
        return {path: f"{number:03d}-{_plainly(path)}" for number, path in enumerate(names, 1)}
    return names


def _quarantine_name(lab: Lab, drop: Drop) -> str:
    taken = {entry.name for entry in lab.drops.listing(QUARANTINE)}
    name = f"{lab.now():%Y%m%dT%H%M%SZ}-{_plainly(plain_name(drop.label))[:40]}"
    return next(free for number in range(1, len(taken) + 2) if (free := f"{name}-{number}") not in taken)


def _plainly(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", Entry(text).shown)[:100].lstrip(".") or "_"


def quarantined(lab: Lab) -> list[Document]:
    """What is in quarantine, the oldest first, each with its reason and what to do."""
    found = lab.drops.listing(QUARANTINE)
    folders = [entry.name for entry in found if entry.kind == "folder"]
    told = {entry.name.removesuffix(".json") for entry in found if entry.name.endswith(".json")}
    return [_diagnosis(lab, name) if name in told else {"drop": name, "reason": "unknown"} for name in folders]


def _diagnosis(lab: Lab, name: str) -> Document:
    content = lab.drops.read(f"{QUARANTINE}/{name}.json", most_bytes=LARGEST_WIRING_BYTES)
    try:
        document = json.loads(content)
    except ValueError:
        document = {}
    return {"reason": "unknown", **document, "drop": name} if isinstance(document, dict) else {"drop": name}


def left_over(lab: Lab) -> list[Document]:
    """Requests' own folders that nobody empties any more: the request is over, has its models, or is unknown."""
    found = []
    for entry in lab.drops.listing(""):
        if entry.kind == "folder" and uuids_in(entry.path) == [entry.path]:
            try:
                row = lab.requests.get(entry.path)
                reason = "" if row["status"] in TAKES_MODELS else f"{row['request_number']} is {row['status']}"
            except UnknownError:
                reason = "the lab does not know this request"
            found += [{"folder": entry.path, "reason": reason}] if reason else []
    return found


def assign_drop(lab: Lab, name: str, number: str) -> Document:
    """Hand on to a request what is in quarantine, because a person says whose it is.

    Raises:
        UnknownError: If there is no such drop or request.
        ConflictError: If the request has models waiting in its folder already, or needs none any more.
    """
    row = lab.requests.by_number(number) if number.startswith("TR-") else lab.requests.get(number)
    known = f"{QUARANTINE}/{name}" in [entry.path for entry in lab.drops.listing(QUARANTINE)]
    files = [entry for entry in lab.drops.listing(f"{QUARANTINE}/{name}") if entry.kind == "file"] if known else []
    if not files:
        raise UnknownError(f"There is no drop {name!r} in quarantine: see `twinbench pool list`.")
    (drop,) = sort_drops(files, {})
    try:
        takes_models(lab, str(row["uuid"]))
        document = _hand_on(lab, drop, row, "a person said so")
    except HomelessError as reason:
        raise ConflictError(f"{name} cannot be given to {row['request_number']}: {reason}.") from reason
    lab.drops.remove(f"{QUARANTINE}/{name}.json")
    return document
