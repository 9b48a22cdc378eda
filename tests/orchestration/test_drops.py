"""The pool is watched without a worker; what has settled is told once, and the run then goes by what lies there."""

import asyncio
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.fakes import INCLUDE, REQUEST_UUID
from twinbench.core.errors import ConfigurationError, UnreachableError
from twinbench.orchestration import drops
from twinbench.orchestration.drops import DropTrigger, ReceiveDrops, model_pool

BUNDLE = {file.name: file.read_bytes() for file in sorted((INCLUDE / "fmus").iterdir())}


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(drops, "_LOOK_EVERY_S", 0.002)
    for module in ("settling", "pool_entries"):
        monkeypatch.setattr(f"twinbench.core.{module}.QUIET_S", 0.01)
    monkeypatch.setattr("twinbench.workflow.receiving.QUIET_S", 0.01)


@pytest.fixture
def notes(monkeypatch):
    written = []
    monkeypatch.setattr(
        "twinbench.orchestration.run_notes.note_run",
        lambda run_id, line, dag="carry_out_request": written.append((dag, run_id, line)),
    )
    return written


def events_of(trigger, count, *, within_s):
    """The first events of a trigger; fewer if it has no more to tell in time."""

    async def collect():
        told = []
        try:
            async with asyncio.timeout(within_s):
                async for event in trigger.run():
                    told.append(event.payload)
                    if len(told) == count:
                        break
        except TimeoutError:
            pass
        return told

    return asyncio.run(collect())


def receive(unchanged_s=None):
    event = SimpleNamespace(extra={"from_trigger": True, "payload": {"unchanged_s": unchanged_s}})
    events = {} if unchanged_s is None else {model_pool(): [event]}
    return ReceiveDrops(task_id="hand_on").execute({"run_id": "asset_triggered__1", "triggering_asset_events": events})


def waits(fake):
    fake.requests.set_status(REQUEST_UUID, "forwarded", at=fake.lab.now())


def test_a_drop_is_told_once_when_it_has_settled(fake, quick, monkeypatch):
    fake.drops.files = dict(BUNDLE)
    monkeypatch.setattr(drops, "_place", lambda: fake.drops)

    (told,) = events_of(DropTrigger(), 2, within_s=0.5)

    assert set(told["unchanged_s"]) == set(BUNDLE)
    assert all(seconds >= 0.01 for seconds in told["unchanged_s"].values())


def test_nothing_is_told_while_nothing_lies_there(fake, quick, monkeypatch):
    monkeypatch.setattr(drops, "_place", lambda: fake.drops)

    assert events_of(DropTrigger(), 1, within_s=0.1) == []


def test_a_server_that_was_away_is_looked_at_again_and_told_of_once(fake, quick, monkeypatch, caplog):
    fake.drops.files = dict(BUNDLE)
    away = [UnreachableError("The SFTP server is away.")] * 5

    def place():
        if away:
            raise away.pop()
        return fake.drops

    monkeypatch.setattr(drops, "_place", place)

    assert len(events_of(DropTrigger(), 1, within_s=5)) == 1
    assert [record.message for record in caplog.records if "away" in record.message] == [
        "The pool is not watched: The SFTP server is away."
    ]


def test_a_triggerer_that_takes_it_over_knows_it_by_its_name_alone():
    assert DropTrigger().serialize() == ("twinbench.orchestration.drops.DropTrigger", {})
    (watcher,) = model_pool().watchers
    assert isinstance(watcher.trigger, DropTrigger)


def test_a_drop_is_handed_on_and_its_request_s_run_has_it_in_its_note(fake, notes):
    waits(fake)
    fake.drops.files = dict(BUNDLE)

    told = receive(dict.fromkeys(BUNDLE, 7.0))

    assert {kind: part["count"] for kind, part in told.items()} == {"handed_on": 1, "quarantined": 0, "waiting": 0}
    assert fake.pool.files[REQUEST_UUID] == BUNDLE
    ((dag, run_id, line),) = notes
    assert (dag, run_id) == ("carry_out_request", REQUEST_UUID)
    assert "handed on: it is the only request that waits for models" in line


def test_what_is_kept_aside_is_told_in_the_note_of_this_run_and_of_those_it_may_be_for(fake, notes):
    waits(fake)
    fake.drops.files = {f"{REQUEST_UUID}_{name}": content for name, content in {**BUNDLE, "A.fmu": b"x"}.items()}
    fake.drops.files[f"A_{REQUEST_UUID}.fmu"] = b"y"

    receive(dict.fromkeys(fake.drops.files, 7.0))

    assert [(dag, run_id) for dag, run_id, _ in notes] == [("receive_models", "asset_triggered__1")]
    assert "A.fmu would be there twice" in notes[0][2]
    assert "twinbench pool assign" in notes[0][2]


def test_what_the_event_does_not_name_is_new_and_left_alone(fake, notes):
    waits(fake)
    fake.drops.files = dict(BUNDLE)

    assert receive({})["waiting"]["count"] == 1
    assert fake.drops.files == BUNDLE


def test_a_run_by_hand_looks_twice(fake, notes, quick):
    waits(fake)
    fake.drops.files = dict(BUNDLE)

    assert receive()["handed_on"]["count"] == 1


def test_what_a_run_returns_stays_small(fake, notes):
    fake.drops.files = {f"{number}.zip\n": b"" for number in range(300)}

    told = receive({entry.shown: 1e6 for entry in fake.drops.entries()})

    assert (told["quarantined"]["count"], len(told["quarantined"]["first"])) == (300, 5)


def test_a_server_that_is_away_is_left_to_airflow_s_retries_and_a_wrong_key_is_not(fake, monkeypatch):
    for error, kind in (
        (UnreachableError("away"), UnreachableError),
        (ConfigurationError("key"), AirflowFailException),
    ):

        def refuse(error=error):
            raise error

        monkeypatch.setattr(fake.drops, "entries", refuse)
        with pytest.raises(kind):
            receive({})
