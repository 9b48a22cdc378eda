"""A sequential design goes on round by round until enough is known; each decision is made once."""

import pytest

from tests.fakes import REQUEST_UUID
from twinbench.core.errors import DesignError
from twinbench.workflow.evaluation import check_results
from twinbench.workflow.planning import plan_benches, virtual_assignments
from twinbench.workflow.rounds import learn
from twinbench.workflow.virtual_bench import run_virtual

CAPACITY = {"standard": "IEC62660", "test_name": "Performance - Capacity"}
SEQUENTIAL = {"responses": ["discharged_Ah"], "initial": 6, "batch": 2, "budget": 8, "error_pct": 0.01}


@pytest.fixture
def carry_out(fake, planned):
    """Brings a request up to the results of its newest round; returns the area."""

    def go_on():
        for assignment in virtual_assignments(fake.lab, REQUEST_UUID):
            run_virtual(fake.lab, REQUEST_UUID, assignment)
        check_results(fake.lab, REQUEST_UUID)

    def begin(**sequential):
        area = planned(**CAPACITY, design={"sequential": {**SEQUENTIAL, **sequential}})
        go_on()
        return area

    begin.go_on = go_on
    return begin


def test_the_first_round_has_the_initial_runs_and_the_next_those_that_teach_most(fake, carry_out):
    area = carry_out()

    decision = learn(fake.lab, REQUEST_UUID)

    design = area.read_json("doe-output/design.json")
    assert decision["next_round"] == 2
    assert [run["round"] for run in design["runs"]] == [1] * 6 + [2] * 2
    assert area.exists("doe-output/run-0008/procedure.json")
    assert len(area.read("doe-output/runs.csv").splitlines()) == 9


def test_it_ends_when_the_budget_is_spent(fake, carry_out):
    area = carry_out()
    learn(fake.lab, REQUEST_UUID)
    plan_benches(fake.lab, REQUEST_UUID)
    carry_out.go_on()

    decision = learn(fake.lab, REQUEST_UUID, 2)

    assert decision["next_round"] is None
    assert "budget" in decision["reason"]
    rounds = area.read_json("doe-output/rounds.json")
    assert [entry["runs"] for entry in rounds] == [[1, 2, 3, 4, 5, 6], [7, 8]]
    assert len(area.read_json("results/evaluation.json")["runs"]) == 8


def test_it_ends_when_the_error_is_small_enough(fake, carry_out):
    carry_out(error_pct=90.0)

    decision = learn(fake.lab, REQUEST_UUID)

    assert decision["next_round"] is None
    assert "budget" not in decision["reason"]


def test_asking_again_gives_the_same_decision_and_no_more_runs(fake, carry_out):
    area = carry_out()
    first = learn(fake.lab, REQUEST_UUID)
    before = area.read("doe-output/design.json")

    assert learn(fake.lab, REQUEST_UUID) == first
    assert area.read("doe-output/design.json") == before


def test_a_later_round_is_planned_beside_the_earlier_ones_and_only_once(fake, carry_out):
    area = carry_out()
    learn(fake.lab, REQUEST_UUID)
    plan_benches(fake.lab, REQUEST_UUID)
    carry_out.go_on()
    plan = area.read("schedule-output/plan.json")

    plan_benches(fake.lab, REQUEST_UUID)

    assert area.read("schedule-output/plan.json") == plan
    parts = area.read_json("schedule-output/plan.json")["assignments"]
    assert sorted(run for part in parts for run in part["runs"]) == list(range(1, 9))
    assert [run for part in virtual_assignments(fake.lab, REQUEST_UUID) for run in part["runs"]] == [7, 8]


def test_a_run_that_failed_is_left_out_and_not_proposed_again(fake, carry_out):
    area = carry_out()
    evaluation = area.read_json("results/evaluation.json")
    area.write_json("results/evaluation.json", {**evaluation, "runs": evaluation["runs"][1:]})

    learn(fake.lab, REQUEST_UUID)

    runs = area.read_json("doe-output/design.json")["runs"]
    assert all(run["levels"] != runs[0]["levels"] for run in runs[1:])


def test_too_few_results_teach_nothing_and_are_refused_in_words(fake, carry_out):
    area = carry_out()
    evaluation = area.read_json("results/evaluation.json")
    area.write_json("results/evaluation.json", {**evaluation, "runs": evaluation["runs"][:1]})

    with pytest.raises(DesignError, match="discharged_Ah"):
        learn(fake.lab, REQUEST_UUID)


def test_a_design_made_as_a_whole_is_followed_by_nothing(fake, planned):
    planned()

    assert learn(fake.lab, REQUEST_UUID)["next_round"] is None
