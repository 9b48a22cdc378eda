"""A run's page tells what was set, when and where it ran, what came out, and where the rows are."""

import json

import pytest

from tests.fake_desk import ADA, OTTO, TWIN, carry_out
from tests.fakes import NOON, request_document
from tests.web.markup import assert_sound
from twinbench.workflow.booked_benches import begin_assignment
from twinbench.workflow.planning import virtual_assignments
from twinbench.workflow.requesting import submit


class TestCompleted:
    """A run of a completed request."""

    @pytest.fixture
    def lab(self, every_state):
        return every_state.desk, every_state.fake

    @pytest.fixture
    def here(self, every_state):
        return f"/requests/{every_state.numbers['completed']}/runs/1"

    def test_it_tells_when_and_where_it_was_and_what_ended_it(self, shown, here):
        read = shown(here, ADA)

        for words in ("When and where", "Virtual, as asked for.", "2026-11-20 13:00 CET", "Run UUID"):
            assert words in read.words
        assert read.all("a", href="/lims/benches/virtual-1") or read.all("a", href="/lims/benches/virtual-2")

    def test_figures_have_names_and_units(self, shown, here):
        words = shown(here).words

        assert "Charge given" in words
        assert "Ah" in words
        assert "discharged_Ah" not in words[: words.index("Trends")]

    def test_it_leads_to_its_neighbours_and_to_every_file_it_has(self, shown, page, here):
        read = shown(here)

        assert read.all("a", href=f"/lims{here[:-1]}2")
        files = [one["href"] for one in read.all("a") if "/files/" in one["href"]]
        assert [path.rpartition("/")[2] for path in files] == ["procedure.json", "input.csv", "summary.json"]
        for path in files:
            answer = page(OTTO)("GET", path.removeprefix("/lims"))
            assert answer.status_code == 200
            assert "run-0001-" in answer.headers["content-disposition"]
        summary = page(OTTO)("GET", f"{here}/files/summary.json")
        assert json.loads(summary.content)["began_at"] == NOON.isoformat()

    def test_the_log_of_its_task_is_for_those_who_may_read_it(self, shown, every_state, here):
        at = f"http://airflow.example/dags/carry_out_request/runs/{every_state.uuids['completed']}/tasks/run_virtual/"

        assert at in shown(here, OTTO).words
        assert at not in shown(here, TWIN).words

    def test_its_part_is_what_the_page_has(self, shown, here):
        read = shown(f"{here}/part/state", whole=False)

        assert read.ids[0] == "run-state"
        assert read.elements[0][1]["hx-get"] == f"/lims{here}/part/state"


@pytest.mark.parametrize("path", ["/runs/9", "/runs/1/files/none.txt", "/runs/1/files/settings.json"])
def test_what_there_is_not_is_said(page, every_state, app, path):
    app.state.desk = every_state.desk

    answer = page(OTTO)("GET", f"/requests/{every_state.numbers['completed']}{path}")

    assert answer.status_code == 404
    assert_sound(answer.text)


def test_a_run_whose_bench_is_at_work_says_since_when(shown, lab):
    desk, fake = lab
    made = submit(desk, ADA, request_document(runs=1))
    carry_out(desk, fake, made.uuid, until="planned")
    before = shown(f"/requests/{made.number}/runs/1").words
    for assignment in virtual_assignments(desk.lab, made.uuid):
        begin_assignment(desk.lab, made.uuid, assignment)

    words = shown(f"/requests/{made.number}/runs/1").words

    assert "No readings yet" in before
    assert "Running on virtual" in words
    assert "No figures yet" in words


def test_a_run_that_failed_says_why(shown, lab):
    desk, fake = lab
    made = submit(desk, ADA, request_document(runs=1))
    carry_out(desk, fake, made.uuid, until="planned")
    summary = {"run": 1, "run_uuid": "u", "bench": "virtual-1", "kind": "virtual", "status": "failed", "rows": 0}
    finding = {"code": "R", "severity": "error", "where": "run 1 / SoC", "message": "leaps", "hint": "look"}
    other = {**finding, "where": "run 10", "message": "of another"}
    area = fake.lab.area(made.uuid)
    area.write_json("results/run-0001.json", {**summary, "error": "SoC is NaN", "messages": ["FMU: <stopped>"]})
    area.write_json("results/evaluation.json", {"findings": [finding, other], "runs": []})

    words = shown(f"/requests/{made.number}/runs/1").words

    for told in ("The run failed", "SoC is NaN", "leaps", "FMU: <stopped>"):
        assert told in words
    assert "of another" not in words
