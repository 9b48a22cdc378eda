"""A campaign of many requests tells how far it is and what came of each, to those who may see all of its requests."""

import csv
import io

import pytest

from tests.fake_desk import ADA, BOB, OTTO, STRANGER_TWIN, TWIN, FakeAirflow
from tests.fakes import NOON, request_document
from tests.web.markup import assert_sound
from twinbench.workflow.campaign import begin_campaign, submit_next

CAMPAIGN = "0f3d0c56-9a8e-4d3a-9d8e-5b6a7c8d9e0f"
PLAN = {
    "name": "winter <b>",
    "template": request_document(requester_id="ada"),
    "grid": {"runs": [1, 2, 3]},
    "most_open": 2,
}


@pytest.fixture
def begun(desk):
    """A campaign of which two of three requests are submitted; their rows."""
    begin_campaign(desk.lab, CAMPAIGN, PLAN)
    submit_next(desk.lab, FakeAirflow(), CAMPAIGN)
    return [desk.register.by_number(number) for number in ("TR-000001", "TR-000002")]


def test_how_far_it_is_and_what_came_of_each_is_told(desk, shown, begun):
    desk.register.set_status(begun[0]["uuid"], "failed", at=NOON, reason="the cell is gone")

    read = shown(f"/campaigns/{CAMPAIGN}")

    assert read.text_of("h1") == "winter <b>"
    for told in ("1 of 3 requests", "1 failed", "1 to come", "the cell is gone", "2 at a time"):
        assert told in read.words
    assert read.all("a", href="/lims/requests/TR-000001")
    assert shown(f"/campaigns/{CAMPAIGN}/part/rounds", whole=False).ids[0] == "campaign"


def test_the_list_leads_to_it(shown, begun):
    read = shown("/campaigns")

    assert read.all("a", href=f"/lims/campaigns/{CAMPAIGN}")
    assert "winter <b>" in read.words


def test_programs_get_the_same_as_json_and_as_a_table(as_, begun):
    told = as_(OTTO)("GET", f"/api/v1/campaigns/{CAMPAIGN}").json()
    table = as_(OTTO)("GET", f"/api/v1/campaigns/{CAMPAIGN}?form=csv")

    assert [one["differs"] for one in told["members"]] == [{"runs": 1}, {"runs": 2}, {"runs": 3}]
    assert [row["state"] for row in csv.DictReader(io.StringIO(table.text))] == ["submitted", "submitted", "to come"]
    assert as_(OTTO)("GET", "/api/v1/campaigns").json()[0]["uuid"] == CAMPAIGN


@pytest.mark.parametrize(
    ("person", "sees"), [(OTTO, True), (ADA, True), (TWIN, True), (BOB, False), (STRANGER_TWIN, False)]
)
def test_it_is_seen_by_whoever_may_see_all_its_requests(page, as_, begun, person, sees):
    answer = page(person)("GET", f"/campaigns/{CAMPAIGN}")

    assert answer.status_code == (200 if sees else 404)
    assert as_(person)("GET", f"/api/v1/campaigns/{CAMPAIGN}").status_code == (200 if sees else 404)
    assert len(as_(person)("GET", "/api/v1/campaigns").json()) == sees


@pytest.mark.parametrize("which", ["nonsense", "5b1c5a52-5c0e-4f3e-9d0a-2f6a0c7a1e11"])
def test_a_campaign_that_there_is_not_is_said(page, which):
    answer = page(OTTO)("GET", f"/campaigns/{which}")

    assert answer.status_code == 404
    assert "There is no campaign" in assert_sound(answer.text).words
