"""A specification of blocks, constraints, models and the rest is sound, or refused with the value and a remedy."""

import pytest

from twinbench.core.doe.designs import make_design
from twinbench.core.doe.spec import DesignSpec
from twinbench.core.errors import DesignError

RATE = {"name": "rate", "unit": "C-rate", "low": 0.2, "high": 2}
TEMPERATURE = {"name": "temperature_degC", "unit": "degC", "low": -20, "high": 45, "resolution": 5}
VOLTAGE = {"name": "voltage_V", "unit": "V", "values": [2.5, 3.0, 4.2]}
KIND = {"name": "kind", "categories": ["x", "y", "z"]}
HARD = {**TEMPERATURE, "hard_to_change": True}
THREE = [RATE, TEMPERATURE, {"name": "soc_pct", "unit": "%", "low": 20, "high": 80}]


def spec(factors=THREE, kind="latin-hypercube", runs=6, **more) -> dict:
    return {"factors": factors, "runs": runs, "kind": kind, **more}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (spec(sede=1), r"has a field 'sede': did you mean 'seed'\?"),
        (spec([{**RATE, "levles": 3}]), r"Factor rate has a field 'levles': did you mean 'levels'\?"),
        (spec([{**RATE, "resolution": 0}]), "resolution of 0.0: give a number above 0"),
        (spec([{**RATE, "resolution": 5}]), "resolution of 5 and a range of only 1.8: set it finer"),
        (spec([{**RATE, "levels": 3000}]), "3000 levels: ask for 2000 or fewer"),
        (spec([{**VOLTAGE, "values": []}]), r"values \[\]: give a list with an entry or more"),
        (spec([{**VOLTAGE, "values": [1, 1]}]), "values that do not rise"),
        (spec([{**VOLTAGE, "values": [1, "2"]}]), "values '2': give a number"),
        (spec([{**VOLTAGE, "categories": ["a", "b"]}]), "has values and categories: give one"),
        (spec([{**KIND, "categories": ["x", "x"]}]), "a category more than once"),
        (spec([{**RATE, "hard_to_change": "yes"}]), "hard_to_change 'yes': give true or false"),
        (spec(constraints="rate < 1"), "constraints 'rate < 1': give a list"),
        (spec(constraints=["rat < 1"]), "names 'rat', no factor: did you mean 'rate'"),
        (spec(criterion="distanc"), "There is no criterion 'distanc': did you mean 'distance'"),
        (spec(criterion="discrepancy", constraints=["rate < 1"]), "over the whole box; with constraints ask"),
        (spec(face="cube"), "There is no face 'cube'"),
        (spec(replicates=0), "0 replicates are asked for"),
        (spec(replicates=400), "has 2400 runs, more than 2000"),
        (spec(centre_points=-1), "-1 centre points are asked for"),
        (spec([KIND, RATE], centre_points=2), "middles between low and high, and kind has categories"),
        (spec(signal_to_noise=0), "signal_to_noise is 0"),
        (spec(model=3), "has model 3: give linear, interactions, quadratic or a list"),
        (spec(model=["rat"]), "names 'rat', which is no factor that varies"),
        (spec(blocks=1), "has blocks 1: give a number of 2 or more"),
        (spec(blocks=["a", "a"]), "blocks are a, a: name two or more, each once"),
        (spec(blocks={"name": "rate", "levels": 2}), "blocks are named rate, as is a factor"),
        (spec(blocks=4), "6 runs in 4 blocks leave fewer than two runs a block"),
        (spec(blocks=2, factors=[RATE, HARD]), "Blocks and a factor that is hard to change"),
        (spec(whole_plots=2), "2 whole plots are asked for, and no factor is hard_to_change"),
        (spec([RATE, HARD], whole_plots=7), "7 whole plots for 6 runs: ask for 2 to 6"),
        (spec([RATE, HARD], kind="sobol"), "sequence sets temperature_degC anew in each run: ask for latin-hypercube"),
        (spec(kind="sobol", existing=[{"rate": 1}]), "An existing run is .* give an object with a level of rate"),
        (
            spec(existing=[{"rate": 1, "temperature_degC": 2, "soc_pct": 30, "soc": 3}]),
            r"An existing run sets 'soc', no factor: did you mean 'soc_pct'\?",
        ),
        (
            spec(kind="sobol", existing=[{"rate": 1, "temperature_degC": 2, "soc_pct": 30}]),
            "sobol design cannot add to existing runs",
        ),
        (spec(kind="d-optimal", runs=None), "d-optimal design needs a number of runs"),
        (spec(kind="d-optimal", runs=3), "4 coefficients, more than the 3 runs"),
        (spec(kind="fractional-factorial", runs=5), "no fractional factorial in 5 runs: ask for one of 4 runs"),
        (spec(kind="fractional-factorial", runs=None, resolution=9), "The resolution is 9: ask for 3 to 7"),
        (spec(kind="fractional-factorial", runs=None, generators=["D=ABC"]), "The generator 'D=ABC' is none"),
        (spec([KIND, *THREE], kind="fractional-factorial", runs=8), "two levels, and kind has 3 categories"),
        (spec(kind="plackett-burman", runs=10), "a multiple of four runs, more than 3, not 10: ask for 4"),
        (spec([KIND, *THREE], kind="definitive-screening", runs=None), "middles between low and high"),
        (spec(kind="definitive-screening", runs=5), "has 7 runs or more: ask so"),
        (spec([RATE, TEMPERATURE], kind="box-behnken", runs=None), "known for 3 to 7 factors, not 2"),
        (spec(kind="box-behnken", runs=12), "has 15 runs, not 12: leave runs out"),
        (spec([RATE, VOLTAGE], kind="central-composite", runs=None, face="circumscribed"), "only certain values"),
        (
            spec(kind="central-composite", runs=None, constraints=["rate + soc_pct / 100 < 2"]),
            "points of this central-composite design break the constraint 'rate .* ask for d-optimal or i-optimal",
        ),
        (spec(kind="full-factorial", runs=None, constraints=["rate > 5"]), "leaves no combination of levels"),
        (
            spec(kind="full-factorial", runs=None, constraints=["rate > 0.5", "rate < 1.5"]),
            "All 8 combinations of levels break a constraint: ask for more levels",
        ),
        ({"factors": [RATE], "aim": "screning"}, "There is no aim 'screning': did you mean 'screening'"),
        (
            {"factors": [{**RATE, "high": 0.2}], "kind": "fixed", "runs": 2, "constraints": ["rate > 1"]},
            "The one setting of the factors breaks the constraint 'rate > 1'",
        ),
    ],
)
def test_what_cannot_be_designed_is_refused_in_words(document, message):
    with pytest.raises(DesignError, match=message):
        make_design(DesignSpec.from_document(document))


