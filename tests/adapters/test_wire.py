"""The LIMS on a real broker: the twin answers, metrics arrive though the broker is killed, benches are heard."""

import threading

import pytest

from tests.broker import BENCH, eventually
from twinbench.adapters.mqtt import LabWire, connect
from twinbench.adapters.outbox import SqliteOutbox
from twinbench.core import topics
from twinbench.core.errors import UnreachableError
from twinbench.core.telemetry import SequenceTracker

REQUEST = "7d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a11"
RUN = "0f7a1c9e-58a5-5d3e-9c0a-4b5f1d0f7d11"


@pytest.fixture
def outbox(tmp_path):
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    yield outbox
    outbox.close()


@pytest.fixture
def wire(broker, outbox):
    return LabWire(broker.url("lims"), ca=None, metrics_topic=topics.METRICS, outbox=outbox)


@pytest.fixture
def twin(broker):
    with connect(broker.url("twin"), ca=None, client_id="scripted-twin") as client:
        yield client


@pytest.fixture
def agent(broker):
    with connect(broker.url(f"bench-{BENCH}"), ca=None, client_id="scripted-bench") as client:
        yield client


def test_the_twin_is_asked_and_answers(wire, twin):
    answer = {"uuid": REQUEST, "status": "accepted", "reason": "", "models": []}
    twin.subscribe(topics.request(), lambda message: twin.post(topics.request_ack(REQUEST), answer, qos=1))

    assert wire.ask_twin(REQUEST, {"test_UUID": REQUEST}, timeout_s=10) == answer


def test_a_twin_that_says_nothing_may_be_asked_again(wire):
    with pytest.raises(UnreachableError, match="nobody has answered") as told:
        wire.ask_twin(REQUEST, {"test_UUID": REQUEST}, timeout_s=0.5)

    assert told.value.transient


def collect(twin):
    """Have the twin collect and acknowledge; returns what it has."""
    tracker, have = SequenceTracker(), []

    def take(message):
        seq = message.document()["seq"]
        if tracker.add(seq):
            have.append(seq)
        twin.post(topics.metrics_ack(RUN), {"run_uuid": RUN, "upto": tracker.upto}, qos=1)

    twin.subscribe(topics.METRICS, take)
    return have


def test_every_message_reaches_the_twin_though_the_broker_is_killed(wire, twin, broker):
    have = collect(twin)

    with wire.courier([RUN]) as courier:
        for seq in range(100):
            courier.send(RUN, seq, topics.METRICS, {"seq": seq})
            if seq == 50:
                broker.kill()
                broker.start()
        unacknowledged = courier.flush(60)

    assert unacknowledged == 0
    assert sorted(have) == list(range(100))
    assert wire.waiting([RUN]) == 0


def test_what_was_left_in_the_outbox_is_sent_by_the_next_courier(wire, twin, outbox):
    for seq in range(3):
        outbox.put(RUN, seq, topics.METRICS, {"seq": seq})
    assert wire.waiting([RUN]) == 3
    have = collect(twin)

    with wire.courier([RUN]) as courier:
        assert courier.flush(30) == 0

    assert sorted(have) == [0, 1, 2]


def test_acknowledgements_that_say_nothing_are_ignored_and_the_good_one_is_heard(wire, twin):
    topic = topics.metrics_ack(RUN)

    def take(message):
        for nonsense in ({}, {"run_uuid": RUN}, {"run_uuid": RUN, "upto": "all"}, {"run_uuid": RUN, "upto": None}):
            twin.post(topic, nonsense, qos=1)
        twin.post(topic, {"run_uuid": RUN, "upto": message.document()["seq"]}, qos=1)

    twin.subscribe(topics.METRICS, take)
    with wire.courier([RUN]) as courier:
        courier.send(RUN, 0, topics.METRICS, {"seq": 0})

        assert courier.flush(30) == 0
    assert wire.waiting([RUN]) == 0


def test_what_a_bench_says_is_waited_for_from_the_first_moment_and_what_others_say_is_not(wire, broker):
    heard = []
    with (
        connect(broker.url("anybody"), ca=None, client_id="anybody") as anybody,
        wire.bench(
            BENCH, on_status=heard.append, on_event=heard.append, on_telemetry=heard.append, on_reconnected=print
        ),
    ):
        for bench in ("b2", BENCH):
            anybody.publish(topics.bench_status(bench), {"bench": bench}, qos=1)
        eventually(lambda: heard)

    assert heard == [{"bench": BENCH}]


def test_a_handler_that_fails_does_not_end_the_line(wire, agent):
    heard = []

    def fussy(document):
        heard.append(document["state"])

    with wire.bench(BENCH, on_status=fussy, on_event=print, on_telemetry=print, on_reconnected=print):
        for status in ({}, {"state": "idle"}):
            agent.publish(topics.bench_status(BENCH), status, qos=1)
        eventually(lambda: heard)

    assert heard == ["idle"]


def test_a_broker_that_is_away_may_be_asked_again(wire, broker):
    broker.kill()

    with pytest.raises(UnreachableError, match="does not answer"), wire.courier([RUN]):
        pass
    with pytest.raises(UnreachableError, match="does not answer"):
        wire.ask_twin(REQUEST, {}, timeout_s=1)


def test_a_bench_is_heard_and_what_is_no_json_is_ignored(wire, agent, broker):
    heard = {"status": [], "event": [], "telemetry": []}
    commands = []
    agent.subscribe(topics.bench_commands(BENCH), lambda message: commands.append(message.document()))
    agent.publish(topics.bench_status(BENCH), {"state": "idle"}, qos=1, retain=True)

    with wire.bench(
        BENCH,
        on_status=heard["status"].append,
        on_event=heard["event"].append,
        on_telemetry=heard["telemetry"].append,
        on_reconnected=lambda: None,
    ) as line:
        for payload in (b"\xff no JSON", b"", b'["no", "object"]'):
            agent._paho.publish(topics.bench_events(BENCH), payload, qos=1)
        agent.publish(topics.bench_events(BENCH), {"event": "accepted"}, qos=1)
        agent.publish(topics.bench_telemetry(BENCH), {"seq": 0}, qos=1)
        line.send({"verb": "start"})
        eventually(lambda: commands and all(heard.values()))

    assert heard == {"status": [{"state": "idle"}], "event": [{"event": "accepted"}], "telemetry": [{"seq": 0}]}
    assert commands == [{"verb": "start"}]


def test_whoever_listens_to_a_bench_is_told_when_the_line_is_back(wire, broker):
    back = threading.Event()

    with wire.bench(BENCH, on_status=print, on_event=print, on_telemetry=print, on_reconnected=back.set):
        broker.kill()
        broker.start()

        assert back.wait(30)
