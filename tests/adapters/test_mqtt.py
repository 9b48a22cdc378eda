"""The MQTT client says clearly why it cannot connect, comes back by itself, and never blocks on its own handlers."""

import queue
import socket
import threading

import pytest

from tests.broker import BENCH, Broker, eventually
from twinbench.adapters.mqtt import MqttClient, Will, connect
from twinbench.adapters.mqtt.address import Address, check_topic
from twinbench.core import topics
from twinbench.core.errors import ConfigurationError, ResultError, UnreachableError

REQUEST = "7d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a11"

stack = pytest.mark.stack


@pytest.fixture
def client_of(broker):
    """Connect as a party of the lab."""
    clients = []

    def client_of(user: str, client_id: str = "", **options):
        clients.append(connect(broker.url(user), ca=None, client_id=client_id or user, **options))
        return clients[-1]

    yield client_of
    for client in clients:
        client.close()


# --- addresses and topics


def test_an_address_is_read_and_its_password_never_shown():
    address = Address.from_url("mqtts://lims:p%40ss@broker.lab:8884")

    assert (address.host, address.port, address.tls, address.user, address.password) == (
        *("broker.lab", 8884, True),
        *("lims", "p@ss"),
    )
    assert "p@ss" not in repr(address)
    assert Address.from_url("mqtt://broker").port == 1883


@pytest.mark.parametrize("url", ["http://a:secret@b", "mqtt://", "mqtts://a:secret@b:x", "a:secret@b", ""])
def test_what_is_no_address_is_refused_without_the_password(url):
    with pytest.raises(ConfigurationError, match="write mqtts://user:password@host:port") as refused:
        Address.from_url(url)
    assert "secret" not in str(refused.value).replace("a:secret@b", "" if "//" not in url else "a:secret@b")


@pytest.mark.parametrize("topic", ["", "a b", "a/+/b", "a/#", "a\x00b", "a\tb", "x" * 2000])
def test_a_topic_that_a_broker_would_hang_up_on_is_refused(topic):
    with pytest.raises(ConfigurationError, match="Nothing can be published"):
        check_topic(topic)


# --- what can be wrong with a broker


def test_a_broker_that_is_not_there_is_named():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        with pytest.raises(UnreachableError, match=rf"127\.0\.0\.1:{port}.*refused.*`twinbench status`"):
            connect(f"mqtt://127.0.0.1:{port}", ca=None, client_id="x")


def test_a_file_without_certificates_is_named(tmp_path):
    (tmp_path / "ca.crt").write_text("nonsense")

    for ca in (tmp_path / "ca.crt", tmp_path / "none.crt"):
        with pytest.raises(ConfigurationError, match=f"TWINBENCH_MQTT_CA names {ca}"):
            connect("mqtts://127.0.0.1", ca=str(ca), client_id="x")


@stack
def test_a_wrong_password_is_named_and_not_tried_again(broker):
    with pytest.raises(ConfigurationError, match=r"refuses user 'lims'.*TWINBENCH_MQTT_URL"):
        connect(broker.url("lims", password="wrong"), ca=None, client_id="x")
    assert not [thread for thread in threading.enumerate() if thread.name == "mqtt-x"]


@stack
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # paho forgets a failed handshake's socket
def test_tls_is_used_and_only_a_known_authority_is_trusted(tmp_path):
    from twinbench.stack.credentials import broker_certificate
    from twinbench.stack.site import Site

    authority, certificate, key = broker_certificate(Site(tmp_path / "ours"))
    stranger, _, _ = broker_certificate(Site(tmp_path / "theirs"))
    broker = Broker(tmp_path, (certificate, key))
    broker.start()
    try:
        with connect(broker.url("lims"), ca=str(authority), client_id="x") as client:
            client.publish(topics.request(REQUEST), {})
        with pytest.raises(ConfigurationError, match="certificate that is not vouched for"):
            connect(broker.url("lims"), ca=str(stranger), client_id="x")
    finally:
        broker.kill()


@stack
def test_a_subscription_beyond_a_users_rights_is_refused(client_of):
    with pytest.raises(ConfigurationError, match="does not let user 'lims' subscribe"):
        client_of("lims").subscribe("lab/v1/#", print)


@stack
@pytest.mark.parametrize("payload", [{"value": float("nan")}, {"value": object()}, {"value": "x" * 600_000}])
def test_what_cannot_be_sent_is_refused_and_the_client_stays_usable(client_of, payload):
    client = client_of("lims")

    with pytest.raises(ResultError):
        client.publish(topics.request(REQUEST), payload)
    client.publish(topics.request(REQUEST), {"value": 1})


# --- messages


@stack
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_arrive_with_every_quality_of_service_under_the_labs_rights(client_of, qos):
    arrived = queue.SimpleQueue()
    client_of("twin").subscribe(topics.request(), arrived.put, qos=qos)

    client_of("lims").publish(topics.request(REQUEST), {"n": qos}, qos=qos)

    message = arrived.get(timeout=10)
    assert (message.topic, message.document(), message.retained) == (topics.request(REQUEST), {"n": qos}, False)


