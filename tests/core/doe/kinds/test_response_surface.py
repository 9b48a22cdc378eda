"""Response-surface designs are the published ones.

Sources: Box & Wilson, J. Royal Statistical Society B 13 (1951) 1; Box & Behnken, Technometrics 2 (1960) 455, table 2;
NIST/SEMATECH e-Handbook of Statistical Methods, 5.3.3.6.
"""

import itertools

import numpy as np
import pytest

from twinbench.core.doe.kinds.response_surface import (
    BOX_BEHNKEN_CENTRES,
    axial_distance,
    box_behnken,
    central_composite,
)
from twinbench.core.errors import DesignError


@pytest.mark.parametrize(("factors", "runs"), [(3, 15), (4, 27), (5, 46), (6, 54), (7, 62)])
def test_a_box_behnken_design_has_the_published_number_of_runs(factors, runs):
    assert len(box_behnken(factors)) + BOX_BEHNKEN_CENTRES[factors] == runs


@pytest.mark.parametrize("factors", [3, 4, 5, 6, 7])
def test_a_box_behnken_design_varies_each_factor_as_often_and_visits_no_corner(factors):
    points = box_behnken(factors)

    assert len(set(np.abs(points).sum(axis=0))) == 1
    assert len(set(np.abs(points).sum(axis=1))) == 1
    assert np.abs(points).sum(axis=1).max() < factors
    assert len({tuple(point) for point in points}) == len(points)


@pytest.mark.parametrize("factors", [3, 4, 5, 6, 7])
def test_a_box_behnken_design_estimates_every_term_of_second_order(factors):
    points = np.vstack([box_behnken(factors), np.zeros((1, factors))])
    pairs = [points[:, a] * points[:, b] for a, b in itertools.combinations(range(factors), 2)]
    matrix = np.column_stack([np.ones(len(points)), points, points**2, *pairs])

    assert np.linalg.matrix_rank(matrix) == matrix.shape[1]


@pytest.mark.parametrize("factors", [2, 8])
def test_a_box_behnken_design_of_other_sizes_is_refused(factors):
    with pytest.raises(DesignError, match=f"3 to 7 factors, not {factors}"):
        box_behnken(factors)


@pytest.mark.parametrize("factors", [2, 3, 4, 5])
@pytest.mark.parametrize("face", ["faced", "inscribed", "circumscribed"])
def test_a_central_composite_design_has_corners_and_two_axial_points_per_factor(factors, face):
    points = central_composite(factors, face)
    away = {"faced": 1.0, "inscribed": 1.0, "circumscribed": axial_distance(factors)}[face]
    axial = points[(points != 0).sum(axis=1) == 1]

    assert len(points) == 2**factors + 2 * factors
    assert sorted(axial.sum(axis=1)) == pytest.approx([-away] * factors + [away] * factors)
    assert np.abs(points).max() == pytest.approx(away if face != "inscribed" else 1.0)


@pytest.mark.parametrize(("factors", "alpha"), [(2, 1.414), (3, 1.682), (4, 2.0), (5, 2.378)])
def test_the_axial_distance_is_the_published_one(factors, alpha):
    assert axial_distance(factors) == pytest.approx(alpha, abs=5e-4)


@pytest.mark.parametrize("factors", [2, 3, 4])
def test_a_circumscribed_design_predicts_as_well_in_every_direction(factors):
    points = np.vstack([central_composite(factors, "circumscribed"), np.zeros((4, factors))])

    def matrix(at):
        pairs = [at[:, a] * at[:, b] for a, b in itertools.combinations(range(factors), 2)]
        return np.column_stack([np.ones(len(at)), at, at**2, *pairs])

    inverse = np.linalg.inv(matrix(points).T @ matrix(points))
    random = np.random.default_rng(1).normal(size=(20, factors))
    rows = matrix(random / np.linalg.norm(random, axis=1, keepdims=True))

    variances = np.einsum("ij,jk,ik->i", rows, inverse, rows)
    assert variances == pytest.approx(variances[0])
