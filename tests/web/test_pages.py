"""Every page is sound and says what is so, whatever state a request is in and whatever people have written."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from tests.fake_desk import ADA, BOB, MARIE, NOBODY, OTTO, TWIN, carry_out
from tests.fakes import NOON
from tests.web.every_state import ERROR, STATES
from tests.web.markup import assert_sound
from twinbench.core.access import Person, Role

NASTY = """<script>alert(1)</script> "double" 'single' {{7*7}} {% raw %} '; DROP TABLE test_requests; -- &lt; \\ é"""
LISTS = ["/", "/requests", "/benches", "/twins", "/campaigns", "/catalogue", "/about", "/docs", "/requests/new"]


@pytest.fixture
def shown(page):
    """A page that has to be there, read."""

    def show(path, person=ADA, *, whole=True):
        answer = page(person)("GET", path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return assert_sound(answer.text, whole=whole)

    return show


class TestEmptyLab:
    """Nothing was asked for yet."""

    @pytest.mark.parametrize("path", LISTS)
    def test_pages_say_what_will_be_here(self, shown, path):
        read = shown(path)

        assert read.all("main")
        assert read.text_of("h1")

    def test_whoever_may_ask_for_the_first_test_is_led_there(self, shown):
        for path in ("/", "/requests"):
            assert shown(path).all("a", href="/lims/requests/new")
            assert "No requests yet" in shown(path).words

    def test_whoever_may_not_is_not(self, shown):
        for path in ("/", "/requests"):
            assert not shown(path, NOBODY).all("a", href="/lims/requests/new")

    def test_no_requests_at_all_differs_from_none_that_match(self, shown):
        for query in ("state=failed", "text=nothing", "page=9"):
            read = shown(f"/requests?{query}")
            assert "No requests match" in read.words
            assert "Clear filters" in read.words

    @pytest.mark.parametrize("path", ["/nothing", "/requests/", "/static/none.css", "/requests/TR-000001"])
    def test_an_address_that_is_none_has_a_page_that_says_so(self, page, path):
        answer = page(ADA)("GET", path)

        assert answer.status_code in (307, 404)
        assert answer.status_code == 307 or "There is no such thing" in assert_sound(answer.text).words

    def test_the_very_first_request_is_offered_as_new(self, shown, as_, asked):
        news = shown("/requests").all("div", id="news")[0]["hx-get"].removeprefix("/lims")
        as_(ADA)("POST", "/api/v1/requests", json=asked())

        assert "1 new request, show" in shown(news, whole=False).words

    @pytest.mark.parametrize(
        "path", ["/part/dashboard", "/benches/part/board", "/twins/part/twins", "/requests/new-ones?since="]
    )
    def test_parts_that_are_fetched_anew_are_sound(self, shown, path):
        shown(path, whole=False)


class TestEveryState:
    """A request in each state."""

    @pytest.fixture
    def lab(self, every_state):
        return every_state.desk, every_state.fake

    @pytest.mark.parametrize("person", [ADA, OTTO, TWIN], ids=lambda one: one.id)
    @pytest.mark.parametrize("state", STATES)
    def test_its_page_tells_state_number_and_what_was_asked(self, shown, every_state, state, person):
        number = every_state.numbers[state]

        read = shown(f"/requests/{number}", person)

        assert number in read.text_of("h1")
        assert state in {attributes["data-state"] for attributes in read.all("span") if "data-state" in attributes}
        assert "Performance - Power" in read.words
        assert {"timeline", "asked", "findings", "design", "schedule", "trends", "report", "provenance"} <= set(
            read.ids
        )

    @pytest.mark.parametrize("part", ["state", "runs"])
    @pytest.mark.parametrize("state", STATES)
    def test_its_parts_are_what_the_page_has(self, shown, every_state, state, part):
        read = shown(f"/requests/{every_state.numbers[state]}/part/{part}", whole=False)

        assert read.ids[0] == f"request-{part}"
        assert read.elements[0][1]["hx-get"] == f"/lims/requests/{every_state.numbers[state]}/part/{part}"

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("submitted", ["Not designed yet", "Not planned yet", "No readings yet", "No report yet"]),
            ("planned", ["2 runs are missing", "Why here"]),
            ("running", ["50 %", "Show as table"]),
            ("completed", ["Read the report", "provenance.json", "Parquet"]),
            ("failed", ["It failed at stage_bundle", ERROR, "is no zip file"]),
            ("cancelled", ["the cell is gone", "by ada"]),
        ],
    )
    def test_its_page_says_what_is_there_and_why_the_rest_is_not(self, shown, every_state, state, words):
        read = shown(f"/requests/{every_state.numbers[state]}")

        for one in words:
            assert one in read.words

    @pytest.mark.parametrize("state", ["completed", "cancelled"])
    def test_what_is_over_is_not_cancelled(self, shown, every_state, state):
        assert "Cancel request" not in shown(f"/requests/{every_state.numbers[state]}", OTTO).words

    def test_whoever_may_repeat_a_failed_request_is_offered_its_stage(self, shown, every_state):
        lab, own = (shown(f"/requests/{every_state.numbers['failed']}", person) for person in (OTTO, ADA))

        assert lab.value_of("stage") == "stage_bundle"
        assert "repeat the request from that stage" in lab.words
        assert "ask an operator to repeat it" in own.words

    @pytest.mark.parametrize(("state", "run"), [("planned", 1), ("running", 1), ("completed", 2)])
    def test_a_run_has_a_page(self, shown, every_state, state, run):
        read = shown(f"/requests/{every_state.numbers[state]}/runs/{run}")

        assert read.text_of("h1") == f"Run {run} of {every_state.numbers[state]}"
        assert ("Parquet" in read.words) == (state == "completed")

    def test_the_report_is_shown_with_no_rights(self, page, every_state):
        answer = page(ADA)("GET", f"/requests/{every_state.numbers['completed']}/report")

        assert answer.headers["content-type"].startswith("text/html")
        assert "sandbox" in answer.headers["content-security-policy"]

    def test_every_file_that_the_page_offers_is_there(self, shown, page, every_state):
        here = f"/requests/{every_state.numbers['completed']}"
        offered = [one["href"] for one in shown(here).all("a") if f"{here}/files/" in one["href"]]

        assert len(offered) == 6
        for path in offered:
            answer = page(ADA)("GET", path.removeprefix("/lims"))
            assert answer.status_code == 200
            assert answer.headers["content-disposition"].startswith(f'attachment; filename="{here[10:]}-')

    @pytest.mark.parametrize("path", ["/report", "/files/report.html", "/files/etc", "/runs/1", "/runs/x", "/part/x"])
    def test_what_is_not_there_yet_is_said_on_a_page(self, page, every_state, path):
        answer = page(ADA)("GET", f"/requests/{every_state.numbers['submitted']}{path}")

        assert answer.status_code in (404, 422)
        assert_sound(answer.text)

    @pytest.mark.parametrize("person", [ADA, OTTO, MARIE, TWIN, BOB, NOBODY], ids=lambda one: one.id)
    @pytest.mark.parametrize("path", LISTS[:-1])
    def test_the_other_pages_are_sound_for_everybody(self, shown, path, person):
        shown(path, person)

    def test_the_dashboard_counts_what_there_is_and_leads_to_it(self, shown):
        read = shown("/")

        for words in ("6 in all", "1 submitted", "1 running", "1 completed", "1 failed", "3 under way"):
            assert words in read.words.replace("2 under way", "3 under way")
        counted = [one["href"] for one in read.all("a") if "state=running" in one.get("href", "")]
        assert "Requests" in shown(counted[-1].removeprefix("/lims")).text_of("h1")

    @pytest.mark.thorough
    def test_every_link_of_every_page_leads_somewhere(self, page, shown, every_state):
        seen, todo = set(), ["/", f"/requests/{every_state.numbers['completed']}"]
        while todo:
            path = todo.pop()
            seen.add(path)
            answer = page(OTTO)("GET", path)
            assert answer.status_code == 200, f"{path}: {answer.status_code}"
            if answer.headers["content-type"].startswith("text/html") and not path.endswith(("/report", ".html")):
                links = {
                    re.sub("#.*", "", one[key])
                    for _, one in assert_sound(answer.text, whole="<html" in answer.text).elements
                    for key in ("href", "src", "hx-get", "data-trends", "data-events")
                    if (one.get(key) or "").startswith("/lims")
                }
                fresh = {link.removeprefix("/lims") for link in links} - seen - set(todo)
                todo += [link for link in fresh if link != "/events" and "?" not in link]
        assert len(seen) > 60

    def test_the_list_is_live_row_by_row(self, shown, every_state):
        number = every_state.numbers["running"]

        row = shown(f"/requests/row/{number}", whole=False)

        assert row.all("tr", id=f"row-{number}")[0]["data-live"] == f"request {number}"
        assert "50 %" in row.words

    def test_new_requests_do_not_push_the_table_but_are_offered(self, shown):
        assert "hidden" not in shown("/requests/new-ones?since=TR-000004", whole=False).all("div", id="news")[0]
        assert "2 new requests, show" in shown("/requests/new-ones?since=TR-000004", whole=False).words
        assert "hidden" in shown("/requests/new-ones?since=TR-000006", whole=False).all("div", id="news")[0]

    @pytest.mark.parametrize(
        "query", ["", "state=failed", "state=failed&state=running", "text=power", "per_page=2&page=2", "sort=progress"]
    )
    def test_whatever_the_list_shows_nothing_old_is_offered_as_new(self, shown, query):
        news = shown(f"/requests?{query}").all("div", id="news")[0]

        assert "hidden" in shown(news["hx-get"].removeprefix("/lims"), whole=False).all("div", id="news")[0]

    def test_filters_are_in_the_address_and_can_be_taken_away(self, shown):
        read = shown("/requests?text=power&uut=Gen3b - Cell&state=running")

        assert read.value_of("text") == "power"
        assert read.value_of("uut") == "Gen3b - Cell"
        chips = [one["href"] for one in read.all("a") if "chip" in (one.get("class") or "").split()]
        assert "/lims/requests?uut=Gen3b+-+Cell&state=running" in chips

    def test_pages_lead_to_the_next_and_keep_the_filter(self, shown):
        read = shown("/requests?per_page=2&text=power")

        assert read.all("a", rel="next")[0]["href"] == "/lims/requests?per_page=2&text=power&page=2"
        assert "6 in all" in read.words

    def test_from_a_run_in_airflow_one_comes_to_the_request(self, page, every_state):
        answer = page(ADA)("GET", f"/requests/by-run/{every_state.uuids['running']}")

        assert answer.headers["location"] == f"/lims/requests/{every_state.numbers['running']}"


