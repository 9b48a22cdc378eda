"""Requests, benches and units as JSON: what programs are told of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from twinbench.core.booking import Booking, Closure
from twinbench.workflow.bench_board import BenchLine
from twinbench.workflow.carried_out import Go, as_document
from twinbench.workflow.request_file import RequestFile

__all__ = ["FIELDS", "bench_document", "booking_document", "closure_document", "gantt_document", "request_document"]

FIELDS = (
    *("request_number", "uuid", "title", "status", "simulation_progress", "failure"),
    *("requester_name", "requester_id", "submitted_by", "uut", "use_case", "standard", "test_name", "test_bench"),
    *("preferred_date", "created_at", "updated_at", "fmu_ready_at", "doe_complete_at", "schedule_ready_at"),
    *("simulation_started_at", "simulation_complete_at", "completed_at", "failed_at", "twin", "workflow_id"),
)


def request_document(row: Mapping[str, Any], root: str) -> dict[str, Any]:
    """One request, with the addresses of what belongs to it."""
    number = row["request_number"]
    here = f"{root}/api/v1/requests/{number}"
    links = {name: f"{here}/{name}" for name in ("history", "runs", "gantt", "results", "findings")}
    return {name: row.get(name) for name in FIELDS} | {
        "links": {"self": here, "page": f"{root}/requests/{number}", **links}
    }


def gantt_document(file: RequestFile, goes: Sequence[Go]) -> dict[str, Any]:
    """The bench plan of a request: figures, and per bench assignment its times and runs, and what became of it."""
    keys = ("status", "objective", "bound", "gap", "makespan_min", "solver", "seed", "origin")
    shown = ("bench", "kind", "runs", "start", "end", "held_from", "held_until", "intervals", "reason", "waits_for")
    became = {tuple(run.run for run in go.runs): as_document(go) for go in goes}
    parts = [
        {**{key: part.get(key) for key in (*shown, "round", "moved")}, **became.get(tuple(part["runs"]), {})}
        for part in file.plan.get("assignments", [])
    ]
    return {"plan": {key: file.plan.get(key) for key in keys}, "assignments": parts}


def booking_document(one: Booking, *, shows_request: bool) -> dict[str, Any]:
    """A booking; whose it is only for those who may know of that request."""
    return {
        "bench": one.bench,
        "start": one.start,
        "end": one.end,
        "began_at": one.began_at,
        "ended_at": one.ended_at,
        "state": str(one.state),
        "request_number": one.request_number if shows_request else None,
        "runs": list(one.document.get("runs", ())) if shows_request else [],
    }


def closure_document(one: Closure) -> dict[str, Any]:
    """When a bench is out of service, and why."""
    return {"bench": one.bench, "start": one.start, "end": one.end, "reason": one.reason, "by": one.by}


def bench_document(line: BenchLine, *, shows_request: bool) -> dict[str, Any]:
    """A bench of the board."""
    bench = line.bench
    return {
        "name": bench.name,
        "kind": bench.kind,
        "description": bench.description,
        "levels": list(bench.levels),
        "current_A": bench.current_A,
        "ambient_degC": bench.ambient_degC,
        "state": line.state,
        "liveness": line.liveness,
        "heard_at": line.word.get("heard_at"),
        "free_at": line.free_at,
        "bookings": [booking_document(one, shows_request=shows_request) for one in line.bookings],
        "closures": [closure_document(one) for one in line.closures],
    }
