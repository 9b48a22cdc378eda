"""An optimal design is as good as the best known one, keeps to what was asked, and says what cannot be."""

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbench.core.doe.factors import Factor
from twinbench.core.doe.kinds import optimal
from twinbench.core.doe.kinds.optimal import optimal_design
from twinbench.core.doe.quality import design_quality, moment_matrix
from twinbench.core.doe.terms import Terms
from twinbench.core.errors import DesignError
from twinbench.core.kernels import load_kernel

pytestmark = pytest.mark.thorough

# Largest determinant of a matrix of n - 1 columns of 0 and 1 (OEIS A003432); 2^(n-1) times it is that of n columns of
# -1 and 1 (Galil & Kiefer 1980; Orrick & Solomon).
LARGEST_01 = {3: 1, 4: 2, 5: 3, 6: 5, 7: 9, 8: 32, 9: 56, 10: 144, 11: 320, 12: 1458, 13: 3645}


def numbers(count):
    return tuple(Factor(f"x{n}", "1", -1.0, 1.0) for n in range(count))


def category(name, count):
    return Factor(name, "", 0.0, count - 1.0, categories=tuple("abcdefg"[:count]))


def allowed(factors):
    return [np.linspace(0, 1, len(factor.categories)) if factor.categories else None for factor in factors]


def design(terms, runs, criterion="D", seed=1, **options):
    return optimal_design(terms, runs, criterion=criterion, seed=seed, **{"allowed": allowed(terms.factors)} | options)


def d_efficiency(terms, points):
    matrix = terms.matrix(np.asarray(points, dtype=float))
    log_determinant = np.linalg.slogdet(matrix.T @ matrix / len(matrix)).logabsdet
    return 100 * float(np.exp(log_determinant / matrix.shape[1]))


def below(limit):
    return lambda points: points.sum(axis=1) <= limit


@pytest.mark.parametrize("runs", [3, 5, 6, 7, 9, 10, 11, 13])  # more in benchmarks/doe_optimal.py
def test_saturated_designs_of_two_levels_reach_the_largest_determinant(runs):
    terms = Terms.read("linear", numbers(runs - 1))
    best = 100 * (2.0 ** (runs - 1) * LARGEST_01[runs]) ** (2 / runs) / runs

    assert d_efficiency(terms, design(terms, runs, starts=300)) == pytest.approx(best, rel=1e-3)


@pytest.mark.parametrize(("factors", "runs"), [(2, 4), (3, 8), (7, 8), (5, 16), (11, 12)])
def test_orthogonal_designs_are_found_where_there_is_one(factors, runs):
    terms = Terms.read("linear", numbers(factors))

    assert d_efficiency(terms, design(terms, runs, starts=300)) == pytest.approx(100)


def test_the_smallest_quadratic_design_of_two_factors_is_that_of_box_and_draper():
    a = (4 - math.sqrt(13)) / 3  # Box & Draper (1971), Technometrics 13, 731
    published = [(-1, -1), (1, -1), (-1, 1), (-a, -a), (1, 3 * a), (3 * a, 1)]
    terms = Terms.read("quadratic", numbers(2))
    best = d_efficiency(terms, (np.array(published) + 1) / 2)

    assert best == pytest.approx(42.3123, abs=1e-4)
    assert d_efficiency(terms, design(terms, 6)) >= best * (1 - 1e-6)


