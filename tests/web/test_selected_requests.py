"""Several requests are cancelled at once: those that are named, as far as each may be, and by whom it may be."""

import pytest

from tests.fake_desk import ADA, BOB, OTTO, TWIN
from tests.fakes import NOON, request_document
from tests.web.markup import assert_sound
from twinbench.workflow.requesting import submit


@pytest.fixture
def numbers(desk):
    """Two requests of Ada and one of Bob."""
    return [submit(desk, who, request_document()).number for who in (ADA, ADA, BOB)]


def asked(numbers):
    return "&".join(f"number={number}" for number in numbers)


def states(desk, numbers):
    return [desk.register.by_number(number)["status"] for number in numbers]


def test_only_what_may_be_cancelled_can_be_ticked(shown, desk, numbers):
    desk.register.set_status(desk.register.by_number(numbers[0])["uuid"], "completed", at=NOON)

    def boxes(person):
        return [one["value"] for one in shown("/requests", person).all("input", type="checkbox")]

    assert boxes(ADA) == [numbers[1]]
    assert boxes(OTTO) == [numbers[2], numbers[1]]
    assert boxes(TWIN) == []
    assert "Cancel the selected" not in shown("/requests", TWIN).words


@pytest.mark.parametrize("path", ["/requests/cancel", "/requests/cancel/part"])
def test_before_anything_is_done_each_is_named_with_why_it_may_not(shown, desk, numbers, path):
    desk.register.set_status(desk.register.by_number(numbers[1])["uuid"], "completed", at=NOON)

    read = shown(f"{path}?{asked(numbers)}", ADA, whole=not path.endswith("part"))

    assert "Cancel 1 request?" in read.words
    assert [one["value"] for one in read.all("input", name="number")] == [numbers[0]]
    assert f"{numbers[1]} It is completed." in read.words
    assert f"There is no request {numbers[2]} that Ada Lovelace may see" in read.words


def test_whoever_has_ticked_nothing_is_told_so(shown, page):
    assert "No request is selected" in shown("/requests/cancel").words
    assert page(OTTO)("POST", "/requests/cancel", data={}).status_code == 422


def test_all_of_them_are_cancelled_with_the_reason_and_one_is_back_at_the_list(page, desk, numbers):
    answer = page(OTTO)("POST", "/requests/cancel", data={"number": numbers, "reason": "the chamber leaks"})

    assert answer.headers["location"] == "/lims/requests?done=3+requests+are+cancelled."
    assert states(desk, numbers) == ["cancelled"] * 3
    assert [line["subject"] for line in desk.audit.entries() if line["action"] == "cancel"] == numbers[::-1]
    assert desk.register.by_number(numbers[0])["failure"] == "the chamber leaks"


def test_what_cannot_be_does_not_keep_the_others_from_it_and_is_told(page, desk, numbers):
    answer = page(ADA)("POST", "/requests/cancel", data={"number": [numbers[2], "nonsense", *numbers[:2]]})

    read = assert_sound(answer.text)
    assert "2 of 4 are" in read.words
    assert "nonsense" in read.words
    assert states(desk, numbers) == ["cancelled", "cancelled", "submitted"]


def test_programs_may_too(as_, desk, numbers):
    answer = as_(ADA)("POST", "/api/v1/requests/cancel", json={"numbers": numbers[1:], "reason": "no"})

    first, other = answer.json()
    assert (first["status"], first["obstacle"]) == ("cancelled", None)
    assert (other["status"], "may see" in other["obstacle"]) == (None, True)
    assert as_(ADA)("POST", "/api/v1/requests/cancel", json={"numbers": []}).status_code == 422
    assert as_(ADA)("POST", "/api/v1/requests/cancel", json={"numbers": ["TR-1"] * 201}).status_code == 422


def test_a_partner_cancels_nothing(page, as_, desk, numbers):
    assert page(TWIN)("POST", "/requests/cancel", data={"number": numbers}).status_code == 403
    assert as_(TWIN)("POST", "/api/v1/requests/cancel", json={"numbers": numbers}).status_code == 403
    assert states(desk, numbers) == ["submitted"] * 3


def test_the_lab_has_a_view_of_its_own_requests(shown, desk, numbers):
    own = submit(desk, OTTO, {k: v for k, v in request_document().items() if not k.startswith("requester")}).number

    (mine,) = [one["href"] for one in shown("/requests").all("a") if one.get("href", "").endswith("requester=otto")]
    words = shown(mine.removeprefix("/lims")).words

    assert own in words
    assert numbers[0] not in words
    assert "Mine" not in shown("/requests", ADA).words
