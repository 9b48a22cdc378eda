"""Space-filling designs lie apart or are even, keep to what factors can be set to, and are the same every time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.stats import qmc

from twinbench.core.doe.constraints import Constraint
from twinbench.core.doe.factors import Factor
from twinbench.core.doe.kinds.space_filling import latin_hypercube, sequence, spread
from twinbench.core.doe.region import Region
from twinbench.core.errors import DesignError

A, B = Factor("a", "1", 0.0, 1.0), Factor("b", "1", 0.0, 1.0)
STEPS = Factor("steps", "1", 0.0, 4.0, resolution=1.0)
KIND = Factor.from_document({"name": "kind", "categories": ["x", "y", "z"]})
TRIANGLE = Region((A, B), (Constraint.read("a + b <= 1", (A, B)),))


def cube(factors):
    return Region(tuple(Factor(f"f{n}", "1", 0.0, 1.0) for n in range(factors)))


@pytest.mark.thorough
@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4), st.integers(1, 12), st.integers(0, 2**31), st.sampled_from(["distance", "discrepancy"]))
def test_each_factor_has_a_run_in_each_of_its_strata(factors, runs, seed, criterion):
    points = np.sort(latin_hypercube(cube(factors), runs, seed=seed, criterion=criterion), axis=0)

    stratum = np.arange(runs)[:, None] / runs
    assert np.all(points >= stratum - 1e-12)
    assert np.all(points <= stratum + 1 / runs + 1e-12)


@pytest.mark.thorough
@settings(max_examples=8, deadline=None)
@given(st.integers(2, 12), st.integers(0, 2**31))
def test_levels_of_steps_and_categories_are_run_equally_often(runs, seed):
    region = Region((A, STEPS, KIND))
    points = region.snap(latin_hypercube(region, runs, seed=seed))

    for column, choices in ((1, 5), (2, 3)):
        _, counts = np.unique(points[:, column].round(6), return_counts=True)
        assert counts.max() - counts.min() <= 1
        assert len(counts) == min(runs, choices)


@pytest.mark.thorough
@pytest.mark.parametrize(("runs", "factors", "least"), [(20, 3, 1.5), (50, 5, 1.7)])
def test_runs_lie_much_farther_apart_than_the_best_of_two_hundred_draws(runs, factors, least):
    from pyDOE3 import lhs

    theirs = pdist(lhs(factors, samples=runs, criterion="maximin", iterations=200, seed=1)).min()

    assert pdist(latin_hypercube(cube(factors), runs, seed=1)).min() > least * theirs


def test_asked_for_evenness_the_discrepancy_is_smaller_than_scipys_best():
    theirs = qmc.LatinHypercube(4, optimization="random-cd", rng=np.random.default_rng(1)).random(30)

    assert qmc.discrepancy(latin_hypercube(cube(4), 30, seed=1, criterion="discrepancy")) < qmc.discrepancy(theirs)


@pytest.mark.parametrize("criterion", [pytest.param("distance", marks=pytest.mark.thorough), "discrepancy"])
def test_the_same_seed_gives_the_same_points_and_another_seed_others(criterion):
    first, again, other = (latin_hypercube(cube(3), 12, seed=seed, criterion=criterion) for seed in (3, 3, 4))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_runs_of_a_whole_plot_have_one_setting_of_what_is_hard_to_change():
    hard = Factor("chamber_degC", "degC", 0.0, 40.0, hard_to_change=True)

    points = latin_hypercube(Region((A, hard)), 12, seed=1, whole_plots=4)

    assert [len(set(part)) for part in points[:, 1].reshape(4, 3)] == [1, 1, 1, 1]
    assert len(set(points[:, 1])) == 4
    assert len(set(points[:, 0])) == 12


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**31))
def test_in_a_region_with_constraints_every_run_is_feasible_and_none_is_twice(runs, seed):
    points = spread(TRIANGLE, runs, seed=seed)

    assert TRIANGLE.is_feasible(points).all()
    assert len(np.unique(points, axis=0)) == runs


def test_in_a_triangle_runs_lie_farther_apart_than_those_of_a_sequence():
    assert pdist(spread(TRIANGLE, 15, seed=1)).min() > 1.5 * pdist(sequence(TRIANGLE, 15, seed=1, name="sobol")).min()


def test_added_runs_keep_away_from_those_that_exist():
    existing = np.array([[0.5, 0.5], [0.0, 0.0], [1.0, 1.0]])

    points = spread(cube(2), 5, seed=1, existing=existing)

    assert pdist(np.vstack([existing, points])).min() > 0.3


def test_more_runs_than_there_are_different_points_are_refused():
    with pytest.raises(DesignError, match="leave 15 different points, and 16 runs are asked for"):
        spread(Region((STEPS, KIND), TRIANGLE.constraints[:0]), 16, seed=1)


@pytest.mark.parametrize("name", ["sobol", "halton"])
@settings(max_examples=15, deadline=None)
@given(runs=st.integers(1, 60), seed=st.integers(0, 2**31))
def test_a_sequence_goes_on_where_it_was_and_is_feasible(name, runs, seed):
    points = sequence(TRIANGLE, runs, seed=seed, name=name)
    more = sequence(TRIANGLE, runs + 5, seed=seed, name=name)

    assert TRIANGLE.is_feasible(points).all()
    assert np.array_equal(more[:runs], points)


def test_an_empty_region_is_named_with_the_constraint_that_empties_it():
    region = Region((A, B), tuple(Constraint.read(text, (A, B)) for text in ("a > b", "a > 2")))

    for choose in (lambda: spread(region, 3, seed=1), lambda: sequence(region, 3, seed=1, name="halton")):
        with pytest.raises(DesignError, match="The constraint 'a > 2' leaves no combination of levels"):
            choose()


def test_constraints_that_only_together_leave_nothing_are_all_named():
    region = Region((A, B), tuple(Constraint.read(text, (A, B)) for text in ("a > b", "b > a")))

    with pytest.raises(DesignError, match="Together the constraints 'a > b', 'b > a' leave no"):
        spread(region, 3, seed=1)
