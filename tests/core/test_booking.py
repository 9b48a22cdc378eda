"""Intervals are half-open and know their zone, states only go on, and what is in a plan's way is told in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from twinbench.core.booking import Booking, BookingState, Closure, check_movable, in_utc, states_before, told_taken
from twinbench.core.errors import BenchTakenError

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ONE, TWO, THREE = (NOON + timedelta(hours=number) for number in (1, 2, 3))
BOOKING = Booking(7, "a", ONE, TWO, "a-uuid", "TR-000001", 1, BookingState.PROMISED, {"runs": [1]})
CLOSURE = Closure(1, "a", ONE, None, "broken", "Ada")


def test_each_state_follows_from_those_before_and_what_is_over_from_all_that_hold():
    assert states_before(BookingState.PLANNED) == ()
    assert states_before(BookingState.RUNNING) == (BookingState.PLANNED, BookingState.PROMISED)
    holding = tuple(state for state in BookingState if state.holds)
    assert states_before(BookingState.DONE) == states_before(BookingState.RELEASED) == holding
    assert [state for state in holding if not state.begun] == [BookingState.PLANNED, BookingState.PROMISED]


def test_what_touches_does_not_overlap():
    assert not BOOKING.overlaps(NOON, ONE)
    assert not BOOKING.overlaps(TWO, None)
    assert BOOKING.overlaps(NOON, None)
    assert BOOKING.overlaps(ONE, TWO)
    assert not CLOSURE.overlaps(NOON, ONE)
    assert CLOSURE.overlaps(TWO, THREE)
    assert not replace(CLOSURE, end=TWO).overlaps(TWO, THREE)


def test_a_moment_is_the_same_in_utc():
    west = timezone(timedelta(hours=-8))

    assert in_utc(NOON.astimezone(west)) == NOON
    assert in_utc(NOON.astimezone(west)).tzinfo is UTC


@pytest.mark.parametrize("changes", [{"end": ONE}, {"end": NOON}, {"start": ONE.replace(tzinfo=None)}])
def test_a_booking_holds_its_bench_for_some_time_of_a_known_zone(changes):
    with pytest.raises(ValueError, match=r"Nothing lies between|no time zone"):
        replace(BOOKING, **changes)


def test_what_is_in_the_way_is_told_with_bench_time_and_holder():
    assert told_taken([BOOKING, CLOSURE], shown=2) == (
        "Bench a is taken from 2026-11-20 13:00 to 2026-11-20 14:00 UTC by TR-000001 (round 1, promised); "
        "bench a is out of service from 2026-11-20 13:00 until it is reopened (broken; said Ada): plan again around it."
    )
    assert told_taken([CLOSURE] * 5).endswith("; and 2 more: plan again around it.")


def test_what_runs_is_named_among_the_movable_and_keeps_its_place():
    running = replace(BOOKING, id=8, state=BookingState.RUNNING)
    longer = (8, "a", ONE, THREE, {})

    assert check_movable([BOOKING, running], [(7, "b", TWO, THREE, {}), longer]) == {8}
    with pytest.raises(BenchTakenError, match=r"of a by TR-000001 \(round 1\) cannot be moved, it is running"):
        check_movable([running], [(8, "b", ONE, THREE, {})])
