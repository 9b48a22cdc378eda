"""The agent's memory outlives it: which commands it took, what became of them, how far each run is."""

import pytest

from twinbench.bench.state import AgentState
from twinbench.core.errors import ConfigurationError

START, ABORT = {"verb": "start", "command_id": "a"}, {"verb": "abort", "command_id": "b"}


@pytest.fixture
def state(tmp_path):
    states = []

    def reopen():
        for state in states:
            state.close()
        states.append(AgentState(tmp_path / "commands.db"))
        return states[-1]

    yield reopen
    states[-1].close()


def test_a_command_is_new_once(state):
    assert state().remember("a", START) is True

    assert state().remember("a", START) is False


def test_what_became_of_a_command_is_kept(state):
    state().remember("a", START)
    assert state().last_event("a") is None
    state().note_event("a", {"event": "accepted"})
    state().note_event("a", {"event": "finished"})

    assert state().last_event("a") == {"event": "finished"}
    assert state().last_event("unknown") is None


@pytest.mark.parametrize(
    ("event", "is_unfinished"),
    [
        (None, True),
        ("accepted", True),
        ("run-finished", True),
        ("refused", False),
        ("finished", False),
        ("failed", False),
    ],
)
def test_what_was_begun_and_has_not_ended_is_known(state, event, is_unfinished):
    state().remember("a", START)
    state().remember("b", ABORT)
    if event:
        state().note_event("a", {"event": event})

    assert state().unfinished() == ([START] if is_unfinished else [])


def test_the_newest_event_is_that_of_the_newest_start(state):
    assert state().newest_event() is None
    for name in ("a", "c"):
        state().remember(name, {**START, "command_id": name})
        state().note_event(name, {"event": "finished", "command_id": name})
    state().remember("b", ABORT)
    state().note_event("b", {"event": "accepted"})

    assert state().newest_event() == {"event": "finished", "command_id": "c"}


def test_the_progress_of_each_run_is_kept_in_the_order_they_were_begun(state):
    state().note_measured("a", run=2, run_uuid="r2", last_seq=0, rows=10)
    state().note_measured("a", run=1, run_uuid="r1", last_seq=0, rows=5)
    state().note_measured("a", run=2, run_uuid="r2", last_seq=3, rows=40, stop_reason="end")

    assert state().measured("a") == [
        {"run": 2, "run_uuid": "r2", "last_seq": 3, "rows": 40, "stop_reason": "end"},
        {"run": 1, "run_uuid": "r1", "last_seq": 0, "rows": 5, "stop_reason": ""},
    ]
    assert state().measured("b") == []


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="nowhere"):
        AgentState(tmp_path / "nowhere" / "commands.db")
