"""Benches: what each does, when it has room; take one out of service and put it back."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from twinbench.web.api.documents import bench_document, booking_document, closure_document
from twinbench.web.visitor import Desk, Who
from twinbench.web.words import Words
from twinbench.workflow.bench_board import bench_board, bench_line, close_bench, reopen_bench
from twinbench.workflow.bench_file import bench_messages, open_bench

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/benches", tags=["benches"])

Name = Annotated[str, Path(max_length=100)]


class OutOfService(BaseModel):
    """Why a bench is out of service, and until when; without an end until further notice."""

    reason: Words = Field(min_length=1, max_length=500)
    until: datetime | None = None


@router.get("")
def list_benches(desk: Desk, who: Who) -> list[dict[str, Any]]:
    """All benches: now, next, out of service, and when each has room."""
    return [bench_document(line, shows_request=who.works_in_the_lab) for line in bench_board(desk)]


@router.get("/gantt")
def show_gantt(desk: Desk, who: Who) -> dict[str, Any]:
    """The lab's timetable from now on: per bench its bookings and when it is out of service, by start."""
    lanes = [bench_document(line, shows_request=who.works_in_the_lab) for line in bench_board(desk)]
    kept = ("name", "state", "free_at", "bookings", "closures")
    return {"now": desk.lab.now(), "lanes": [{key: lane[key] for key in kept} for lane in lanes]}


@router.get("/{name}")
def show_bench(desk: Desk, who: Who, name: Name) -> dict[str, Any]:
    """One bench."""
    return bench_document(bench_line(desk, name), shows_request=who.works_in_the_lab)


@router.get("/{name}/history")
def show_history(desk: Desk, who: Who, name: Name) -> dict[str, list[dict[str, Any]]]:
    """What a bench did and when it was out of service, the newest first."""
    file = open_bench(desk, name)
    return {
        "bookings": [booking_document(one, shows_request=who.works_in_the_lab) for one in file.past],
        "closures": [closure_document(one) for one in file.closures],
    }


@router.get("/{name}/messages")
def show_messages(desk: Desk, who: Who, name: Name) -> list[dict[str, Any]]:
    """The last message of each kind that a bench has sent, in short; for those who work in the lab."""
    return bench_messages(desk, who, name)


@router.post("/{name}/closure")
def take_out_of_service(desk: Desk, who: Who, name: Name, why: OutOfService) -> dict[str, Any]:
    """Take a bench out of service from now on; the lab is planned again around it."""
    return close_bench(desk, who, name, reason=why.reason, until=why.until)


@router.delete("/{name}/closure")
def put_back_into_service(desk: Desk, who: Who, name: Name) -> list[dict[str, Any]]:
    """Put a bench back into service; returns what ended."""
    return [closure_document(one) for one in reopen_bench(desk, who, name)]
