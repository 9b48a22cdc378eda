"""A constraint is a condition between factors: what is understood is computed, everything else is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.doe.constraints import Constraint
from twinbench.core.doe.factors import Factor
from twinbench.core.errors import DesignError

RATE = Factor("rate", "C-rate", 0.0, 3.0)
TEMPERATURE = Factor("temperature_degC", "degC", -20.0, 60.0)
CHEMISTRY = Factor.from_document({"name": "chemistry", "categories": ["NMC", "LFP"]})
FACTORS = (RATE, TEMPERATURE, CHEMISTRY)

numbers = st.floats(-100, 100)


def met(text, rate=1.0, temperature=20.0, chemistry="NMC") -> bool:
    columns = {
        "rate": np.array([rate]),
        "temperature_degC": np.array([temperature]),
        "chemistry": np.array([chemistry]),
    }
    return bool(Constraint.read(text, FACTORS).is_met(columns)[0])


@given(numbers, numbers)
def test_a_linear_condition_is_what_it_says(rate, temperature):
    expected = rate * 20 - temperature <= 40 + 1e-6
    if abs(rate * 20 - temperature - 40) > 1e-5:
        assert met("rate * 20 - temperature_degC <= 40", rate, temperature) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate ** 2 + 1 >= 2", True),
        ("sqrt(rate) < 0.5", False),
        ("abs(temperature_degC - 20) <= 0", True),
        ("max(rate, 3) == 3 and not rate > 2", True),
        ("0 < rate < 0.5 or chemistry == 'NMC'", True),
        ("chemistry != 'NMC'", False),
        ("min(rate, 0.5) * 2 == rate", True),
        ("+rate - -rate == 2", True),
        ("exp(log(rate)) == 1", True),
    ],
)
def test_functions_categories_and_logic(text, expected):
    assert met(text) is expected


def test_a_level_on_the_edge_counts_as_inside_although_it_was_rounded():
    assert met("rate * 3 <= 0.3", rate=0.1)
    assert met("rate * 3 >= 0.3", rate=0.1)


def test_where_there_is_no_value_it_is_not_met():
    assert not met("sqrt(rate) >= 0", rate=-1.0)
    assert not met("0 / (rate - 1) > -1")


def test_it_knows_which_factors_it_is_about():
    assert Constraint.read("rate < temperature_degC", FACTORS).names == ("rate", "temperature_degC")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (3, "is a text such as"),
        ("  ", "is a text such as"),
        ("rate <", "cannot be read"),
        ("rate + 1", "compares nothing"),
        ("rate", "compares nothing"),
        ("rats < 2", "names 'rats', no factor: did you mean 'rate'"),
        ("rate < True", "'True', which is not understood"),
        ("__import__('os').system('true') == 0", "not understood"),
        ("rate.real < 2", "'rate.real', which is not understood"),
        ("(lambda: 1)() < rate", "not understood"),
        ("[rate][0] < 2", "not understood"),
        ("open(rate) < 2", "not understood"),
        ("abs(rate, 2) < 2", "gives abs other than 1 arguments"),
        ("chemistry == 'NCM'", "names a category 'NCM' of chemistry: did you mean"),
        ("chemistry < 'NMC'", "more with a category than compare it"),
        ("chemistry == rate", "more with a category than compare it"),
        ("rate in (1, 2)", "compares nothing"),
        ("-" * 400 + "rate < 1", "nested more than 50 deep"),
        ("not " * 100 + "rate < 1", "nested more than 50 deep"),
        ("(" * 300 + "rate" + ")" * 190 + " < 1", "cannot be read"),
        ("rate < 1" + " and rate < 1" * 60, "characters, more than 500"),
    ],
)
def test_what_is_not_understood_is_refused_and_never_run(text, message):
    with pytest.raises(DesignError, match=message):
        Constraint.read(text, FACTORS)


@given(st.text(alphabet="rate chmisy'NMC<>=!()+-*/0123456789._ andortlmxqs,[]{}:", max_size=40))
def test_whatever_is_given_is_read_or_refused(text):
    try:
        constraint = Constraint.read(text, FACTORS)
    except DesignError:
        return
    columns = {"rate": np.ones(2), "temperature_degC": np.ones(2), "chemistry": np.array(["NMC", "LFP"])}
    assert constraint.is_met(columns).shape == (2,)


def test_a_factor_whose_name_is_no_word_is_to_be_renamed():
    spaced = Factor("my rate", "C-rate", 0.2, 2.0)

    with pytest.raises(DesignError, match="'my rate' is no single word, so rename the factor"):
        Constraint.read("my rate < 1", [spaced])
