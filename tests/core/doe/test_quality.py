"""Figures of a design are those of the textbooks, and a poor design is told from a good one."""

import itertools
import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.stats import f as f_distribution
from scipy.stats import qmc

from twinbench.core.doe.factors import Factor
from twinbench.core.doe.quality import design_quality, fraction_of_design_space, region_points
from twinbench.core.doe.terms import Terms
from twinbench.core.errors import DesignError


def numbers(count):
    return tuple(Factor(f"x{n}", "1", -1.0, 1.0) for n in range(count))


def category(name, count):
    return Factor(name, "", 0.0, count - 1.0, categories=tuple("abcdefg"[:count]))


def factorial(count, levels=2):
    return np.array(list(itertools.product(np.linspace(0, 1, levels), repeat=count)))


def test_a_factorial_is_fully_efficient_and_orthogonal():
    quality = design_quality(Terms.read("interactions", numbers(3)), factorial(3))

    assert [quality[f"{letter}_efficiency_pct"] for letter in "dagi"] == [100] * 4
    assert set(quality["vif"].values()) == {1.0}
    assert quality["largest_vif"] == 1
    assert quality["largest_alias"] == 0
    assert quality["maximum_prediction_variance"] == pytest.approx(7 / 8)


def test_the_average_prediction_variance_is_the_integral_over_the_cube():
    quality = design_quality(Terms.read("linear", numbers(2)), factorial(2))

    assert quality["average_prediction_variance"] == pytest.approx((1 + 1 / 3 + 1 / 3) / 4)


def test_the_three_level_factorial_has_the_figures_of_algdesign():
    # 14 runs of Wheeler, vignette of AlgDesign: D = 0.4630447, A = trace/p = 3.22, G-efficiency 0.893
    faces = [point for point in factorial(3, 3).tolist() if point.count(0.5) in (0, 2)]
    quality = design_quality(Terms.read("quadratic", numbers(3)), np.array(faces))

    assert len(faces) == 14
    assert quality["d_efficiency_pct"] == pytest.approx(46.30447, abs=1e-5)
    assert quality["a_efficiency_pct"] == pytest.approx(100 / 3.22, rel=1e-4)
    assert quality["g_efficiency_pct"] == pytest.approx(89.3, abs=0.05)


def test_an_orthogonal_design_of_categories_is_fully_efficient_whatever_their_order():
    factors = (category("c", 3), category("d", 4))
    points = np.array(list(itertools.product(np.linspace(0, 1, 3), np.linspace(0, 1, 4))))
    quality = design_quality(Terms.read("linear", factors), points)
    lame = design_quality(Terms.read("linear", factors), points[1:])
    mirrored = design_quality(Terms.read("linear", factors), 1 - points[1:])

    assert [quality[f"{letter}_efficiency_pct"] for letter in "dai"] == [100] * 3
    assert quality["vif"] == {"c": 1.0, "d": 1.0}
    assert lame["a_efficiency_pct"] == pytest.approx(mirrored["a_efficiency_pct"])
    assert lame["largest_vif"] > 1


def test_variance_inflation_is_that_of_a_regression_on_the_others():
    points = np.random.default_rng(3).random((12, 3))
    matrix = Terms.read("linear", numbers(3)).matrix(points)
    others = np.delete(matrix, 1, axis=1)
    left = matrix[:, 1] - others @ np.linalg.lstsq(others, matrix[:, 1], rcond=None)[0]
    total = matrix[:, 1] - matrix[:, 1].mean()
    quality = design_quality(Terms.read("linear", numbers(3)), points)

    assert quality["vif"]["x0"] == pytest.approx(total @ total / (left @ left))


def test_power_is_that_of_statsmodels():
    from statsmodels.stats.power import FTestPowerF2

    terms = Terms.read("linear", numbers(3))
    quality = design_quality(terms, factorial(3), signal_to_noise=1.5, alpha=0.1)
    # a coefficient of 0.75 in 8 orthogonal runs; statsmodels has noncentrality = f^2 (df1 + df2 + 1)
    power = FTestPowerF2().power(8 * 0.75**2 / (1 + 4 + 1), df_num=1, df_denom=4, alpha=0.1, ncc=1)

    assert quality["power"]["x0"] == pytest.approx(power, abs=1e-6)


