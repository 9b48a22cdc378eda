"""Whoever plans at the same time, a bench is held once: by the table's own constraint, whatever a program does."""

import threading
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from alembic import command
from alembic.config import Config

from tests.adapters.booking_cases import ADA, BOB, NOON, held, hour, on
from tests.fakes import request_document
from twinbench.adapters import postgres as adapter
from twinbench.adapters.postgres import Bookings, Database, Requests, migrate
from twinbench.core.errors import BenchTakenError
from twinbench.stack import database

INSERT = """INSERT INTO bench_bookings (bench, during, request_uuid, state, document, booked_at, updated_at)
            VALUES (%s, tstzrange(%s, %s, %s), %s, %s, '{}', now(), now())"""


@pytest.fixture
def stores(lims_url):
    """Bookings over two connections of their own, as two planning tasks have them."""
    databases = [Database(lims_url), Database(lims_url)]
    for uuid in (ADA, BOB):
        Requests(databases[0]).save(uuid, request_document(), folder="a folder", status="designed", at=NOON)
    yield [Bookings(each) for each in databases]
    for each in databases:
        each.close()


def at_once(*actions):
    """What the actions returned or raised, begun at the same moment on threads of their own."""
    barrier, results = threading.Barrier(len(actions)), [None] * len(actions)

    def act(number):
        barrier.wait(30)
        try:
            results[number] = actions[number]()
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=act, args=(number,)) for number in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def insert(lims_url, bench, first, past, *, bounds="[)", state="planned", uuid=ADA):
    with closing(psycopg2.connect(lims_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(INSERT, (bench, first, past, bounds, uuid, state))


def test_of_two_that_book_a_bench_at_once_one_gets_it_and_the_other_is_told_who(stores):
    for turn in range(60):
        # In opposite orders, so that without care each would wait for the other's second bench.
        benches = (["a", "b", "c"], ["c", "b", "a"])
        wanted = [[on(bench, 0, 2 + turn % 3) for bench in order] for order in benches]

        results = at_once(
            lambda wanted=wanted: stores[0].book(ADA, wanted[0], at=NOON),
            lambda wanted=wanted: stores[1].book(BOB, wanted[1], at=NOON),
        )

        won, lost = sorted((0, 1), key=lambda number: results[number] is not None)
        winner, loser = (ADA, BOB)[won], (ADA, BOB)[lost]
        holding = stores[0].active(after=NOON)
        assert results[won] is None
        assert isinstance(results[lost], BenchTakenError), results[lost]
        assert f"Bench a is taken from 2026-11-20 12:00 to 2026-11-20 {14 + turn % 3}:00 UTC by " in str(results[lost])
        assert f"by {holding[0].request_number} (round 1, planned)" in str(results[lost])
        assert [(row.bench, row.request_uuid) for row in holding] == [("a", winner), ("b", winner), ("c", winner)]
        assert stores[lost].of_request(loser) == []
        assert stores[won].release(winner, at=NOON) == 3
        with stores[0]._database.transaction() as cursor:
            cursor.execute("DELETE FROM bench_bookings")


def test_bookings_on_other_benches_and_times_do_not_hinder_each_other(stores):
    for turn in range(20):
        results = at_once(
            lambda turn=turn: stores[0].book(ADA, [on("a", 2 * turn, 2 * turn + 1, round=turn + 1)], at=NOON),
            lambda turn=turn: stores[1].book(BOB, [on("a", 2 * turn + 1, 2 * turn + 2, round=turn + 1)], at=NOON),
        )
        assert results == [None, None]

    assert [row.start for row in stores[0].active(after=NOON)] == [hour(number) for number in range(40)]


def test_a_bench_is_closed_before_a_booking_or_after_it_and_somebody_knows(stores):
    for turn in range(20):
        wanted = [on("a", turn, turn + 1, round=turn + 1)]
        booked, overlaid = at_once(
            lambda wanted=wanted: stores[0].book(ADA, wanted, at=NOON),
            lambda turn=turn: stores[1].close("a", hour(turn), hour(turn + 1), reason="broken", by="Bob", at=NOON),
        )

        assert isinstance(booked, BenchTakenError) != (held(overlaid) == [("a", turn, turn + 1, "planned")])


def test_swaps_and_beginnings_that_meet_leave_one_of_two_orders(stores):
    for turn in range(20):
        stores[0].book(ADA, [on("a", 0, 1), on("b", 0, 1)], at=NOON)
        one, two = stores[0].active(after=NOON)
        swap = [(one.id, "b", NOON, hour(1), {}), (two.id, "a", NOON, hour(1), {})]

        moved, begun = at_once(
            lambda swap=swap: stores[0].move(swap, at=NOON),
            lambda: stores[1].set_state(ADA, 1, "a", "running", at=NOON),
        )

        assert begun == 1
        assert moved is None or isinstance(moved, BenchTakenError)
        running = next(row for row in stores[0].active(after=NOON) if row.state == "running")
        assert (running.bench, running.id) == ("a", two.id if moved is None else one.id), turn
        stores[0].release(ADA, at=NOON)


def test_the_table_itself_refuses_what_overlaps(stores, lims_url):
    insert(lims_url, "a", NOON, hour(2))
    insert(lims_url, "a", hour(2), hour(3), uuid=BOB)
    insert(lims_url, "A", NOON, hour(2), uuid=BOB)
    insert(lims_url, "a", NOON, hour(2), state="done")

    for first, past, state in ((-1, 1, "running"), (1, 2, "promised"), (0, 9, "planned")):
        with pytest.raises(psycopg2.errors.ExclusionViolation):
            insert(lims_url, "a", hour(first), hour(past), state=state)


def test_programs_that_do_not_wait_for_each_other_still_do_not_both_get_a_bench(stores, lims_url):
    for turn in range(5):
        results = at_once(*[lambda: insert(lims_url, "a", NOON, hour(2))] * 3)

        assert results.count(None) == 1, results
        lost = (psycopg2.errors.ExclusionViolation, psycopg2.errors.DeadlockDetected)
        assert all(isinstance(result, lost) for result in results if result is not None)
        assert stores[0].release(ADA, at=hour(turn)) == 1


@pytest.mark.parametrize(
    ("first", "past", "bounds", "state"),
    [
        (NOON, None, "[)", "planned"),
        (None, NOON, "[)", "planned"),
        (NOON, NOON, "[)", "planned"),
        (NOON, "infinity", "[)", "planned"),
        (NOON, hour(1), "[]", "planned"),
        (NOON, hour(1), "()", "planned"),
        (NOON, hour(1), "[)", "closed"),
    ],
)
def test_the_table_keeps_half_open_intervals_of_known_states_only(stores, lims_url, first, past, bounds, state):
    with pytest.raises(psycopg2.errors.CheckViolation):
        insert(lims_url, "a", first, past, bounds=bounds, state=state)


def test_the_tables_are_removed_and_made_again(stores, lims_url):
    config = Config()
    config.set_main_option("script_location", str(Path(adapter.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = lims_url.replace("postgresql://", "postgresql+psycopg2://", 1)
    stores[0].book(ADA, [on("a", 0, 1)], at=NOON)

    command.downgrade(config, "0001")
    with pytest.raises(psycopg2.errors.UndefinedTable):
        stores[0].active(after=NOON)
    migrate(lims_url)

    assert stores[0].active(after=NOON) == []
    stores[0].book(ADA, [on("a", 0, 1)], at=NOON)


def test_only_the_lims_has_rights_on_its_bookings(stores, site, lims_url):
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        psycopg2.connect(database.database_url(site, "twin").rpartition("/")[0] + "/lims")
    with closing(psycopg2.connect(lims_url)) as connection, connection, connection.cursor() as cursor:
        for table in ("bench_bookings", "bench_closures"):
            cursor.execute("SELECT tableowner FROM pg_tables WHERE tablename = %s", (table,))
            assert cursor.fetchone() == ("lims",)
            for right in ("SELECT", "INSERT", "UPDATE", "DELETE"):
                cursor.execute("SELECT has_table_privilege('twin', %s, %s)", (table, right))
                assert cursor.fetchone() == (False,)
