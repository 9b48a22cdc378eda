"""A bench out of service is booked by nobody; closures lie over bookings and one another; the fake's do the same."""

import pytest

from tests.adapters.booking_cases import ADA, BOB, NOON, bookings, go_on, held, hour, on
from twinbench.core.errors import BenchTakenError, RequestError

__all__ = ["bookings"]


def test_a_closure_is_laid_over_bookings_and_told_which(bookings):
    bookings.book(ADA, [on("a", 0, 2), on("a", 5, 6), on("b", 0, 9)], at=NOON)

    assert held(bookings.close("a", hour(1), hour(5), reason="broken", by="Ada", at=NOON)) == [("a", 0, 2, "planned")]
    (closure,) = bookings.closures(after=hour(4))
    assert (closure.bench, closure.start, closure.end) == ("a", hour(1), hour(5))
    assert (closure.reason, closure.by) == ("broken", "Ada")
    assert bookings.closures(after=hour(5)) == []
    assert held(bookings.active(after=NOON)) == [("a", 0, 2, "planned"), ("b", 0, 9, "planned"), ("a", 5, 6, "planned")]


def test_nobody_books_a_bench_while_it_is_out_of_service(bookings):
    bookings.book(ADA, [on("b", 0, 1), on("a", -2, 1)], at=NOON)
    bookings.close("a", hour(2), None, reason="calibration", by="Ada", at=NOON)
    go_on(bookings, "running", bench="a")
    running, booked = bookings.active(after=NOON)

    told = r"Bench a is out of service from .* 14:00 until it is reopened \(calibration; said Ada\): plan again"
    with pytest.raises(BenchTakenError, match=told):
        bookings.book(BOB, [on("a", 1, 3)], at=NOON)
    with pytest.raises(BenchTakenError, match=told):
        bookings.move([(booked.id, "a", hour(9), hour(10), {})], at=NOON)
    bookings.book(BOB, [on("a", 1, 2)], at=NOON)
    bookings.release(BOB, at=NOON)
    bookings.move([(running.id, "a", running.start, hour(3), {})], at=NOON)


def test_closures_may_overlap_and_reopening_ends_those_of_the_moment(bookings):
    bookings.close("a", hour(0), None, reason="broken", by="Ada", at=NOON)
    bookings.close("a", hour(1), hour(8), reason="calibration", by="Bob", at=NOON)
    bookings.close("a", hour(6), hour(9), reason="stocktaking", by="Bob", at=NOON)
    bookings.close("b", hour(0), None, reason="broken", by="Ada", at=NOON)

    assert [each.reason for each in bookings.reopen("a", at=hour(2))] == ["broken", "calibration"]
    assert bookings.reopen("a", at=hour(2)) == []
    assert [(each.bench, each.reason) for each in bookings.closures(after=hour(2))] == [
        ("b", "broken"),
        ("a", "stocktaking"),
    ]
    assert [each.end for each in bookings.closures(after=hour(1)) if each.bench == "a"] == [hour(2), hour(2), hour(9)]
    bookings.book(ADA, [on("a", 2, 6)], at=NOON)


def test_a_closure_to_come_is_called_off_by_its_number(bookings):
    bookings.close("a", hour(6), hour(9), reason="stocktaking", by="Bob", at=NOON)
    (closure,) = bookings.closures(after=NOON)

    assert bookings.reopen("b", at=NOON, only=closure.id) == []
    assert bookings.reopen("a", at=NOON, only=closure.id) == [closure]
    assert bookings.reopen("a", at=NOON, only=closure.id) == bookings.closures(after=NOON) == []
    bookings.book(ADA, [on("a", 6, 9)], at=NOON)
    bookings.close("a", hour(6), hour(9), reason="stocktaking", by="Bob", at=NOON)
    assert len(bookings.closures(after=NOON)) == 1


def test_a_closure_said_twice_is_there_once_and_one_without_reason_is_refused(bookings):
    for _ in range(2):
        bookings.close("a", hour(0), hour(1), reason="broken", by="Ada", at=NOON)
    with pytest.raises(RequestError, match="say one"):
        bookings.close("a", hour(0), None, reason=" ", by="Ada", at=NOON)

    assert len(bookings.closures(after=NOON)) == 1
