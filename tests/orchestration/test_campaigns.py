"""A campaign's run waits in the triggerer while its requests are under way, and goes on when one is over."""

import asyncio

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from tests.fake_desk import FakeAirflow
from tests.fakes import request_document
from twinbench.core.errors import UnreachableError
from twinbench.orchestration import campaigns, opening
from twinbench.orchestration.campaigns import CampaignStep, CampaignTrigger, Members

CAMPAIGN = "9d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a99"
DOCUMENT = {"name": "winter", "template": request_document(), "grid": {"seed": [1, 2]}, "members": [], "most_open": 1}
CONTEXT = {"run_id": CAMPAIGN, "params": DOCUMENT}


@pytest.fixture
def airflow(monkeypatch):
    airflow = FakeAirflow()
    airflow.close = lambda: None
    monkeypatch.setattr(opening, "open_airflow", lambda: airflow)
    return airflow


def members_of(fake):
    return [row for row in fake.requests.rows.values() if row["document"].get("seed") in (1, 2)]


def test_it_is_deferred_until_all_are_over(fake, airflow):
    CampaignStep(use_case="begin_campaign").execute(CONTEXT)
    task = Members(task_id="carry_out_members")

    for count in (1, 2):
        with pytest.raises(TaskDeferred) as wait:
            task.go_on(CONTEXT) if count > 1 else task.execute(CONTEXT)
        assert wait.value.trigger.serialize()[1] == {"campaign_uuid": CAMPAIGN}
        assert len(members_of(fake)) == count
        fake.requests.set_status(members_of(fake)[-1]["uuid"], "completed", at=fake.lab.now())

    assert task.go_on(CONTEXT)["is_over"] is True
    assert CampaignStep(use_case="close_campaign").execute(CONTEXT)["counts"] == {"completed": 2}


def test_the_trigger_fires_when_another_may_begin(fake, airflow, monkeypatch):
    monkeypatch.setattr(campaigns, "_LOOK_EVERY_S", 0.001)
    CampaignStep(use_case="begin_campaign").execute(CONTEXT)
    away = [UnreachableError("The database does not answer.")]
    open_lab = opening.open_lab

    def opened():
        if away:
            raise away.pop()
        return open_lab()

    monkeypatch.setattr(opening, "open_lab", opened)

    event = asyncio.run(anext(CampaignTrigger(campaign_uuid=CAMPAIGN).run()))

    assert event.payload == {"campaign": CAMPAIGN}


def test_a_campaign_that_cannot_be_fails_at_once(fake):
    with pytest.raises(AirflowFailException, match="member 1 runs"):
        CampaignStep(use_case="begin_campaign").execute(
            {**CONTEXT, "params": {**DOCUMENT, "template": request_document(runs=0)}}
        )
