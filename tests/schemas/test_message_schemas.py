"""Every message has a schema: what programs build keeps to it, and what it refuses they refuse too."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from twinbench.core.errors import ResultError
from twinbench.core.telemetry import METRIC_SIGNALS, RunLabel, batches, metrics_message, parse_metrics

SCHEMAS = Path(__file__).resolve().parents[2] / "include" / "schemas"
EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*/*.json"))
MESSAGES = (
    *("twin_request", "twin_acknowledgement", "metrics", "metrics_acknowledgement"),
    *("bench_status", "bench_command", "bench_event", "bench_telemetry"),
)


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def described(schema: object) -> bool:
    """Whether every property says what it is."""
    if isinstance(schema, list):
        return all(map(described, schema))
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties", {})
    is_condition = {"const", "enum", "minLength", "maxItems", "minItems"}
    told = all("description" in rules or not set(rules) - is_condition for rules in properties.values())
    return told and all(map(described, schema.values()))


@pytest.mark.parametrize("name", MESSAGES)
def test_a_schema_is_one_and_says_what_each_field_is(name):
    schema = validator(name).schema

    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"]
    assert described(schema)


@pytest.mark.parametrize("name", MESSAGES)
def test_each_schema_has_valid_and_invalid_examples(name):
    kinds = [path.name.split("-")[0] for path in EXAMPLES if path.parent.name == name]

    assert {"valid", "invalid"} == set(kinds)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_example_is_what_its_name_says(path):
    is_valid = validator(path.parent.name).is_valid(json.loads(path.read_text()))

    assert is_valid == path.name.startswith("valid-")


@pytest.mark.parametrize(
    "path", [path for path in EXAMPLES if path.parent.name == "metrics"], ids=lambda path: path.stem
)
def test_the_reader_of_metrics_agrees_with_the_schema(path):
    document = json.loads(path.read_text())

    if path.name.startswith("valid-"):
        assert parse_metrics(document).message_id == document["message_id"]
    else:
        with pytest.raises(ResultError):
            parse_metrics(document)


def test_the_metrics_messages_that_are_built_keep_to_the_schema():
    run_uuid = "0f7a1c9e-58a5-5d3e-9c0a-4b5f1d0f7d11"
    label = RunLabel(run_uuid, run_uuid, 1, "virtual-1", "Performance - Capacity", "Gen3b - Cell", "Automotive")
    signals = {name: [-1e9, 1.0, float("nan")] for name in METRIC_SIGNALS}
    metrics = validator("metrics")

    for message in [*batches(label, 0, [0.0, 1.0, 2.0], signals), metrics_message(label, 1, final=True)]:
        metrics.validate(message)
