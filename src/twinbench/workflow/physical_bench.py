"""A physical bench carries out the runs of one assignment: it is commanded, and its results become result files.

    order    what a bench is told for an assignment, kept in the request's area, so that whoever takes over (a retry,
             another triggerer) goes on with the same command instead of starting the bench twice
    outcome  how the command ended, from :class:`~twinbench.workflow.bench_watch.BenchWatch`

A command is idempotent by its ``command_id``: a bench that gets it again answers with what became of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from twinbench.core.errors import BenchError, UnreachableError
from twinbench.core.request import RequestState
from twinbench.core.telemetry import METRIC_SIGNALS, RunLabel
from twinbench.workflow.design import run_folder
from twinbench.workflow.lab import Area, Document, Lab
from twinbench.workflow.results import (
    SignalTable,
    account_of,
    await_acknowledgements,
    keep_run,
    label_of,
    read_summary,
    say_progress,
)

__all__ = ["abort_physical", "collect_physical", "labels_of", "order_name", "stamped", "start_physical"]

TAKE_UP_WITHIN = timedelta(minutes=10)

_COMPLETE = ("end", "limit")
_MAY_GO_ON = ("silent", "lost", "incomplete")


def order_name(bench: str) -> str:
    """Where the order to a bench lies in the request's area."""
    return f"schedule-output/order-{bench}.json"


def start_physical(lab: Lab, request_uuid: str, assignment: Mapping[str, Any]) -> Document | None:
    """Write the order for the runs of an assignment that are not done, or take up the one that is not over.

    Returns:
        What a watch needs to know; None if all runs are done.
    """
    area, bench = lab.area(request_uuid), str(assignment["bench"])
    lab.requests.set_status(request_uuid, RequestState.RUNNING, at=lab.now())
    missing = [int(run) for run in assignment["runs"] if not _is_done(area, int(run))]
    if not missing:
        return None
    name = order_name(bench)
    if not area.exists(name) or area.read_json(name).get("outcome"):
        area.write_json(name, {"bench": bench, "command": _command(lab, request_uuid, area, bench, missing)})
    return {"request_uuid": request_uuid, "bench": bench}


def _is_done(area: Area, run: int) -> bool:
    summary = read_summary(area, run)
    return bool(summary and summary["status"] == "completed")


def _command(lab: Lab, request_uuid: str, area: Area, bench: str, runs: list[int]) -> Document:
    command_id, request = str(uuid4()), lab.request(request_uuid)
    levels = {int(run["run"]): run["levels"] for run in area.read_json("doe-output/design.json")["runs"]}
    entries = [
        {
            "run": run,
            "run_uuid": label_of(request, run, command_id, bench).run_uuid,
            "procedure": area.read_json(f"{run_folder(run)}/procedure.json"),
            "levels": levels[run],
        }
        for run in runs
    ]
    return {"command_id": command_id, "verb": "start", "request_uuid": request_uuid, "runs": entries}


def stamped(command: Document, now: datetime) -> Document:
    """A command with the time at which it is sent, and until when the bench may take it up."""
    return {**command, "issued_at": now.isoformat(), "not_after": (now + TAKE_UP_WITHIN).isoformat()}


def abort_physical(lab: Lab, request_uuid: str, bench: str) -> None:
    """Tell a bench to end what it does for a request, because somebody has ended the task."""
    command = {"command_id": str(uuid4()), "verb": "abort", "request_uuid": request_uuid}
    with lab.wire.bench(
        bench, on_status=_ignore, on_event=_ignore, on_telemetry=_ignore, on_reconnected=lambda: None
    ) as line:
        line.send(stamped(command, lab.now()))
    lab.say(f"{bench} was told to abort its runs of request {request_uuid}")


def _ignore(_document: Document) -> None:
    pass


