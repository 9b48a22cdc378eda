"""Designs keep within their factors' ranges, cover them as their kind promises, and are the same every time."""

import csv
import io
import json
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from twinbench.core.doe.designs import make_design
from twinbench.core.doe.factors import Factor
from twinbench.core.doe.spec import DesignSpec, Kind
from twinbench.core.errors import DesignError

RATE = Factor("discharge_c_rate", "C-rate", 0.333, 2.0)
TEMPERATURE = Factor("temperature_degC", "degC", -20.0, 45.0)
SOC = Factor("soc_pct", "%", 20.0, 80.0)
HELD = Factor("pulse_s", "s", 10.0, 10.0)


@st.composite
def factor_lists(draw) -> tuple[Factor, ...]:
    ranges = draw(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4)), min_size=1, max_size=4))
    held = draw(st.booleans())
    factors = tuple(Factor(f"f{n}", "1", low, low + span) for n, (low, span) in enumerate(ranges))
    return (*factors, HELD) if held else factors


@pytest.mark.thorough
@settings(max_examples=12, deadline=None)
@given(factor_lists(), st.integers(1, 10), st.integers(0, 2**31))
def test_a_latin_hypercube_has_one_run_in_each_stratum_of_each_factor(factors, runs, seed):
    design = make_design(DesignSpec(factors, Kind.LATIN_HYPERCUBE, runs, seed))

    assert [run.run for run in design.runs] == list(range(1, runs + 1))
    for factor in (factor for factor in factors if factor.varies):
        levels = np.array([run.levels[factor.name] for run in design.runs])
        place = np.sort((levels - factor.low) / (factor.high - factor.low)) * runs
        assert np.all(place >= np.arange(runs) - 1e-4)
        assert np.all(place <= np.arange(1, runs + 1) + 1e-4)


@pytest.mark.thorough
@settings(max_examples=12, deadline=None)
@given(factor_lists(), st.sampled_from([Kind.LATIN_HYPERCUBE, Kind.FULL_FACTORIAL, Kind.CENTRAL_COMPOSITE]))
def test_every_level_is_in_range_and_what_is_held_stays(factors, kind):
    assume(kind is not Kind.CENTRAL_COMPOSITE or sum(factor.varies for factor in factors) > 1)
    design = make_design(DesignSpec(factors, kind, 9 if kind is Kind.LATIN_HYPERCUBE else None))

    for run in design.runs:
        assert list(run.levels) == [factor.name for factor in factors]
        assert all(factor.low <= run.levels[factor.name] <= factor.high for factor in factors)


def test_a_full_factorial_has_every_combination_once():
    design = make_design(DesignSpec((Factor("a", "1", 0.0, 1.0, 3), HELD, RATE), Kind.FULL_FACTORIAL, None))

    found = [(run.levels["a"], run.levels["discharge_c_rate"]) for run in design.runs]

    assert sorted(found) == sorted(product((0.0, 0.5, 1.0), (0.333, 2.0)))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_central_composite_has_corners_faces_and_one_centre(count):
    factors = tuple(Factor(f"f{n}", "1", -1.0, 1.0) for n in range(count))
    design = make_design(DesignSpec(factors, Kind.CENTRAL_COMPOSITE, None))

    distances = sorted(sum(abs(level) for level in run.levels.values()) for run in design.runs)

    assert distances == [0.0] + [1.0] * 2 * count + [float(count)] * 2**count
    assert len({tuple(run.levels.values()) for run in design.runs}) == len(design.runs)


def test_a_fixed_design_is_replicates():
    design = make_design(DesignSpec((HELD,), Kind.FIXED, 3))

    assert [dict(run.levels) for run in design.runs] == [{"pulse_s": 10.0}] * 3
    assert design.quality == {}
    assert len(make_design(DesignSpec((), Kind.FIXED, 2)).runs) == 2


@pytest.mark.thorough
def test_the_same_specification_gives_the_same_bytes_and_another_seed_other_points():
    def text(seed):
        design = make_design(DesignSpec((RATE, TEMPERATURE), Kind.LATIN_HYPERCUBE, 12, seed))
        return json.dumps(design.as_document()) + design.runs_csv()

    assert text(5) == text(5)
    assert text(5) != text(6)


def test_the_quality_is_that_of_the_points():
    design = make_design(DesignSpec((RATE, TEMPERATURE), Kind.LATIN_HYPERCUBE, 12))
    points = np.array(
        [[(run.levels[f.name] - f.low) / (f.high - f.low) for f in (RATE, TEMPERATURE)] for run in design.runs]
    )
    nearest = min(np.linalg.norm(a - b) for i, a in enumerate(points) for b in points[:i])
    away = np.abs(points - 0.5)
    one = np.prod(1 + away / 2 - away**2 / 2, axis=1).sum()
    pairs = 1 + (away[:, None] + away[None, :] - np.abs(points[:, None] - points[None, :])) / 2
    centred = (13 / 12) ** 2 - 2 / 12 * one + np.prod(pairs, axis=2).sum() / 12**2

    assert design.quality["minimum_distance"] == pytest.approx(nearest, abs=1e-5)
    assert design.quality["centered_l2_discrepancy"] == pytest.approx(centred, abs=1e-5)


def test_points_of_a_latin_hypercube_are_farther_apart_than_a_plain_one():
    from pyDOE3 import lhs
    from scipy.spatial.distance import pdist

    plain = [pdist(lhs(2, samples=10, seed=seed)).min() for seed in range(20)]
    ours = make_design(DesignSpec((RATE, TEMPERATURE), Kind.LATIN_HYPERCUBE, 10)).quality["minimum_distance"]

    assert ours > max(plain)


def test_the_document_names_runs_library_and_seed():
    document = make_design(DesignSpec((RATE, HELD), Kind.LATIN_HYPERCUBE, 2, 9)).as_document()

    assert document["kind"] == "latin-hypercube"
    assert document["seed"] == 9
    assert "pyDOE3 1." in document["library"]
    assert document["factors"][0] == {"name": "discharge_c_rate", "unit": "C-rate", "low": 0.333, "high": 2.0}
    assert [run["run"] for run in document["runs"]] == [1, 2]
    assert json.loads(json.dumps(document)) == document


def test_the_csv_gives_the_levels_back_exactly():
    awkward = Factor('current, "high"', "A", 0.0, 1 / 3)
    design = make_design(DesignSpec((RATE, awkward, HELD), Kind.LATIN_HYPERCUBE, 7))

    rows = list(csv.DictReader(io.StringIO(design.runs_csv())))

    assert [int(row.pop("run")) for row in rows] == [run.run for run in design.runs]
    assert [{name: float(value) for name, value in row.items()} for row in rows] == [r.levels for r in design.runs]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (DesignSpec((RATE, SOC), Kind.FULL_FACTORIAL, 5), "full-factorial design has 4 runs, not 5: leave runs out"),
        (DesignSpec((RATE, SOC), Kind.CENTRAL_COMPOSITE, 8), "central-composite design has 9 runs, not 8"),
        (
            DesignSpec(tuple(Factor(f"f{n}", "1", 0.0, 1.0) for n in range(40)), Kind.FULL_FACTORIAL, None),
            "has 1099511627776 runs, more than 2000",
        ),
    ],
)
def test_a_number_of_runs_that_the_kind_cannot_have_is_refused(spec, message):
    with pytest.raises(DesignError, match=message):
        make_design(spec)
