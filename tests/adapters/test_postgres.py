"""The LIMS database keeps requests, outbox and telemetry, over a connection that survives the server's restarts."""

import signal
import threading
from contextlib import closing
from datetime import UTC, datetime

import psycopg2
import pytest

from tests.fakes import REQUEST_UUID, request_document
from twinbench.adapters.postgres import Database, PostgresOutbox, Requests, Telemetry, migrate
from twinbench.core.errors import RequestError, UnreachableError
from twinbench.stack import database

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RUN = "0f3d0c56-9a8e-4d3a-9d8e-5b6a7c8d9e0f"


def save(requests):
    return requests.save(REQUEST_UUID, request_document(), folder="a folder", status="submitted", at=NOON)


def test_a_request_is_kept_once_with_its_number(lims):
    requests = Requests(lims)

    assert save(requests) == save(requests)
    assert requests.get(REQUEST_UUID)["document"] == request_document()
    assert len(requests.newest(10)) == 1


def test_each_change_of_state_is_kept_with_its_reason(lims):
    requests = Requests(lims)
    save(requests)
    requests.set_status(REQUEST_UUID, "failed", at=NOON, reason="no bench")
    requests.set_status(REQUEST_UUID, "failed", at=NOON, reason="said again")

    assert [(entry["status"], entry["reason"]) for entry in requests.history(REQUEST_UUID)] == [
        ("submitted", ""),
        ("failed", "no bench"),
    ]
    assert requests.get(REQUEST_UUID)["failure"] == "no bench"


def test_an_unknown_request_is_told_as_such(lims):
    with pytest.raises(RequestError, match=f"{REQUEST_UUID} is unknown"):
        Requests(lims).get(REQUEST_UUID)


def test_the_outbox_keeps_what_is_not_acknowledged_in_order(lims):
    outbox = PostgresOutbox(lims)
    for seq in (2, 0, 1, 1):
        outbox.put("a", seq, "topic", {"seq": seq})
    outbox.put("b", 0, "topic", {})
    outbox.acknowledge("a", 0)

    assert outbox.pending("a") == [(1, "topic", {"seq": 1}), (2, "topic", {"seq": 2})]
    assert outbox.pending("a", after=1, limit=1) == [(2, "topic", {"seq": 2})]
    assert (outbox.count("a"), outbox.count("b"), outbox.count("c")) == (2, 1, 0)


def test_telemetry_is_stored_once_and_says_up_to_where_none_is_missing(lims):
    telemetry = Telemetry(lims)

    assert [telemetry.store(RUN, seq, {"seq": seq}) for seq in (1, 0, 3, 3, 2)] == [-1, 1, 1, 1, 3]
    assert telemetry.messages(RUN) == [{"seq": seq} for seq in range(4)]


def test_what_fails_in_a_transaction_leaves_nothing_behind(lims):
    def insert_twice():
        with lims.transaction() as cursor:
            for _ in range(2):
                cursor.execute("INSERT INTO outbox (stream, seq, topic, payload) VALUES ('a', 1, 't', '{}')")

    with pytest.raises(psycopg2.errors.UniqueViolation):
        insert_twice()

    assert PostgresOutbox(lims).count("a") == 0


def test_threads_share_the_connection_and_lose_nothing(lims):
    outbox = PostgresOutbox(lims)
    threads = [
        threading.Thread(target=lambda first=first: [outbox.put("a", first + n, "t", {}) for n in range(50)])
        for first in (0, 50, 100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outbox.count("a") == 150


def test_a_lost_connection_is_opened_again(lims, lims_url):
    outbox = PostgresOutbox(lims)
    outbox.put("a", 0, "t", {})
    with closing(psycopg2.connect(lims_url)) as other, other, other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND usename = current_user"
        )

    assert outbox.count("a") == 1


def test_a_server_that_is_away_is_told_and_used_again_when_it_is_back(lims, postgres):
    outbox = PostgresOutbox(lims)
    postgres.end(signal.SIGINT)
    try:
        with pytest.raises(UnreachableError, match="twinbench status"):
            outbox.count("a")
    finally:
        postgres.start()

    assert outbox.count("a") == 0


def test_migrating_twice_changes_nothing(lims_url):
    migrate(lims_url)

    assert Database(lims_url)


def test_parties_have_no_rights_in_each_others_databases(site, postgres):
    for party, foreign in (("lims", "airflow"), ("twin", "lims"), ("lims", "twin")):
        own = database.database_url(site, party)
        with pytest.raises(psycopg2.OperationalError, match="permission denied"):
            psycopg2.connect(own.rpartition("/")[0] + f"/{foreign}")