def collect_physical(lab: Lab, request_uuid: str, assignment: Mapping[str, Any], outcome: Document | None) -> Document:
    """Turn what a bench has measured into result files.

    Args:
        lab: The lab.
        request_uuid: The request.
        assignment: What the bench was to do.
        outcome: How its command ended; None if there was nothing left to do.

    Raises:
        BenchError: If the bench failed or refused; the runs it had completed are kept.
        UnreachableError: If it may still go on, or the digital twin has not acknowledged everything.
    """
    area, name = lab.area(request_uuid), order_name(assignment["bench"])
    if outcome:
        order = area.read_json(name)
        labels = labels_of(lab, request_uuid, order)
        for measured in outcome["runs"]:
            if measured["stop_reason"] in _COMPLETE and outcome["event"] not in _MAY_GO_ON:
                _keep(lab, area, labels[measured["run_uuid"]], measured, _times_of(order, measured["run"]))
        say_progress(lab, area, request_uuid)
        if outcome["event"] not in _MAY_GO_ON:
            area.write_json(name, {**order, "outcome": outcome})
        _judge(assignment["bench"], outcome)
    if area.exists(name):
        with lab.wire.courier(list(labels_of(lab, request_uuid, area.read_json(name)))) as courier:
            await_acknowledgements(courier)
    return account_of(area, assignment)


def _judge(bench: str, outcome: Document) -> None:
    event, reason = outcome["event"], outcome["reason"]
    if event in _MAY_GO_ON or event == "busy":
        raise UnreachableError(f"Bench {bench}: {reason}")
    if event != "finished":
        raise BenchError(f"Bench {bench} {event} the command: {reason}. See to the bench, then clear this task.")


def labels_of(lab: Lab, request_uuid: str, order: Document) -> dict[str, RunLabel]:
    """By run UUID, what the messages of the order's runs say about them."""
    request, command = lab.request(request_uuid), order["command"]
    labels = [
        label_of(request, run["run"], command["command_id"], order["bench"], kind="Physical") for run in command["runs"]
    ]
    return {label.run_uuid: label for label in labels}


def _times_of(order: Document, run: int) -> Document:
    """When a run began and ended by the bench's clock; empty as far as no event has told it.

    The first begins when the command is accepted, each of the others when the one before has ended.
    """
    began, ended = None, None
    for event in order.get("events", ()):
        if event["event"] == "run-finished" and run in event["runs"]:
            ended = event["at"]
            break
        if event["event"] in ("accepted", "run-finished"):
            began = event["at"]
    return {"began_at": began, "ended_at": ended} if ended else {}


def _keep(lab: Lab, area: Area, label: RunLabel, measured: Document, times: Document) -> None:
    """Write the result files of one run from its telemetry."""
    import numpy as np

    messages = lab.telemetry.messages(label.run_uuid)
    last_s = 0.0
    with tempfile.TemporaryDirectory(prefix="twinbench-") as scratch:
        with SignalTable(Path(scratch) / "run.parquet", label) as table:
            for message in messages:
                if message["rows"]:
                    rows = np.asarray(message["rows"], dtype=np.float64)
                    columns = dict(zip(message["columns"], rows.T, strict=True))
                    time_s = columns.pop("time_s")
                    table.add(time_s, {key: values for key, values in columns.items() if key in METRIC_SIGNALS})
                    last_s = float(time_s[-1])
        design = area.read_json("doe-output/design.json")
        summary = {
            "run": label.run,
            "run_uuid": label.run_uuid,
            "bench": label.bench_id,
            "kind": "physical",
            "status": "completed",
            "stop_reason": measured["stop_reason"],
            **times,
            "measured_s": last_s,
            "published": len(messages),
            "messages": [],
            "levels": next(dict(run["levels"]) for run in design["runs"] if run["run"] == label.run),
        }
        kept = keep_run(area, summary, table)
    lab.say(f"run {label.run} on {label.bench_id}: {kept['stop_reason']}, {kept['rows']} rows, {last_s:g} s measured")
