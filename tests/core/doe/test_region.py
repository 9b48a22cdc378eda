"""A region knows which levels exist and which combinations may be run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.doe.constraints import Constraint
from twinbench.core.doe.factors import Factor
from twinbench.core.doe.region import Region
from twinbench.core.errors import DesignError

RATE = Factor("rate", "C-rate", 0.2, 2.0)
TEMPERATURE = Factor("temperature_degC", "degC", -20.0, 47.0, resolution=5.0)
VOLTAGE = Factor.from_document({"name": "voltage_V", "unit": "V", "values": [4.2, 2.5, 3.0]})
KIND = Factor.from_document({"name": "kind", "categories": ["x", "y", "z"]})
HELD = Factor("held_s", "s", 3.0, 3.0)
FACTORS = (RATE, HELD, TEMPERATURE, VOLTAGE, KIND)
REGION = Region(FACTORS, (Constraint.read("rate * held_s <= 5 or kind == 'x'", FACTORS),))

points = st.lists(st.floats(0, 1), min_size=4, max_size=4).map(lambda point: np.array([point]))


@given(points)
def test_a_snapped_point_has_levels_that_exist_and_stays_where_it_is(point):
    snapped = REGION.snap(point)
    levels = [factor.level(share) for factor, share in zip(REGION.varying, snapped[0], strict=True)]

    assert np.array_equal(REGION.snap(snapped), snapped)
    assert levels[1] in range(-20, 46, 5)
    assert levels[2] in (2.5, 3.0, 4.2)
    assert levels[3] in ("x", "y", "z")


@given(points)
def test_a_point_is_snapped_to_the_nearest_level(point):
    snapped = REGION.snap(point)

    for column, shares in enumerate(REGION.allowed):
        if shares is not None:
            assert abs(snapped[0, column] - point[0, column]) <= np.abs(shares - point[0, column]).min() + 1e-12


@given(points)
def test_levels_and_shares_are_each_others_inverse(point):
    snapped = REGION.snap(point)[0]
    for factor, share in zip(REGION.varying, snapped, strict=True):
        assert abs(factor.share(factor.level(share)) - share) < 1e-5


@given(st.integers(1, 300), st.integers(0, 2**31))
def test_candidates_are_feasible_and_the_same_for_the_same_seed(count, seed):
    candidates = REGION.candidates(count, seed=seed)

    assert candidates.shape == (count, 4)
    assert REGION.is_feasible(candidates).all()
    assert np.array_equal(candidates, REGION.candidates(count, seed=seed))


def test_categories_are_as_far_from_each_other_as_the_ends_of_a_range():
    unit = REGION.unit(np.array([[0.3, 0.5, 1.0, 0.5]]))

    assert unit.tolist() == [[0.3, 0.5, 1.0, 0.0, 1.0, 0.0]]


def test_the_constraints_that_a_point_breaks_are_told():
    assert REGION.broken(np.array([1.0, 0, 0, 1.0])) == ["rate * held_s <= 5 or kind == 'x'"]
    assert REGION.broken(np.array([1.0, 0, 0, 0.0])) == []


def test_numbers_that_must_be_equal_are_told_to_have_a_tolerance():
    equal = Constraint.read("rate * 20 == held_s * 7", FACTORS)

    with pytest.raises(DesignError, match=r"hardly ever equal.* give 'rate \* 20 == held_s \* 7' a tolerance"):
        Region(FACTORS, (equal,)).candidates(5, seed=1)


def test_steps_can_meet_an_equality():
    parts = tuple(Factor(name, "1", 0.0, 1.0, resolution=0.1) for name in "abc")
    region = Region(parts, (Constraint.read("a + b + c == 1", parts),))

    assert region.candidates(20, seed=1).sum(axis=1) == pytest.approx(np.ones(20))
