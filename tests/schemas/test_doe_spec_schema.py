"""The schema of a design's specification says what is read: no more, no less."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from twinbench.core.doe.designs import make_design
from twinbench.core.doe.factors import Factor
from twinbench.core.doe.learning.sequential import SequentialPlan
from twinbench.core.doe.recommendation import Aim
from twinbench.core.doe.spec import DesignSpec, Kind
from twinbench.core.errors import DesignError

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "include" / "schemas" / "doe_spec.schema.json").read_text())
EXAMPLES = sorted((Path(__file__).parent / "examples" / "doe_spec").glob("*.json"))
LONG_SEARCHES = ("valid-d-optimal-everything", "valid-split-plot")


def test_the_schema_is_one_and_every_field_says_what_it_is():
    Draft202012Validator.check_schema(SCHEMA)
    fields = [*SCHEMA["properties"].values(), *SCHEMA["properties"]["factors"]["items"]["properties"].values()]
    assert all(field["title"] and field["description"] for field in fields)


def test_kinds_aims_and_fields_are_those_of_the_code():
    properties = SCHEMA["properties"]
    read = {name for name in DesignSpec.__dataclass_fields__ if name != "block_name"}

    assert set(properties["kind"]["enum"]) - {None} == set(Kind)
    assert set(properties["aim"]["enum"]) - {None} == set(Aim)
    assert set(properties) == read | {"aim", "sequential"}
    assert set(properties["factors"]["items"]["properties"]) == {*Factor.__dataclass_fields__, "value"}
    assert SequentialPlan.__dataclass_fields__  # its own reader names what is wrong in it


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=pytest.mark.thorough if path.stem in LONG_SEARCHES else ())
        for path in EXAMPLES
    ],
)
def test_what_the_schema_takes_can_be_designed_and_what_it_refuses_cannot(path):
    document = json.loads(path.read_text())
    is_valid = path.name.startswith("valid-")

    assert Draft202012Validator(SCHEMA).is_valid(document) == is_valid
    if is_valid:
        made = make_design(DesignSpec.from_document(document))
        assert Draft202012Validator(SCHEMA).is_valid(made.as_document()["spec"])
    else:
        with pytest.raises(DesignError):
            make_design(DesignSpec.from_document(document))
