"""A surrogate predicts what was not run, says how sure it is, and judges itself as refits would."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.stats import qmc

from twinbench.core.doe.learning.surrogate import Surrogate
from twinbench.core.doe.learning.surrogate_kernel import covariance, first_guess, slopes, variance, warp
from twinbench.core.errors import DesignError


def curved(points):
    """Straight in the first factor, steep near the end of the second."""
    return 3 * points[:, 0] + np.exp(4 * (points[:, 1] - 1)) + 0.3 * points[:, 0] * points[:, 1]


def halton(count, factors=2, seed=1):
    return qmc.Halton(factors, seed=seed).random(count)


@pytest.fixture(scope="module")
def surrogate() -> Surrogate:
    return Surrogate.fit(halton(20), curved(halton(20)), seed=1)


def rms(errors) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))


def test_it_predicts_what_was_not_run(surrogate):
    points = halton(400, seed=2)

    mean, deviation = surrogate.predict(points)

    assert rms(mean - curved(points)) < 0.01 * np.ptp(curved(points))
    assert np.mean(np.abs(mean - curved(points)) < 3 * deviation) > 0.9


def test_it_goes_through_runs_without_noise(surrogate):
    mean, deviation = surrogate.predict(surrogate.points)

    assert mean == pytest.approx(surrogate.values, abs=1e-3)
    assert deviation.max() < 5e-3


def test_warping_helps_where_a_response_is_steep_at_one_end(surrogate):
    factors = surrogate.points.shape[1]
    straight = Surrogate(
        surrogate.points,
        surrogate.values,
        np.concatenate([surrogate.shape[: 2 + factors], np.zeros(factors)]),
        surrogate.centre,
        surrogate.scale,
    )

    assert surrogate.shape[-1] > 0.5
    assert surrogate.cross_validated_error < straight.cross_validated_error


def test_the_error_of_runs_left_out_is_that_of_refits(surrogate):
    refitted = []
    for row in range(len(surrogate.points)):
        others = np.arange(len(surrogate.points)) != row
        without = surrogate.condition(surrogate.points[others], surrogate.values[others])
        refitted.append(surrogate.values[row] - without.predict(surrogate.points[row : row + 1])[0][0])

    without = surrogate.condition(surrogate.points[1:], surrogate.values[1:])
    expected = np.hypot(without.predict(surrogate.points[:1])[1][0], without.noise)
    assert surrogate.left_out_scores[0] == pytest.approx(refitted[0] / expected, rel=1e-3)
    assert surrogate.left_out_errors == pytest.approx(np.array(refitted), rel=1e-4, abs=1e-7)
    assert surrogate.cross_validated_error == pytest.approx(rms(refitted), rel=1e-4)


def test_the_covariance_of_a_point_with_itself_is_its_variance(surrogate):
    points = halton(7, seed=5)

    covariances = surrogate.covariance(points, points)

    assert np.sqrt(np.diag(covariances)) == pytest.approx(surrogate.predict(points)[1], rel=1e-4, abs=1e-6)
    assert np.allclose(covariances, covariances.T)


def test_believing_a_run_changes_no_prediction_but_how_sure_it_is(surrogate):
    points, new = halton(50, seed=7), np.array([[0.02, 0.98]])

    believing = surrogate.believe(new)

    assert believing.predict(points)[0] == pytest.approx(surrogate.predict(points)[0], abs=1e-4)
    assert believing.expected_error(points) < surrogate.expected_error(points)


def test_it_is_the_same_every_time(surrogate):
    again = Surrogate.fit(halton(20), curved(halton(20)), seed=1)

    assert np.array_equal(again.shape, surrogate.shape)


def test_scaling_a_response_scales_all_that_is_said_of_it(surrogate):
    scaled = Surrogate.fit(halton(20), 1000 * curved(halton(20)) - 7, seed=1)

    assert scaled.cross_validated_error == pytest.approx(1000 * surrogate.cross_validated_error, rel=1e-2)


def test_noise_is_told_from_change():
    points = np.repeat(halton(15), 3, axis=0)
    noisy = curved(points) + np.random.default_rng(3).normal(0, 0.1, len(points))

    surrogate = Surrogate.fit(points, noisy, seed=1)

    assert surrogate.noise == pytest.approx(0.1, rel=0.4)
    assert rms(surrogate.predict(points)[0] - curved(points)) < 0.1


def test_a_constant_response_is_predicted_as_it_is():
    surrogate = Surrogate.fit(halton(5), np.full(5, 4.2), seed=1)

    mean, deviation = surrogate.predict(halton(9, seed=3))

    assert mean == pytest.approx(np.full(9, 4.2))
    assert not deviation.any()
    assert surrogate.cross_validated_error == 0


def test_categories_are_columns_of_0_and_1():
    kind = np.arange(18) % 2
    points = np.column_stack([halton(18), kind, 1 - kind]).astype(float)

    surrogate = Surrogate.fit(points, curved(points) + 2 * kind, seed=1)

    both = np.array([[0.5, 0.5, 0, 1], [0.5, 0.5, 1, 0]])
    assert np.diff(surrogate.predict(both)[0]) == pytest.approx([2], abs=0.1)


@pytest.mark.parametrize(
    ("points", "values", "message"),
    [
        (halton(2), [1, 2], "A surrogate of 2 runs tells nothing: carry out 3 or more"),
        (halton(3), [1, np.nan, 2], "Run 2 gave nan: leave out the runs that failed"),
        (halton(3), [1, 2], r"Points \(3, 2\) and values \(2,\) do not fit: give \(n, k\) and \(n,\)"),
        (halton(3) + 1, [1, 2, 3], r"Run 1 is at \(1.*\), outside the unit cube: scale its levels"),
        (np.zeros((3, 0)), [1, 2, 3], "do not fit"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_in_words(points, values, message):
    with pytest.raises(DesignError, match=message):
        Surrogate.fit(points, values, seed=1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=2, max_size=2))
def test_a_warp_keeps_the_order_and_the_ends_of_each_factor(warps):
    points = np.repeat(np.linspace(0, 1, 9)[:, None], 2, axis=1)

    warped, _ = warp(points, np.array(warps))

    assert np.all(np.diff(warped, axis=0) > 0)
    assert warped[[0, -1]] == pytest.approx(np.array([[-0.5, -0.5], [0.5, 0.5]]))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_slopes_are_those_of_the_covariance(seed):
    points = halton(6, seed=seed)
    shape = first_guess(2) + np.random.default_rng(seed).normal(0, 0.5, 6)
    shape[4:] += np.copysign(1e-2, shape[4:])  # what is as good as straight is not bent any further
    weights = np.random.default_rng(seed).normal(size=(6, 6))

    def value(shape):
        warped = warp(points, shape[4:])[0]
        return float(np.sum(weights * (covariance(warped, warped, shape) + np.exp(shape[3]) * np.eye(6))))

    def slope(shape):
        return np.einsum("ij,ijp->p", weights, slopes(points, shape))

    assert check_grad(value, slope, shape) < 1e-4


def test_the_variance_is_the_diagonal_of_the_covariance():
    warped = warp(halton(5), np.array([1.0, -2.0]))[0]

    assert variance(warped, first_guess(2)) == pytest.approx(np.diag(covariance(warped, warped, first_guess(2))))