def test_power_is_what_a_simulation_finds():
    terms = Terms.read("linear", (category("c", 3), *numbers(1)))
    points = np.array(list(itertools.product((0, 0.5, 1), (0, 1), (0,))))[:, :2].repeat(2, axis=0).astype(float)
    matrix = terms.matrix(points)
    truth = matrix @ np.array([0, 1, -1, 0.0])  # categories a and b are 2 apart, c is between them
    response = truth[:, None] + np.random.default_rng(1).standard_normal((len(points), 20_000))

    def rest(columns):
        return ((response - columns @ np.linalg.lstsq(columns, response, rcond=None)[0]) ** 2).sum(axis=0)

    full = rest(matrix)
    ratio = ((rest(np.delete(matrix, [1, 2], axis=1)) - full) / 2) / (full / 8)
    found = (ratio > f_distribution.isf(0.05, 2, 8)).mean()

    assert design_quality(terms, points)["power"]["c"] == pytest.approx(found, abs=0.015)


def test_without_degrees_of_freedom_there_is_no_power():
    quality = design_quality(Terms.read("linear", numbers(3)), factorial(3)[[0, 3, 5, 6]])

    assert quality["power"] == {"x0": None, "x1": None, "x2": None}
    assert quality["d_efficiency_pct"] == 100


def test_what_is_hard_to_change_has_less_power_than_what_is_not():
    points = np.vstack([factorial(2)] * 2)[np.argsort(np.tile([0, 0, 1, 1], 2), kind="stable")]
    groups = np.repeat(np.arange(4), 2)
    power = design_quality(Terms.read("linear", numbers(2)), points, groups=groups)["power"]

    assert power["x0"] < power["x1"]


def test_blocks_cost_precision_unless_they_are_orthogonal():
    terms = Terms.read("linear", numbers(3))
    points = factorial(3)
    product = (np.prod(2 * points - 1, axis=1) > 0).astype(int)
    plain = design_quality(terms, points)
    orthogonal = design_quality(terms, points, blocks=product)
    confounded = design_quality(terms, points, blocks=points[:, 0].astype(int))

    assert orthogonal["d_efficiency_pct"] == plain["d_efficiency_pct"] == 100
    assert orthogonal["power"]["x0"] < plain["power"]["x0"]
    assert confounded["d_efficiency_pct"] == 0
    assert confounded["not_estimable"] == ["x0"]


@pytest.mark.parametrize(
    ("model", "points", "alike"),
    [
        ("quadratic", factorial(2), ["1", "x0^2", "x1^2"]),
        ("interactions", factorial(2)[:3], ["1", "x0", "x1", "x0:x1"]),
        ("linear", np.full((5, 2), 0.5), ["x0", "x1"]),
        ("linear", np.full((1, 2), 0.25), ["1", "x0", "x1"]),
    ],
)
def test_a_design_that_cannot_estimate_the_model_says_which_terms(model, points, alike):
    quality = design_quality(Terms.read(model, numbers(2)), points)

    assert [quality[f"{letter}_efficiency_pct"] for letter in "dagi"] == [0] * 4
    assert quality["average_prediction_variance"] is None
    assert set(quality["power"].values()) == {None}
    assert quality["not_estimable"] == alike
    json.dumps(quality, allow_nan=False)


def test_the_largest_alias_is_that_of_a_plackett_burman_design():
    from pyDOE3 import pbdesign

    points = (pbdesign(11) + 1) / 2
    quality = design_quality(Terms.read("linear", numbers(11)), points)

    assert quality["largest_alias"] == pytest.approx(1 / 3)
    assert quality["d_efficiency_pct"] == 100


def test_a_half_fraction_aliases_a_factor_with_an_interaction():
    points = factorial(3)[np.prod(2 * factorial(3) - 1, axis=1) > 0]

    assert design_quality(Terms.read("linear", numbers(3)), points)["largest_alias"] == 1


