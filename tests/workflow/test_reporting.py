"""At its end a request is checked, reported and closed; nothing is called good that is not."""

import pytest

from tests.fakes import REQUEST_UUID, make_lab
from tests.workflow.conftest import bring_to_plan
from twinbench.core.errors import ResultError
from twinbench.workflow.evaluation import check_results
from twinbench.workflow.planning import virtual_assignments
from twinbench.workflow.reporting import close, report
from twinbench.workflow.virtual_bench import run_virtual


@pytest.fixture
def carried_out(fake, planned):
    def bring(**changes):
        area = planned(**{"runs": 2, **changes})
        for part in virtual_assignments(fake.lab, REQUEST_UUID):
            run_virtual(fake.lab, REQUEST_UUID, part)
        return area

    return bring


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """A request of two good runs that has been checked and reported, only to be looked at: lab, area, what was told."""
    fake = make_lab(tmp_path_factory.mktemp("reported"))
    area = bring_to_plan(fake, test_name="Performance - Capacity", runs=2)
    for part in virtual_assignments(fake.lab, REQUEST_UUID):
        run_virtual(fake.lab, REQUEST_UUID, part)
    told = check_results(fake.lab, REQUEST_UUID)
    report(fake.lab, REQUEST_UUID)
    return fake, area, told


def test_good_runs_come_down_to_their_figures_without_findings(reported):
    _, area, told = reported

    assert told == {"runs": 2, "evaluated": 2, "findings": 0, "errors": 0}
    figures = area.read_json("results/evaluation.json")["runs"]
    assert [run["run"] for run in figures] == [1, 2]
    assert all(4.5 < run["discharged_Ah"] < 5.2 for run in figures)
    assert all(abs(run["charge_balance_pct"]) < 0.02 for run in figures)  # the film takes a little


def test_a_failed_run_is_an_error_in_the_evaluation_and_the_request_goes_on(fake, planned):
    area = planned(runs=2)
    area.write("doe-output/run-0001/input.csv", "timestamp,Current_Profile\n0,ten\n")
    for part in virtual_assignments(fake.lab, REQUEST_UUID):
        run_virtual(fake.lab, REQUEST_UUID, part)

    told = check_results(fake.lab, REQUEST_UUID)

    assert (told["evaluated"], told["errors"]) == (1, 1)
    (finding,) = area.read_json("results/evaluation.json")["findings"]
    assert (finding["code"], finding["where"]) == ("RESULT-RUN-FAILED", "run 1")


def test_a_request_whose_runs_all_failed_fails_with_the_first_reason(fake, planned):
    area = planned(runs=1)
    area.write("doe-output/run-0001/input.csv", "")
    for part in virtual_assignments(fake.lab, REQUEST_UUID):
        run_virtual(fake.lab, REQUEST_UUID, part)

    with pytest.raises(ResultError, match=r"All 1 runs failed\. The first: .*input\.csv is empty"):
        check_results(fake.lab, REQUEST_UUID)

    assert area.exists("results/evaluation.json")


def test_a_run_without_results_stops_the_evaluation(fake, planned):
    planned(runs=2)

    with pytest.raises(ResultError, match=r"Runs \[1, 2\] have no results"):
        check_results(fake.lab, REQUEST_UUID)


def test_the_report_tells_what_was_asked_and_how_it_came_about(fake, carried_out):
    area = carried_out(requester_name="<b>Ada</b>", test_name="Performance - Energy efficiency", runs=1)
    check_results(fake.lab, REQUEST_UUID)

    report(fake.lab, REQUEST_UUID)

    page = area.read("results/report.html").decode()
    models = area.read_json("fastest-models/models.json")
    assert "&lt;b&gt;Ada&lt;/b&gt;" in page
    assert "<b>Ada</b>" not in page
    assert all(model["sha256"] in page for model in models)
    assert "carries out IEC62660, clause" in page
    assert "stand-in" in page


def test_provenance_names_models_seeds_solver_versions_and_results(reported):
    _, area, _ = reported

    provenance = area.read_json("provenance.json")
    assert provenance["dag_run_id"] == "a run id"
    assert len(provenance["models"]) == 3
    assert provenance["design"]["seed"] == 7
    assert provenance["plan"]["solver"].startswith("ruin and recreate, OR-Tools CP-SAT")
    assert provenance["versions"] == {"twinbench": "test"}
    assert [run["sha256"] for run in provenance["runs"]] == [
        area.read_json(f"results/run-{run:04d}.json")["sha256"] for run in (1, 2)
    ]


def test_the_register_is_told_what_came_of_the_request_and_where_it_lies(reported):
    fake, area, _ = reported

    row = fake.requests.get(REQUEST_UUID)
    metrics = row["test_metrics_json"]
    assert (metrics["runs"], metrics["evaluated"], metrics["findings"], metrics["errors"]) == (2, 2, 0, 0)
    assert metrics["figures"] == area.read_json("results/evaluation.json")["runs"]
    assert (row["simulation_results_path"], row["fmu_blob_path"]) == (area.url("results"), area.url("fastest-models"))


def test_closing_counts_the_messages(fake, carried_out):
    carried_out(runs=1)
    check_results(fake.lab, REQUEST_UUID)

    told = close(fake.lab, REQUEST_UUID)

    assert told["published"] == told["collected"] == len(fake.wire.collected)
    assert fake.requests.rows[REQUEST_UUID]["status"] == "completed"


def test_a_request_is_not_closed_while_the_twin_lacks_messages(fake, carried_out):
    carried_out()
    stream = next(iter(fake.wire.collected))
    fake.wire.outbox[stream] = fake.wire.collected.pop(stream)

    with pytest.raises(ResultError, match="see that it runs"):
        close(fake.lab, REQUEST_UUID)

    assert fake.requests.rows[REQUEST_UUID]["status"] != "completed"
