"""The form offers only what applies, says what is wrong in the words of REST, and loses nothing that was typed."""

import json

import pytest

from tests.fake_desk import ADA, BOB, MARIE, NOBODY, OTTO, TWIN
from tests.web.markup import assert_sound
from twinbench.core.request import TestRequest
from twinbench.workflow.design import specify

NEW = "/requests/new"
CHOSEN = {"uut": "Gen3b - Cell", "use_case": "Automotive", "standard": "IEC62660"}
FILLED = {
    **CHOSEN,
    "test_name": "Performance - Power",
    "test_bench": "Virtual",
    "preferred_date": "2026-12-01T10:00",
    "runs": "4",
    "seed": "7",
    "aim": "",
    "key": "k-1",
}
CSV = b"timestamp,value\n0,1.5\n10,-2\n20,0\n"
PROFILE = {
    "Name": "current",
    "type": "input",
    "unit": "A",
    "values": [{"timestamp": 0, "value": 1}, {"timestamp": 9, "value": 0}],
}


@pytest.fixture
def form(page):
    """The empty form, read."""
    return lambda query="", person=ADA: assert_sound(page(person)("GET", f"{NEW}{query}").text)


@pytest.fixture
def send(page):
    def sending(person=ADA, file=None, **changes):
        values = {name: value for name, value in {**FILLED, **changes}.items() if value is not None}
        files = {"profile_file": ("a.csv", file, "text/csv")} if file is not None else {"none": ("", b"")}
        return page(person)("POST", NEW, data=values, files=files)

    return sending


def kept(read):
    return {name: read.value_of(name) for name in FILLED}


def test_the_empty_form_asks_for_everything_and_has_a_key_of_its_own(form):
    first, second = form(), form()

    assert first.value_of("key")
    assert first.value_of("key") != second.value_of("key")
    assert first.options_of("uut")[0] == "Gen3b - Cell"
    assert first.options_of("test_name") == []
    assert first.value_of("preferred_date") == "2026-11-20T13:00"
    assert "Times are in Europe/Berlin" in first.words


@pytest.mark.parametrize("person", [TWIN, NOBODY], ids=lambda one: one.id)
def test_whoever_may_not_submit_gets_no_form(page, person):
    for method, path in (("GET", ""), ("GET", "/choices"), ("POST", ""), ("POST", "/profile")):
        answer = page(person)(method, f"{NEW}{path}", data=FILLED if method == "POST" else None)
        assert answer.status_code == 403


def test_only_the_lab_names_somebody_else(form, send, desk):
    assert "requester_name" not in form().ids
    assert form(person=OTTO).value_of("requester_name") == "Otto Hahn"

    send(requester_name="Mallory", requester_id="m", key="a")
    send(OTTO, requester_name="Bob Newton", requester_id="bob", key="b")

    assert [row["requester_name"] for row in desk.register.rows.values()] == ["Ada Lovelace", "Bob Newton"]


def test_choices_offer_the_tests_that_apply_and_keep_what_is_still_valid(page):
    power = page(ADA)("GET", f"{NEW}/choices", params={**CHOSEN, "test_name": "Performance - Power"})
    pack = page(ADA)("GET", f"{NEW}/choices", params={**FILLED, "uut": "Gen3b - Pack"})

    cell, other = assert_sound(power.text, whole=False), assert_sound(pack.text, whole=False)
    assert "Performance - Capacity" in cell.options_of("test_name")
    assert cell.value_of("test_name") == "Performance - Power"
    assert "uut" not in other.ids  # what the choices follow from is left alone in people's hands
    assert other.value_of("test_name") == ""
    assert "Performance - Power" not in other.options_of("test_name")


@pytest.mark.parametrize("change", [{"uut": "Gen9"}, {"standard": ""}, {"use_case": "<b>"}], ids=str)
def test_choices_that_are_none_offer_no_tests(page, change):
    answer = page(ADA)("GET", f"{NEW}/choices", params={**CHOSEN, **change})

    assert answer.status_code == 200
    assert assert_sound(answer.text, whole=False).options_of("test_name") == []


def test_a_test_that_no_model_can_stand_in_for_does_not_offer_virtual(page):
    crush = {**CHOSEN, "standard": "IEC62660-2:2020-07", "test_name": "Mechanical - Crush"}

    part = assert_sound(page(ADA)("GET", f"{NEW}/choices", params=crush).text, whole=False)

    assert part.options_of("test_bench") == ["Physical", "Any"]
    assert part.value_of("test_bench") == ""


def test_what_the_lab_manager_switched_off_is_not_offered(page, as_, form):
    as_(MARIE)("PATCH", "/api/v1/catalogue/test_names/Performance - Power", json={"is_active": False})
    as_(MARIE)("PATCH", "/api/v1/catalogue/uuts/Gen4 - Pack", json={"is_active": False})

    part = assert_sound(page(ADA)("GET", f"{NEW}/choices", params=CHOSEN).text, whole=False)

    assert "Performance - Power" not in part.options_of("test_name")
    assert "Gen4 - Pack" not in form().options_of("uut")


