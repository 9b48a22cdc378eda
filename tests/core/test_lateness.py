"""Late is what has not come so far when its time is over; what is over is not late."""

import json
from datetime import timedelta

import pytest

from tests.fakes import INCLUDE, NOON
from twinbench.core.booking import Booking, BookingState
from twinbench.core.errors import ConfigurationError
from twinbench.core.lateness import Patience

DOCUMENT = json.loads((INCLUDE / "catalogue" / "lateness.json").read_text())


@pytest.fixture
def patience():
    return Patience.from_document(DOCUMENT)


def booking(state):
    return Booking(1, "cycler-1", NOON, NOON + timedelta(hours=1), "u", "TR-000001", 1, state, {"runs": [1]})


@pytest.mark.parametrize(
    ("state", "late"),
    [("submitted", True), ("forwarded", True), ("models-received", False), ("running", False), ("completed", False)],
)
def test_a_stage_is_late_until_the_request_has_come_to_it(patience, state, late):
    assert patience.stages["models-received"].is_late(state) is late


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_what_is_over_is_not_late(patience, state):
    assert not patience.stages["planned"].is_late(state)


def test_a_test_is_late_that_has_not_begun_or_goes_on(patience):
    grace = patience.bench_grace
    promised, running = booking(BookingState.PROMISED), booking(BookingState.RUNNING)

    assert patience.on_bench(promised, NOON + grace) == patience.on_bench(running, running.end + grace) == ""
    assert "has not begun on cycler-1" in patience.on_bench(promised, NOON + grace + timedelta(seconds=1))
    assert "takes longer than planned" in patience.on_bench(running, running.end + grace + timedelta(seconds=1))


@pytest.mark.parametrize(
    "document",
    [{"stages": []}, {**DOCUMENT, "stages": [{"state": "begun", "within_min": 1, "what": "?"}]}],
    ids=["no grace", "no such state"],
)
def test_a_file_that_cannot_be_used_says_what_it_needs(document):
    with pytest.raises(ConfigurationError, match=r"lateness\.json cannot be used .* states are submitted"):
        Patience.from_document(document)
