"""What a courier is given arrives, whatever dies on the way; and it leaves the outbox only when its receiver has it."""

import random
import subprocess
import sys
import textwrap
import threading

import pytest

from tests.broker import eventually
from twinbench.adapters.mqtt import Courier, MqttClient, connect
from twinbench.adapters.mqtt.courier import AHEAD
from twinbench.adapters.outbox import SqliteOutbox
from twinbench.core import topics
from twinbench.core.errors import ConfigurationError, ResultError, UnreachableError
from twinbench.core.telemetry import SequenceTracker

pytestmark = pytest.mark.thorough

RUN = "0f7a1c9e-58a5-4d3e-9c0a-4b5f1d0f7d11"
OTHER = "1f7a1c9e-58a5-4d3e-9c0a-4b5f1d0f7d22"


@pytest.fixture
def outbox(tmp_path):
    outbox = SqliteOutbox(tmp_path / "outbox.db")
    yield outbox
    outbox.close()


class Line:
    """A sender in memory: notes what is posted; may lose messages or be down."""

    def __init__(self):
        self.posted = []
        self.loses = lambda seq: False
        self.is_down = False
        self.receive = lambda seq: None

    def post(self, topic, payload, *, qos, timeout_s):
        if self.is_down:
            raise UnreachableError("down")
        self.posted.append(payload["seq"])
        if not self.loses(payload["seq"]):
            self.receive(payload["seq"])


class Receiver:
    """Acknowledges cumulatively what a line brings, from a thread of its own making: the courier's."""

    def __init__(self, courier):
        self.arrivals, self.tracker, self.courier = [], SequenceTracker(), courier

    def take(self, seq):
        self.arrivals.append(seq)
        self.tracker.add(seq)
        self.courier.acknowledge(RUN, self.tracker.upto)


@pytest.fixture
def line():
    return Line()


@pytest.fixture
def courier(line, outbox):
    with Courier(line, outbox, resend_after_s=0.1) as courier:
        yield courier


def test_messages_are_sent_in_order_and_forgotten_when_acknowledged(line, courier, outbox):
    line.receive = Receiver(courier).take
    for seq in range(200):
        courier.send(RUN, seq, "topic", {"seq": seq})

    assert courier.flush(20) == 0
    assert line.posted == list(range(200))
    assert outbox.count(RUN) == 0


def test_without_a_receiver_the_messages_wait_in_the_outbox_and_not_in_the_broker(line, courier, outbox):
    for seq in range(AHEAD + 50):
        courier.send(RUN, seq, "topic", {"seq": seq})

    eventually(lambda: len(line.posted) >= AHEAD)
    assert courier.flush(0.3) == outbox.count(RUN) == AHEAD + 50
    assert max(line.posted) == AHEAD - 1


def test_lost_messages_are_sent_again(line, courier):
    dice, receiver = random.Random(1), Receiver(courier)
    line.receive, line.loses = receiver.take, lambda seq: dice.random() < 0.2
    for seq in range(300):
        courier.send(RUN, seq, "topic", {"seq": seq})

    assert courier.flush(60) == 0
    assert set(receiver.arrivals) == set(range(300))
    assert len(line.posted) > 300


def test_a_line_that_is_down_is_waited_for(line, courier):
    receiver = Receiver(courier)
    line.receive, line.is_down = receiver.take, True
    courier.send(RUN, 0, "topic", {"seq": 0})
    assert courier.flush(0.2) == 1

    line.is_down = False

    assert courier.flush(20) == 0
    assert receiver.arrivals[0] == 0


def test_an_outbox_that_is_down_is_waited_for(line, tmp_path):
    class Fickle(SqliteOutbox):
        fails = 2

        def pending(self, stream, after=-1, limit=100):
            self.fails -= 1
            if self.fails >= 0:
                raise (UnreachableError("down") if self.fails else OSError("disk"))
            return super().pending(stream, after, limit)

    outbox = Fickle(tmp_path / "fickle.db")
    with Courier(line, outbox) as courier:
        line.receive = Receiver(courier).take
        courier.send(RUN, 0, "topic", {"seq": 0})
        assert courier.flush(20) == 0
    outbox.close()


def test_what_was_left_by_a_predecessor_is_sent_and_what_it_delivered_is_not_sent_again(line, outbox):
    for seq in range(500, 503):
        outbox.put(RUN, seq, "topic", {"seq": seq})

    with Courier(line, outbox, streams=[RUN, OTHER]) as courier:
        eventually(lambda: line.posted == [500, 501, 502])
        courier.send(RUN, 3, "topic", {"seq": 3})
        courier.acknowledge(RUN, 502)
        assert courier.flush(20) == 0
    assert line.posted == [500, 501, 502]


def test_an_acknowledgement_from_earlier_does_not_swallow_what_is_sent_anew(line, courier, outbox):
    line.receive = Receiver(courier).take
    for seq in range(5):
        courier.send(RUN, seq, "topic", {"seq": seq})
    assert courier.flush(20) == 0

    courier.discard(RUN)
    courier.acknowledge(RUN, 4)
    line.receive, line.posted = (lambda seq: None), []
    courier.send(RUN, 0, "topic", {"seq": 0})
    courier.acknowledge(RUN, 4)

    eventually(lambda: line.posted)
    assert line.posted[0] == 0


