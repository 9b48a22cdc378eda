"""The request's schema offers what the catalogue has, and each property can stand alone as a form field."""

import csv
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

INCLUDE = Path(__file__).resolve().parents[2] / "include"
SCHEMA = json.loads((INCLUDE / "schemas" / "test_request.schema.json").read_text())


def catalogue(name: str) -> list:
    text = (INCLUDE / "catalogue" / name).read_text()
    return list(csv.DictReader(text.splitlines())) if name.endswith(".csv") else json.loads(text)


@pytest.mark.parametrize(
    ("field", "file", "column"),
    [
        ("uut", "uuts.json", "code"),
        ("use_case", "use_cases.json", "name"),
        ("standard", "standards.json", "code"),
        ("test_name", "tests.csv", "test_name"),
    ],
)
def test_the_choices_are_the_catalogues(field, file, column):
    choices = SCHEMA["properties"][field]["enum"]

    assert len(choices) == len(set(choices))
    assert set(choices) == {entry[column] for entry in catalogue(file)}


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def test_only_known_fields_are_taken_and_the_rest_is_required_or_has_a_default():
    optional = {name for name, rules in SCHEMA["properties"].items() if "default" in rules}

    assert SCHEMA["additionalProperties"] is False
    assert optional | set(SCHEMA["required"]) == set(SCHEMA["properties"])
    assert not optional & set(SCHEMA["required"])


@pytest.mark.parametrize("field", SCHEMA["properties"])
def test_a_field_stands_alone_and_keeps_to_its_own_rules(field):
    rules = SCHEMA["properties"][field]
    alone = Draft202012Validator(rules, format_checker=Draft202012Validator.FORMAT_CHECKER)

    assert "$ref" not in json.dumps(rules)
    assert {"title", "description", "type", "examples"} <= set(rules)
    for value in [*rules["examples"], *([rules["default"]] if "default" in rules else [])]:
        alone.validate(value)


def test_the_examples_make_a_valid_request():
    request = {name: rules["examples"][0] for name, rules in SCHEMA["properties"].items()}

    Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(request)


@pytest.mark.parametrize("field", SCHEMA["required"])
def test_a_request_without_a_required_field_is_invalid(field):
    request = {name: rules["examples"][0] for name, rules in SCHEMA["properties"].items() if name != field}

    assert not Draft202012Validator(SCHEMA).is_valid(request)
