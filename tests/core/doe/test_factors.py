"""A design specification is either sound or refused with the value and a remedy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinbench.core.doe.factors import Factor
from twinbench.core.doe.spec import DesignSpec, Kind
from twinbench.core.errors import DesignError

TEMPERATURE = {"name": "temperature_degC", "unit": "degC", "low": 0, "high": 45}
SOC = {"name": "soc_pct", "unit": "%", "low": 20, "high": 80}
HELD = {"name": "pulse_s", "unit": "s", "low": 10, "high": 10}


def spec(**changes) -> dict:
    return {"factors": [TEMPERATURE, SOC], "runs": 6, "seed": 1, "kind": "latin-hypercube", **changes}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (spec(factors=[{**SOC, "low": 90}]), "soc_pct has low 90.0 > high 80.0: swap them"),
        (spec(factors=[SOC, SOC]), "soc_pct is given more than once: keep one"),
        (spec(factors=[{**SOC, "name": " "}]), "has no name"),
        (spec(factors=[{**SOC, "name": None}]), "has the name None: give a text"),
        (spec(factors=[{**SOC, "name": "run"}]), "named run, as is a column of runs.csv"),
        (spec(factors=[{**SOC, "low": "20"}]), "soc_pct has low '20': give a number"),
        (spec(factors=[{**SOC, "high": None}]), "soc_pct has high None: give a number"),
        (spec(factors=[{**SOC, "high": float("nan")}]), "both must be finite"),
        (spec(factors=[{**SOC, "high": 10**400}]), "too large for a number"),
        (spec(factors=[{**SOC, "levels": 1}]), "soc_pct has 1 levels: ask for two or more"),
        (spec(factors=[{**SOC, "levels": 2.5}]), "levels 2.5: give a whole number"),
        (spec(factors=["soc_pct"]), "must be an object with name, unit, low and high, not 'soc_pct'"),
        (spec(factors=None), "an object with a list of factors"),
        ([], "an object with a list of factors"),
        (spec(kind="latin-hypercub"), r"no design kind 'latin-hypercub': did you mean 'latin-hypercube'\?"),
        (spec(runs=0), "0 runs are asked for: ask for 1 to 2000"),
        (spec(runs=2001), "2001 runs are asked for"),
        (spec(runs=True), "runs True: give a whole number"),
        (spec(runs=None), "latin-hypercube design needs a number of runs"),
        (spec(seed=-1), "seed is -1: use 0 or a positive"),
        (spec(kind="fixed"), "fixed design cannot vary temperature_degC, soc_pct"),
        (spec(factors=[HELD]), "needs a factor with low < high: there is none; ask for fixed"),
        (spec(factors=[SOC, HELD], kind="central-composite"), "needs two varying factors and has only soc_pct"),
    ],
)
def test_what_cannot_be_designed_is_refused_in_words(document, message):
    with pytest.raises(DesignError, match=message):
        DesignSpec.from_document(document)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2).map(sorted),
    st.integers(2, 5),
    st.integers(1, 2000),
    st.integers(0, 2**40),
)
def test_a_specification_survives_its_document(range_, levels, runs, seed):
    low, high = range_
    factors = (Factor("x", "V", low, high, levels), Factor("y", "1", 0.0, 1.0))
    written = DesignSpec(factors, Kind.LATIN_HYPERCUBE, runs, seed)

    assert DesignSpec.from_document(written.as_document()) == written
