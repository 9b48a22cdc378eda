"""A campaign's schema takes what its examples show, and the members of those are requests by themselves."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.fakes import REQUEST_UUID
from twinbench.core.campaign import MOST_MEMBERS, Campaign
from twinbench.core.request import validate_document

INCLUDE = Path(__file__).resolve().parents[2] / "include"
SCHEMA = json.loads((INCLUDE / "schemas" / "campaign.schema.json").read_text())
REQUEST = json.loads((INCLUDE / "schemas" / "test_request.schema.json").read_text())
VALID = sorted((Path(__file__).parent / "examples" / "campaign").glob("valid-*.json"))


def test_the_schema_is_one_and_every_field_says_what_it_is():
    Draft202012Validator.check_schema(SCHEMA)

    assert all(rules["title"] and rules["description"] for rules in SCHEMA["properties"].values())
    assert SCHEMA["properties"]["members"]["maxItems"] == MOST_MEMBERS


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_the_members_of_an_example_are_requests(path):
    members = Campaign.from_document(json.loads(path.read_text()), uuid=REQUEST_UUID).members

    assert len(members) > 1
    assert [validate_document(dict(member.document), REQUEST) for member in members] == [[]] * len(members)
