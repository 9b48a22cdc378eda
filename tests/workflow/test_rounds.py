"""A sequential design goes on round by round until enough is known; each decision is made once."""

import pytest

from tests.fakes import REQUEST_UUID
from twinbench.core.errors import DesignError
from twinbench.workflow.planning import plan_benches, virtual_assignments
from twinbench.workflow.rounds import learn

CAPACITY = {"standard": "IEC62660", "test_name": "Performance - Capacity"}
SEQUENTIAL = {"responses": ["discharged_Ah"], "initial": 6, "batch": 2, "budget": 8, "error_pct": 0.01}


def capacity_Ah(levels) -> float:
    """What a made-up battery gives."""
    return 5 - 0.3 * levels["discharge_c_rate"] ** 1.5 + 0.01 * levels["temperature_degC"]


@pytest.fixture
def results(fake):
    """Makes up the results of all runs designed so far, as ``check_results`` leaves them; *without* some runs."""

    def make_up(*, without=()):
        area = fake.lab.area(REQUEST_UUID)
        figures = []
        for run in area.read_json("doe-output/design.json")["runs"]:
            area.write_json(f"results/run-{run['run']:04d}.json", {"run": run["run"], "status": "completed"})
            if run["run"] not in without:
                figures.append({"run": run["run"], "discharged_Ah": capacity_Ah(run["levels"])})
        area.write_json("results/evaluation.json", {"findings": [], "runs": figures})
        return area

    return make_up


@pytest.fixture
def carry_out(planned, results):
    """Brings a request up to the results of its first round; returns the area."""

    def begin(**sequential):
        planned(**CAPACITY, design={"sequential": {**SEQUENTIAL, **sequential}})
        return results()

    return begin


def test_the_first_round_has_the_initial_runs_and_the_next_those_that_teach_most(fake, carry_out):
    area = carry_out()

    decision = learn(fake.lab, REQUEST_UUID)

    design = area.read_json("doe-output/design.json")
    assert decision["next_round"] == 2
    assert [run["round"] for run in design["runs"]] == [1] * 6 + [2] * 2
    assert area.exists("doe-output/run-0008/procedure.json")
    assert len(area.read("doe-output/runs.csv").splitlines()) == 9


@pytest.mark.thorough
def test_it_ends_when_the_budget_is_spent(fake, carry_out, results):
    area = carry_out()
    learn(fake.lab, REQUEST_UUID)
    results()

    decision = learn(fake.lab, REQUEST_UUID, 2)

    assert decision["next_round"] is None
    assert "budget" in decision["reason"]
    assert [entry["runs"] for entry in area.read_json("doe-output/rounds.json")] == [[1, 2, 3, 4, 5, 6], [7, 8]]


@pytest.mark.thorough
def test_it_ends_when_the_error_is_small_enough(fake, carry_out, results):
    carry_out(error_pct=50.0, batch=4, budget=40)
    learn(fake.lab, REQUEST_UUID)
    results()

    decision = learn(fake.lab, REQUEST_UUID, 2)

    assert decision["next_round"] is None
    assert "budget" not in decision["reason"]


def test_asking_again_gives_the_same_decision_and_no_more_runs(fake, carry_out):
    area = carry_out()
    first = learn(fake.lab, REQUEST_UUID)
    before = area.read("doe-output/design.json")

    assert learn(fake.lab, REQUEST_UUID) == first
    assert area.read("doe-output/design.json") == before


@pytest.mark.thorough
def test_whoever_was_interrupted_after_the_decision_decides_the_same_again(fake, carry_out):
    area = carry_out()
    begun = area.read("doe-output/design.json")
    first = learn(fake.lab, REQUEST_UUID)
    decided = area.read("doe-output/design.json")
    area.write("doe-output/design.json", begun)
    area.write_json("doe-output/rounds.json", [])

    assert learn(fake.lab, REQUEST_UUID) == first
    assert area.read("doe-output/design.json") == decided


def test_a_later_round_is_planned_beside_the_earlier_ones_and_only_once(fake, carry_out, results):
    area = carry_out()
    learn(fake.lab, REQUEST_UUID)
    plan_benches(fake.lab, REQUEST_UUID)
    results()
    plan = area.read("schedule-output/plan.json")

    plan_benches(fake.lab, REQUEST_UUID)

    assert area.read("schedule-output/plan.json") == plan
    parts = area.read_json("schedule-output/plan.json")["assignments"]
    assert sorted(run for part in parts for run in part["runs"]) == list(range(1, 9))
    assert sorted(run for part in virtual_assignments(fake.lab, REQUEST_UUID) for run in part["runs"]) == [7, 8]


def test_a_run_that_failed_is_left_out_and_not_proposed_again(fake, carry_out, results):
    area = carry_out()
    results(without=(1,))

    learn(fake.lab, REQUEST_UUID)

    runs = area.read_json("doe-output/design.json")["runs"]
    assert all(run["levels"] != runs[0]["levels"] for run in runs[1:])


def test_too_few_results_teach_nothing_and_are_refused_in_words(fake, carry_out, results):
    carry_out()
    results(without=(1, 2, 3, 4, 5))

    with pytest.raises(DesignError, match="discharged_Ah"):
        learn(fake.lab, REQUEST_UUID)


def test_a_design_made_as_a_whole_is_followed_by_nothing(fake, planned):
    planned()

    assert learn(fake.lab, REQUEST_UUID)["next_round"] is None