def test_the_smallest_quadratic_design_of_three_factors_is_that_of_box_and_draper():
    near, far = 0.1925, -0.2912  # Box & Draper (1974), Technometrics 16, 613
    ends = [(-1, -1, -1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]
    others = [(-1, near, near), (near, -1, near), (near, near, -1), (far, 1, 1), (1, far, 1), (1, 1, far)]
    terms = Terms.read("quadratic", numbers(3))
    best = d_efficiency(terms, (np.array(ends + others) + 1) / 2)

    assert d_efficiency(terms, design(terms, 10)) >= best * (1 - 1e-6)


@pytest.mark.parametrize(
    ("model", "factors", "runs", "published_pct"),
    [  # Wheeler, vignette of the R package AlgDesign (optFederov); D = |X'X/n|^(1/p)
        ("quadratic", 3, 14, 46.30447),
        ("quadratic", 3, 15, 100 * 3.675919 / 8),  # there from -2 to 2
        ("interactions", 7, 34, 92.23281),
        ("interactions", 7, 32, 88.68),
    ],
)
def test_published_designs_of_algdesign_are_reached(model, factors, runs, published_pct):
    terms = Terms.read(model, numbers(factors))

    assert d_efficiency(terms, design(terms, runs, starts=500)) >= published_pct * (1 - 1e-5)


def test_polynomials_of_one_factor_have_their_runs_at_the_points_of_guest():
    terms = Terms.read(["x0", "x0^2", "x0^3", "x0^4"], numbers(1))  # Guest (1958): roots of (1 - x^2) P_4'(x)
    points = 2 * design(terms, 5)[:, 0] - 1

    assert sorted(points) == pytest.approx([-1, -math.sqrt(3 / 7), 0, math.sqrt(3 / 7), 1], abs=1e-3)


def test_three_levels_of_two_factors_are_the_factorial():
    points = design(Terms.read("quadratic", numbers(2)), 9)

    assert {tuple(point) for point in points.round(3).tolist()} == set(itertools.product((0.0, 0.5, 1.0), repeat=2))


def test_a_latin_square_is_found_for_three_factors_of_five_categories():
    factors = tuple(category(name, 5) for name in "pqr")
    points = design(Terms.read("linear", factors), 25, starts=100)

    for a, b in itertools.combinations(range(3), 2):
        assert len({(row[a], row[b]) for row in points.tolist()}) == 25


@pytest.mark.parametrize("criterion", ["D", "A", "I"])
def test_no_design_of_the_same_levels_is_better(criterion):
    factors = (category("c", 3), Factor("x", "1", -1.0, 1.0, values=(-1.0, 0.0, 1.0)))
    terms = Terms.read(["c", "x", "x^2"], factors)
    levels = [np.array([0, 0.5, 1])] * 2
    every = np.array(list(itertools.product(*levels)))

    def worth(points):
        quality = design_quality(terms, points)
        least = {"D": "d_efficiency_pct", "A": "a_efficiency_pct"}.get(criterion)
        return quality[least] if least else -(quality["average_prediction_variance"] or np.inf)

    best = max(worth(every[list(chosen)]) for chosen in itertools.combinations_with_replacement(range(9), 5))

    assert worth(design(terms, 5, criterion, allowed=levels, starts=50)) == pytest.approx(best)


def test_an_i_optimal_design_of_one_square_repeats_the_middle():
    terms = Terms.read("quadratic", numbers(1))

    assert sorted(design(terms, 4, "I")[:, 0]) == pytest.approx([0, 0.5, 0.5, 1], abs=1e-3)


@settings(max_examples=8)
@given(st.integers(0, 1000), st.floats(0.5, 1.6), st.sampled_from(["D", "A", "I"]), st.booleans())
def test_every_run_is_feasible(seed, limit, criterion, split):
    terms = Terms.read("interactions", numbers(2))
    options = {"groups": np.repeat(np.arange(3), 2), "hard": [True, False]} if split else {}
    points = design(terms, 6, criterion, seed, feasible=below(limit), starts=2, **options)

    assert points.shape == (6, 2)
    assert below(limit)(points).all()
    assert ((points >= 0) & (points <= 1)).all()


def test_constraints_cost_less_than_a_hundredth_of_what_a_dense_grid_reaches():
    terms = Terms.read("quadratic", numbers(2))  # 41 x 41 candidates, 60 beginnings: 30.5530 %
    points = design(terms, 8, feasible=below(1.2))

    assert d_efficiency(terms, points) >= 30.553
    assert np.isclose(points.sum(axis=1), 1.2, atol=1e-3).any()


@settings(max_examples=10)
@given(st.integers(0, 1000), st.booleans())
def test_the_same_seed_gives_the_same_points(seed, constrained):
    terms = Terms.read("quadratic", numbers(2))
    options = {"feasible": below(1.5) if constrained else None, "starts": 4}

    assert np.array_equal(design(terms, 7, seed=seed, **options), design(terms, 7, seed=seed, **options))


@settings(max_examples=10)
@given(st.integers(0, 1000), st.sampled_from(["D", "A", "I"]))
def test_only_allowed_levels_are_chosen(seed, criterion):
    fine = np.linspace(0, 1, 41)
    levels = [np.array([0, 0.3, 1]), fine]
    points = design(Terms.read("quadratic", numbers(2)), 8, criterion, seed, allowed=levels, starts=4)

    assert np.isin(points[:, 0], levels[0]).all()
    assert np.isin(points[:, 1], fine).all()


@settings(max_examples=10)
@given(st.integers(0, 1000))
def test_what_is_added_to_a_design_makes_it_no_worse_and_better_than_chance(seed):
    terms = Terms.read("linear", numbers(3))
    generator = np.random.default_rng(seed)
    old = generator.random((6, 3))
    new = design(terms, 4, seed=seed, existing=old, starts=20)
    chance = generator.random((4, 3))

    def information(points):
        return np.linalg.slogdet(terms.matrix(points).T @ terms.matrix(points))[1]

    assert information(np.vstack([old, new])) >= information(old)
    assert information(np.vstack([old, new])) >= information(np.vstack([old, chance]))


def test_existing_runs_count_towards_the_coefficients():
    terms = Terms.read("linear", numbers(3))
    old = np.array([[0.0, 0, 0], [1, 1, 0]])
    points = np.vstack([old, design(terms, 2, existing=old)])

    assert d_efficiency(terms, points) == pytest.approx(100)


def test_what_is_hard_to_change_is_the_same_in_a_whole_plot():
    groups = np.repeat(np.arange(6), 3)
    points = design(Terms.read("quadratic", numbers(3)), 18, groups=groups, hard=[True, False, True], starts=20)

    for plot in range(6):
        assert len(np.unique(points[groups == plot][:, [0, 2]], axis=0)) == 1
    assert len(np.unique(points[:, 1])) >= 3


def test_no_split_plot_design_of_two_levels_is_better():
    terms = Terms.read("interactions", numbers(2))
    groups = np.repeat([0, 1, 2], 2)

    def worth(hard, easy):
        points = np.column_stack([np.repeat(hard, 2), easy]).astype(float)
        return design_quality(terms, points, groups=groups)["d_efficiency_pct"]

    best = max(
        worth(hard, easy)
        for hard in itertools.product((0, 1), repeat=3)
        for easy in itertools.product((0, 1), repeat=6)
    )
    points = design(terms, 6, groups=groups, hard=[True, False], starts=20)

    assert design_quality(terms, points, groups=groups)["d_efficiency_pct"] == pytest.approx(best, rel=1e-6)


def test_blocks_do_not_cost_a_factorial_its_precision():
    terms = Terms.read("linear", numbers(3))
    blocks = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    points = design(terms, 8, blocks=blocks, starts=50)

    assert design_quality(terms, points, blocks=blocks)["d_efficiency_pct"] == pytest.approx(100)
    assert points[blocks == 0].mean(axis=0) == pytest.approx([0.5] * 3)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.booleans(), st.booleans())
