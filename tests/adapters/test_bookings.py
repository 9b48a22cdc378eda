"""Bookings never overlap on a bench, change whole or not at all, and keep what was promised; the fake's do the same."""

from datetime import UTC, timedelta, timezone

import pytest

from tests.adapters.booking_cases import ADA, BOB, NOON, bookings, go_on, held, hour, on
from twinbench.core.booking import BookingState
from twinbench.core.errors import BenchTakenError, PlanError, RequestError

__all__ = ["bookings"]


def test_a_booking_says_who_holds_what_for_how_long(bookings):
    bookings.book(ADA, [on("a", 0, 2, runs=[1, 2], kind="physical")], at=NOON)

    (booking,) = bookings.active(after=NOON)
    assert (booking.bench, booking.start, booking.end) == ("a", NOON, hour(2))
    assert booking.start.tzinfo is UTC
    assert (booking.request_uuid, booking.round, booking.state) == (ADA, 1, BookingState.PLANNED)
    assert booking.request_number.startswith("TR-")
    assert booking.document == {"runs": [1, 2], "kind": "physical"}


def test_bookings_that_touch_do_not_overlap(bookings):
    bookings.book(ADA, [on("a", 0, 2), on("a", 4, 5)], at=NOON)
    bookings.book(BOB, [on("a", 2, 4), on("b", 0, 9)], at=NOON)

    assert held(bookings.active(after=NOON)) == [
        ("a", 0, 2, "planned"),
        ("b", 0, 9, "planned"),
        ("a", 2, 4, "planned"),
        ("a", 4, 5, "planned"),
    ]


def test_who_has_the_bench_is_told_and_nothing_is_changed(bookings):
    bookings.book(ADA, [on("a", 0, 2)], at=NOON)
    bookings.book(BOB, [on("b", 0, 2)], at=NOON)
    number = bookings.of_request(ADA)[0].request_number

    taken = f"Bench a is taken from 2026-11-20 12:00 to 2026-11-20 14:00 UTC by {number} .round 1, planned.: plan again"
    with pytest.raises(BenchTakenError, match=taken):
        bookings.book(BOB, [on("b", 5, 6), on("a", 1, 3)], at=NOON)
    assert held(bookings.of_request(BOB)) == [("b", 0, 2, "planned")]


def test_of_many_in_the_way_a_few_are_named(bookings):
    bookings.book(ADA, [on("a", start, start + 1) for start in range(5)], at=NOON)

    with pytest.raises(BenchTakenError, match=r"^Bench a.*12:00 to .*13:00.*14:00.*; and 2 more: plan again"):
        bookings.book(BOB, [on("a", 0, 9)], at=NOON)


def test_a_plan_that_overlaps_itself_is_no_matter_of_planning_again(bookings):
    with pytest.raises(PlanError, match="holds a bench twice") as caught:
        bookings.book(ADA, [on("a", 0, 2), on("a", 1, 3)], at=NOON)

    assert not isinstance(caught.value, BenchTakenError)


def test_planning_again_replaces_what_has_not_begun_of_that_round(bookings):
    bookings.book(ADA, [on("a", 0, 1), on("b", 0, 1), on("c", 0, 1)], at=NOON)
    bookings.book(ADA, [on("a", 5, 6, round=2)], at=NOON)
    go_on(bookings, "promised", bench="b")
    go_on(bookings, "running", bench="c")

    bookings.book(ADA, [on("b", 0, 2), on("a", 1, 2)], at=NOON)

    assert sorted(held(bookings.of_request(ADA))) == [
        ("a", 1, 2, "planned"),
        ("a", 5, 6, "planned"),
        ("b", 0, 1, "released"),
        ("b", 0, 2, "planned"),
        ("c", 0, 1, "running"),
    ]


def test_who_plans_anew_sees_the_others_and_what_it_has_begun_itself(bookings):
    bookings.book(ADA, [on("a", 0, 3), on("b", 0, 3)], at=NOON)
    bookings.book(BOB, [on("c", 0, 1), on("c", 1, 3)], at=NOON)
    go_on(bookings, "running", bench="b")

    assert held(bookings.active(after=hour(1), excluding=ADA)) == [("b", 0, 3, "running"), ("c", 1, 3, "planned")]


