"""Fractions are the published ones, and their alias tables are true.

Sources: NIST/SEMATECH e-Handbook of Statistical Methods, 5.3.3.4.7 (generators, runs, resolution); Box, Hunter &
Hunter, Statistics for Experimenters (1978), table 12.15; Fries & Hunter, Technometrics 22 (1980) 601 (aberration).
"""

import itertools
import math

import numpy as np
import pytest

from twinbench.core.doe.kinds.factorial import (
    Fraction,
    choose_fraction,
    full_factorial,
    grouped_aliases,
    read_generators,
    two_level,
)
from twinbench.core.errors import DesignError

PUBLISHED = [  # factors, runs, resolution, generators
    (3, 4, 3, "C=AB"),
    (4, 8, 4, "D=ABC"),
    (5, 16, 5, "E=ABCD"),
    (5, 8, 3, "D=AB E=AC"),
    (6, 32, 6, "F=ABCDE"),
    (6, 16, 4, "E=ABC F=BCD"),
    (6, 8, 3, "D=AB E=AC F=BC"),
    (7, 64, 7, "G=ABCDEF"),
    (7, 32, 4, "F=ABCD G=ABDE"),
    (7, 16, 4, "E=ABC F=BCD G=ACD"),
    (7, 8, 3, "D=AB E=AC F=BC G=ABC"),
    (8, 64, 5, "G=ABCD H=ABEF"),
    (8, 32, 4, "F=ABC G=ABD H=BCDE"),
    (8, 16, 4, "E=BCD F=ACD G=ABC H=ABD"),
    (9, 128, 6, "H=ACDFG J=BCEFG"),
    (9, 64, 4, "G=ABCD H=ACEF J=CDEF"),
    (9, 32, 4, "F=BCDE G=ACDE H=ABDE J=ABCE"),
    (9, 16, 3, "E=ABC F=BCD G=ACD H=ABD J=ABCD"),
    (10, 128, 5, "H=ABCG J=BCDE K=ACDF"),
    (10, 64, 4, "G=BCDF H=ACDF J=ABDE K=ABCE"),
    (10, 32, 4, "F=ABCD G=ABCE H=ABDE J=ACDE K=BCDE"),
    (10, 16, 3, "E=ABC F=BCD G=ACD H=ABD J=ABCD K=AB"),
    (11, 64, 4, "G=CDE H=ABCD J=ABF K=BDEF L=ADEF"),
    (11, 32, 4, "F=ABC G=BCD H=CDE J=ACD K=ADE L=BDE"),
    (11, 16, 3, "E=ABC F=BCD G=ACD H=ABD J=ABCD K=AB L=AC"),
]


@pytest.mark.parametrize(("factors", "runs", "resolution", "generators"), PUBLISHED)
def test_a_fraction_has_the_published_runs_resolution_and_generators(factors, runs, resolution, generators):
    fraction = choose_fraction(factors, runs=runs, resolution=None)

    assert (fraction.runs, fraction.resolution) == (runs, resolution)
    assert fraction.generators == tuple(generators.split())


@pytest.mark.parametrize(("factors", "runs"), [(5, 8), (6, 8), (6, 16), (7, 8), (7, 16), (7, 32), (8, 16), (9, 16)])
def test_no_fraction_of_that_size_has_less_aberration(factors, runs):
    fraction = choose_fraction(factors, runs=runs, resolution=None)
    words = [word for word in range(runs) if word.bit_count() > 1]
    every = itertools.combinations(words, factors - fraction.base)

    assert fraction.word_lengths == min((Fraction(factors, chosen).word_lengths for chosen in every), key=_padded)


def _padded(lengths):
    return (*lengths, *[0] * (20 - len(lengths)))


@pytest.mark.parametrize("factors", range(3, 24))
def test_columns_of_a_fraction_are_independent_of_each_other(factors):
    points = two_level(choose_fraction(factors, runs=None, resolution=None))

    assert np.array_equal(points.T @ points, len(points) * np.eye(factors))