def test_updates_of_rank_two_equal_the_value_from_scratch(seed, split, trace):
    kernel = load_kernel("twinbench.core.doe.kinds.optimal_kernel")
    generator = np.random.default_rng(seed)
    terms = Terms.read("quadratic", (*numbers(2), category("c", 3)))
    groups = np.repeat(np.arange(12), 2) if split else None
    task = optimal._Task(
        terms, 24, "A" if trace else "D", allowed(terms.factors), None, np.zeros((0, 3)), np.zeros((24, 0)), groups, ()
    )
    search = optimal._prepared(task, kernel)
    points = np.column_stack([generator.random((24, 2)), np.tile([0, 0.5, 1], 8)])
    rows = terms.matrix(points)
    sums = kernel._sums(search, rows)
    inverse, bent, ridge = kernel._refresh(search, rows, sums)
    row = terms.matrix(np.array([[0.1, 0.9, 0.5]]))[0]

    kernel._replace(search, 3, row, rows, sums, inverse, bent)

    again, curved, _ = kernel._refresh(search, rows, kernel._sums(search, rows))
    assert ridge == 0
    assert inverse == pytest.approx(again, rel=1e-5, abs=1e-7)
    assert bent == pytest.approx(curved, rel=1e-5, abs=1e-6)


def test_moments_of_a_region_are_those_of_its_points():
    terms = Terms.read("quadratic", (*numbers(2), category("c", 3), Factor("v", "1", 0.0, 4.0, values=(0.0, 1.0, 4.0))))

    sampled = moment_matrix(terms, lambda points: np.ones(len(points), dtype=bool))

    assert moment_matrix(terms) == pytest.approx(sampled, abs=2e-3)


