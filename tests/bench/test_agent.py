"""An agent carries out each command once, streams all it measures, and always says what became of it."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.bench.lims import ROOT, RUNS, Lims, abort, start
from tests.bench.plant import opener
from tests.broker import BENCH, eventually
from twinbench.adapters.environment import Settings
from twinbench.bench.agent import Agent
from twinbench.bench.drivers.simulated import SimulatedDriver
from twinbench.core.errors import ConfigurationError

pytestmark = pytest.mark.stack


@pytest.fixture
def lims(broker):
    lims = Lims(broker.url("lims"))
    yield lims
    lims.client.close()


@pytest.fixture
def agent_of(broker, tmp_path):
    """Start an agent on a plant of ours."""
    agents = []

    def agent_of(*, speed=1e12, open_plant=None, patience_s=20.0):
        driver = SimulatedDriver(Path("model"), speed=speed, open_plant=open_plant or opener())
        settings = Settings({"TWINBENCH_MQTT_URL": broker.url(f"bench-{BENCH}")})
        agent = Agent(
            BENCH,
            driver,
            driver_name="simulated",
            settings=settings,
            state_dir=tmp_path / "state",
            patience_s=patience_s,
        )
        agents.append(agent)
        agent.open()
        return agent

    yield agent_of
    for agent in agents:
        agent.close()


def test_a_command_is_accepted_carried_out_and_all_of_it_is_streamed(lims, agent_of):
    agent_of()
    lims.command(start(runs=2))

    eventually(lambda: "finished" in lims.heard())
    assert lims.heard() == ["accepted", "run-finished", "run-finished", "finished"]
    for run in lims.events[-1]["runs"]:
        assert lims.times(run["run_uuid"]) == [float(t) for t in range(101)]
        assert (run["rows"], run["stop_reason"]) == (101, "end")
        assert lims.finals[run["run_uuid"]] == {run["last_seq"]}
    assert [run["run"] for run in lims.events[-1]["runs"]] == [1, 2]


def test_a_long_run_comes_in_messages_without_gaps(lims, agent_of):
    agent_of()
    lims.command(start(duration_s=5000.0))

    eventually(lambda: "finished" in lims.heard())
    assert lims.times(RUNS[0]) == [float(t) for t in range(5001)]
    assert sorted(lims.rows[RUNS[0]]) == list(range(lims.events[-1]["runs"][0]["last_seq"] + 1))
    assert len(lims.rows[RUNS[0]]) > 10


def test_results_come_while_the_run_goes_on(lims, agent_of):
    agent_of(speed=100.0)
    lims.command(start(duration_s=1e6))

    eventually(lambda: len(lims.rows[RUNS[0]]) >= 2)
    assert lims.heard() == ["accepted"]
    assert lims.states[-1]["state"] == "running"


def test_the_status_says_what_the_bench_does(lims, agent_of):
    agent = agent_of()
    lims.command(start())
    eventually(lambda: "finished" in lims.heard() and lims.states[-1]["state"] == "idle")
    agent.close()

    eventually(lambda: lims.states[-1]["state"] == "offline")
    states = [state["state"] for state in lims.states]
    assert states == ["idle", "running", "idle", "offline"]
    assert {state["epoch"] for state in lims.states} == {agent.epoch}


def test_the_same_command_again_is_a_duplicate_and_its_outcome_is_said_again(lims, agent_of):
    open_plant = opener()
    agent_of(open_plant=open_plant)
    command = start()
    lims.command(command)
    eventually(lambda: "finished" in lims.heard())
    lims.command(command)

    eventually(lambda: lims.heard()[-2:] == ["duplicate", "finished"])
    assert len(open_plant.plants) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"not_after": "2026-01-01T00:00:00Z"}, "was to be taken up by"),
        ({"issued_at": "2126-01-01T00:00:00Z", "not_after": "2126-01-01T00:00:30Z"}, "set the clocks"),
        ({"not_after": "2126-01-01T00:00:00"}, "time and zone"),
        ({"not_after": "2126-06-30T23:59:60Z"}, "malformed"),
        ({"not_after": "2026-01-01t00:00:00z"}, "was to be taken up by"),
        ({"epoch": "another"}, "the agent has restarted"),
        ({"request_uuid": "x"}, "malformed"),
        ({"runs": 0}, "malformed"),
    ],
)
def test_a_command_that_should_not_be_carried_out_is_refused_with_the_reason(lims, agent_of, changes, reason):
    open_plant = opener()
    agent_of(open_plant=open_plant)
    lims.command(start(**changes))

    eventually(lambda: lims.heard() == ["refused"])
    assert reason in lims.reason("refused")
    assert open_plant.plants == []


def test_a_procedure_that_makes_no_sense_is_refused_and_the_bench_stays_free(lims, agent_of):
    agent_of()
    command = start()
    command["runs"][0]["procedure"]["stop"] = {"voltage_min_V": 5.0, "voltage_max_V": 4.0}
    lims.command(command)
    lims.command(start("c-2"))

    eventually(lambda: "finished" in lims.heard("c-2"))
    assert "voltage limits" in lims.reason("refused")


def test_a_busy_bench_refuses(lims, agent_of):
    agent_of(speed=1.0)
    lims.command(start())
    lims.command(start("c-2"))

    eventually(lambda: lims.heard("c-2") == ["refused"])
    assert "busy with command c-1" in lims.reason("refused", "c-2")


def test_what_is_no_command_is_survived(lims, agent_of):
    agent_of()
    lims.command({"verb": "dance"})
    lims.command({"verb": "acknowledge", "run_uuid": "?", "upto": 1})
    lims.command({"verb": "dance", "command_id": "c-9"})
    lims.command(start())

    eventually(lambda: "finished" in lims.heard())
    assert lims.heard("c-9") == ["refused"]


def test_an_abort_ends_the_run_and_the_command_has_failed(lims, agent_of):
    agent_of(speed=1.0)
    lims.command(start(runs=2))
    eventually(lambda: lims.heard() == ["accepted"])
    lims.command(abort("c-8", RUNS[0]))
    lims.command(abort())

    eventually(lambda: "failed" in lims.heard())
    assert lims.heard("c-8") == ["refused"]
    assert lims.heard("c-2") == ["accepted"]
    assert lims.reason("failed") == "aborted by command c-2"
    (run,) = lims.events[-1]["runs"]
    assert (run["run"], run["stop_reason"]) == (1, "cancelled")
    lims.command(start("c-3", duration_s=1.0))
    eventually(lambda: "accepted" in lims.heard("c-3"))


def test_hardware_that_fails_is_told_with_what_was_measured_before(lims, agent_of):
    agent_of(open_plant=opener(breaks_at_s=50.0))
    lims.command(start())

    eventually(lambda: "failed" in lims.heard())
    assert "the model broke" in lims.reason("failed")
    assert lims.events[-1]["runs"][0]["rows"] == 51
    eventually(lambda: lims.times(RUNS[0]) == [float(t) for t in range(51)])


def test_without_acknowledgement_the_bench_is_free_in_the_end_and_its_telemetry_waits(lims, agent_of, tmp_path):
    lims.acknowledges = False
    agent = agent_of(patience_s=0.2)
    lims.command(start())

    eventually(lambda: "finished" in lims.heard() and lims.states[-1]["state"] == "idle")
    assert agent._outbox.count(RUNS[0]) == lims.events[-1]["runs"][0]["last_seq"] + 1


def test_a_run_done_again_is_streamed_from_its_beginning(lims, agent_of):
    agent_of()
    lims.command(start())
    eventually(lambda: "finished" in lims.heard())
    lims.rows.clear()
    lims.command(start("c-2"))

    eventually(lambda: "finished" in lims.heard("c-2"))
    assert lims.times(RUNS[0]) == [float(t) for t in range(101)]


def test_everything_arrives_though_the_broker_is_killed_in_mid_run(lims, agent_of, broker):
    agent_of(speed=1000.0)
    lims.command(start(duration_s=8000.0))
    eventually(lambda: len(lims.rows[RUNS[0]]) >= 2)
    broker.restart()

    eventually(lambda: "finished" in lims.heard(), timeout_s=60)
    assert lims.times(RUNS[0]) == [float(t) for t in range(8001)]
    assert lims.states[-1]["state"] in ("running", "idle")
    eventually(lambda: lims.states[-1]["state"] == "idle")


PROGRAM = """
    import sys, threading
    from pathlib import Path
    from tests.bench.plant import opener
    from twinbench.adapters.environment import Settings
    from twinbench.bench.agent import Agent
    from twinbench.bench.drivers.simulated import SimulatedDriver
    url, state_dir, bench = sys.argv[1:]
    driver = SimulatedDriver(Path("model"), speed=100.0, open_plant=opener())
    agent = Agent(bench, driver, driver_name="simulated", settings=Settings({"TWINBENCH_MQTT_URL": url}),
                  state_dir=Path(state_dir))
    agent.open()
    threading.Event().wait()
