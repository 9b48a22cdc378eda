"""What the analysis says is what textbooks and statsmodels say, and it says nothing where the runs cannot tell.

Examples: Montgomery, Design and Analysis of Experiments, 8th ed. 2012, example 6.2 (filtration rate, 2^4) and 6.7
(yield, 2^2 with five centre points).
"""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbench.core.doe.analysis.analyse import analyse
from twinbench.core.doe.analysis.fitted_model import interaction_strength, main_effect_curves, surface
from twinbench.core.doe.factors import Factor

LETTERS = tuple(Factor(name, "1", -1.0, 1.0) for name in "ABCD")
FILTRATION = (45, 71, 48, 65, 68, 60, 80, 65, 43, 100, 45, 104, 75, 86, 70, 96)
CORNERS = [dict(zip("DCBA", point, strict=True)) for point in itertools.product((-1.0, 1.0), repeat=4)]
FOUND = ("A", "C", "D", "A:C", "A:D")
A, B = LETTERS[:2]
SQUARE = [{"A": a, "B": b} for a, b in itertools.product((-1.0, 0.0, 1.0), repeat=2)]


def changes(analysis):
    return {effect.term: effect.change for effect in analysis.effects}


def rows(analysis):
    return {row.source: row for row in analysis.anova}


def test_effects_of_the_filtration_rate_are_the_textbooks():
    analysis = analyse(LETTERS, CORNERS, FILTRATION, model="interactions")

    expected = {"A": 21.625, "B": 3.125, "C": 9.875, "D": 14.625}
    expected |= {"A:B": 0.125, "A:C": -18.125, "A:D": 16.625, "B:C": 2.375, "B:D": -0.375, "C:D": -1.125}
    assert changes(analysis) == pytest.approx(expected)


def test_its_analysis_of_variance_is_the_textbooks():
    analysis = analyse(LETTERS, CORNERS, FILTRATION, model=FOUND)
    table = rows(analysis)

    squares = {"A": 1870.5625, "C": 390.0625, "D": 855.5625, "A:C": 1314.0625, "A:D": 1105.5625}
    assert {name: table[name].sum_of_squares for name in squares} == pytest.approx(squares)
    assert table["total"].sum_of_squares == pytest.approx(5730.9375)
    assert (table["residual"].df, table["residual"].sum_of_squares) == (10, pytest.approx(195.125))
    assert table["A"].f == pytest.approx(1870.5625 / 19.5125)
    assert analysis.fit.r2 == pytest.approx(0.9660, abs=1e-4)
    assert analysis.fit.residual_sd == pytest.approx(19.5125**0.5)


def test_pure_error_and_lack_of_fit_of_the_yield_are_the_textbooks():
    corners = [{"A": a, "B": b} for b, a in itertools.product((-1.0, 1.0), repeat=2)]
    yields = (39.3, 40.9, 40.0, 41.5, 40.3, 40.5, 40.7, 40.2, 40.6)

    analysis = analyse((A, B), corners + [{"A": 0.0, "B": 0.0}] * 5, yields, model="linear")
    table = rows(analysis)

    assert changes(analysis) == pytest.approx({"A": 1.55, "B": 0.65})
    assert (table["pure error"].df, table["pure error"].sum_of_squares) == (4, pytest.approx(0.1720))
    assert (table["lack of fit"].df, table["lack of fit"].sum_of_squares) == (2, pytest.approx(0.0052, abs=1e-4))
    assert table["lack of fit"].p > 0.9


def test_partial_f_tests_are_those_of_statsmodels_formulas():
    import pandas as pd
    import statsmodels.formula.api as smf
    from statsmodels.stats.anova import anova_lm

    random = np.random.default_rng(3)
    points = random.uniform(-1, 1, size=(20, 2))
    values = 1 + points @ [2, -1] + points.prod(axis=1) + random.normal(0, 0.3, 20)
    frame = pd.DataFrame({"A": points[:, 0], "B": points[:, 1], "y": values})
    ends = [{"A": -1.0, "B": -1.0}, {"A": 1.0, "B": 1.0}]  # so the range tried is -1 to 1, as in the formula
    frame = pd.concat([frame, pd.DataFrame([{**end, "y": 1.0} for end in ends])], ignore_index=True)
    theirs = anova_lm(smf.ols("y ~ A * B", frame).fit(), typ=3)

    ours = rows(analyse((A, B), frame[["A", "B"]].to_dict("records"), list(frame["y"]), model="interactions"))

    for name in ("A", "B", "A:B"):
        assert ours[name].f == pytest.approx(theirs.loc[name, "F"])
        assert ours[name].p == pytest.approx(theirs.loc[name, "PR(>F)"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=6, max_size=6))
def test_a_polynomial_is_recovered(coefficients):
    values = [
        coefficients[0]
        + coefficients[1] * a
        + coefficients[2] * b
        + coefficients[3] * a * b
        + coefficients[4] * a * a
        + coefficients[5] * b * b
        for a, b in (point.values() for point in SQUARE)
    ]

    analysis = analyse((A, B), SQUARE, values, model="quadratic")

    if analysis is None:
        assert np.ptp(values) <= max(1e-9 * max(map(abs, values)), 1e-99)
        return
    assert analysis.fitted.predict(np.array([[0.25, 0.75]]))[0] == pytest.approx(
        coefficients[0]
        - coefficients[1] / 2
        + coefficients[2] / 2
        - coefficients[3] / 4
        + (coefficients[4] + coefficients[5]) / 4,
        abs=1e-6,
    )


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(16)))
def test_the_order_of_the_runs_changes_no_effect(order):
    shuffled = analyse(LETTERS, [CORNERS[n] for n in order], [FILTRATION[n] for n in order], model=FOUND)

    assert changes(shuffled) == pytest.approx(changes(analyse(LETTERS, CORNERS, FILTRATION, model=FOUND)))