def test_a_form_that_is_right_leads_to_the_page_of_the_request(send, page, desk):
    answer = send()

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/lims/requests/TR-000001?sent=new-request&done=")
    shown = assert_sound(page(ADA)("GET", answer.headers["location"].removeprefix("/lims")).text)
    assert "It is submitted" in shown.words
    assert shown.all("body")[0]["data-draft-done"] == "new-request"
    (document,) = desk.airflow.runs.values()
    assert (document["runs"], document["seed"], "design" in document) == (4, 7, False)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-12-01T10:00", "2026-12-01T10:00:00+01:00"),
        ("2027-07-01T10:00", "2027-07-01T10:00:00+02:00"),
        ("2026-12-01T10:00Z", "2026-12-01T10:00:00+00:00"),
    ],
)
def test_a_time_without_a_zone_is_the_labs(send, desk, typed, meant):
    send(preferred_date=typed)

    assert [document["preferred_date"] for document in desk.airflow.runs.values()] == [meant]


def test_an_aim_has_the_runs_as_its_budget(send, desk):
    send(aim="exploration", runs="5")

    (document,) = desk.airflow.runs.values()
    assert document["design"] == {"aim": "exploration", "runs": 5}
    assert specify(TestRequest.from_document(document, uuid=""), desk.lab.catalogue)["runs"] == 5


def test_a_budget_that_is_too_small_for_the_aim_is_said_at_the_aim(send):
    answer = send(aim="response-surface", runs="2")

    assert answer.status_code == 422
    assert "ask for 4 or more" in assert_sound(answer.text).text_of("p", id="aim-error")


def test_what_is_sent_twice_is_one_request(send, desk):
    first, second = send(), send()

    assert first.headers["location"] == second.headers["location"]
    assert len(desk.airflow.runs) == 1


def test_a_form_that_is_changed_after_it_was_sent_can_be_sent_as_well(send, desk):
    send()

    answer = send(runs="5")

    read = assert_sound(answer.text)
    assert answer.status_code == 409
    assert "TR-000001" in read.text_of("section", id="error-summary")
    assert read.value_of("key") not in ("", "k-1")
    assert kept(read) == {**FILLED, "runs": "5", "key": read.value_of("key")}
    assert send(runs="5", key=read.value_of("key")).status_code == 303
    assert len(desk.airflow.runs) == 2


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"runs": "0"}, ["runs"]),
        ({"runs": "many", "seed": "-1"}, ["runs", "seed"]),
        ({"runs": "9" * 5_000}, ["runs"]),
        ({"preferred_date": "soon"}, ["preferred_date"]),
        ({"preferred_date": "9999-12-31T23:59"}, ["preferred_date"]),
        ({"preferred_date": ""}, ["preferred_date"]),
        ({"uut": "", "test_name": ""}, ["uut", "test_name"]),
        ({"uut": "Gen3b - Pack"}, ["uut"]),
        ({"standard": "UL1642"}, ["test_name"]),
        ({"standard": "IEC62660-2:2020-07", "test_name": "Mechanical - Crush"}, ["test_bench"]),
        ({"aim": "fame"}, ["aim"]),
        ({"profile": "{"}, ["profile_file"]),
        ({"profile": '{"values": [], "unit": "V"}'}, ["profile_file"]),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_at_its_field_and_above_and_nothing_typed_is_lost(send, desk, changes, fields):
    answer = send(**changes)

    read = assert_sound(answer.text)
    summary = read.text_of("section", id="error-summary")
    assert answer.status_code == 422
    assert desk.airflow.runs == {}
    for field in fields:
        assert read.all("a", href=f"#{field}")
        assert f"{field}-error" in read.ids
        assert read.text_of("p", id=f"{field}-error").removeprefix("Error: ") in summary
    typed = {name: value for name, value in {**FILLED, **changes}.items() if name in FILLED and name not in fields}
    offered = {name: value for name, value in typed.items() if name != "test_name"}
    assert {name: read.value_of(name) for name in offered} == offered
    assert "data-draft-skip" in read.all("form", id="new-request")[0]


def test_the_form_and_rest_say_the_same(send, as_, asked):
    told = as_(ADA)("POST", "/api/v1/requests", json=asked(runs=0, uut="Gen9")).json()

    summary = assert_sound(send(runs="0", uut="Gen9").text).text_of("section", id="error-summary")

    for error in told["errors"]:
        assert error["message"] in summary
        assert error["hint"] in summary