"""


def test_an_agent_killed_in_mid_run_says_so_when_it_is_back_and_sends_what_it_had_measured(
    lims, agent_of, broker, tmp_path
):
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM)]
    arguments = [broker.url(f"bench-{BENCH}"), str(tmp_path / "state"), BENCH]
    program = subprocess.Popen([*command, *arguments], cwd=ROOT)
    eventually(lambda: lims.states and lims.states[-1]["state"] == "idle")
    lims.acknowledges = False
    lims.command(start(duration_s=1e6))
    eventually(lambda: len(lims.rows[RUNS[0]]) >= 2)
    program.kill()
    program.wait()
    eventually(lambda: lims.states[-1]["state"] == "offline")
    lims.acknowledges = True

    agent = agent_of()

    eventually(lambda: "failed" in lims.heard())
    assert lims.reason("failed") == "agent restarted during run"
    (run,) = lims.events[-1]["runs"]
    eventually(lambda: sorted(lims.rows[RUNS[0]])[-1] >= run["last_seq"])
    eventually(lambda: agent._outbox.streams() == [], timeout_s=60)
    assert lims.times(RUNS[0]) == [float(t) for t in range(len(lims.times(RUNS[0])))]
    lims.command(start("c-3"))
    eventually(lambda: "finished" in lims.heard("c-3"))


def test_a_bench_needs_a_name_that_a_topic_can_have(tmp_path):
    with pytest.raises(ConfigurationError, match="no name of a bench"):
        Agent("a/b", None, driver_name="simulated", settings=Settings({}), state_dir=tmp_path)


def test_the_program_waits_for_its_broker_and_ends_in_good_order(lims, broker, tmp_path):
    broker.kill()
    arguments = ["--bench", BENCH, "--driver", "simulated", "--state-dir", str(tmp_path / "state")]
    program = subprocess.Popen(
        [sys.executable, "-m", "twinbench.cli", "bench-agent", *arguments],
        env={**os.environ, "TWINBENCH_MQTT_URL": broker.url(f"bench-{BENCH}")},
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = iter(program.stderr.readline, "")
    assert any("bench waits: MQTT broker" in line for line in lines)
    broker.start()
    assert any(f"bench ready bench={BENCH}" in line for line in lines)
    eventually(lambda: lims.states and lims.states[-1]["state"] == "idle")

    program.send_signal(signal.SIGTERM)

    rest = program.stderr.read()
    program.stderr.close()
    assert program.wait(20) == 0
    assert "Traceback" not in rest
    eventually(lambda: lims.states[-1]["state"] == "offline")