def test_a_design_of_nothing_has_its_runs():
    assert optimal_design(Terms.read("linear", ()), 3, criterion="D", seed=0, allowed=()).shape == (3, 0)


@pytest.mark.parametrize(
    ("runs", "options", "message"),
    [
        (6, {}, r"10 coefficients, more than the 6 runs: raise runs to 10, or take the model linear, which has 4"),
        (8, {}, r"raise runs to 10, or take the model interactions, which has 7"),
        (2, {}, r"raise runs to 10, or leave out factors or terms"),
        (6, {"existing": np.zeros((2, 3))}, r"more than the 8 runs with the 2 that are there: raise runs to 8"),
        (10, {"blocks": np.repeat([0, 1], 5)}, r"10 coefficients and 1 for blocks.*raise runs to 11"),
        (0, {}, r"0 runs was asked for: ask for 1 or more"),
        (12, {"criterion": "E"}, r"no criterion 'E': ask for one of D, A, I"),
        (12, {"feasible": below(-1)}, r"constraints leave no region.*Widen a range or drop"),
        (12, {"feasible": lambda points: points[:, 0] < 0}, r"constraints leave no region"),
        (12, {"allowed": [np.array([0.0, 1.0]), None, None]}, r"these terms apart: the mean, x0\^2\. Leave one"),
        (
            12,
            {"groups": np.repeat([0, 1], 6), "hard": [True, False, False]},
            r"3 coefficients of factors that are hard to change, more than the 2 whole plots: ask for 3",
        ),
    ],
)
def test_what_cannot_be_is_named_with_what_to_change(runs, options, message):
    with pytest.raises(DesignError, match=message):
        design(Terms.read("quadratic", numbers(3)), runs, **options)


def test_what_would_take_hours_is_refused():
    terms = Terms.read("quadratic", numbers(30))

    with pytest.raises(DesignError, match=r"2000 runs that estimate 496 coefficients of 30 factors .* fewer runs"):
        design(terms, 2000)


@pytest.mark.thorough
def test_a_large_design_is_found_within_a_minute():
    terms = Terms.read("interactions", numbers(26))
    begun_s = time.process_time()
    points = design(terms, 400)

    assert d_efficiency(terms, points) > 60
    assert time.process_time() - begun_s < 60


def test_factors_that_cannot_be_told_from_blocks_are_named():
    terms = Terms.read("linear", numbers(2))
    plots = np.repeat([0, 1, 2], 2)

    with pytest.raises(
        DesignError, match=r"In so many runs, blocks and whole plots nothing tells these terms apart: .*x0\."
    ):
        design(terms, 6, blocks=plots, groups=plots, hard=[True, False], starts=3)