def test_while_airflow_is_away_the_form_comes_back_and_may_be_sent_again(send, desk):
    desk.airflow.is_away = True

    answer = send()

    read = assert_sound(answer.text)
    assert answer.status_code == 503
    assert "is kept, but could not be started" in read.words
    assert kept(read) == FILLED

    desk.airflow.is_away = False
    assert send().status_code == 303
    assert len(desk.register.rows) == 1


def test_without_javascript_a_button_updates_the_choices(send, desk):
    answer = send(update_choices="1", test_name="", runs="9", standard="UL1642")

    read = assert_sound(answer.text)
    assert answer.status_code == 200
    assert (read.value_of("runs"), read.value_of("standard"), read.value_of("key")) == ("9", "UL1642", "k-1")
    assert "Performance - Power" not in read.options_of("test_name")
    assert "error-summary" not in read.ids
    assert desk.register.rows == {}


def test_a_copy_is_filled_in_like_the_request_it_is_of(send, form):
    assert send(aim="screening", profile=json.dumps(PROFILE)).status_code == 303

    read = form("?copy_of=TR-000001")

    assert kept(read) == {**FILLED, "aim": "screening", "key": read.value_of("key")}
    assert read.value_of("key") != "k-1"
    assert json.loads(read.value_of("profile")) == PROFILE
    assert "data-draft-skip" in read.all("form", id="new-request")[0]


@pytest.mark.parametrize("number", ["TR-000001", "TR-000009", "x"])
def test_of_what_one_may_not_see_there_is_no_copy(send, page, number):
    send()

    assert page(BOB)("GET", f"{NEW}?copy_of={number}").status_code == 404


@pytest.mark.parametrize(
    "content", [CSV, json.dumps(PROFILE).encode(), b"\xef\xbb\xbf" + CSV], ids=["csv", "json", "bom"]
)
def test_an_uploaded_profile_is_shown_and_kept(page, content):
    answer = page(ADA)("POST", f"{NEW}/profile", files={"profile_file": ("a", content)})

    part = assert_sound(answer.text, whole=False)
    assert answer.status_code == 200
    assert part.all("svg", role="img")
    assert json.loads(part.value_of("profile"))["unit"] == "A"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "list of two values"),
        (b"\x00\xff\xfe\x89PNG", "no text file"),
        (b"time,current\n0,<b>x</b>\n1,2", "Line 2"),
        (b"0,1\n0,2\n", "timestamp"),
        (b"{", "no JSON"),
        (b'{"values": 3}', "no list of values"),
        (b'{"unit": "V", "values": [{"timestamp": 0, "value": 1}, {"timestamp": 1, "value": 1}]}', "'V'"),
        (b"[" * 100_000, "no JSON"),
        (b"\n".join(b"%d,1" % second for second in range(10_001)), "more than 10000"),
    ],
    ids=["empty", "binary", "words", "not increasing", "broken", "no list", "volts", "deep", "too long"],
)
def test_a_broken_profile_says_what_is_wrong_with_it(page, send, desk, content, words):
    preview = page(ADA)("POST", f"{NEW}/profile", files={"profile_file": ("a", content)})

    part = assert_sound(preview.text, whole=False)
    assert preview.status_code == 200
    assert words in part.words
    assert part.all("svg", role="img") == []
    if content:
        answer = send(file=content)
        assert answer.status_code == 422
        assert words in assert_sound(answer.text).text_of("p", id="profile_file-error")
        assert desk.register.rows == {}


def test_a_huge_file_is_refused(page):
    answer = page(ADA)("POST", f"{NEW}/profile", files={"profile_file": ("a", b"0,1\n" * 600_000)})

    assert answer.status_code == 413


@pytest.mark.parametrize("header", ["multipart/form-data", "multipart/form-data; boundary=x", "text/plain"])
def test_an_upload_that_is_none_is_refused(page, header):
    for path in ("", "/profile"):
        answer = page(ADA)("POST", f"{NEW}{path}", content=b"nonsense", headers={"content-type": header})
        assert answer.status_code in (200, 400, 422)


def test_more_files_than_one_are_refused(page):
    files = [("profile_file", ("a", CSV)), ("profile_file", ("b", CSV))]

    assert page(ADA)("POST", f"{NEW}/profile", files=files).status_code == 400


def test_a_request_has_the_profile_of_its_file(send, desk):
    send(file=CSV)

    (document,) = desk.airflow.runs.values()
    assert [entry["value"] for entry in document["custom_profile"]["values"]] == [1.5, -2, 0]


def test_a_file_comes_back_with_a_form_that_has_to_be_mended(send, desk):
    read = assert_sound(send(file=CSV, runs="0").text)

    answer = send(profile=read.value_of("profile"))

    assert answer.status_code == 303
    (document,) = desk.airflow.runs.values()
    assert len(document["custom_profile"]["values"]) == 3
