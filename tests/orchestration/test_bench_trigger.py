"""The trigger of a physical bench fires with its outcome, whatever that is, and can be taken over or killed."""

import asyncio

import pytest

from tests.fakes import REQUEST_UUID, make_lab, request_document
from tests.workflow.scripted_bench import ScriptedBench
from twinbench.core.errors import UnreachableError
from twinbench.orchestration import opening
from twinbench.orchestration.bench_trigger import BenchTrigger
from twinbench.workflow.design import design_runs
from twinbench.workflow.intake import register, stage_bundle
from twinbench.workflow.physical_bench import start_physical
from twinbench.workflow.planning import physical_assignments, plan_benches


@pytest.fixture
def fake(tmp_path, monkeypatch):
    fake = make_lab(tmp_path)
    register(fake.lab, REQUEST_UUID, request_document(test_bench="Physical", runs=2), REQUEST_UUID)
    monkeypatch.setattr(opening, "open_lab", lambda: fake.lab)
    return fake


@pytest.fixture
def ordered(fake):
    """A request whose bench has its order."""
    fake.drop_bundle()
    for use_case in (stage_bundle, design_runs, plan_benches):
        use_case(fake.lab, REQUEST_UUID)
    (assignment,) = physical_assignments(fake.lab, REQUEST_UUID)
    return start_physical(fake.lab, REQUEST_UUID, assignment)


def outcome_of(trigger):
    async def first():
        async for event in trigger.run():
            return event.payload

    return asyncio.run(first())


def test_a_trigger_can_be_written_down_and_made_again(ordered):
    place, arguments = BenchTrigger(**ordered).serialize()

    assert place == "twinbench.orchestration.bench_trigger.BenchTrigger"
    assert BenchTrigger(**arguments).serialize() == (place, arguments)


def test_a_trigger_fires_with_the_outcome_of_the_bench(fake, ordered):
    fake.wire.benches["cycler-1"] = ScriptedBench()

    outcome = outcome_of(BenchTrigger(**ordered))

    assert outcome["event"] == "finished"
    assert [run["run"] for run in outcome["runs"]] == [1, 2]


def test_a_broker_that_is_away_is_an_outcome_that_may_be_tried_again(fake, ordered, monkeypatch):
    def away(*_, **__):
        raise UnreachableError("The broker does not answer.")

    monkeypatch.setattr(type(fake.wire), "bench", away)

    assert outcome_of(BenchTrigger(**ordered)) == {
        "event": "silent",
        "reason": "The broker does not answer.",
        "runs": [],
    }


def test_somebody_who_ends_the_task_has_the_bench_abort(fake, ordered):
    asyncio.run(BenchTrigger(**ordered).on_kill())

    assert [command["verb"] for command in fake.wire.commands] == ["abort"]