def test_runs_without_a_response_are_left_out_and_counted():
    analysis = analyse(LETTERS, CORNERS, [None, *FILTRATION[1:]], model=FOUND)

    assert (analysis.fit.runs, analysis.fit.left_out) == (15, 1)
    assert all(residual.run != 1 for residual in analysis.residuals)


@pytest.mark.parametrize(
    ("levels", "values"),
    [
        ([], []),
        (CORNERS[:2], [1.0, 2.0]),
        (CORNERS, [3.0] * 16),
        (CORNERS, [None] * 16),
        ([{"A": x, "B": x, "C": 0.0, "D": 0.0} for x in (-1.0, 0.0, 0.5, 1.0, -0.5, 0.2)], [1, 2, 3, 4, 5, 7]),
        ([{"A": 0.0, "B": 0.0, "C": 0.0, "D": 0.0}] * 6, [1, 2, 3, 4, 5, 6]),
    ],
    ids=["no runs", "two runs", "constant", "no response", "factors vary together", "nothing varies"],
)
def test_where_the_runs_cannot_tell_nothing_is_said(levels, values):
    assert analyse(LETTERS, levels, values) is None


def test_a_simulation_that_repeats_itself_exactly_is_no_miracle():
    values = [1 + 2 * point["A"] - point["B"] for point in SQUARE]

    analysis = analyse((A, B), SQUARE, values)

    assert analysis.fit.exact
    assert all(effect.p is None or 0 <= effect.p <= 1 for effect in analysis.effects)
    assert json.loads(json.dumps(analysis.as_document(), allow_nan=False))


def test_categories_have_effects_and_levels_of_their_own():
    supplier = Factor.from_document({"name": "supplier", "categories": ["x", "y", "z"]})
    levels = [{"A": a, "supplier": s} for s in "xyz" for a in (-1.0, 0.0, 1.0)]
    shift = {"x": 0.0, "y": 3.0, "z": -1.0}
    values = [2 * point["A"] + shift[point["supplier"]] + 0.01 * n for n, point in enumerate(levels)]

    analysis = analyse((A, supplier), levels, values, model="linear")
    curves = {curve.factor: curve for curve in main_effect_curves(analysis.fitted)}

    assert rows(analysis)["supplier"].df == 2
    assert curves["supplier"].levels == ("x", "y", "z")
    assert np.diff(curves["supplier"].values) == pytest.approx([3.0, -4.0], abs=0.1)


def test_a_difference_between_blocks_is_not_taken_for_an_effect():
    blocks = ["one" if point["A"] * point["B"] * point["C"] * point["D"] > 0 else "two" for point in CORNERS]
    values = [value + (50 if block == "two" else 0) for value, block in zip(FILTRATION, blocks, strict=True)]

    analysis = analyse(LETTERS, CORNERS, values, model=FOUND, blocks=blocks)

    assert changes(analysis) == pytest.approx(changes(analyse(LETTERS, CORNERS, FILTRATION, model=FOUND)))
    assert rows(analysis)["blocks"].df == 1


def test_what_is_hard_to_change_is_judged_by_the_variation_between_whole_plots():
    random = np.random.default_rng(5)
    hard = Factor("A", "1", -1.0, 1.0, hard_to_change=True)
    levels, values, plots = [], [], []
    for plot in range(8):
        a, disturbance = (-1.0, 1.0)[plot % 2], random.normal(0, 2)
        for b in (-1.0, -0.5, 0.5, 1.0):
            levels.append({"A": a, "B": b})
            values.append(a + 2 * b + disturbance + random.normal(0, 0.1))
            plots.append(plot)

    with_plots = analyse((hard, B), levels, values, model="linear", whole_plots=plots)
    without = analyse((hard, B), levels, values, model="linear")

    widths = [
        {effect.term: effect.high - effect.low for effect in analysis.effects} for analysis in (with_plots, without)
    ]
    assert widths[0]["A"] > 1.5 * widths[1]["A"]
    assert widths[0]["B"] < 0.2 * widths[1]["B"]
    assert with_plots.fit.whole_plot_sd == pytest.approx(2, rel=0.7)


def test_an_outlier_is_told_by_its_number():
    random = np.random.default_rng(1)
    values = [5 * point["A"] + random.normal(0, 0.1) for point in SQUARE * 2]
    values[4] += 5

    analysis = analyse((A, B), SQUARE * 2, values, model="linear")

    assert any("run 5" in check.text.lower() for check in analysis.checks)


def test_the_surface_and_the_strongest_interaction_are_what_the_model_has():
    analysis = analyse(LETTERS, CORNERS, FILTRATION, model=FOUND)

    strongest = interaction_strength(analysis.fitted)[0]
    drawn = surface(analysis.fitted, "A", "C", 3)

    assert (strongest.a, strongest.b) == ("A", "C")
    corners = drawn.values[np.ix_([0, 2], [0, 2])]
    assert corners[1, 1] - corners[1, 0] - corners[0, 1] + corners[0, 0] == pytest.approx(2 * -18.125)