@pytest.mark.parametrize(
    "document",
    [
        spec(criterion="discrepancy", seed=4, randomise=False),
        spec([RATE, HARD, KIND], kind="d-optimal", runs=14, whole_plots=5, model=["rate", "temperature_degC", "kind"]),
        spec(kind="fractional-factorial", runs=4, blocks={"name": "batch", "levels": ["b1", "b2"]}, model="linear"),
        spec(kind="central-composite", runs=None, face="inscribed", replicates=2, centre_points=4),
        spec([RATE, VOLTAGE, KIND], runs=5, constraints=["rate <= 1 or kind != 'x'"], signal_to_noise=1.0),
        spec([RATE], runs=2, existing=[{"rate": 0.5}]),
        {"factors": THREE, "aim": "effects"},
    ],
)
def test_a_specification_survives_its_document(document):
    read = DesignSpec.from_document(document)

    assert DesignSpec.from_document(read.as_document()) == read


def test_a_held_factor_is_given_by_its_value():
    read = DesignSpec.from_document(spec([{"name": "pulse_s", "unit": "s", "value": 10}, RATE]))

    assert [factor.kind for factor in read.factors] == ["held", "continuous"]


def test_points_that_break_a_constraint_are_left_out_of_a_full_factorial_and_counted():
    factors = [{**RATE, "levels": 3}, {**THREE[2], "levels": 3}]
    design = make_design(
        DesignSpec.from_document(
            {"factors": factors, "kind": "full-factorial", "constraints": ["rate + soc_pct <= 82"]}
        )
    )

    assert len(design.runs) == 9 or all(run.levels["rate"] + run.levels["soc_pct"] <= 82 for run in design.runs)
    design = make_design(
        DesignSpec.from_document({"factors": factors, "kind": "full-factorial", "constraints": ["rate + soc_pct < 82"]})
    )
    assert len(design.runs) == 8
    assert design.notes == ("1 of 9 combinations break a constraint and are left out.",)
