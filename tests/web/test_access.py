"""Every route asks who one is, and refuses what one may not."""

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount

from tests.fake_desk import ADA, BOB, MARIE, NOBODY, OTTO, ROOT, STRANGER_TWIN, TWIN

_FILLED = {"{number}": "TR-000001", "{run}": "1", "{name:path}": "lims.css", "{name}": "cycler-1", "{part}": "state"}
_FILLED |= {
    "{run_id}": "x",
    "{kind}": "uuts",
    "{code:path}": "Gen3b - Cell",
    "{serial:path}": "SN-1",
    "{anything:path}": "x",
}


def routes(app):
    """Method and address of every route there is."""
    for route in app.routes:
        assert not isinstance(route, Mount), "what is mounted would need a guard of its own"
        assert isinstance(route, APIRoute), f"{route.path} is not asked who comes"
        path = route.path
        for name, value in _FILLED.items():
            path = path.replace(name, value)
        for method in route.methods:
            yield method, path


def test_every_route_refuses_whoever_is_not_logged_in(app, as_):
    stranger = as_(None)

    answers = {(method, path): stranger(method, path).status_code for method, path in routes(app)}

    assert len(answers) > 40
    assert set(answers.values()) == {401}, {where for where, status in answers.items() if status != 401}


def test_whoever_is_not_logged_in_at_a_browser_is_led_to_the_login_and_back(page):
    answer = page(None)("GET", "/requests?state=failed")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/api/v2/auth/login?next=%2Flims%2Frequests%3Fstate%3Dfailed"


@pytest.fixture
def number(as_, asked):
    answer = as_(ADA)("POST", "/api/v1/requests", json=asked())
    assert answer.status_code == 201, answer.text
    return answer.json()["request_number"]


@pytest.mark.parametrize("person", [ADA, OTTO, MARIE, TWIN, ROOT], ids=lambda one: one.id)
def test_a_request_is_seen_by_its_requester_its_twin_and_the_lab(as_, number, person):
    assert as_(person)("GET", f"/api/v1/requests/{number}").status_code == 200
    assert as_(person)("GET", "/api/v1/requests").json()["total"] == 1


@pytest.mark.parametrize("person", [BOB, STRANGER_TWIN, NOBODY], ids=lambda one: one.id)
def test_for_others_there_is_no_such_request(as_, page, number, person):
    for path in ("", "/history", "/runs", "/results", "/gantt", "/findings"):
        assert as_(person)("GET", f"/api/v1/requests/{number}{path}").status_code == 404
    for path in ("", "/part/state", "/report", "/runs/1", "/files/plan.json"):
        assert page(person)("GET", f"/requests/{number}{path}").status_code == 404
    assert as_(person)("POST", f"/api/v1/requests/{number}/cancel", json={}).status_code == 404
    assert as_(person)("GET", "/api/v1/requests").json()["total"] == 0


UNIT = {"uut": "Gen3b - Cell"}
LAB_ONLY = [
    ("POST", "/api/v1/benches/cycler-1/closure", {"reason": "calibration"}),
    ("DELETE", "/api/v1/benches/cycler-1/closure", None),
    ("GET", "/api/v1/audit", None),
]
MANAGERS_ONLY = [
    ("PATCH", "/api/v1/catalogue/uuts/Gen3b - Cell", {"is_active": False}),
    ("PUT", "/api/v1/units/SN-1", UNIT),
]


@pytest.mark.parametrize(("method", "path", "body"), [*LAB_ONLY, *MANAGERS_ONLY])
@pytest.mark.parametrize("person", [ADA, TWIN, NOBODY], ids=lambda one: one.id)
def test_what_the_lab_does_is_refused_to_others(as_, person, method, path, body):
    answer = as_(person)(method, path, json=body)

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert "ask somebody with one of the roles" in answer.json()["detail"]


@pytest.mark.parametrize(("method", "path", "body"), MANAGERS_ONLY)
def test_an_operator_does_not_keep_the_catalogue(as_, method, path, body):
    assert as_(OTTO)(method, path, json=body).status_code == 403
    assert as_(MARIE)(method, path, json=body).status_code == 200


def test_partners_and_people_without_a_role_ask_for_nothing(as_, asked):
    for person in (TWIN, NOBODY):
        assert as_(person)("POST", "/api/v1/requests", json=asked()).status_code == 403


def test_a_requester_cancels_the_own_request_and_repeats_none(as_, number):
    assert as_(ADA)("POST", f"/api/v1/requests/{number}/retry", json={"stage": "plan_benches"}).status_code == 403
    assert as_(ADA)("POST", f"/api/v1/requests/{number}/cancel", json={"reason": "no"}).status_code == 200


def test_a_partner_sees_and_does_not_cancel(as_, number):
    assert as_(TWIN)("POST", f"/api/v1/requests/{number}/cancel", json={}).status_code == 403


def test_nobody_can_ask_in_the_name_of_somebody_else_but_the_lab(as_, asked):
    document = {**asked(), "requester_id": "bob", "requester_name": "Bob Newton"}

    own = as_(ADA)("POST", "/api/v1/requests", json=document).json()
    for_bob = as_(OTTO)("POST", "/api/v1/requests", json=document).json()

    assert (own["requester_id"], own["submitted_by"]) == ("ada", "ada")
    assert (for_bob["requester_id"], for_bob["submitted_by"]) == ("bob", "otto")


def test_controls_that_one_may_not_use_are_not_there(page, number):
    own, lab = (page(person)("GET", f"/requests/{number}").text for person in (ADA, OTTO))

    assert ("Cancel request" in own, "Repeat from" in own) == (True, False)
    assert ("Cancel request" in lab, "Repeat from" in lab) == (True, True)
    assert "Take out of service" not in page(ADA)("GET", "/benches").text
    assert "Take out of service" in page(OTTO)("GET", "/benches").text
    assert "New request" not in page(TWIN)("GET", "/").text


def test_others_learn_when_a_bench_is_busy_but_not_for_whom(as_, page, lab, number):
    from tests.fake_desk import carry_out

    desk, fake = lab
    carry_out(desk, fake, str(desk.register.by_number(number)["uuid"]), until="planned")

    assert number not in page(BOB)("GET", "/benches").text
    assert number in page(OTTO)("GET", "/benches").text
    bookings = [one for bench in as_(BOB)("GET", "/api/v1/benches").json() for one in bench["bookings"]]
    assert bookings
    assert {one["request_number"] for one in bookings} == {None}


def test_others_learn_that_somebody_is_in_the_way_of_a_request_but_not_who(as_, page, lab, number):
    from tests.fake_desk import carry_out

    desk, fake = lab
    uuid = str(desk.register.by_number(number)["uuid"])
    carry_out(desk, fake, uuid, until="planned")
    area = fake.lab.area(uuid)
    plan = area.read_json("schedule-output/plan.json")
    plan["assignments"][0]["waits_for"] = "Waits, since bench virtual-1 is taken by TR-000077 (round 1, promised)."
    area.write_json("schedule-output/plan.json", plan)

    for person, told in ((OTTO, True), (ADA, False), (TWIN, False)):
        assert ("TR-000077" in page(person)("GET", f"/requests/{number}").text) == told
        assert ("TR-000077" in as_(person)("GET", f"/api/v1/requests/{number}/gantt").text) == told
        assert ("TR-000077" in page(person)("GET", f"/requests/{number}/runs/1").text) in (told, False)
        assert ("TR-000077" in page(person)("GET", f"/requests/{number}/files/plan.json").text) == told
