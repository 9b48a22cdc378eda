"""A campaign is its members: each combination once, the same UUID each time, never more open than allowed."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import REQUEST_UUID, request_document
from twinbench.core.campaign import MOST_MEMBERS, Campaign, as_table, next_members, summary_of
from twinbench.core.errors import RequestError
from twinbench.core.request import RequestState

GRIDS = st.dictionaries(
    st.sampled_from(["uut", "runs", "seed"]), st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True)
)


def campaign(*, uuid=REQUEST_UUID, **document):
    return Campaign.from_document({"name": "winter", "template": {"use_case": "Automotive"}, **document}, uuid=uuid)


@given(GRIDS)
def test_there_is_one_member_for_each_combination_of_the_grid(grid):
    made = campaign(grid=grid)

    count = 1
    for values in grid.values():
        count *= len(values)
    assert len({member.uuid for member in made.members}) == len(made.members) == count
    assert all(set(member.differs) == set(grid) for member in made.members)
    assert all(member.document == {"use_case": "Automotive", **member.differs} for member in made.members)


@given(GRIDS)
def test_the_same_campaign_has_the_same_members_and_another_one_others(grid):
    uuids = [{member.uuid for member in campaign(grid=grid, uuid=uuid).members} for uuid in (REQUEST_UUID,) * 2]
    other = {member.uuid for member in campaign(grid=grid, uuid="9d2f6f6e-6f7b-4f0e-8a57-0c1f0f3b8a99").members}

    assert uuids[0] == uuids[1]
    assert uuids[0] & other == set()


def test_members_of_their_own_are_combined_with_the_grid():
    made = campaign(members=[{"runs": 1}, {"runs": 2}], grid={"uut": ["A", "B"]})

    assert [(member.differs["runs"], member.differs["uut"]) for member in made.members] == [
        (1, "A"), (1, "B"), (2, "A"), (2, "B")]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"members": [{"runs": 1}, {"runs": 1}]}, "ask for the same: runs 1"),
        ({"grid": {"runs": [1, 1]}}, "ask for the same: runs 1"),
        ({"grid": {"runs": [1]}, "members": [{"runs": 2}]}, "runs differs in the grid and in members too"),
        ({"grid": {"runs": list(range(100)), "seed": list(range(100))}}, f"10000 members: {MOST_MEMBERS} at most"),
    ],
)
def test_what_cannot_be_is_told(document, words):
    with pytest.raises(RequestError, match=words):
        campaign(**document)


STATES = st.sampled_from([str(state) for state in RequestState])


@given(st.integers(1, 16), st.dictionaries(st.integers(0, 11), STATES))
def test_never_more_are_open_than_allowed_and_none_is_left_out(most_open, known):
    made = campaign(grid={"seed": list(range(12))}, most_open=most_open)
    states = {made.members[number].uuid: state for number, state in known.items()}

    submitted = next_members(made, states)

    is_open = sum(not RequestState(state).is_over for state in states.values())
    assert not {member.uuid for member in submitted} & set(states)
    assert len(submitted) == min(12 - len(states), max(0, most_open - is_open))


def test_the_summary_tells_the_state_reason_and_figures_of_each_member():
    made = campaign(grid={"runs": [1, 2, 3]})
    figures = [{"run": 1, "discharged_Ah": 4.0}, {"run": 2, "discharged_Ah": 5.0, "note": "x"}]
    done = {"request_number": "TR-000001", "status": "completed", "failure": None,
            "test_metrics_json": {"runs": 2, "findings": 0, "figures": figures}}  # fmt: skip
    failed = {"request_number": "TR-000002", "status": "failed", "failure": "=cmd()", "test_metrics_json": None}

    told = summary_of(made, {made.members[0].uuid: done, made.members[1].uuid: failed})

    assert told["counts"] == {"to come": 1, "completed": 1, "failed": 1}
    assert told["is_over"] is False
    assert told["members"][0]["figures"] == {"runs": 2, "findings": 0, "mean discharged_Ah": 4.5}
    rows = list(csv.DictReader(io.StringIO(as_table(told))))
    assert [row["state"] for row in rows] == ["completed", "failed", "to come"]
    assert (rows[0]["mean discharged_Ah"], rows[1]["failure"]) == ("4.5", "'=cmd()")


def test_a_campaign_is_over_when_all_its_requests_are():
    made = campaign(grid={"runs": [1, 2]})
    rows = {member.uuid: {"status": state} for member, state in zip(made.members, ("cancelled", "failed"), strict=True)}

    assert summary_of(made, rows)["is_over"] is True


def test_a_template_alone_is_a_campaign_of_one():
    (member,) = campaign(template=request_document()).members

    assert (member.document, member.differs) == (request_document(), {})
