"""Screening designs have the properties for which they were published.

Sources: Plackett & Burman, Biometrika 33 (1946) 305; Jones & Nachtsheim, J. Quality Technology 43 (2011) 1; Xiao, Lin &
Bai, J. Quality Technology 44 (2012) 2.
"""

import itertools

import numpy as np
import pytest

from twinbench.core.doe.kinds.screening import conference, definitive_screening, plackett_burman
from twinbench.core.errors import DesignError

ORDERS = (4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 26, 28, 30, 32, 38, 42, 44, 48, 54)


@pytest.mark.parametrize("order", ORDERS)
def test_a_conference_matrix_has_a_zero_diagonal_and_orthogonal_columns(order):
    matrix = conference(order)

    assert np.array_equal(matrix.T @ matrix, (order - 1) * np.eye(order))
    assert np.array_equal(np.diag(matrix), np.zeros(order))
    assert set(np.unique(matrix)) == {-1.0, 0.0, 1.0}


def test_a_conference_matrix_that_cannot_be_is_refused():
    with pytest.raises(DesignError, match="order 22 is not known"):
        conference(22)


@pytest.mark.parametrize("factors", range(2, 52))
def test_a_plackett_burman_design_is_balanced_and_orthogonal_in_the_next_multiple_of_four_runs(factors):
    points = plackett_burman(factors)

    assert len(points) == 4 * (factors // 4 + 1)
    assert np.array_equal(points.T @ points, len(points) * np.eye(factors))
    assert np.array_equal(points.sum(axis=0), np.zeros(factors))


@pytest.mark.parametrize(
    ("runs", "row"), [(12, "++-+++---+-"), (20, "++--++++-+-+----++-")], ids=["12 runs", "20 runs"]
)
def test_its_rows_are_the_published_one_turned(runs, row):
    """Up to the order of factors and runs and to which level is +: so the products of three columns are compared."""
    published = np.array([1.0 if sign == "+" else -1.0 for sign in row])
    whole = np.vstack([[np.roll(published, turn) for turn in range(len(row))], -np.ones(len(row))])

    assert triples(plackett_burman(runs - 1)) == triples(whole)


def triples(points):
    chosen = itertools.combinations(range(points.shape[1]), 3)
    return sorted(abs(points[:, list(part)].prod(axis=1).sum()) for part in chosen)


@pytest.mark.parametrize("factors", [3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 16, 20])
def test_main_effects_of_a_definitive_screening_design_are_clear_of_all_else_of_second_order(factors):
    points = definitive_screening(factors)
    seconds = np.column_stack(
        [points[:, a] * points[:, b] for a, b in itertools.combinations_with_replacement(range(factors), 2)]
    )
    main = points.T @ points

    assert np.array_equal(main, np.diag(np.diag(main)))
    assert not (points.T @ seconds).any()
    assert np.linalg.matrix_rank(np.column_stack([np.ones(len(points)), points, points**2])) == 2 * factors + 1


@pytest.mark.parametrize(("factors", "runs"), [(4, 9), (5, 13), (6, 13), (7, 17), (8, 17), (10, 21), (12, 25)])
def test_a_definitive_screening_design_has_the_published_number_of_runs(factors, runs):
    assert len(definitive_screening(factors)) == runs


@pytest.mark.parametrize("factors", [2, 55])
def test_too_few_or_too_many_factors_are_refused(factors):
    with pytest.raises(DesignError, match=f"{factors}"):
        definitive_screening(factors)


def test_a_plackett_burman_design_that_is_not_known_is_refused():
    with pytest.raises(DesignError, match="of 60 factors is not known: ask for 51 or fewer"):
        plackett_burman(60)