@pytest.mark.parametrize(("factors", "runs"), [(4, 8), (5, 8), (6, 16), (7, 16), (8, 32)])
def test_aliases_are_the_effects_whose_columns_are_alike(factors, runs):
    fraction = choose_fraction(factors, runs=runs, resolution=None)
    points, names = two_level(fraction), [f"x{n}" for n in range(factors)]
    columns = {
        ":".join(names[n] for n in part): points[:, list(part)].prod(axis=1)
        for order in (1, 2)
        for part in itertools.combinations(range(factors), order)
    }
    table = fraction.aliases(names)

    for effect, column in columns.items():
        alike = {name for name, other in columns.items() if name != effect and abs(column @ other) == len(points)}
        if alike or effect in table:
            short = {name for name in table.get(effect, ()) if name.count(":") < 2}
            assert short == alike


def test_the_alias_table_of_the_half_fraction_of_four_factors_is_the_textbooks():
    """Montgomery, Design and Analysis of Experiments, example 8.1: D = ABC, so AB = CD, AC = BD, AD = BC."""
    table = choose_fraction(4, runs=8, resolution=None).aliases("ABCD")

    assert table["A:B"] == ["C:D"]
    assert table["A:C"] == ["B:D"]
    assert table["A:D"] == ["B:C"]
    assert table["A"] == ["B:C:D"]
    assert ["A:B", "C:D"] in [sorted(group) for group in grouped_aliases(table)]


def test_pydoe3_finds_the_same_aliases():
    from pyDOE3 import fracfact_aliasing

    fraction = choose_fraction(6, runs=16, resolution=None)
    groups, _ = fracfact_aliasing(two_level(fraction))
    theirs = {frozenset(part.strip() for part in group.split(" = ")) for group in groups}

    for effect, others in fraction.aliases("abcdef").items():
        group = next(group for group in theirs if effect.replace(":", "") in group)
        assert {other.replace(":", "") for other in others} <= group


def test_the_resolution_asked_for_decides_the_size():
    assert choose_fraction(7, runs=None, resolution=3).runs == 8
    assert choose_fraction(7, runs=None, resolution=4).runs == 16
    assert choose_fraction(7, runs=None, resolution=7).runs == 64


def test_generators_of_ones_own_are_taken():
    fraction = read_generators(5, ["D = AB", "e=ac"])

    assert fraction.generators == ("D=AB", "E=AC")
    assert fraction.resolution == 3


def test_generators_that_set_two_factors_alike_are_refused():
    with pytest.raises(DesignError, match="'D=AB' and 'e = ba' set two factors alike"):
        read_generators(5, ["D=AB", "e = ba"])


@pytest.mark.parametrize("text", ["D", "D=", "D=A", "E=AB", "D=AA", "D=AE", "D=AD", "=AB", "D=A1"])
def test_a_generator_that_is_none_is_refused(text):
    with pytest.raises(DesignError, match="is none: with 4 factors and 1 generators, ABC are free"):
        read_generators(4, [text])


@pytest.mark.parametrize(
    ("factors", "runs", "resolution", "message"),
    [
        (5, 12, None, "no fractional factorial in 12 runs: ask for one of 8, 16 runs"),
        (7, 16, 5, "in 16 runs have no fraction of resolution 5, but of 4"),
        (30, None, None, "30 factors is not known: ask for 25 or fewer"),
        (2, None, None, "ask for one of none runs"),
    ],
)
def test_a_fraction_that_does_not_exist_is_refused(factors, runs, resolution, message):
    with pytest.raises(DesignError, match=message):
        choose_fraction(factors, runs=runs, resolution=resolution)


def test_a_full_factorial_has_every_combination():
    points = full_factorial([np.array([0, 0.5, 1]), np.array([0.0, 1])])

    assert len({tuple(point) for point in points}) == math.prod((3, 2))