class TestNastyWords:
    """Whatever people write is shown as they wrote it, and is nothing else."""

    @pytest.fixture
    def mallory(self, page, monkeypatch):
        person = Person("mallory", NASTY, frozenset({Role.ADMIN}))
        monkeypatch.setitem(__import__("tests.fake_desk", fromlist=["PEOPLE"]).PEOPLE, "mallory", person)
        return person

    @pytest.fixture
    def number(self, as_, asked, desk, fake, mallory):
        """A request that failed, with nasty words in everything that somebody may write."""
        document = {**asked(runs=1), "requester_name": NASTY, "requester_id": NASTY[:90]}
        told = as_(mallory)("POST", "/api/v1/requests", json=document).json()
        uuid, number = told["uuid"], told["request_number"]
        carry_out(desk, fake, uuid, until="planned")
        finding = {"code": NASTY, "severity": "error", "where": NASTY, "message": NASTY, "hint": NASTY}
        diagnosis = {"stage": "report", "error": NASTY, "findings": [finding], "when": NOON.isoformat()}
        fake.lab.area(uuid).write_json("diagnosis.json", diagnosis)
        desk.register.set_status(uuid, "failed", at=NOON, reason=NASTY, actor=NASTY)
        as_(mallory)("POST", "/api/v1/benches/cycler-1/closure", json={"reason": NASTY})
        as_(mallory)("PUT", f"/api/v1/units/{quote(NASTY[:90], safe='')}", json={"uut": "Gen4 - Cell", "notes": NASTY})
        desk.note(mallory, NASTY, number, reason=NASTY)
        return number

    @pytest.mark.parametrize("path", [*LISTS, "/requests/TR-000001", "/requests/TR-000001/runs/1"])
    def test_pages_are_sound_and_show_them_as_text(self, shown, number, mallory, path):
        read = shown(path, mallory)

        assert NASTY in read.words
        assert "49" not in read.text_of("h1")

    @pytest.mark.parametrize(
        "path", ["/part/dashboard", "/benches/part/board", "/requests/row/TR-000001", "/requests/TR-000001/part/state"]
    )
    def test_parts_of_pages_are_too(self, shown, number, mallory, path):
        shown(path, mallory, whole=False)

    @pytest.mark.parametrize(
        "path",
        [
            "/?done={}",
            "/requests?text={}",
            "/requests?uut={}&standard={}&test_name={}&use_case={}&requester={}&test_bench={}",
            "/requests/new?uut={}&runs={}&profile={}&key={}",
            "/catalogue?done={}",
        ],
    )
    def test_words_of_an_address_are_text(self, shown, path):
        assert_sound_text = shown(path.replace("{}", quote(NASTY[:90])))

        assert "7*7" in str(assert_sound_text.elements) + assert_sound_text.words

    @pytest.mark.parametrize(
        "path",
        [
            "/requests?state={}",
            "/requests?sort={}",
            "/requests?created_from={}",
            "/requests?page={}",
            "/requests/{}",
            "/requests/row/{}",
            "/requests/by-run/{}",
            "/requests/new?copy_of={}",
            "/static/{}",
        ],
    )
    def test_words_that_make_no_sense_are_refused_on_a_sound_page(self, page, path):
        answer = page(OTTO)("GET", path.replace("{}", quote(NASTY[:35], safe="")))

        assert answer.status_code in (404, 422)
        assert_sound(answer.text)

    def test_words_of_an_address_do_not_lead_away(self, shown):
        read = shown("/requests/new-ones?since=TR-%22 onload=alert(1) x=%22", whole=False)

        assert read.all("div", id="news")


