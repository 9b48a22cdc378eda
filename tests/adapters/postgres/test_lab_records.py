"""What the lab remembers of benches and digital twins is told right, and to each only what that one may know."""

from datetime import datetime, timedelta

import pytest

from tests.fake_bookings import FakeBookings
from tests.fake_records import FakeBenchPast, FakeTwinBooks
from tests.fakes import NOON, request_document
from twinbench.adapters.postgres import BenchPast, Bookings, PostgresOutbox, TwinBooks
from twinbench.core.access import RequestScope

ADA = "5b1c5a52-5c0e-4f3e-9d0a-2f6a0c7a1e11"
BOB = "0f3d0c56-9a8e-4d3a-9d8e-5b6a7c8d9e0f"
EVERYTHING, OWN, TWINS = RequestScope(True), RequestScope(person="ada"), RequestScope(twins=("other",))


def hour(number):
    return NOON + timedelta(hours=number)


@pytest.fixture
def requests(register):
    """One request of Ada for the twin `fastest`, one of Bob for the twin `other`."""
    for uuid, who, twin in ((ADA, "ada", "fastest"), (BOB, "bob", "other")):
        document = request_document()
        register.save(uuid, document, folder=who, status="submitted", at=NOON, submitted_by=who, twin=twin)
    return register


@pytest.fixture
def bookings(database, requests):
    return Bookings(database) if database else FakeBookings(requests.rows)


@pytest.fixture
def past(database, bookings):
    return BenchPast(database) if database else FakeBenchPast(bookings)


@pytest.fixture
def books(database, requests):
    return TwinBooks(database) if database else FakeTwinBooks(requests)


@pytest.fixture
def send(database, books):
    """Has messages of a request wait, or be acknowledged up to one."""

    def wait(request_uuid, messages, *, acknowledged=0):
        if not database:
            at = {"since": NOON, "newest": NOON, "messages": messages - acknowledged}
            books.queued.update({request_uuid: at} if messages > acknowledged else {})
            done = {"messages": acknowledged, "stored_at": NOON, "acknowledged_at": NOON}
            books.delivered.update({request_uuid: done} if acknowledged else {})
            return
        outbox, stream = PostgresOutbox(database), f"run of {request_uuid}"
        for seq in range(messages):
            outbox.put(stream, seq, "metrics", {"test_UUID": request_uuid, "seq": seq})
        for seq in range(acknowledged):  # one by one: they add up
            outbox.acknowledge(stream, seq)

    return wait


def numbers(found):
    return [one["request_number"] for one in found]


class TestBenchPast:
    """Of a bench."""

    def test_what_is_over_and_was_begun_is_told_the_newest_first(self, bookings, past):
        ends = [(0, 1), (1, 2), (2, 3), (3, 4)]
        wanted = [
            {"bench": "a", "start": hour(a), "end": hour(b), "round": n, "document": {}}
            for n, (a, b) in enumerate(ends, 1)
        ]
        bookings.book(ADA, wanted, at=NOON)
        for number in (1, 2):
            bookings.set_state(ADA, number, "a", "running", at=hour(number))
            bookings.set_state(ADA, number, "a", "done", at=hour(number + 0.5))
        bookings.set_state(ADA, 3, "a", "running", at=hour(3))
        bookings.release(ADA, at=hour(3.25))  # the third was cut short, the fourth never begun

        found = past.bookings("a")
        assert [(one.round, str(one.state), one.ended_at) for one in found] == [
            (3, "released", hour(3.25)),
            (2, "done", hour(2.5)),
            (1, "done", hour(1.5)),
        ]
        assert past.bookings("a", limit=1) == found[:1]
        assert past.bookings("b") == []

    def test_downtimes_are_told_with_the_end_that_they_really_had(self, bookings, past):
        bookings.close("a", hour(0), hour(9), reason="calibration", by="otto", at=NOON)
        bookings.reopen("a", at=hour(2))
        bookings.close("a", hour(5), None, reason="broken", by="marie", at=hour(5))
        bookings.close("b", hour(5), None, reason="elsewhere", by="marie", at=hour(5))

        assert [(one.reason, one.start, one.end) for one in past.closures("a")] == [
            ("broken", hour(5), None),
            ("calibration", hour(0), hour(2)),
        ]
        assert [one.reason for one in past.closures("a", limit=1)] == ["broken"]


class TestTwinBooks:
    """Of digital twins."""

    def test_requests_that_a_twin_took_on_are_told_the_newest_first_each_once(self, requests, books):
        requests.set_status(ADA, "forwarded", at=hour(1))
        requests.set_status(ADA, "models-received", at=hour(2))
        requests.set_status(BOB, "forwarded", at=hour(3))
        requests.set_status(ADA, "forwarded", at=hour(4))

        found = books.bundles(EVERYTHING)
        assert [(one["uuid"], one["twin"], one["forwarded_at"]) for one in found] == [
            (ADA, "fastest", hour(4)),
            (BOB, "other", hour(3)),
        ]
        assert (found[0]["fmu_ready_at"], found[0]["simulation_folder"], found[0]["status"]) == (
            hour(2),
            "ada",
            "forwarded",
        )
        assert books.bundles(EVERYTHING, limit=1) == found[:1]

    def test_the_last_bundle_of_each_twin(self, requests, books):
        assert books.last_bundles(EVERYTHING) == []
        requests.set_status(ADA, "models-received", at=hour(2))

        (one,) = books.last_bundles(EVERYTHING)
        assert (one["twin"], one["fmu_ready_at"]) == ("fastest", hour(2))

    def test_what_waits_and_what_was_acknowledged(self, books, send):
        send(ADA, 5, acknowledged=3)
        send(BOB, 2)

        assert [(one["uuid"], one["messages"]) for one in books.waiting(EVERYTHING)] == [(ADA, 2), (BOB, 2)]
        (done,) = books.deliveries(EVERYTHING)
        assert (done["twin"], done["messages"]) == ("fastest", 3)
        assert isinstance(done["acknowledged_at"], datetime)
        assert all(one["since"] <= one["newest"] for one in books.waiting(EVERYTHING))

    @pytest.mark.parametrize(("scope", "seen"), [(OWN, [ADA]), (TWINS, [BOB]), (RequestScope(), [])])
    def test_each_is_told_of_what_that_one_may_see(self, requests, books, send, scope, seen):
        for uuid in (ADA, BOB):
            for state in ("forwarded", "models-received"):
                requests.set_status(uuid, state, at=hour(1))
            send(uuid, 2, acknowledged=1)

        assert [one["uuid"] for one in books.bundles(scope)] == seen
        assert [one["uuid"] for one in books.waiting(scope)] == seen
        assert len(books.deliveries(scope)) == len(books.last_bundles(scope)) == len(seen)