def test_no_factors_and_no_model_have_no_figures_of_them():
    assert design_quality(None, np.zeros((3, 0))) == {}
    assert "vif" not in design_quality(None, factorial(2))
    assert design_quality(Terms.read("linear", ()), np.zeros((3, 0)))["d_efficiency_pct"] == 100


@settings(max_examples=20)
@given(st.integers(2, 30), st.integers(1, 5), st.integers(0, 1000))
def test_evenness_is_that_of_scipy(runs, factors, seed):
    points = np.random.default_rng(seed).random((runs, factors))
    quality = design_quality(None, points)

    assert quality["centered_l2_discrepancy"] == round(float(qmc.discrepancy(points, method="CD")), 9)
    assert quality["minimum_distance"] == round(float(pdist(points).min()), 9)


@settings(max_examples=15)
@given(st.integers(7, 20), st.integers(0, 1000))
def test_figures_keep_their_order_and_are_json(runs, seed):
    terms = Terms.read("quadratic", numbers(2))
    points = np.random.default_rng(seed).random((runs, 2))
    quality = design_quality(terms, points)

    assert quality["average_prediction_variance"] <= quality["maximum_prediction_variance"] + 1e-9
    assert 0 < quality["g_efficiency_pct"] <= 100
    assert quality["a_efficiency_pct"] <= quality["d_efficiency_pct"] + 1e-9
    assert all(value >= 1 - 1e-9 for value in quality["vif"].values())
    assert json.loads(json.dumps(quality, allow_nan=False)) == quality


def test_the_fraction_of_design_space_rises_to_the_largest_variance():
    terms = Terms.read("quadratic", numbers(2))
    curve = fraction_of_design_space(terms, factorial(2, 3))
    quality = design_quality(terms, factorial(2, 3))
    variances = curve["prediction_variance"]

    assert curve["fraction"] == pytest.approx(np.linspace(0, 1, 21))
    assert variances == sorted(variances)
    assert variances[-1] <= quality["maximum_prediction_variance"] + 1e-9
    assert np.trapezoid(variances, curve["fraction"]) == pytest.approx(quality["average_prediction_variance"], rel=0.02)


def test_there_is_no_curve_for_a_model_that_cannot_be_estimated():
    curve = fraction_of_design_space(Terms.read("quadratic", numbers(2)), factorial(2))

    assert curve == {"fraction": [], "prediction_variance": []}


def test_a_smaller_region_is_predicted_better():
    terms = Terms.read("quadratic", numbers(2))
    cut = design_quality(terms, factorial(2, 3), feasible=lambda points: points.sum(axis=1) <= 1)

    assert cut["maximum_prediction_variance"] <= design_quality(terms, factorial(2, 3))["maximum_prediction_variance"]


def test_points_of_a_region_keep_to_it_and_to_what_factors_can_have():
    stepped = Factor("s", "1", 0.0, 4.0, resolution=1.5)
    factors = (*numbers(2), category("c", 3), Factor("v", "1", 0.0, 4.0, values=(0.0, 1.0, 4.0)), stepped)
    points = region_points(factors, lambda points: points[:, 0] > points[:, 1], 500)

    assert len(points) == 500
    assert (points[:, 0] > points[:, 1]).all()
    assert set(points[:, 2]) == {0, 0.5, 1}
    assert set(points[:, 3]) == {0, 0.25, 1}
    assert set(points[:, 4]) == {0, 0.375, 0.75}


def test_an_empty_region_is_refused():
    with pytest.raises(
        DesignError, match=r"leave no region: none of 131,072 points .* Widen a range or drop a constraint"
    ):
        region_points(numbers(2), lambda points: points[:, 0] > 2, 10)


def test_large_designs_are_judged_within_a_second():
    points = np.random.default_rng(0).random((2000, 10))
    terms = Terms.read("quadratic", numbers(10))
    design_quality(terms, points[:100])
    began = time.perf_counter()
    design_quality(terms, points)

    assert time.perf_counter() - began < 3  # 0.5 s alone on a core
