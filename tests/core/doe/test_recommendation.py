"""The recommended design suits what the experiment is for and what it may cost, and says why."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbench.core.doe.designs import make_design
from twinbench.core.doe.factors import Factor
from twinbench.core.doe.recommendation import Aim, recommend
from twinbench.core.doe.spec import DesignSpec
from twinbench.core.errors import DesignError

RATE = Factor("discharge_c_rate", "C-rate", 0.333, 2.0)
TEMPERATURE = Factor("temperature_degC", "degC", -20.0, 45.0)
SOC = Factor("soc_pct", "%", 20.0, 80.0)
HELD = Factor("pulse_s", "s", 10.0, 10.0)
SUPPLIER = {"name": "supplier", "categories": ["A", "B", "C"]}


def many(count):
    return [{"name": f"f{n}", "unit": "1", "low": 0, "high": 1} for n in range(count)]


@pytest.mark.parametrize(
    ("factors", "runs", "kind"),
    [
        ((), 3, "fixed"),
        ((HELD,), 3, "fixed"),
        ((RATE, TEMPERATURE), 6, "latin-hypercube"),
        ((RATE, TEMPERATURE, HELD), 4, "full-factorial"),
        ((RATE, TEMPERATURE), 9, "central-composite"),
        ((RATE, TEMPERATURE, SOC), 15, "central-composite"),
        ((RATE,), 1, "latin-hypercube"),
        ((RATE,), 5, "latin-hypercube"),
    ],
)
def test_without_an_aim_the_number_of_runs_decides(factors, runs, kind):
    assert recommend(factors, None, runs).kind == kind


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("factors", "aim", "budget", "kind", "runs"),
    [
        (many(6), "screening", None, "definitive-screening", 13),
        (many(6), "screening", 8, "plackett-burman", 8),
        (many(3), "screening", 10, "full-factorial", 8),
        ([*many(8), {"name": "c", "categories": ["x", "y"]}], "screening", None, "fractional-factorial", 32),
        (many(3), "effects", None, "full-factorial", 8),
        (many(5), "effects", 16, "fractional-factorial", 16),
        (many(7), "effects", 20, "fractional-factorial", 16),
        (many(3), "response-surface", None, "central-composite", 15),
        (many(4), "response-surface", None, "central-composite", 25),
        (many(6), "response-surface", None, "box-behnken", 54),
        (many(3), "response-surface", 12, "i-optimal", 12),
        ([*many(2), SUPPLIER], "response-surface", None, "i-optimal", 16),
        ([*many(2), SUPPLIER], "effects", 20, "d-optimal", 20),
        (many(4), "exploration", None, "latin-hypercube", 40),
        (many(4), "exploration", 15, "latin-hypercube", 15),
    ],
)
def test_with_an_aim_it_is_the_design_for_that_within_the_budget(factors, aim, budget, kind, runs):
    spec = DesignSpec.from_document({"factors": factors, "aim": aim, "runs": budget})
    design = make_design(spec)

    assert (design.kind, len(design.runs)) == (kind, runs)
    assert design.notes[0].startswith("Recommended: ")


@pytest.mark.thorough
def test_constraints_ask_for_a_design_that_keeps_to_them():
    spec = DesignSpec.from_document({"factors": many(2), "aim": "response-surface", "constraints": ["f0 + f1 <= 1.5"]})

    assert spec.kind.is_optimal
    assert all(run.levels["f0"] + run.levels["f1"] <= 1.5 + 1e-9 for run in make_design(spec).runs)


def test_too_small_a_budget_is_refused_with_what_is_needed():
    with pytest.raises(DesignError, match="3 runs cannot tell the effects of 5 factors apart: ask for 6 or more"):
        DesignSpec.from_document({"factors": many(5), "aim": "screening", "runs": 3})


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.sampled_from([*Aim]), st.one_of(st.none(), st.integers(1, 60)), st.booleans())
def test_whatever_is_recommended_has_no_more_runs_than_the_budget(count, aim, budget, categorical):
    document = {"factors": [*many(count), *([SUPPLIER] if categorical else [])], "aim": aim.value, "runs": budget}
    if aim is not Aim.EXPLORATION and budget is not None and budget < 2 + count + 2 * categorical:
        return  # may be refused, as above
    spec = DesignSpec.from_document(document)
    if spec.kind.needs_runs:  # searched for elsewhere; it takes its time
        assert budget is None or spec.runs <= budget
    else:
        assert budget is None or len(make_design(spec).runs) <= budget