@stack
def test_a_question_is_answered(client_of):
    twin = client_of("twin")
    twin.subscribe(
        topics.request(),
        lambda message: twin.publish(f"{message.topic}/ack", {"echo": message.document()["n"]}, qos=1),
    )

    lims = client_of("lims")
    for n in range(3):
        answer = lims.publish_and_await(
            topics.request(REQUEST), {"n": n}, topics.request_ack(REQUEST), timeout_s=10, qos=2
        )
        assert answer == {"echo": n}


@stack
def test_a_question_nobody_answers_is_an_error_in_time(client_of):
    with pytest.raises(UnreachableError, match=r"nobody has answered on .*/ack within 0\.2 s"):
        client_of("lims").publish_and_await(topics.request(REQUEST), {}, topics.request_ack(REQUEST), timeout_s=0.2)


@stack
def test_a_handler_that_fails_ends_nothing(client_of, caplog):
    arrived = queue.SimpleQueue()

    def handler(message):
        if message.document()["n"] == 1:
            raise RuntimeError("bad luck")
        arrived.put(message.document()["n"])

    client_of("twin").subscribe(topics.request(), handler)
    lims = client_of("lims")
    for n in range(3):
        lims.publish(topics.request(REQUEST), {"n": n})

    assert [arrived.get(timeout=10), arrived.get(timeout=10)] == [0, 2]
    assert "a handler failed" in caplog.text


@stack
def test_nobody_hears_more_after_unsubscribing(client_of):
    first, second = queue.SimpleQueue(), queue.SimpleQueue()
    twin = client_of("twin")
    twin.subscribe(topics.request(), first.put)
    twin.unsubscribe(topics.request())
    client_of("twin", "witness").subscribe(topics.request(), second.put)

    client_of("lims").publish(topics.request(REQUEST), {})

    second.get(timeout=10)
    assert first.empty()


@stack
def test_a_will_is_sent_for_a_lost_client_and_not_for_one_that_leaves(broker, client_of):
    said = queue.SimpleQueue()
    client_of("lims").subscribe(topics.bench_status(), said.put)
    will = Will(topics.bench_status(BENCH), {"state": "offline"})

    leaving = connect(broker.url(f"bench-{BENCH}"), ca=None, client_id="leaving", will=will)
    leaving.publish(topics.bench_status(BENCH), {"state": "leaving"}, qos=1)
    leaving.close()
    lost = connect(broker.url(f"bench-{BENCH}"), ca=None, client_id="lost", will=will)
    lost.publish(topics.bench_status(BENCH), {"state": "idle"}, qos=1, retain=True)
    lost._paho.socket().shutdown(socket.SHUT_RDWR)

    states = [said.get(timeout=20).document()["state"] for _ in range(3)]
    assert states == ["leaving", "idle", "offline"]
    lost.close()


@stack
def test_a_late_listener_is_told_what_was_retained(client_of):
    said = queue.SimpleQueue()
    client_of(f"bench-{BENCH}").publish(topics.bench_status(BENCH), {"state": "idle"}, qos=1, retain=True)

    client_of("lims").subscribe(topics.bench_status(), said.put)

    message = said.get(timeout=10)
    assert (message.document(), message.retained) == ({"state": "idle"}, True)


# --- outages


@stack
def test_what_is_said_while_a_persistent_client_is_away_waits_for_it(broker, client_of):
    def twin(arrived):
        client = MqttClient(broker.url("twin"), ca=None, client_id="twin", clean_session=False)
        client.subscribe(topics.request(), lambda message: arrived.append(message.document()["n"]))
        client.open()
        return client

    before, after = [], []
    twin(before).close()
    lims = client_of("lims")
    for n in range(50):
        lims.publish(topics.request(REQUEST), {"n": n})

    back = twin(after)
    eventually(lambda: len(after) >= 50)
    assert sorted(after) == list(range(50))
    assert before == []
    back.close()


@stack
@pytest.mark.parametrize("clean_session", [True, False])
def test_the_client_and_its_subscriptions_survive_the_brokers_end(broker, client_of, clean_session):
    arrived, reconnected = set(), threading.Event()
    options = {"client_id": "twin", "clean_session": clean_session, "on_reconnected": reconnected.set}
    twin = MqttClient(broker.url("twin"), ca=None, **options)
    twin.subscribe(topics.request(), lambda message: arrived.add(message.document()["n"]))
    twin.open()
    lims = client_of("lims")
    lims.publish(topics.request(REQUEST), {"n": 0})
    eventually(lambda: arrived == {0})

    broker.restart()

    assert reconnected.wait(30)
    lims.publish(topics.request(REQUEST), {"n": 1}, timeout_s=30)
    eventually(lambda: arrived >= {0, 1})
    twin.close()


@stack
def test_a_broker_that_stays_away_is_an_error_and_not_for_ever(broker, client_of):
    lims = client_of("lims")
    broker.kill()

    with pytest.raises(UnreachableError, match="has not confirmed a message"):
        lims.publish(topics.request(REQUEST), {}, timeout_s=0.3)
    for _ in range(15):
        lims.post(topics.request(REQUEST), {}, timeout_s=0.3)
    with pytest.raises(UnreachableError, match="has confirmed nothing"):
        lims.post(topics.request(REQUEST), {}, timeout_s=0.3)
