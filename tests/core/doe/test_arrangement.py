"""Runs are ordered by chance, stay with their block or whole plot, and blocks take as little information as can be."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbench.core.doe.arrangement import assign_blocks, block_sizes
from twinbench.core.doe.designs import make_design
from twinbench.core.doe.factors import Factor
from twinbench.core.doe.spec import DesignSpec, Kind
from twinbench.core.doe.terms import Terms
from twinbench.core.errors import DesignError


def factors(count, **options):
    return tuple(Factor(f"f{n}", "1", -1.0, 1.0, **options) for n in range(count))


def corners(count):
    return np.array(list(itertools.product((0.0, 1.0), repeat=count)))


@pytest.mark.parametrize(
    ("count", "blocks", "model"), [(3, 2, "interactions"), (4, 2, "interactions"), (4, 4, "linear")]
)
def test_blocks_of_a_factorial_cost_no_information_where_that_is_possible(count, blocks, model):
    terms = Terms.read(model, factors(count))
    points = corners(count)

    numbers = assign_blocks(terms, points, block_sizes(len(points), blocks), seed=1)

    matrix = terms.matrix(points)
    assert all(not matrix[numbers == number, 1:].sum(axis=0).any() for number in range(blocks))


@settings(max_examples=30, deadline=None)
@given(st.integers(4, 30), st.integers(2, 4), st.integers(0, 99))
def test_blocks_are_as_equal_in_size_as_can_be(runs, blocks, seed):
    if runs < 2 * blocks:
        with pytest.raises(DesignError, match="fewer than two runs a block"):
            block_sizes(runs, blocks)
        return
    sizes = block_sizes(runs, blocks)
    points = np.random.default_rng(seed).random((runs, 2))

    numbers = assign_blocks(Terms.read("linear", factors(2)), points, sizes, seed)

    assert [int((numbers == number).sum()) for number in range(blocks)] == sizes
    assert max(sizes) - min(sizes) <= 1


def test_a_block_is_named_in_each_run_and_its_runs_stand_together():
    spec = DesignSpec(factors(3), Kind.FULL_FACTORIAL, None, blocks=("monday", "tuesday"), block_name="day")
    design = make_design(spec)

    assert [run.block for run in design.runs] == ["monday"] * 4 + ["tuesday"] * 4
    assert design.runs_csv().splitlines()[0] == "run,day,f0,f1,f2"


def test_replicates_and_centre_points_are_added():
    spec = DesignSpec(factors(2), Kind.FULL_FACTORIAL, None, replicates=3, centre_points=2)
    levels = [tuple(run.levels.values()) for run in make_design(spec).runs]

    assert len(levels) == 14
    assert levels.count((0.0, 0.0)) == 2
    assert all(levels.count(corner) == 3 for corner in itertools.product((-1.0, 1.0), repeat=2))


def test_the_order_is_random_by_the_seed_unless_asked_otherwise():
    def order(**options):
        design = make_design(DesignSpec(factors(3), Kind.FULL_FACTORIAL, None, **options))
        return [tuple(run.levels.values()) for run in design.runs]

    assert order(seed=1) == order(seed=1)
    assert order(seed=1) != order(seed=2)
    assert order(randomise=False) == order(randomise=False, seed=5)


@pytest.mark.parametrize(
    "kind",
    [Kind.FULL_FACTORIAL, Kind.LATIN_HYPERCUBE, pytest.param(Kind.D_OPTIMAL, marks=pytest.mark.thorough)],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_factor_that_is_hard_to_change_is_set_anew_only_between_whole_plots(kind, seed):
    hard = Factor("chamber_degC", "degC", 0.0, 40.0, hard_to_change=True)
    spec = DesignSpec((*factors(2), hard), kind, None if kind is Kind.FULL_FACTORIAL else 12, seed, model="linear")
    runs = make_design(spec).runs

    plots = [run.whole_plot for run in runs]
    settings_of = {plot: {run.levels["chamber_degC"] for run in runs if run.whole_plot == plot} for plot in plots}
    assert plots == sorted(plots)
    assert plots[0] == 1
    assert all(len(settings) == 1 for settings in settings_of.values())


def test_blocks_and_a_factor_that_is_hard_to_change_are_not_asked_for_at_once():
    with pytest.raises(DesignError, match=r"hard to change \(chamber\) are asked for at once"):
        DesignSpec(
            (Factor("chamber", "degC", 0, 1, hard_to_change=True),), Kind.FULL_FACTORIAL, None, blocks=("a", "b")
        )