def test_a_late_run_holds_its_bench_until_it_is_over(bookings):
    bookings.book(ADA, [on("a", 0, 1)], at=NOON)
    go_on(bookings, "running")

    assert held(bookings.active(after=hour(4))) == [("a", 0, 1, "running")]
    go_on(bookings, "done", at=4)
    assert bookings.active(after=hour(0)) == []


def test_a_booking_goes_on_and_never_back(bookings):
    bookings.book(ADA, [on("a", 0, 2), on("b", 0, 2)], at=NOON)

    assert go_on(bookings, "promised") == 2
    assert go_on(bookings, "running", bench="a") == 1
    assert go_on(bookings, "promised") == 0
    assert go_on(bookings, "done", bench="a", at=1) == 1
    assert go_on(bookings, "running", bench="a") == 0
    assert go_on(bookings, "promised", round=2) == go_on(bookings, "promised", uuid=BOB) == 0
    assert held(bookings.of_request(ADA)) == [("a", 0, 1, "done"), ("b", 0, 2, "promised")]
    with pytest.raises(ValueError, match="lost"):
        go_on(bookings, "lost")


def test_what_a_request_gives_back_is_free_for_others(bookings):
    bookings.book(ADA, [on("a", 0, 4), on("b", 0, 4), on("c", 0, 1), on("d", 5, 6, round=2)], at=NOON)
    go_on(bookings, "running", bench="a")
    go_on(bookings, "promised", bench="b")
    go_on(bookings, "done", bench="c", at=1)

    assert bookings.release(ADA, at=hour(2)) == 3
    assert bookings.release(ADA, at=hour(3)) == 0
    assert held(bookings.of_request(ADA)) == [
        ("a", 0, 2, "released"),
        ("b", 0, 4, "released"),
        ("c", 0, 1, "done"),
        ("d", 5, 6, "released"),
    ]
    bookings.book(BOB, [on("a", 0, 4), on("b", 0, 4), on("c", 0, 4), on("d", 5, 6)], at=hour(2))


def test_what_runs_ahead_of_its_time_keeps_it_when_it_is_given_back(bookings):
    bookings.book(ADA, [on("a", 1, 2)], at=NOON)
    go_on(bookings, "running")

    bookings.release(ADA, at=NOON)

    assert held(bookings.of_request(ADA)) == [("a", 1, 2, "released")]


def test_bookings_swap_their_places(bookings):
    bookings.book(ADA, [on("a", 0, 2, run=1)], at=NOON)
    bookings.book(BOB, [on("b", 1, 3, run=2), on("a", 2, 4, run=3)], at=NOON)
    one, two, three = bookings.active(after=NOON)

    bookings.move(
        [
            (one.id, "b", hour(1), hour(3), {"run": 1}),
            (two.id, "a", hour(2), hour(4), {"run": 2}),
            (three.id, "a", hour(0), hour(2), {"run": "moved"}),
        ],
        at=NOON,
    )

    assert [(row.id, row.bench, row.start, row.document["run"]) for row in bookings.active(after=NOON)] == [
        (three.id, "a", hour(0), "moved"),
        (one.id, "b", hour(1), 1),
        (two.id, "a", hour(2), 2),
    ]


def test_moves_that_meet_others_leave_all_where_it_was(bookings):
    bookings.book(ADA, [on("a", 0, 2), on("c", 0, 2)], at=NOON)
    bookings.book(BOB, [on("b", 0, 2)], at=NOON)
    before = bookings.active(after=NOON)
    one, two, three = before

    with pytest.raises(BenchTakenError, match=rf"^Bench b .* by {two.request_number} "):
        bookings.move(
            [(one.id, "b", hour(1), hour(3), {}), (three.id, "a", hour(0), hour(2), {})],
            at=NOON,
        )
    with pytest.raises(PlanError, match="holds a bench twice"):
        bookings.move([(one.id, "d", NOON, hour(2), {}), (three.id, "d", NOON, hour(2), {})], at=NOON)
    assert bookings.active(after=NOON) == before


def test_a_promise_stays_on_record_when_its_booking_moves(bookings):
    bookings.book(ADA, [on("a", 0, 1), on("b", 0, 1)], at=NOON)
    go_on(bookings, "promised")
    one, two = bookings.active(after=NOON)

    bookings.move([(one.id, "a", hour(4), hour(5), {}), (two.id, "b", hour(0), hour(1), {"note": 1})], at=NOON)

    assert held(bookings.of_request(ADA)) == [
        ("a", 0, 1, "released"),
        ("b", 0, 1, "promised"),
        ("a", 4, 5, "promised"),
    ]
    assert [row.id for row in bookings.active(after=NOON)] == [two.id, one.id]


