"""People at a real browser (headless Chromium): from the form to the report, inside Airflow, with a silent console.

Screenshots are kept in ``test-artefacts/screens``.
"""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from twinbench.stack.people import LIMS, PEOPLE, password_of
from twinbench.stack.site import PROJECT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SCREENS = Path(os.environ.get("TWINBENCH_ARTEFACTS", PROJECT / "test-artefacts")) / "screens"
PATIENCE_ms = 150_000

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium, then run these again"),
]


@pytest.fixture(scope="module")
def chromium():
    SCREENS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visitor:
    """Somebody at the browser."""

    def __init__(self, browser, site, name, **options):
        self.site = site
        self.context = browser.new_context(
            base_url=site.airflow_url, viewport={"width": 1280, "height": 900}, **options
        )
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto("/lims/")
        self.page.fill("#username", name)
        self.page.fill("#password", password_of(site, name))
        self.complaints.clear()  # the login form is FAB's
        self.page.click("[type=submit]")
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Dashboard", timeout=30_000)

    def _heard(self, message):
        if message.type == "error" and "/lims/" in json.dumps(message.location):
            self.complaints.append(message.text)

    def screen(self, name):
        self.page.screenshot(path=SCREENS / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def visitor(chromium, running_lab):
    """Lets somebody come; whoever came leaves at the end, and nothing was complained of."""
    came = []

    def come(name, **options):
        came.append(Visitor(chromium, running_lab.site, name, **options))
        return came[-1]

    yield come
    complaints = [complaint for one in came for complaint in one.complaints]
    for one in came:
        one.context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def requester(visitor):
    return visitor("requester")


@pytest.fixture(scope="module")
def carried_out(requester):
    """A request that went from the form to its report; its number."""
    page = requester.page
    page.goto("/plugin/lims")  # inside Airflow
    lims = page.frame_locator("iframe")
    lims.get_by_role("link", name="New request").first.click()
    expect(lims.get_by_role("heading", level=1)).to_have_text("New request")
    lims.get_by_label("Unit under test").select_option("Gen3b - Cell")
    lims.get_by_label("Use case").select_option("Automotive")
    lims.get_by_label("Standard").select_option("IEC62660")
    test = lims.get_by_label("Test", exact=True)
    expect(test.locator("option", has_text="Performance - Capacity").first).to_be_attached()
    test.select_option("Performance - Capacity")
    expect(lims.locator("#choices")).to_contain_text("discharge_c_rate")
    assert lims.get_by_label("Unit under test").input_value() == "Gen3b - Cell"
    lims.get_by_label("Runs").fill("3")
    requester.screen("01-new-request-in-airflow")
    lims.get_by_role("button", name="Submit the request").click()
    heading = lims.get_by_role("heading", level=1)
    expect(heading).to_contain_text("TR-", timeout=30_000)
    number = re.search(r"TR-\d{6}", heading.inner_text())[0]
    requester.screen("02-submitted")
    state = lims.locator("#request-state .badge-state").first
    expect(state).to_have_text("Completed", timeout=PATIENCE_ms)  # by itself: nobody reloads
    requester.screen("03-completed-in-airflow")
    return number


def test_a_request_goes_from_the_form_to_its_report_while_its_page_is_open(requester, carried_out):
    page = requester.page

    page.goto(f"/lims/requests/{carried_out}")
    expect(page.locator(".trends-plots canvas").first).to_be_visible(timeout=20_000)
    requester.screen("04-request")
    page.get_by_role("link", name="Read the report").click()

    expect(page.locator("body")).to_contain_text("Performance - Capacity")
    requester.screen("05-report")


def test_data_can_be_downloaded(requester, carried_out):
    page = requester.page
    page.goto(f"/lims/requests/{carried_out}")

    with page.expect_download() as download:
        page.locator("#design").get_by_role("link", name="CSV").click()

    rows = Path(download.value.path()).read_text().splitlines()
    assert len(rows) == 1 + 3
    assert "discharged_Ah" in rows[0]


CHOICES = {"uut": "Gen3b - Cell", "use_case": "Automotive", "standard": "IEC62660"}


def open_empty_form(page):
    """The form as somebody finds it who has typed nothing yet: without a draft that another test may have left."""
    page.goto("/lims/about")
    page.evaluate("sessionStorage.clear()")
    page.goto("/lims/requests/new")


def test_choices_follow_however_quickly_somebody_chooses(requester):
    page = requester.page
    open_empty_form(page)
    page.evaluate(  # each time as soon as the answer to the choice before is shown
        """(choices) => {
          const left = Object.entries(choices);
          const soon = () => queueMicrotask(next);
          const next = () => {
            if (!left.length) return document.removeEventListener("htmx:afterSwap", soon);
            const [name, value] = left.shift();
            const control = document.getElementById(name);
            control.value = value;
            control.dispatchEvent(new Event("change", { bubbles: true }));
          };
          document.addEventListener("htmx:afterSwap", soon);
          next();
        }""",
        CHOICES,
    )

    expect(page.locator("#test_name option", has_text="Performance - Capacity").first).to_be_attached()


def test_what_is_chosen_while_the_choices_are_on_their_way_is_kept(requester):
    page = requester.page
    page.goto("/lims/requests/new?" + "&".join(f"{name}={value}" for name, value in CHOICES.items()))
    held = []
    page.route("**/requests/new/choices*", lambda route: held.append(route))

    page.get_by_label("Test", exact=True).select_option("Performance - Capacity")
    page.locator("[name=test_bench][value=Any]").check()
    page.unroute("**/requests/new/choices*")  # lets the held one go

    expect(page.locator("#choices")).to_contain_text("discharge_c_rate")
    expect(page.locator("[name=test_bench][value=Any]")).to_be_checked()


def test_what_is_wrong_is_told_at_the_field_and_nothing_typed_is_lost(requester):
    page = requester.page
    open_empty_form(page)
    page.get_by_label("Runs").fill("4711")

    page.get_by_role("button", name="Submit the request").click()

    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    expect(page.get_by_role("alert")).to_contain_text("Test name: is missing")
    expect(page.get_by_label("Runs")).to_have_value("4711")
    requester.screen("06-problem")
    requester.complaints[:] = [one for one in requester.complaints if "422" not in one]  # it was refused on purpose


def test_a_profile_of_ones_own_is_shown_before_it_is_sent(requester):
    page = requester.page
    page.goto("/lims/requests/new")

    profile = {"name": "mine.csv", "mimeType": "text/csv", "buffer": b"time,current\n0,1\n60,-2\n120,0\n"}
    page.get_by_label("Profile").set_input_files(profile)

    expect(page.get_by_role("img", name="3 values over 120 s")).to_be_visible()
    requester.screen("07-profile")


def test_an_operator_takes_a_bench_out_of_service_and_back(visitor):
    operator = visitor("operator")
    page = operator.page
    page.goto("/lims/benches")
    bench = page.locator("section#virtual-2")

    bench.get_by_role("button", name="Take out of service").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("calibration of the models")
    operator.screen("08-take-out-of-service")
    dialog.get_by_role("button", name="Take out of service").click()
    expect(bench).to_contain_text("calibration of the models")
    operator.screen("09-benches")
    bench.get_by_role("button", name="Put back into service").click()
    page.get_by_role("dialog").get_by_role("button", name="Put back into service").click()

    expect(bench).not_to_contain_text("calibration of the models")


def test_what_became_of_the_plan_stands_beside_it_and_on_the_benchs_page(visitor, carried_out):
    operator = visitor("operator")
    page = operator.page
    page.goto(f"/lims/requests/{carried_out}")
    expect(page.locator("#schedule .bar-done").first).to_be_visible()

    page.locator("#schedule .reasons").get_by_role("link").first.click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("virtual-")
    expect(page.locator("#history")).to_contain_text(carried_out)
    expect(page.locator("#bench-messages")).to_contain_text("LIMS/metrics/veos/simulation_metrics")
    operator.screen("10-bench")
    page.goto("/lims/twins")
    expect(page.locator("#bundles")).to_contain_text(carried_out)
    expect(page.locator("#twin-fastest")).to_contain_text("In step")
    operator.screen("11-twins")


def test_several_requests_are_cancelled_after_they_were_named(requester):
    page = requester.page
    page.goto("/lims/requests")
    ask = """async (document) => (await (await fetch("/lims/api/v1/requests", {method: "POST", body: document,
             headers: {"Content-Type": "application/json"}})).json()).request_number"""
    choices = {**CHOICES, "test_name": "Performance - Capacity", "preferred_date": "2036-12-01T10:00:00Z", "runs": 1}
    numbers = [page.evaluate(ask, json.dumps({**choices, "seed": seed})) for seed in (1, 2)]
    page.goto("/lims/requests")

    for number in numbers:
        page.get_by_label(f"Select {number}").check()
    page.get_by_role("button", name="Cancel the selected").click()
    dialog = page.get_by_role("dialog")
    for number in numbers:
        expect(dialog).to_contain_text(number)
    requester.screen("12-cancel-selected")
    dialog.get_by_role("button", name="Cancel 2 requests").click()

    expect(page.locator("main")).to_contain_text("2 requests are cancelled.")
    for number in numbers:
        expect(page.locator(f"#row-{number} .badge-state")).to_have_text("Cancelled")


def test_everything_is_reached_by_keyboard(requester):
    page = requester.page
    page.goto("/lims/requests")

    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")

    assert focused == "Skip to the content"
    assert page.evaluate("document.activeElement.id") == "main"


PAGES = (
    "/",
    "/requests",
    "/requests/new",
    "/benches",
    "/benches/cycler-1",
    "/twins",
    "/campaigns",
    "/catalogue",
    "/about",
    "/docs",
    "/nowhere",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(visitor, carried_out, scheme):
    from axe_playwright_python.sync_playwright import Axe

    manager = visitor("manager", color_scheme=scheme)
    faults = {}
    for path in (*PAGES, f"/requests/{carried_out}", f"/requests/{carried_out}/runs/1"):
        manager.page.goto(f"/lims{path}")
        manager.screen(f"{scheme}{path.replace('/', '-')}")
        found = Axe().run(manager.page).response["violations"]
        grave = [one for one in found if one["impact"] in ("serious", "critical")]
        if grave:
            faults[path] = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in grave]
    manager.complaints[:] = [one for one in manager.complaints if "404" not in one]  # /nowhere was asked for

    assert faults == {}


def test_neither_passwords_nor_tokens_are_in_the_logs(carried_out, running_lab):
    """They were typed into forms, sent as headers and kept in cookies by now."""
    site = running_lab.site
    secrets = [password_of(site, person.name) for person in PEOPLE] + [password_of(site, LIMS), "eyJhbGciOi"]

    logs = [path for path in site.folder("log").rglob("*") if path.is_file()]
    told = {path.name for path in logs for secret in secrets if secret.encode() in path.read_bytes()}

    assert len(logs) > 5
    assert told == set()
