"""What the tests of bookings share: the real store and the fake one, two requests, and bookings by the hour."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.fake_bookings import FakeBookings
from tests.fake_register import FakeRegister
from tests.fakes import request_document
from twinbench.adapters.postgres import Bookings, Requests

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ADA = "5b1c5a52-5c0e-4f3e-9d0a-2f6a0c7a1e11"
BOB = "0f3d0c56-9a8e-4d3a-9d8e-5b6a7c8d9e0f"


@pytest.fixture(params=[pytest.param("postgres", marks=pytest.mark.stack), "fake"])
def bookings(request):
    """The real bookings and the fake ones, with the requests of ADA and BOB to book for."""
    if request.param == "fake":
        register = FakeRegister()
        store = FakeBookings(register.rows)
    else:
        database = request.getfixturevalue("lims")
        register, store = Requests(database), Bookings(database)
    for uuid in (ADA, BOB):
        register.save(uuid, request_document(), folder="a folder", status="designed", at=NOON)
    return store


def hour(number):
    return NOON + timedelta(hours=number)


def on(bench, start, end, round=1, **document):
    return {"bench": bench, "start": hour(start), "end": hour(end), "round": round, "document": document}


def held(found):
    """What can be compared at a glance: bench, hours and state."""
    hours = [((row.start - NOON) / timedelta(hours=1), (row.end - NOON) / timedelta(hours=1)) for row in found]
    return [(row.bench, *span, str(row.state)) for row, span in zip(found, hours, strict=True)]


def go_on(bookings, state, *, round=1, bench=None, at=0, uuid=ADA):
    return bookings.set_state(uuid, round, bench, state, at=hour(at))
