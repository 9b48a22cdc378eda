"""What is described is what is there, and nothing that keeps to the description or breaks it is a server error."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error

from tests.fake_desk import ADA, OTTO, FakeLive, carry_out, make_desk
from tests.fakes import INCLUDE, request_document
from tests.web.conftest import identify
from twinbench.orchestration.opening import read_schemas
from twinbench.web import create_app
from twinbench.workflow.requesting import submit

TWENTY = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
THERE = {"number": "TR-000001", "run": 1, "name": "cycler-1", "kind": "uuts", "code": "Gen4 - Pack"}
DESCRIPTION = "/lims/api/v1/openapi.json"


class ShortLive(FakeLive):
    """Changes for a moment only, so that a stream ends."""

    async def changes(self):
        yield "request TR-000001"
        await asyncio.sleep(0)
        yield ""


@pytest.fixture(scope="module")
def lab_inside(tmp_path_factory):
    """The application as Airflow has it, with a planned request."""
    desk, fake = make_desk(tmp_path_factory.mktemp("lab"))
    desk = replace(desk, live=ShortLive())
    carry_out(desk, fake, submit(desk, ADA, request_document(runs=1)).uuid, until="planned")
    outside = FastAPI()
    outside.mount("/lims", create_app(lambda: desk, identify))
    return outside


@pytest.fixture(scope="module")
def described(lab_inside):
    """The description, with the schema of a request's document where it says only that it is one."""
    document = TestClient(lab_inside).get(DESCRIPTION, headers={"x-person": "otto"}).json()
    body = document["paths"]["/api/v1/requests"]["post"]["requestBody"]["content"]["application/json"]
    body["schema"] = read_schemas(INCLUDE)["test_request"]
    schema = schemathesis.openapi.from_dict(document)
    schema.app = lab_inside
    return schema


@pytest.mark.thorough
@pytest.mark.parametrize("there", [True, False], ids=["of what is there", "of whatever"])
@pytest.mark.parametrize("person", [ADA, OTTO], ids=lambda one: one.id)
def test_nothing_that_is_sent_is_a_server_error(described, person, there):
    answers = Counter()
    operations = [found.ok() for found in described.get_all_operations()]

    assert len(operations) > 20
    for operation in operations:

        @TWENTY
        @given(case=operation.as_strategy())
        def send(case):
            if there:
                case.path_parameters = {name: THERE.get(name, value) for name, value in case.path_parameters.items()}
            answer = case.call_and_validate(headers={"x-person": person.id}, checks=[not_a_server_error])
            answers[answer.status_code] += 1

        send()
    assert answers[200] > 50
    assert answers[401] == 0


@pytest.fixture
def document(as_):
    return as_(OTTO)("GET", "/api/v1/openapi.json").json()


def test_every_rest_route_is_described_and_no_page_is(document, app):
    routes = {route.path for route in app.routes if route.path.startswith("/api/")} - {"/api/v1/openapi.json"}

    assert set(document["paths"]) == {path.replace(":path", "") for path in routes}
    assert document["servers"] == [{"url": "/lims"}]
    assert document["openapi"].startswith("3.1")


def test_every_operation_says_what_it_does(document):
    operations = [told for methods in document["paths"].values() for told in methods.values()]

    assert all(told["description"] and told["tags"] for told in operations)
    assert len({told["operationId"] for told in operations}) == len(operations)


def test_all_schemas_are_schemas_and_all_references_lead_somewhere(document):
    def walk(part):
        if isinstance(part, dict):
            if "$ref" in part:
                assert part["$ref"].rpartition("/")[2] in document["components"]["schemas"]
            for inner in part.values():
                walk(inner)
        if isinstance(part, list):
            for inner in part:
                walk(inner)

    walk(document["paths"])
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_the_example_of_a_request_can_be_sent(as_, document):
    body = document["paths"]["/api/v1/requests"]["post"]["requestBody"]["content"]["application/json"]

    answer = as_(ADA)("POST", "/api/v1/requests", json=body["schema"]["examples"][0])

    assert answer.status_code == 201, answer.text
