"""What a request is called among people: its number and what it is about, in one line."""

from __future__ import annotations

from twinbench.workflow.lab import Lab

__all__ = ["headline"]


def headline(lab: Lab, request_uuid: str) -> str:
    """As in ``TR-000042: Performance - Capacity (IEC62660) on Gen3b - Cell for Ada Lovelace``."""
    number, request = lab.requests.get(request_uuid)["request_number"], lab.request(request_uuid)
    return f"{number}: {request.test_name} ({request.standard}) on {request.uut} for {request.requester_name}"
