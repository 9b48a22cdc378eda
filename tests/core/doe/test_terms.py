"""A linear model is its terms; its matrix codes numbers from -1 to +1 and categories by their effects."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.doe.factors import Factor
from twinbench.core.doe.terms import MODELS, Terms
from twinbench.core.errors import DesignError

A, B = Factor("a", "V", 0.0, 10.0), Factor("b", "A", -1.0, 1.0)
TWO = Factor.from_document({"name": "two", "unit": "V", "values": [1, 5]})
KIND = Factor.from_document({"name": "kind", "categories": ["x", "y", "z"]})
HELD = Factor("held", "V", 3.0, 3.0)


def test_named_models_have_the_terms_one_expects():
    assert Terms.read("linear", (A, HELD, B)).labels == ("1", "a", "b")
    assert Terms.read("interactions", (A, B)).labels == ("1", "a", "b", "a:b")
    assert Terms.read("quadratic", (A, B)).labels == ("1", "a", "b", "a:b", "a^2", "b^2")


def test_what_has_no_middle_has_no_square():
    assert Terms.read("quadratic", (A, TWO, KIND)).labels[-1] == "a^2"


@given(st.integers(1, 6))
def test_a_quadratic_model_has_the_known_number_of_coefficients(count):
    factors = tuple(Factor(f"f{n}", "1", 0.0, 1.0) for n in range(count))

    assert len(Terms.read("quadratic", factors).exponents) == (count + 1) * (count + 2) // 2


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_the_matrix_is_the_product_of_coded_factors(point):
    terms = Terms.read(["a", "a:b", "a^2", "a^2:b"], (A, B))
    a, b = 2 * point[0] - 1, 2 * point[1] - 1

    assert terms.matrix(np.array([point]))[0] == pytest.approx([1, a, a * b, a * a, a * a * b])


def test_effects_of_categories_sum_to_zero():
    terms = Terms.read("interactions", (KIND, A))
    points = np.array(list(itertools.product((0, 0.5, 1), (0.0, 1.0))))

    assert terms.columns == (0, 1, 1, 2, 3, 3)
    assert not terms.matrix(points)[:, 1:].sum(axis=0).any()
    assert np.linalg.matrix_rank(terms.matrix(points)) == 6


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("cubic", "There is no model 'cubic'"),
        (["a", "c"], "term 'c' names 'c', which is no factor that varies: there are a, b, two, kind"),
        (["held"], "'held', which is no factor that varies"),
        (["kind^2"], "has a power of kind, which has categories"),
        (["two:two"], "has a power of two, which has categories or only two levels"),
        (["a", "a"], "has a more than once"),
    ],
)
def test_a_model_that_cannot_be_is_refused(model, message):
    with pytest.raises(DesignError, match=message):
        Terms.read(model, (A, B, TWO, KIND, HELD))


def test_a_model_of_a_thousand_coefficients_is_a_mistake():
    with pytest.raises(DesignError, match="more than 1000: ask for a smaller model"):
        Terms.read("quadratic", tuple(Factor(f"f{n}", "1", 0.0, 1.0) for n in range(50)))


def test_every_named_model_is_known():
    assert all(Terms.read(model, (A, B)).labels[0] == "1" for model in MODELS)
