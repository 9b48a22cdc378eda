"""The pages hear what benches say and what runs measure, from a real broker, for as long as there is one."""

import threading

import pytest

from tests.broker import BENCH, eventually
from twinbench.adapters.mqtt import connect
from twinbench.adapters.mqtt.listening import LabEars
from twinbench.core import topics
from twinbench.core.telemetry import RunLabel, metrics_message

REQUEST = "7d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a11"
RUN = "0f7a1c9e-58a5-5d3e-9c0a-4b5f1d0f7d11"
LABEL = RunLabel(
    request_uuid=REQUEST,
    run_uuid=RUN,
    run=2,
    bench_id=BENCH,
    test_name="Performance - Capacity",
    test_uut="Gen3b - Cell",
    use_case="Automotive",
    test_bench="Physical",
)


@pytest.fixture
def told():
    return []


@pytest.fixture
def ears(broker, told):
    ears = LabEars(broker.url("lims"), ca=None, metrics_topic=topics.METRICS, told=told.append).start()
    eventually(lambda: ears.is_open)
    yield ears
    ears.close()


@pytest.fixture
def agent(broker):
    with connect(broker.url(f"bench-{BENCH}"), ca=None, client_id="scripted-bench") as client:
        yield client


@pytest.fixture
def lims(broker):
    with connect(broker.url("lims"), ca=None, client_id="scripted-lims") as client:
        yield client


def test_a_benchs_last_word_is_kept_and_a_change_is_told(ears, agent, told):
    agent.post(topics.bench_status(BENCH), {"bench": BENCH, "state": "idle"}, qos=1, retain=True)
    eventually(lambda: ears.bench_states().get(BENCH, {}).get("state") == "idle")
    agent.post(topics.bench_status(BENCH), {"bench": BENCH, "state": "idle"}, qos=1, retain=True)
    agent.post(topics.bench_status(BENCH), {"bench": BENCH, "state": "running"}, qos=1, retain=True)
    eventually(lambda: ears.bench_states()[BENCH]["state"] == "running")

    assert told == [f"bench {BENCH}", f"bench {BENCH}"]
    assert ears.bench_states()[BENCH]["heard_at"].tzinfo is not None


def test_readings_of_a_run_are_kept_in_order_of_time_each_once(ears, lims, told):
    for seq, times in enumerate(([0.0, 1.0], [1.0, 2.0], [3.0])):
        signals = {"Current_Profile": [-5.0] * len(times), "Cell_Voltage_01": [4.0 - time_s for time_s in times]}
        lims.post(topics.METRICS, metrics_message(LABEL, seq, times, signals, final=seq == 2), qos=1)
    eventually(lambda: len(ears.readings(REQUEST).get(2, ())) == 4)

    rows = ears.readings(REQUEST)[2]
    assert [row["time_s"] for row in rows] == [0.0, 1.0, 2.0, 3.0]
    assert rows[-1] == {"time_s": 3.0, "Current_Profile": -5.0, "Cell_Voltage_01": 1.0}
    assert told[-1] == f"run {REQUEST}"
    assert ears.readings("another") == {}


def test_what_is_no_message_is_ignored(ears, lims, agent, told):
    lims.post(topics.METRICS, {"run": "many"}, qos=1)
    agent.post(topics.bench_status(BENCH), {"bench": BENCH, "state": "idle"}, qos=1)
    eventually(lambda: BENCH in ears.bench_states())

    assert ears.readings(REQUEST) == {}


def test_it_begins_to_hear_when_the_broker_comes_and_again_when_it_comes_back(broker, told):
    broker.kill()
    ears = LabEars(broker.url("lims"), ca=None, metrics_topic=topics.METRICS, told=told.append).start()

    broker.start()
    eventually(lambda: ears.is_open, timeout_s=40)
    with connect(broker.url(f"bench-{BENCH}"), ca=None, client_id="scripted-bench") as agent:
        agent.post(topics.bench_status(BENCH), {"bench": BENCH, "state": "idle"}, qos=1)
        eventually(lambda: BENCH in ears.bench_states())
    ears.close()


def test_nothing_is_left_when_it_ends_while_it_waits_for_the_broker(broker, told):
    broker.kill()
    ears = LabEars(broker.url("lims"), ca=None, metrics_topic=topics.METRICS, told=told.append).start()

    ears.close()

    eventually(lambda: "lims-ears" not in {thread.name for thread in threading.enumerate()}, timeout_s=15)


def test_of_each_topic_of_a_bench_the_last_message_is_kept_in_short(ears, agent, lims, told):
    agent.post(topics.bench_status(BENCH), {"bench": BENCH, "state": "running"}, qos=1)
    agent.post(topics.bench_events(BENCH), {"bench": BENCH, "event": "accepted", "command_id": "c"}, qos=1)
    for seq in range(2):
        rows = [[seq, 4.0], [seq + 0.5, 3.9]]
        more = {"run": 2, "run_uuid": RUN, "final": False, "columns": ["time_s", "Cell_Voltage_01"]}
        agent.post(topics.bench_telemetry(BENCH), {"seq": seq, "rows": rows, **more}, qos=1)
    agent.post(topics.bench_telemetry(BENCH), {"columns": 7, "rows": "none"}, qos=1)
    lims.post(topics.METRICS, metrics_message(LABEL, 0, [0.0, 1.0], {"Cell_Voltage_01": [4.0, 3.5]}), qos=1)
    lims.post(topics.METRICS, metrics_message(LABEL, 1, final=True), qos=1)
    eventually(lambda: len(ears.bench_messages(BENCH)) == 4)
    eventually(lambda: any(one.get("final") for one in ears.bench_messages(BENCH)))

    kinds = {one["kind"]: one for one in ears.bench_messages(BENCH)}
    assert kinds["event"]["event"] == "accepted"
    assert kinds["telemetry"]["topic"] == topics.bench_telemetry(BENCH)
    assert (kinds["metrics"]["seq"], kinds["metrics"]["reading"]) == (1, {"time_s": 1.0, "Cell_Voltage_01": 3.5})
    assert f"bench {BENCH}" in told
    assert ears.bench_messages("another") == []