class TestForms:
    """What people do on pages is what REST does."""

    @pytest.fixture
    def number(self, as_, asked):
        return as_(ADA)("POST", "/api/v1/requests", json=asked()).json()["request_number"]

    def test_a_request_is_cancelled_and_its_page_says_so(self, page, shown, number):
        answer = page(ADA)("POST", f"/requests/{number}/cancel", data={"reason": "no cell"})

        assert answer.status_code == 303
        read = shown(answer.headers["location"].removeprefix("/lims"))
        assert "It is cancelled." in read.words
        assert "no cell" in read.words

    def test_what_cannot_be_done_is_said_on_a_page(self, page, number):
        page(ADA)("POST", f"/requests/{number}/cancel")

        answer = page(ADA)("POST", f"/requests/{number}/cancel")

        assert answer.status_code == 409
        assert "cannot be cancelled any more" in assert_sound(answer.text).words

    def test_a_request_is_repeated(self, page, number, desk):
        answer = page(OTTO)("POST", f"/requests/{number}/retry", data={"stage": "report"})

        assert answer.status_code == 303
        assert desk.airflow.asked[-1][2] == "report"
        assert page(OTTO)("POST", f"/requests/{number}/retry", data={"stage": "x"}).status_code == 422
        assert page(OTTO)("POST", f"/requests/{number}/retry").status_code == 422

    def test_a_bench_is_taken_out_of_service_until_a_time_of_the_lab_and_put_back(self, page, shown, desk):
        data = {"reason": "calibration", "until": "2026-11-21T08:00"}
        answer = page(OTTO)("POST", "/benches/cycler-1/close", data=data)

        assert answer.status_code == 303
        (closure,) = desk.lab.bookings.closures(after=NOON)
        assert closure.end == NOON + timedelta(hours=19)
        read = shown(answer.headers["location"].removeprefix("/lims"), OTTO)
        assert "cycler-1 is out of service" in read.words
        assert "2026-11-21 08:00 CET" in read.words

        back = page(OTTO)("POST", "/benches/cycler-1/reopen")

        assert "back in service" in shown(back.headers["location"].removeprefix("/lims"), OTTO).words

    @pytest.mark.parametrize(
        "data", [{}, {"reason": " "}, {"reason": "x", "until": "soon"}, {"reason": "a\0b"}], ids=str
    )
    def test_a_bench_is_not_closed_without_a_reason_or_with_a_time_that_is_none(self, page, desk, data):
        answer = page(OTTO)("POST", "/benches/cycler-1/close", data=data)

        assert answer.status_code == 422
        assert_sound(answer.text)
        assert desk.lab.bookings.closures(after=NOON) == []

    def test_the_lab_manager_switches_an_entry_and_keeps_a_unit(self, page, shown, desk):
        data = {"kind": "standards", "code": "UL1973:2022-02-25", "active": "false"}
        switched = page(MARIE)("POST", "/catalogue/switch", data=data)
        kept = page(MARIE)("POST", "/catalogue/units", data={"serial": "SN & #1?", "uut": "Gen4 - Cell"})

        assert desk.catalogue.off == {("standards", "UL1973:2022-02-25")}
        assert [unit["serial"] for unit in desk.inventory.units()] == ["SN & #1?"]
        for answer, words in ((switched, "UL1973:2022-02-25 is switched off."), (kept, "SN & #1? is kept.")):
            assert answer.status_code == 303
            assert words in shown(re.sub("#.*", "", answer.headers["location"]).removeprefix("/lims"), MARIE).words

    @pytest.mark.parametrize("person", [ADA, OTTO, NOBODY], ids=lambda one: one.id)
    def test_others_do_not_keep_the_catalogue(self, page, shown, person):
        data = {"kind": "standards", "code": "IEC62660", "active": "false"}

        assert page(person)("POST", "/catalogue/switch", data=data).status_code == 403
        assert page(person)("POST", "/catalogue/units", data={"serial": "x", "uut": "Gen4 - Cell"}).status_code == 403
        assert "Switch off" not in shown("/catalogue", person).words
