"""A sequential design chooses runs that tell most, none twice, and ends for a reason it can say."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from twinbench.core.doe.learning.sequential import Aim, SequentialPlan, fit_surrogates, judge, next_batch
from twinbench.core.doe.learning.surrogate import Surrogate
from twinbench.core.errors import DesignError

pytestmark = pytest.mark.thorough

CANDIDATES = qmc.Sobol(2, seed=5).random(256)
DOCUMENT = {"responses": ["discharged_Ah"], "initial": 6, "budget": 20}


def plan(**changes) -> SequentialPlan:
    return SequentialPlan.from_document({**DOCUMENT, **changes})


def steep(points):
    return points[:, 0] + np.exp(6 * (points[:, 1] - 1))


def branin(points):
    """Smallest value 0.3979, at three places."""
    x, y = 15 * points[:, 0] - 5, 15 * points[:, 1]
    return (y - 5.1 * (x / (2 * math.pi)) ** 2 + 5 * x / math.pi - 6) ** 2 + 10 * (1 - 0.125 / math.pi) * np.cos(x) + 10


def figures(values) -> list[dict[str, float | None]]:
    return [{"discharged_Ah": value} for value in values]


def surrogates_of(points, response=steep, **changes) -> dict[str, Surrogate]:
    return fit_surrogates(plan(**changes), points, figures(response(points)), seed=1)


FIRST = qmc.Halton(2, seed=2).random(6)
KNOWN = surrogates_of(FIRST)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(Aim)), st.integers(1, 9), st.sets(st.integers(0, 255), max_size=14), st.integers(7, 40))
def test_no_run_is_proposed_twice_nor_beyond_the_budget(aim, batch, tried, budget):
    asked = plan(aim=aim.value, batch=batch, budget=budget)
    done = np.vstack([FIRST, CANDIDATES[sorted(tried)]])

    chosen = next_batch(asked, KNOWN, done, CANDIDATES)

    assert len(set(chosen)) == len(chosen) == max(0, min(batch, budget - len(done)))
    assert not set(chosen) & tried
    assert chosen == next_batch(asked, KNOWN, done, CANDIDATES)


def test_candidates_at_the_same_place_are_one():
    twice = np.vstack([CANDIDATES[:3], CANDIDATES[:3]])

    assert len(next_batch(plan(batch=6), KNOWN, FIRST, twice)) == 3


def test_a_run_that_failed_is_left_out_and_not_proposed_again():
    asked = plan(batch=1)
    [first] = next_batch(asked, KNOWN, FIRST, CANDIDATES)
    done = np.vstack([FIRST, CANDIDATES[[first]]])

    surrogates = fit_surrogates(asked, done, [*figures(steep(FIRST)), None], seed=1)

    assert len(surrogates["discharged_Ah"].points) == 6
    assert next_batch(asked, surrogates, done, CANDIDATES) != (first,)


def test_a_figure_that_a_run_does_not_have_is_left_out_as_well():
    found = [*figures(steep(FIRST[:4])), {"discharged_Ah": None}, {"discharged_Ah": math.nan}]

    assert len(fit_surrogates(plan(), FIRST, found, seed=1)["discharged_Ah"].points) == 4


def test_too_few_runs_with_a_response_are_refused_by_its_name():
    with pytest.raises(DesignError, match="2 of 6 runs have discharged_Ah: look at what went wrong, 3 are needed"):
        fit_surrogates(plan(), FIRST, [*figures([1.0, 2.0]), None, None, {}, {"charged_Ah": 1.0}], seed=1)


def test_a_batch_is_spread_out():
    chosen = CANDIDATES[list(next_batch(plan(batch=4), KNOWN, FIRST, CANDIDATES))]

    apart = np.linalg.norm(chosen[:, None] - chosen[None, :], axis=2)[np.triu_indices(4, 1)]
    assert apart.min() > 0.15


def test_learning_gets_further_than_chance():
    grid = qmc.Sobol(2, seed=77).random(256)

    def error(points):
        predicted, _ = surrogates_of(points)["discharged_Ah"].predict(grid)
        return np.sqrt(np.mean((predicted - steep(grid)) ** 2))

    ratios = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        points = rng.random((6, 2))
        by_chance = np.vstack([points, CANDIDATES[rng.choice(256, 6, replace=False)]])
        for _ in range(2):
            chosen = next_batch(plan(batch=3), surrogates_of(points), points, CANDIDATES)
            points = np.vstack([points, CANDIDATES[list(chosen)]])
        ratios.append(error(points) / error(by_chance))

    assert np.median(ratios) < 0.7


def test_it_learns_the_response_that_is_known_least():
    asked = plan(responses=["discharged_Ah", "discharged_Wh"], batch=1)
    known = Surrogate.fit(CANDIDATES[:60], CANDIDATES[:60, 0], seed=1)

    both = {"discharged_Ah": known, "discharged_Wh": KNOWN["discharged_Ah"]}

    assert next_batch(asked, both, FIRST, CANDIDATES) == next_batch(plan(batch=1), KNOWN, FIRST, CANDIDATES)


@pytest.mark.parametrize(("aim", "sign"), [("minimise", 1), ("maximise", -1)])
def test_the_best_of_a_known_function_is_found_within_30_runs(aim, sign):
    asked = plan(aim=aim, budget=30, batch=3, error_pct=0.01)
    points = qmc.Sobol(2, seed=3).random(8)
    fine = qmc.Sobol(2, seed=9).random(1024)
    while True:
        known = surrogates_of(points, lambda points: sign * branin(points))
        verdict = judge(asked, known, len(points), fine)
        if verdict.done:
            break
        points = np.vstack([points, fine[list(next_batch(asked, known, points, fine))]])

    best = branin(points).min()
    assert best < 0.3979 + 0.01 * np.ptp(branin(fine))
    assert verdict.figures["discharged_Ah.best"] == pytest.approx(sign * best, abs=1)


def test_a_response_that_does_not_change_spreads_runs_and_is_known():
    same = fit_surrogates(plan(), FIRST, figures(np.full(6, 5.0)), seed=1)

    chosen = CANDIDATES[list(next_batch(plan(), same, FIRST, CANDIDATES))]

    assert len(chosen) == 4
    assert np.linalg.norm(chosen[:, None] - FIRST[None], axis=2).min() > 0.1
    assert judge(plan(error_pct=1), same, 10, CANDIDATES).done


def test_it_goes_on_while_the_error_is_above_the_limit():
    verdict = judge(plan(error_pct=0.5), KNOWN, 6, CANDIDATES)

    assert not verdict.done
    assert verdict.reason.startswith("Goes on after 6 runs: discharged_Ah has an error of")
    assert "% of its range (limit 0.5 %)" in verdict.reason


def test_it_ends_when_the_prediction_is_good_enough():
    points = CANDIDATES[:60]

    verdict = judge(
        plan(error_pct=1, credible_width={"discharged_Ah": 0.2}, budget=90), surrogates_of(points), 60, CANDIDATES
    )

    assert verdict.done
    assert verdict.reason.startswith("Done after 60 runs: the prediction has an error of at most 0.")
    assert 0 < verdict.figures["discharged_Ah.credible_width"] < 0.2


def test_it_goes_on_while_the_interval_is_too_wide():
    verdict = judge(plan(credible_width={"discharged_Ah": 1e-6}), KNOWN, 6, CANDIDATES)

    assert not verdict.done
    assert "discharged_Ah is within" in verdict.reason
    assert "(limit 1e-06)" in verdict.reason


def test_it_ends_when_the_budget_is_spent_and_says_what_is_missing():
    verdict = judge(plan(error_pct=0.5), KNOWN, 20, CANDIDATES)

    assert verdict.done
    assert verdict.reason.startswith("The budget of 20 runs is spent, but discharged_Ah has an error of")
    assert next_batch(plan(budget=6), KNOWN, FIRST, CANDIDATES) == ()


def test_without_a_limit_it_goes_on_to_the_end_of_the_budget():
    assert judge(plan(), KNOWN, 6, CANDIDATES).reason == "Goes on after 6 runs: the budget has 14 more."
    assert judge(plan(), KNOWN, 20, CANDIDATES).reason == "The budget of 20 runs is spent."


def test_runs_that_lie_on_a_plane_by_chance_do_not_end_it():
    """All is straight up to 0.7 of the second factor, where the first runs happen to be."""

    def bent(points):
        return points[:, 0] + 5 * np.maximum(points[:, 1] - 0.7, 0)

    asked = plan(error_pct=1, initial=8, budget=40)
    points = qmc.Halton(2, seed=2).random(8) * [1, 0.7]
    at_first = judge(asked, surrogates_of(points, bent), 8, CANDIDATES)
    points = np.vstack([points, CANDIDATES[list(next_batch(asked, surrogates_of(points, bent), points, CANDIDATES))]])
    later = judge(asked, surrogates_of(points, bent), 12, CANDIDATES)

    assert at_first.figures["discharged_Ah.cross_validated_pct"] < 1
    assert at_first.reason == "Goes on after 8 runs: 4 more have to confirm the prediction."
    assert not later.done
    assert later.figures["discharged_Ah.optimism"] > 3


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "object with responses, initial and budget"),
        ({**DOCUMENT, "responses": ["discharged_ah"]}, r"no response 'discharged_ah' .*did you mean 'discharged_Ah'\?"),
        ({**DOCUMENT, "responses": []}, "name one or more, each once"),
        ({**DOCUMENT, "responses": ["charged_Ah"] * 2}, "name one or more, each once"),
        ({**DOCUMENT, "responses": "charged_Ah"}, "responses are 'charged_Ah': give a list"),
        ({**DOCUMENT, "aim": "lern"}, r"no aim 'lern': did you mean 'learn'\?"),
        ({**DOCUMENT, "aim": "maximise", "responses": ["charged_Ah", "charged_Wh"]}, "name one response, or aim to"),
        ({**DOCUMENT, "initial": 2}, "initial is 2: begin with 3 runs or more"),
        ({**DOCUMENT, "initial": None}, "initial is None: give a whole number"),
        ({**DOCUMENT, "batch": 0}, "batch is 0: add one run or more"),
        ({**DOCUMENT, "batch": 2.5}, "batch is 2.5: give a whole number"),
        ({**DOCUMENT, "budget": 5}, r"budget is 5: allow 6 \(initial\) to 2000 runs"),
        ({**DOCUMENT, "budget": 2001}, "budget is 2001: allow"),
        ({**DOCUMENT, "error_pct": 0}, "error_pct is 0.0: give a positive percentage"),
        ({**DOCUMENT, "error_pct": "1 %"}, "error_pct is '1 %': give a number"),
        ({**DOCUMENT, "error_pct": 10**400}, "error_pct is too large for a number"),
        ({**DOCUMENT, "credible_width": 0.1}, "credible_width is 0.1: give an object"),
        ({**DOCUMENT, "credible_width": {"charged_Ah": 1}}, "charged_Ah, which is none of the responses: add it"),
        ({**DOCUMENT, "credible_width": {"discharged_Ah": -1}}, "credible_width of discharged_Ah is -1.0: give a pos"),
        ({**DOCUMENT, "eror_pct": 1}, r"has no 'eror_pct': did you mean 'error_pct'\?"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_in_words(document, message):
    with pytest.raises(DesignError, match=message):
        SequentialPlan.from_document(document)


def test_a_plan_survives_its_document():
    written = plan(aim="maximise", error_pct=1.5, credible_width={"discharged_Ah": 0.1})

    assert SequentialPlan.from_document(written.as_document()) == written
