"""The schema of a lab to be planned says what is read: no more, no less."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.core.planning.checker import violations
from twinbench.core.errors import PlanError
from twinbench.core.planning import document as reader
from twinbench.core.planning.calendars import WEEKDAYS
from twinbench.core.planning.document import problem_from_document
from twinbench.core.planning.problem import CRITERIA, FAR_MIN, PHASES
from twinbench.core.planning.solve import solve

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "include" / "schemas" / "lab_plan.schema.json").read_text())
EXAMPLES = sorted((Path(__file__).parent / "examples" / "lab_plan").glob("*.json"))
LAB = SCHEMA["properties"]
JOB, BENCH, RESOURCE = (LAB[name]["items"]["properties"] for name in ("jobs", "benches", "resources"))


def described(part):
    """Everything in a schema that a document may have, however deep."""
    yield part
    inner = [*part.get("properties", {}).values(), *part.get("oneOf", ())]
    inner += [part[key] for key in ("items", "additionalProperties") if isinstance(part.get(key), dict)]
    for one in inner:
        if "title" in one:  # else it only says what goes together
            yield from described(one)


def test_the_schema_is_one_and_every_field_says_what_it_is():
    Draft202012Validator.check_schema(SCHEMA)

    assert all(part["title"] and part["description"] for part in described(SCHEMA))
    assert all(part["additionalProperties"] is False for part in described(SCHEMA) if "properties" in part)


def test_fields_criteria_and_phases_are_those_of_the_code():
    mode = JOB["modes"]["items"]["properties"]

    assert set(LAB) == set(reader._LAB)
    assert set(JOB) == set(reader._JOB)
    assert set(mode) == set(reader._MODE)
    assert set(BENCH) == set(reader._BENCH)
    assert set(RESOURCE) == set(reader._RESOURCE)
    assert tuple(LAB["objective"]["items"]["properties"]) == CRITERIA
    assert tuple(mode["demands"]["items"]["properties"]["during"]["items"]["enum"]) == PHASES
    assert tuple(RESOURCE["hours"]["items"]["properties"]["days"]["items"]["enum"]) == WEEKDAYS
    assert mode["duration_min"]["maximum"] == FAR_MIN


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_what_the_schema_takes_can_be_planned_and_what_it_refuses_cannot(path):
    document = json.loads(path.read_text())
    is_valid = path.name.startswith("valid-")

    assert Draft202012Validator(SCHEMA).is_valid(document) == is_valid
    if is_valid:
        problem = problem_from_document(document)
        assert violations(problem, solve(problem, time_limit_s=0.5).intervals) == []
    else:
        with pytest.raises(PlanError):
            solve(problem_from_document(document))