def test_what_runs_may_take_longer_but_not_begin_elsewhere(bookings):
    bookings.book(ADA, [on("a", 0, 1)], at=NOON)
    go_on(bookings, "running")
    (booking,) = bookings.active(after=NOON)

    bookings.move([(booking.id, "a", NOON, hour(3), {})], at=NOON)
    assert held(bookings.active(after=NOON)) == [("a", 0, 3, "running")]
    for bench, start in (("b", NOON), ("a", hour(1))):
        with pytest.raises(BenchTakenError, match="cannot be moved, it is running"):
            bookings.move([(booking.id, bench, start, hour(3), {})], at=NOON)
    bookings.release(ADA, at=hour(1))
    with pytest.raises(BenchTakenError, match="cannot be moved, it is released"):
        bookings.move([(booking.id, "a", NOON, hour(3), {})], at=NOON)


def test_only_known_bookings_move_and_each_once(bookings):
    bookings.book(ADA, [on("a", 0, 1)], at=NOON)
    (booking,) = bookings.active(after=NOON)
    change = (booking.id, "b", NOON, hour(1), {})

    for changes in ([change, change], [change, (booking.id + 1, *change[1:])]):
        with pytest.raises(ValueError, match="unknown or named twice"):
            bookings.move(changes, at=NOON)


def test_an_unknown_request_books_nothing(bookings):
    with pytest.raises(RequestError, match="is unknown"):
        bookings.book("00000000-0000-4000-8000-000000000000", [on("a", 0, 1)], at=NOON)


def test_times_of_any_zone_are_kept_in_utc_and_those_of_none_refused(bookings):
    east = timezone(timedelta(hours=5, minutes=30))
    bookings.book(ADA, [{**on("a", 0, 1), "start": NOON.astimezone(east)}], at=NOON.astimezone(east))
    bookings.close("a", hour(2).astimezone(east), hour(3).astimezone(east), reason="broken", by="Ada", at=NOON)
    (booking,), (closure,) = bookings.active(after=NOON.astimezone(east)), bookings.closures(after=NOON)
    assert {each.tzinfo for each in (booking.start, booking.end, closure.start, closure.end)} == {UTC}
    assert (booking.start, closure.start) == (NOON, hour(2))

    naive = NOON.replace(tzinfo=None)
    change = (booking.id, "a", NOON, hour(1), {})
    for refused in (
        lambda: bookings.book(ADA, [{**on("a", 0, 1), "start": naive}], at=NOON),
        lambda: bookings.book(ADA, [on("a", 0, 1)], at=naive),
        lambda: bookings.move([(*change[:3], naive, {})], at=NOON),
        lambda: bookings.move([change], at=naive),
        lambda: bookings.set_state(ADA, 1, None, "running", at=naive),
        lambda: bookings.release(ADA, at=naive),
        lambda: bookings.active(after=naive),
        lambda: bookings.close("a", naive, None, reason="broken", by="Ada", at=NOON),
        lambda: bookings.close("a", NOON, None, reason="broken", by="Ada", at=naive),
        lambda: bookings.reopen("a", at=naive),
        lambda: bookings.closures(after=naive),
    ):
        with pytest.raises(ValueError, match="no time zone"):
            refused()


def test_a_bench_is_held_for_some_time(bookings):
    for end in (0, -1):
        with pytest.raises(ValueError, match="Nothing lies between"):
            bookings.book(ADA, [on("a", 0, end)], at=NOON)
        with pytest.raises(ValueError, match="Nothing lies between"):
            bookings.close("a", NOON, hour(end), reason="broken", by="Ada", at=NOON)


def test_when_a_booking_began_and_ended_indeed_is_kept(bookings):
    bookings.book(ADA, [on("a", 0, 2), on("b", 0, 2), on("c", 0, 2)], at=NOON)
    go_on(bookings, "running", bench="a", at=0.5)
    go_on(bookings, "running", bench="b", at=1)
    go_on(bookings, "done", bench="a", at=3)
    bookings.release(ADA, at=hour(1.5))

    told = {one.bench: (one.began_at, one.ended_at) for one in bookings.of_request(ADA)}
    assert told == {"a": (hour(0.5), hour(3)), "b": (hour(1), hour(1.5)), "c": (None, None)}
