"""The twin's store keeps each message once, knows how far each run is, and loses nothing it has confirmed."""

import random
import signal
from contextlib import closing

import numpy as np
import psycopg2
import pytest

from twinbench.core.errors import UnreachableError
from twinbench.core.telemetry import RunLabel, metrics_message, parse_metrics
from twinbench.twin.store import Progress, Rejected, TwinStore, migrate

pytestmark = pytest.mark.stack

REQUEST = "7d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a11"
RUN = "0f7a1c9e-58a5-5d3e-9c0a-4b5f1d0f7d11"
OTHER = "1f7a1c9e-58a5-5d3e-9c0a-4b5f1d0f7d22"


def label(run_uuid=RUN):
    return RunLabel(REQUEST, run_uuid, 1, "virtual-1", "Performance - Capacity", "Gen3b - Cell", "Automotive")


def metrics(seq, run_uuid=RUN, *, final=False):
    signals = {"Cell_Voltage_01": [3.7, 3.6 + seq], "SoC": [50.0, -1e9]}
    return parse_metrics(metrics_message(label(run_uuid), seq, [2.0 * seq, 2.0 * seq + 1], signals, final=final))


def rows(database_url, statement):
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_messages_are_kept_and_counted(store):
    progress = store.keep([metrics(0), metrics(1, final=True), metrics(0, OTHER)])

    assert progress == [Progress(RUN, 1, 2, 0), Progress(OTHER, 0, 1, 0)]
    assert store.counts(REQUEST) == {"messages": 3, "samples": 9, "runs": 2, "finished": 1}
    assert store.counts(OTHER) == {"messages": 0, "samples": 0, "runs": 0, "finished": 0}


def test_whatever_comes_twice_and_in_whatever_order_is_kept_once(store):
    messages = [metrics(seq) for seq in range(60)] * 3
    random.Random(2).shuffle(messages)

    for begin in range(0, len(messages), 7):
        (progress,) = store.keep(messages[begin : begin + 7])
        arrived = {message.seq for message in messages[: begin + 7]}
        expected = next(seq for seq in range(-1, 61) if seq + 1 not in arrived)
        assert (progress.upto, progress.stored) == (expected, len(arrived))

    assert store.counts(REQUEST) == {"messages": 60, "samples": 180, "runs": 1, "finished": 0}


def test_samples_are_read_back_exactly_with_their_range(store, database_url):
    store.keep([metrics(4)])

    columns = "variable, unit, type, samples, time_min_s, time_max_s, value_min, value_max, time_s, value"
    voltage, soc = rows(database_url, f"SELECT {columns} FROM twin_chunk ORDER BY variable")

    assert voltage[:8] == ("Cell_Voltage_01", "V", "Output", 2, 8.0, 9.0, 3.7, 7.6)
    assert np.frombuffer(voltage[8], "<f8").tolist() == [8.0, 9.0]
    assert np.frombuffer(voltage[9], "<f8").tolist() == [3.7, 7.6]
    assert (soc[0], soc[3]) == ("SoC", 1)


def test_a_message_put_aside_is_kept_with_its_reason_and_counts_as_arrived(store, database_url):
    progress = store.keep(
        [metrics(0), metrics(2)], [Rejected("t", b"\x00nonsense", "no\x00 good", (RUN, 1)), Rejected("t", b"", "empty")]
    )
    again = store.keep([], [Rejected("t", b"\x00nonsense", "no good", (RUN, 1))])

    assert progress == again == [Progress(RUN, 2, 3, 1)]
    assert store.counts(REQUEST)["messages"] == 2
    kept = rows(database_url, "SELECT topic, payload, reason FROM twin_rejected ORDER BY id")
    assert [(topic, bytes(payload), reason) for topic, payload, reason in kept[:2]] == [
        ("t", b"\x00nonsense", "no good"),
        ("t", b"", "empty"),
    ]


def test_a_run_first_seen_by_a_rejected_message_gets_its_label_later(store, database_url):
    store.keep([], [Rejected("t", b"?", "no good", (RUN, 0))])
    store.keep([metrics(1)])

    assert rows(database_url, "SELECT request_uuid::text, run FROM twin_run") == [(REQUEST, 1)]


def test_requests_are_to_be_delivered_until_they_are_and_again_when_asked_again(store, request_message):
    accepted = {"uuid": REQUEST, "status": "accepted", "reason": "", "models": []}
    store.note_request(REQUEST, request_message, accepted)
    assert store.undelivered() == [(REQUEST, request_message)]

    store.note_delivery(REQUEST)
    assert store.undelivered() == []

    store.note_request(REQUEST, request_message, accepted)
    assert store.undelivered() == [(REQUEST, request_message)]


def test_the_databases_end_is_an_error_that_may_be_waited_for_and_costs_nothing(store, postgres):
    store.keep([metrics(0)])

    postgres.end(signal.SIGKILL)
    try:
        for _ in range(2):
            with pytest.raises(UnreachableError, match="The twin's database does not answer"):
                store.keep([metrics(1)])
    finally:
        postgres.start()

    assert store.keep([metrics(1)]) == [Progress(RUN, 1, 2, 0)]


def test_migrating_again_changes_nothing(database_url, store):
    store.keep([metrics(0)])

    migrate(database_url)

    assert store.counts(REQUEST)["messages"] == 1


def test_a_database_that_is_not_there_is_an_error_that_may_be_waited_for():
    with pytest.raises(UnreachableError, match="does not answer"):
        migrate("postgresql://twin:x@127.0.0.1:9/twin")
    with pytest.raises(UnreachableError, match="does not answer"):
        TwinStore("postgresql://twin:x@127.0.0.1:9/twin").counts(REQUEST)
