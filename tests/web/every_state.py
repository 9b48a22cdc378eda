"""A lab with a request in every state that people look at; it takes seconds to make, so tests only look at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.fake_desk import ADA, carry_out, make_desk
from tests.fakes import NOON, request_document
from twinbench.core.booking import BookingState
from twinbench.core.request import RequestState
from twinbench.workflow.requesting import cancel, submit

STATES = ("submitted", "planned", "running", "completed", "failed", "cancelled")
ERROR = "FMU_Battery_Model.fmu is no zip file: upload it again."
READINGS = [
    {"time_s": float(second), "voltage_V": 3.6 + second / 100, "current_A": -1.0, "temperature_degC": 25.0}
    for second in range(20)
]


@dataclass
class EveryState:
    """The desk, what is behind it, and the request of each state: its number and UUID."""

    desk: Any
    fake: Any
    numbers: dict[str, str] = field(default_factory=dict)
    uuids: dict[str, str] = field(default_factory=dict)


def make_every_state(folder):
    """One request per state, all by Ada."""
    desk, fake = make_desk(folder)
    made = EveryState(desk, fake)
    for state in STATES:
        submission = submit(desk, ADA, request_document(runs=2))
        made.numbers[state], made.uuids[state] = submission.number, submission.uuid
    for state in ("planned", "running", "failed"):
        carry_out(desk, fake, made.uuids[state], until=RequestState.PLANNED)
    carry_out(desk, fake, made.uuids["completed"])
    _run(made)
    _fail(made)
    cancel(desk, ADA, made.numbers["cancelled"], reason="the cell is gone")
    return made


def _run(made):
    uuid = made.uuids["running"]
    made.desk.register.set_status(uuid, "running", at=NOON)
    made.fake.requests.set_progress(uuid, 50)
    made.fake.bookings.set_state(uuid, 1, None, BookingState.RUNNING, at=NOON)
    made.desk.live.rows[uuid] = {1: READINGS}


def _fail(made):
    uuid = made.uuids["failed"]
    finding = {
        "code": "BUNDLE-NO-ZIP",
        "severity": "error",
        "where": "FMU_Battery_Model.fmu",
        "message": "is no zip file",
        "hint": "upload it again",
    }
    document = {"stage": "stage_bundle", "error": ERROR, "findings": [finding], "when": NOON.isoformat()}
    made.fake.lab.area(uuid).write_json("diagnosis.json", document)
    made.desk.register.set_status(uuid, "failed", at=NOON, reason=ERROR)
