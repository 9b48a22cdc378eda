"""The board says what each bench does now and next, and when it has room, from bookings, closures and its own word."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fake_desk import ADA, MARIE, OTTO, TWIN, make_desk
from tests.fakes import INCLUDE, NOON, REQUEST_UUID
from twinbench.core.booking import Booking, BookingState, Closure
from twinbench.core.errors import ForbiddenError, RequestError, UnknownError
from twinbench.orchestration.opening import read_catalogue
from twinbench.workflow.bench_board import BenchLine, bench_board, bench_line, close_bench, reopen_bench

HOUR = timedelta(hours=1)
VIRTUAL, _, CYCLER = read_catalogue(INCLUDE).benches
ONLINE = {"state": "idle", "heard_at": NOON}


@pytest.fixture
def desk(tmp_path):
    return make_desk(tmp_path)[0]


def booking(start, end, state=BookingState.PLANNED):
    return Booking(1, "a", NOON + start * HOUR, NOON + end * HOUR, REQUEST_UUID, "TR-000001", 1, state, {})


def closure(start, end=None):
    return Closure(1, "a", NOON + start * HOUR, None if end is None else NOON + end * HOUR, "calibration", "otto")


def line(*bookings, closures=(), word=ONLINE, bench=CYCLER):
    return BenchLine(bench, bookings, closures, word, NOON)


@pytest.mark.parametrize(
    ("shown", "state"),
    [
        (line(), "free"),
        (line(booking(-1, 1)), "busy"),
        (line(booking(1, 2)), "free"),
        (line(booking(-3, -1, BookingState.RUNNING)), "busy"),
        (line(booking(-1, 1), closures=[closure(-1)]), "closed"),
        (line(closures=[closure(1, 2)]), "free"),
        (line(word={}), "unknown"),
        (line(word={"state": "offline"}), "offline"),
        (line(word={}, bench=VIRTUAL), "free"),
    ],
)
def test_a_bench_is_in_one_state(shown, state):
    assert shown.state == state


def test_what_runs_is_now_even_if_it_is_late():
    shown = line(booking(-1, 1), booking(-3, -1, BookingState.RUNNING))

    assert shown.current.state == "running"
    assert shown.following.state == "planned"


@pytest.mark.parametrize(
    ("shown", "hours"),
    [
        (line(), 0),
        (line(booking(0, 2)), 2),
        (line(booking(1, 2)), 0),
        (line(booking(0, 1), booking(1, 3)), 3),
        (line(booking(0, 1), booking(2, 3)), 1),
        (line(booking(0, 1), closures=[closure(1, 5)]), 5),
    ],
)
def test_a_bench_has_room_when_nothing_holds_it(shown, hours):
    assert shown.free_at == NOON + hours * HOUR


@given(
    st.lists(st.tuples(st.integers(-5, 50), st.integers(1, 9)), max_size=8), st.lists(st.integers(-5, 50), max_size=3)
)
def test_whatever_holds_a_bench_it_is_free_when_it_says(spans, closed):
    bookings = [booking(start, start + length) for start, length in spans]
    closures = [closure(start, start + 2) for start in closed]

    free = line(*bookings, closures=closures).free_at

    assert free >= NOON
    assert not any(one.overlaps(free, free + timedelta(seconds=1)) for one in bookings)
    assert not any(one.start <= free < one.end for one in closures)
    assert free == NOON or free in [one.end for one in (*bookings, *closures)]


def test_the_board_has_all_benches_in_order(desk):
    assert [one.bench.name for one in bench_board(desk)] == ["virtual-1", "virtual-2", "cycler-1"]
    with pytest.raises(UnknownError, match="did you mean 'cycler-1'"):
        bench_line(desk, "cycler")


def test_a_bench_is_closed_once_and_by_name_and_reason(desk):
    told = close_bench(desk, OTTO, "cycler-1", reason="calibration", until=NOON + HOUR)

    assert (told["laid_over"], told["replanning"]) == (0, "")
    shown = bench_line(desk, "cycler-1")
    assert (shown.state, shown.closed.by, shown.free_at) == ("closed", "otto", NOON + HOUR)
    assert desk.audit.lines[-1]["details"] == {"reason": "calibration", "until": (NOON + HOUR).isoformat()}
    assert [one.reason for one in reopen_bench(desk, MARIE, "cycler-1")] == ["calibration"]
    with pytest.raises(RequestError, match="is in service"):
        reopen_bench(desk, OTTO, "cycler-1")


@pytest.mark.parametrize(
    ("reason", "until"),
    [
        (" ", None),
        ("x", NOON),
        ("x", NOON - HOUR),
        ("x", (NOON + HOUR).replace(tzinfo=None)),
        ("x", NOON + 99_999 * HOUR),
    ],
    ids=str,
)
def test_a_closure_has_a_reason_and_an_end_that_can_be(desk, reason, until):
    with pytest.raises(RequestError):
        close_bench(desk, OTTO, "cycler-1", reason=reason, until=until)

    assert desk.lab.bookings.closures(after=NOON) == []


@pytest.mark.parametrize("person", [ADA, TWIN], ids=lambda one: one.id)
def test_only_the_lab_closes_benches(desk, person):
    for act in (
        lambda: close_bench(desk, person, "cycler-1", reason="x"),
        lambda: reopen_bench(desk, person, "cycler-1"),
    ):
        with pytest.raises(ForbiddenError):
            act()
