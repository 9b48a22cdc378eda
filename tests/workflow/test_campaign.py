"""A campaign's requests are submitted a few at a time, each once wherever it is cut short, and summed up in the end."""

import json

import pytest

from tests.fake_desk import FakeAirflow
from tests.fakes import REQUEST_UUID, make_lab, request_document
from twinbench.core.errors import RequestError, UnknownError, UnreachableError
from twinbench.workflow.campaign import (
    begin_campaign,
    campaign_summary,
    campaigns,
    close_campaign,
    is_due,
    submit_next,
)

DOCUMENT = {"name": "winter", "template": request_document(), "grid": {"runs": [1, 2, 3, 4, 5]}, "most_open": 2}


@pytest.fixture
def fake(tmp_path):
    return make_lab(tmp_path)


@pytest.fixture
def airflow():
    return FakeAirflow()


@pytest.fixture
def begun(fake):
    begin_campaign(fake.lab, REQUEST_UUID, DOCUMENT)
    return fake


def end(fake, state, *, count=1):
    """Let the first requests that are under way end."""
    for row in [row for row in fake.requests.rows.values() if row["status"] == "submitted"][:count]:
        fake.requests.set_status(row["uuid"], state, at=fake.lab.now(), reason="x" if state == "failed" else "")


def test_as_many_as_may_be_open_are_submitted_and_the_next_when_one_is_over(begun, airflow):
    assert submit_next(begun.lab, airflow, REQUEST_UUID) == {
        **{"members": 5, "submitted": 2, "over": 0},
        "is_over": False,
    }
    assert not is_due(begun.lab, REQUEST_UUID)

    end(begun, "completed")

    assert is_due(begun.lab, REQUEST_UUID)
    assert submit_next(begun.lab, airflow, REQUEST_UUID)["submitted"] == 3
    assert [document["runs"] for document in airflow.runs.values()] == [1, 2, 3]


def test_a_campaign_goes_on_wherever_it_was_cut_short_and_submits_nothing_twice(begun, airflow):
    while not submit_next(begun.lab, airflow, REQUEST_UUID)["is_over"]:
        begin_campaign(begun.lab, REQUEST_UUID, DOCUMENT)
        submit_next(begun.lab, airflow, REQUEST_UUID)
        end(begun, "failed" if len(airflow.runs) == 2 else "completed")

    assert is_due(begun.lab, REQUEST_UUID)
    assert len(airflow.runs) == len(begun.requests.rows) == 5
    assert list(airflow.runs) == list(begun.requests.rows)


def test_what_was_kept_while_airflow_was_away_is_started_later(begun, airflow):
    airflow.is_away = True
    with pytest.raises(UnreachableError):
        submit_next(begun.lab, airflow, REQUEST_UUID)
    airflow.is_away = False

    submit_next(begun.lab, airflow, REQUEST_UUID)

    assert sorted(airflow.runs) == sorted(begun.requests.rows)
    assert len(airflow.runs) == 2


def test_a_request_of_a_campaign_is_one_like_any_other(begun, airflow):
    submit_next(begun.lab, airflow, REQUEST_UUID)

    row = next(iter(begun.requests.rows.values()))
    assert (row["request_number"], row["submitted_by"], row["twin"]) == ("TR-000001", "lab-42", "fastest")
    assert row["workflow_id"] == row["uuid"]
    assert row["document"] == request_document(runs=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"grid": {"runs": [1, 0]}}, ["member 2 runs", "0 is below 1"]),
        ({"grid": {"test_name": ["Performance - Powerr"]}}, ["member 1 test_name", "Performance - Power"]),
        ({"template": {}}, ["uut", "is missing"]),
        ({"most_open": 99}, ["most_open", "is above 16"]),
        ({"grid": {"runs": []}}, ["grid/runs", "fewer than 1"]),
    ],
)
def test_nothing_is_submitted_if_one_member_cannot_be(fake, changes, words):
    with pytest.raises(RequestError) as refused:
        begin_campaign(fake.lab, REQUEST_UUID, {**DOCUMENT, **changes})

    assert [word for word in words if word not in str(refused.value)] == []
    assert (fake.requests.rows, campaigns(fake.lab)) == ({}, [])


def test_the_summary_is_kept_for_programs_and_as_a_table(begun, airflow):
    submit_next(begun.lab, airflow, REQUEST_UUID)
    end(begun, "completed")

    told = close_campaign(begun.lab, REQUEST_UUID)

    assert told["counts"] == {"to come": 3, "submitted": 1, "completed": 1}
    kept = json.loads(begun.lab.store.read(f"campaigns/{REQUEST_UUID}/summary.json"))
    assert kept == campaign_summary(begun.lab, REQUEST_UUID)
    table = begun.lab.store.read(f"campaigns/{REQUEST_UUID}/summary.csv").decode().splitlines()
    assert len(table) == 6
    assert table[1].startswith("TR-000001,")


def test_campaigns_are_listed_and_an_unknown_one_is_told(begun):
    assert [(one["uuid"], one["name"], one["members"]) for one in campaigns(begun.lab)] == [(REQUEST_UUID, "winter", 5)]
    with pytest.raises(UnknownError, match="There is no campaign 9"):
        campaign_summary(begun.lab, "9d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a99")
