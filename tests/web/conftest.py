"""The application behind a login that believes whoever says who they are."""

from typing import Annotated

import pytest
from fastapi import FastAPI, Header, HTTPException
from fastapi.testclient import TestClient

from tests.fake_desk import OTTO, PEOPLE, make_desk
from tests.fakes import request_document
from tests.web.every_state import make_every_state
from tests.web.markup import assert_sound
from twinbench.web import create_app


def identify(x_person: Annotated[str, Header()] = ""):
    if x_person not in PEOPLE:
        raise HTTPException(401, "Not authenticated")
    return PEOPLE[x_person]


@pytest.fixture
def lab(tmp_path):
    return make_desk(tmp_path / "storage")


@pytest.fixture(scope="session")
def every_state(tmp_path_factory):
    """A lab with a request in every state, only to be looked at."""
    return make_every_state(tmp_path_factory.mktemp("every-state"))


@pytest.fixture
def desk(lab):
    return lab[0]


@pytest.fixture
def fake(lab):
    return lab[1]


@pytest.fixture(scope="session")
def only_app():
    """The application, made once, for that takes longer than most tests."""
    return create_app(lambda: None, identify, time_zone="Europe/Berlin")


@pytest.fixture
def app(only_app, desk):
    only_app.state.open_desk = lambda: desk
    for of_another_test in ("desk", "shelf"):
        if hasattr(only_app.state, of_another_test):
            delattr(only_app.state, of_another_test)
    return only_app


@pytest.fixture
def client(app):
    outside = FastAPI()  # as Airflow has it
    outside.mount("/lims", app)
    return TestClient(outside, follow_redirects=False)


@pytest.fixture
def as_(client):
    """A caller that is somebody, and wants JSON."""

    def caller(person, accept="application/json"):
        def call(method, path, **arguments):
            headers = {"x-person": person.id if person else "", "accept": accept, **arguments.pop("headers", {})}
            return client.request(method, f"/lims{path}", headers=headers, **arguments)

        return call

    return caller


@pytest.fixture
def page(as_):
    """A caller that is somebody at a browser."""
    return lambda person: as_(person, accept="text/html,application/xhtml+xml")


@pytest.fixture
def shown(page):
    """Gets a page as somebody and reads it, sound as it has to be."""

    def show(path, person=OTTO, *, whole=True):
        answer = page(person)("GET", path)
        assert answer.status_code == 200, answer.text
        return assert_sound(answer.text, whole=whole)

    return show


@pytest.fixture
def asked():
    """What a person may submit, who it is for aside."""

    def document(**changes):
        made = request_document(**changes)
        return {name: value for name, value in made.items() if name not in ("requester_name", "requester_id")}

    return document
