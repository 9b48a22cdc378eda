"""A physical bench is started once, watched until it is done, and what it measured is neither lost nor doubled."""

import threading
from datetime import timedelta

import pytest

from tests.broker import eventually
from tests.fakes import NOON, REQUEST_UUID
from tests.workflow.scripted_bench import ScriptedBench
from twinbench.core.errors import BenchError, UnreachableError
from twinbench.workflow.bench_watch import BenchWatch
from twinbench.workflow.physical_bench import abort_physical, collect_physical, start_physical
from twinbench.workflow.planning import physical_assignments
from twinbench.workflow.results import read_signals, read_summary

pytestmark = pytest.mark.thorough


@pytest.fixture
def order(fake, planned):
    """A request of two runs on the physical bench; returns its area and assignment."""
    area = planned(test_bench="Physical", runs=2)
    (assignment,) = physical_assignments(fake.lab, REQUEST_UUID)
    return area, assignment


def watch(fake, *, later=timedelta(0)):
    """Watch the bench until there is an outcome, or it is *later*."""
    ended = threading.Event()
    with BenchWatch(fake.lab, REQUEST_UUID, "cycler-1", on_outcome=ended.set) as watching:
        if later:
            ended.wait(0.5)
            object.__setattr__(fake.lab, "now", lambda: NOON + later)
            watching.look()
        assert ended.wait(10)
    return watching.outcome


def carry_out(fake, assignment):
    start_physical(fake.lab, REQUEST_UUID, assignment)
    return collect_physical(fake.lab, REQUEST_UUID, assignment, watch(fake))


def test_what_the_bench_measured_becomes_results(fake, order):
    area, assignment = order
    fake.wire.benches["cycler-1"] = ScriptedBench()

    account = carry_out(fake, assignment)

    assert (account["runs"], account["failed"], account["published"]) == (2, 0, 6)
    summary = read_summary(area, 1)
    assert (summary["status"], summary["stop_reason"], summary["rows"]) == ("completed", "limit", 20)
    assert read_signals(area, 1)["time_s"].tolist() == [float(second) for second in range(20)]
    assert fake.requests.progress[-1] == 100


def test_when_each_run_began_and_ended_is_told_by_the_benchs_own_clock(fake, order):
    area, assignment = order
    fake.wire.benches["cycler-1"] = ScriptedBench()

    carry_out(fake, assignment)

    times = [(summary["began_at"], summary["ended_at"]) for summary in (read_summary(area, run) for run in (1, 2))]
    assert times == [
        ("2026-11-20T12:00:01Z", "2026-11-20T12:01:00Z"),
        ("2026-11-20T12:01:00Z", "2026-11-20T12:02:00Z"),
    ]


def test_the_twin_gets_every_message_of_the_bench_in_its_own_form(fake, order):
    _, assignment = order
    fake.wire.benches["cycler-1"] = ScriptedBench()

    carry_out(fake, assignment)

    messages = [payload for _, payload in fake.wire.collected.values()]
    assert [(message["run"], message["seq"]) for message in sorted(messages, key=lambda m: (m["run"], m["seq"]))] == [
        (run, seq) for run in (1, 2) for seq in (0, 1, 2)
    ]
    assert {message["test_bench"] for message in messages} == {"Physical"}
    assert sum(message["final"] for message in messages) == 2


def test_telemetry_is_acknowledged_as_far_as_none_is_missing(fake, order):
    _, assignment = order
    fake.wire.benches["cycler-1"] = ScriptedBench()

    carry_out(fake, assignment)

    acknowledged = [command["upto"] for command in fake.wire.commands if command["verb"] == "acknowledge"]
    assert acknowledged[:3] == [-1, 1, 2]


def test_whoever_takes_over_sends_the_same_command_and_the_bench_runs_once(fake, order):
    _, assignment = order
    fake.wire.benches["cycler-1"] = ScriptedBench()
    start_physical(fake.lab, REQUEST_UUID, assignment)
    watch(fake)

    start_physical(fake.lab, REQUEST_UUID, assignment)
    outcome = watch(fake)

    starts = [command for command in fake.wire.commands if command["verb"] == "start"]
    assert len(starts) == 2
    assert starts[0] == starts[1]
    assert outcome["event"] == "finished"