def test_a_discarded_stream_leaves_nothing_behind(line, courier, outbox):
    courier.send(RUN, 0, "topic", {"seq": 0})
    courier.discard(RUN)

    assert outbox.count(RUN) == courier.flush(0.1) == 0


def test_a_receiver_that_is_ahead_is_believed_as_far_as_messages_were_sent(line, courier, outbox):
    line.receive = lambda seq: courier.acknowledge(RUN, 1000)
    for seq in range(2 * AHEAD):
        courier.send(RUN, seq, "topic", {"seq": seq})

    assert courier.flush(20) == 0
    assert line.posted == list(range(2 * AHEAD))


def test_acknowledgements_of_others_streams_are_not_minded(courier, outbox):
    courier.acknowledge(OTHER, 5)

    courier.send(OTHER, 0, "topic", {"seq": 0})
    assert outbox.count(OTHER) == 1


def test_a_connection_lost_amid_the_first_messages_makes_none_of_them_count_as_acknowledged(line, outbox):
    for seq in range(6):
        outbox.put(RUN, seq, "topic", {"seq": seq})
    lost = threading.Event()

    def lose_the_connection_once(seq):
        if seq == 2 and not lost.is_set():
            lost.set()
            courier.send_again()

    line.receive = lose_the_connection_once
    courier = Courier(line, outbox, resend_after_s=60)
    with courier:
        courier.send(RUN, 5, "topic", {"seq": 5})
        eventually(lambda: line.posted.count(5) and line.posted.count(0) == 2)

        assert outbox.count(RUN) == 6
        line.receive = Receiver(courier).take
        courier.send_again()
        assert courier.flush(20) == 0


@pytest.mark.parametrize(
    ("topic", "payload"), [("a b", {}), ("topic", {"x": float("inf")}), ("topic", {"x": "y" * 600_000})]
)
def test_what_could_never_be_sent_does_not_enter_the_outbox(courier, outbox, topic, payload):
    with pytest.raises((ConfigurationError, ResultError)):
        courier.send(RUN, 0, topic, payload)

    assert outbox.streams() == []


@pytest.fixture
def collector(broker):
    """Stores sequence numbers once, acknowledges over the wire; its memory is what a database would hold."""
    stored, tracker, lock = [], SequenceTracker(), threading.Lock()

    def take(message):
        seq = message.document()["seq"]
        with lock:
            if tracker.add(seq):
                stored.append(seq)
        client.post(topics.metrics_ack(RUN), {"run_uuid": RUN, "upto": tracker.upto}, qos=1)

    client = MqttClient(broker.url("twin"), ca=None, client_id="twin", clean_session=False)
    client.subscribe(topics.METRICS, take)
    client.open()
    yield stored
    client.close()


@pytest.mark.stack
@pytest.mark.parametrize("qos", [1, 2])
def test_everything_arrives_once_in_effect_over_two_sudden_ends_of_the_broker(broker, outbox, collector, qos):
    total = 3000
    with (
        connect(broker.url("lims"), ca=None, client_id="lims") as client,
        Courier(client, outbox, resend_after_s=2, qos=qos) as courier,
    ):
        client.subscribe(topics.metrics_ack(), lambda message: courier.acknowledge(RUN, message.document()["upto"]))
        for seq in range(total):
            courier.send(RUN, seq, topics.METRICS, {"seq": seq, "filling": "x" * 500})
            if seq in (total // 3, 2 * total // 3):
                eventually(lambda: len(collector) > total // 10)  # in mid-stream
                broker.restart()
        assert courier.flush(120) == 0

    assert sorted(collector) == list(range(total))
    assert outbox.count(RUN) == 0


@pytest.mark.stack
def test_everything_arrives_though_the_sender_is_killed_in_mid_stream(broker, tmp_path, collector):
    program = """
        import os, sys
        from pathlib import Path
        from twinbench.adapters.mqtt import Courier, connect
        from twinbench.adapters.outbox import SqliteOutbox
        from twinbench.core import topics
        url, path, run = sys.argv[1:]
        courier = Courier(connect(url, ca=None, client_id="lims", clean_session=False), SqliteOutbox(Path(path)))
        for seq in range(500):
            courier.send(run, seq, topics.METRICS, {"seq": seq})
        os.kill(os.getpid(), 9)
    """
    path = tmp_path / "outbox.db"
    command = [sys.executable, "-c", textwrap.dedent(program), broker.url("lims"), str(path), RUN]
    assert subprocess.run(command, check=False).returncode == -9

    outbox = SqliteOutbox(path)
    with (
        connect(broker.url("lims"), ca=None, client_id="lims", clean_session=False) as client,
        Courier(client, outbox, streams=[RUN], resend_after_s=1) as courier,
    ):
        client.subscribe(topics.metrics_ack(), lambda message: courier.acknowledge(RUN, message.document()["upto"]))
        assert courier.flush(60) == 0
    outbox.close()
    assert sorted(collector) == list(range(500))
