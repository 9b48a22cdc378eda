"""The DAG asks for what the request's schema asks for, no more and no less."""

import json
import shutil

import pytest
from airflow.sdk import Param
from airflow.sdk.exceptions import ParamValidationError

from tests.fakes import INCLUDE, request_document
from twinbench.orchestration.params import request_params

SCHEMA = json.loads((INCLUDE / "schemas" / "test_request.schema.json").read_text())
OPTIONAL = {name for name, rules in SCHEMA["properties"].items() if "default" in rules}


def test_there_is_one_parameter_per_property_with_its_rules_and_its_words():
    params = request_params()

    assert list(params) == list(SCHEMA["properties"])
    for name, rules in SCHEMA["properties"].items():
        assert isinstance(params[name], Param)
        assert params[name].description == rules["description"]
        assert params[name].schema == {key: rules[key] for key in rules.keys() - {"description", "default"}}


def test_what_has_no_default_must_be_given():
    params = request_params()

    assert {name: params[name].resolve() for name in OPTIONAL} == {
        name: SCHEMA["properties"][name]["default"] for name in OPTIONAL
    }
    assert set(SCHEMA["required"]) == params.keys() - OPTIONAL
    for name in SCHEMA["required"]:
        with pytest.raises(ParamValidationError):
            params[name].resolve()


def test_a_good_request_is_taken_and_a_bad_field_refused():
    params, document = request_params(), request_document()

    assert {name: params[name].resolve(value) for name, value in document.items()} == document
    with pytest.raises(ParamValidationError, match="0 is less than the minimum of 1"):
        params["runs"].resolve(0)


def test_the_schema_is_that_of_the_labs_own_include_folder(tmp_path, monkeypatch):
    shutil.copytree(INCLUDE / "schemas", tmp_path / "schemas")
    file = tmp_path / "schemas" / "test_request.schema.json"
    properties = {**SCHEMA["properties"], "project": {"type": "string", "default": "FASTEST"}}
    file.write_text(json.dumps({**SCHEMA, "properties": properties}))
    monkeypatch.setenv("TWINBENCH_INCLUDE", str(tmp_path))

    assert request_params()["project"].value == "FASTEST"