def test_a_failed_bench_keeps_the_runs_it_completed_and_a_retry_does_only_the_rest(fake, order):
    area, assignment = order
    fake.wire.benches["cycler-1"] = ScriptedBench(ends_with="failed")

    with pytest.raises(BenchError, match=r"cycler-1 failed the command: the fuse blew"):
        carry_out(fake, assignment)

    assert read_summary(area, 1)["status"] == "completed"
    assert read_summary(area, 2) is None
    fake.wire.benches["cycler-1"] = ScriptedBench()
    carry_out(fake, assignment)
    last_start = [command for command in fake.wire.commands if command["verb"] == "start"][-1]
    assert [run["run"] for run in last_start["runs"]] == [2]


def test_a_busy_bench_is_waited_for(fake, order):
    _, assignment = order
    fake.wire.benches["cycler-1"] = ScriptedBench(state="running")
    start_physical(fake.lab, REQUEST_UUID, assignment)
    ended = threading.Event()

    with BenchWatch(fake.lab, REQUEST_UUID, "cycler-1", on_outcome=ended.set) as watching:
        eventually(lambda: "cycler-1 is running" in fake.said)
        object.__setattr__(fake.lab, "now", lambda: NOON + timedelta(days=2))
        watching.look()

    assert watching.outcome is None
    assert not [command for command in fake.wire.commands if command["verb"] == "start"]


def test_a_bench_that_was_quicker_to_take_other_work_is_tried_again(fake, order):
    _, assignment = order
    bench = ScriptedBench(ends_with="refused")
    fake.wire.benches["cycler-1"] = bench

    def begin_other_work(command, handlers):
        if command:
            bench.state = "running"
            bench(None, handlers)
        bench(command, handlers)

    fake.wire.benches["cycler-1"] = begin_other_work

    with pytest.raises(UnreachableError, match="busy"):
        carry_out(fake, assignment)


@pytest.mark.parametrize(
    ("bench", "later", "event", "words"),
    [
        (None, timedelta(minutes=2), "silent", "never said anything"),
        (ScriptedBench(state="offline"), timedelta(minutes=3), "lost", "offline"),
        (ScriptedBench(loses=(1,)), timedelta(minutes=3), "incomplete", "run 1 up to 0 of 2"),
    ],
)
def test_silence_has_an_outcome_and_may_be_taken_up_again(fake, order, bench, later, event, words):
    area, assignment = order
    if bench:
        fake.wire.benches["cycler-1"] = bench
    start_physical(fake.lab, REQUEST_UUID, assignment)

    outcome = watch(fake, later=later)

    assert outcome["event"] == event
    assert words in outcome["reason"]
    with pytest.raises(UnreachableError, match=words):
        collect_physical(fake.lab, REQUEST_UUID, assignment, outcome)
    assert "outcome" not in area.read_json("schedule-output/order-cycler-1.json")


def test_malformed_messages_are_told_and_change_nothing(fake, order):
    _, assignment = order
    good = ScriptedBench()

    def babble(command, handlers):
        if command is None:
            handlers["event"]({"event": "finished"})
            handlers["telemetry"]({"rows": "many"})
        good(command, handlers)

    fake.wire.benches["cycler-1"] = babble

    assert carry_out(fake, assignment)["runs"] == 2
    assert sum("malformed" in line for line in fake.said) == 2


def test_results_are_kept_although_the_twin_is_away_and_nothing_is_measured_again(fake, order):
    area, assignment = order
    fake.wire.benches["cycler-1"] = ScriptedBench()
    fake.wire.twin_is_there = False
    with pytest.raises(UnreachableError, match="6 metrics messages"):
        carry_out(fake, assignment)
    fake.wire.twin_is_there = True

    assert start_physical(fake.lab, REQUEST_UUID, assignment) is None
    account = collect_physical(fake.lab, REQUEST_UUID, assignment, None)

    assert account["published"] == 6
    assert read_summary(area, 2)["rows"] == 20
    assert len(fake.wire.collected) == 6


def test_a_bench_is_told_to_abort(fake, order):
    abort_physical(fake.lab, REQUEST_UUID, "cycler-1")

    (command,) = fake.wire.commands
    assert (command["verb"], command["request_uuid"]) == ("abort", REQUEST_UUID)
