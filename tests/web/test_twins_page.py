"""The page of the digital twins tells what the lab really knows of them: bundles, versions, what they acknowledge."""

from datetime import timedelta

import pytest

from tests.fake_desk import ADA, BOB, OTTO, STRANGER_TWIN, TWIN
from tests.fakes import NOON, request_document
from tests.web.markup import assert_sound
from twinbench.workflow.requesting import submit
from twinbench.workflow.twin_file import bundles_of, versions_of

MINUTE = timedelta(minutes=1)
OLD = [{"name": "Battery", "fmi_version": "3.0", "sha256": "a" * 64}]
NEW = [{"name": "Battery", "fmi_version": "3.0", "sha256": "b" * 64}]


@pytest.fixture
def shown(page):
    def show(path="/twins", person=OTTO):
        answer = page(person)("GET", path)
        assert answer.status_code == 200, answer.text
        return assert_sound(answer.text)

    return show


@pytest.fixture
def sent(desk, fake):
    """Has the twin take a request on, and send models if some are given; returns its submission."""

    def send(models=None, *severities, passes=True, who=ADA, at=0):
        made = submit(desk, who, request_document())
        desk.register.set_status(made.uuid, "forwarded", at=NOON + at * MINUTE)
        if models:
            area = fake.lab.area(made.uuid)
            area.write_json("fastest-models/models.json", models)
            findings = [{"severity": one, "code": "C", "where": "w", "message": "m", "hint": "h"} for one in severities]
            area.write_json("fastest-models/findings.json", findings)
            if passes:
                desk.register.set_status(made.uuid, "models-received", at=NOON + (at + 1) * MINUTE)
        return made

    return send


def test_a_twin_that_has_done_nothing_yet_is_claimed_nothing_of(shown):
    words = shown().words

    for told in ("fastest", "Nothing sent", "none yet", "nothing yet", "0 messages", "No bundles yet", "No models yet"):
        assert told in words


@pytest.mark.parametrize(
    ("models", "severities", "passes", "state"),
    [
        (None, (), False, "Awaited"),
        (NEW, (), True, "Passed"),
        (NEW, ("warning", "warning", "note"), True, "2 warnings"),
        (NEW, ("error",), False, "1 error"),
    ],
)
def test_a_bundle_is_shown_with_the_result_of_its_check(shown, sent, models, severities, passes, state):
    made = sent(models, *severities, passes=passes)

    read = shown()

    assert state in read.words
    assert read.all("a", href=f"/lims/requests/{made.number}")


def test_a_request_that_ended_without_models_is_not_awaited(desk, shown, sent):
    desk.register.set_status(sent().uuid, "failed", at=NOON)

    assert "Missing" in shown().words


def test_the_same_name_with_another_hash_is_another_version(desk, as_, sent):
    first, _, last = sent(OLD, at=0), sent(OLD, at=10), sent(NEW, at=20)

    newest, older = versions_of(bundles_of(desk, OTTO))

    assert (newest.sha256, newest.requests, newest.is_newest) == ("b" * 64, 1, True)
    assert (older.first, older.requests, older.is_newest) == (first.number, 2, False)
    told = as_(OTTO)("GET", "/api/v1/twins/bundles").json()
    assert told[0]["request_number"] == last.number
    assert told[0]["version"] != told[1]["version"] == told[2]["version"]
    assert len(as_(OTTO)("GET", "/api/v1/twins/models").json()) == 2


class TestSync:
    """What is published, and what is acknowledged of it."""

    @pytest.fixture
    def queue(self, desk, sent):
        made = sent(NEW)

        def wait(since, messages=12):
            at = {"since": NOON - since, "newest": NOON, "messages": messages}
            desk.twins.queued[made.uuid] = at
            return made

        return wait

    def test_what_is_on_its_way_is_no_failure(self, queue, shown):
        queue(timedelta(seconds=5))

        assert "Receiving" in shown().words
        assert "does not hear the benches" not in shown("/").words

    def test_a_twin_that_acknowledges_nothing_is_told_on_both_pages_with_what_to_do(self, queue, shown, as_):
        made = queue(timedelta(minutes=9))

        read = shown()
        assert "It does not hear the benches" in read.words
        assert "12 messages are not acknowledged" in read.words
        assert read.all("a", href=f"/lims/requests/{made.number}")
        assert "Digital twin fastest does not hear the benches" in shown("/").words
        (told,) = as_(OTTO)("GET", "/api/v1/twins").json()
        assert (told["state"], told["backlog"]) == ("failing", 12)

    def test_what_was_acknowledged_last_is_told(self, desk, sent, shown):
        made = sent(NEW)
        desk.twins.delivered[made.uuid] = {"messages": 5, "stored_at": NOON, "acknowledged_at": NOON}

        assert "In step" in shown().words

    @pytest.mark.parametrize(("person", "sees"), [(ADA, True), (TWIN, True), (BOB, False), (STRANGER_TWIN, False)])
    def test_each_is_told_of_the_requests_that_one_may_see(self, queue, shown, as_, person, sees):
        number = queue(timedelta(minutes=9)).number

        assert (number in shown("/twins", person).words) == sees
        assert ("does not hear" in shown("/", person).words) == sees
        assert (number in as_(person)("GET", "/api/v1/twins/bundles").text) == sees
        assert (number in as_(person)("GET", "/api/v1/twins").text) == sees
