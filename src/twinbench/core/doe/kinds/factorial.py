"""Factorial designs: all combinations of levels, or a fraction of those of two levels, and what it confounds.

generator    ``D=ABC``: factor D is set to the product of A, B and C, each -1 or +1
word         a product of factors that is constant, such as ABCD; effects whose product is a word are aliases
resolution   letters of the shortest word: at III, factors are confounded with interactions of two; at IV, those with
             each other; at V, neither
aberration   words of that length; the fewer the better

Letters are A, B, C, ... without I, in the factors' order. Fractions are those of NIST/SEMATECH, e-Handbook of
Statistical Methods, 5.3.3.4.7 (after Box, Hunter & Hunter 1978); beyond that table, added factors take the products of
an odd number of factors first (resolution IV: Box & Wilson's folded designs), then the others.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinbench.core.errors import DesignError

__all__ = ["Fraction", "choose_fraction", "full_factorial", "read_generators", "two_level"]

Points = NDArray[np.float64]

LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
_MOST_BASE = 7  # 128 runs
_TABLE: dict[tuple[int, int], str] = {
    (3, 4): "AB",
    (4, 8): "ABC",
    (5, 16): "ABCD", (5, 8): "AB AC",
    (6, 32): "ABCDE", (6, 16): "ABC BCD", (6, 8): "AB AC BC",
    (7, 64): "ABCDEF", (7, 32): "ABCD ABDE", (7, 16): "ABC BCD ACD", (7, 8): "AB AC BC ABC",
    (8, 64): "ABCD ABEF", (8, 32): "ABC ABD BCDE", (8, 16): "BCD ACD ABC ABD",
    (9, 128): "ACDFG BCEFG", (9, 64): "ABCD ACEF CDEF", (9, 32): "BCDE ACDE ABDE ABCE", (9, 16): "ABC BCD ACD ABD ABCD",
    (10, 128): "ABCG BCDE ACDF", (10, 64): "BCDF ACDF ABDE ABCE", (10, 32): "ABCD ABCE ABDE ACDE BCDE",
    (10, 16): "ABC BCD ACD ABD ABCD AB",
    (11, 64): "CDE ABCD ABF BDEF ADEF", (11, 32): "ABC BCD CDE ACD ADE BDE", (11, 16): "ABC BCD ACD ABD ABCD AB AC",
}  # fmt: skip


@dataclass(frozen=True)
class Fraction:
    """A regular fraction of the two-level factorial of some factors.

    Attributes:
        factors: How many there are; the first ``base`` of them are varied freely.
        words: Of each added factor the factors whose product it is, as bits: the first factor is bit 0.
    """

    factors: int
    words: tuple[int, ...]

    @property
    def base(self) -> int:
        """Factors that are varied freely."""
        return self.factors - len(self.words)

    @property
    def runs(self) -> int:
        """How many runs it has."""
        return 1 << self.base

    @property
    def generators(self) -> tuple[str, ...]:
        """Such as ``D=ABC``."""
        return tuple(f"{LETTERS[self.base + n]}={_letters(word)}" for n, word in enumerate(self.words))

    @property
    def defining_words(self) -> tuple[int, ...]:
        """Every product of factors that is constant, as bits; none for the whole factorial."""
        found = [0]
        for number, word in enumerate(self.words):
            own = word | 1 << (self.base + number)
            found += [own ^ other for other in found]
        return tuple(found[1:])

    @property
    def word_lengths(self) -> tuple[int, ...]:
        """How many words have three letters, four, and so on."""
        lengths = [word.bit_count() for word in self.defining_words]
        return tuple(lengths.count(length) for length in range(3, max(lengths, default=2) + 1))

    @property
    def resolution(self) -> int | None:
        """Letters of the shortest word; None if nothing is confounded."""
        return min((word.bit_count() for word in self.defining_words), default=None)

    def aliases(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Which factors and interactions of two factors cannot be told apart; those that stand alone are left out.

        Returns:
            Effect -> the effects it is confounded with, of two factors at most, of three where there are no such.
        """
        words = self.defining_words
        table: dict[str, list[str]] = {}
        for effect in _effects(self.factors, 1) + _effects(self.factors, 2):
            others = sorted({effect ^ word for word in words} - {effect}, key=lambda other: (other.bit_count(), other))
            close = [other for other in others if other.bit_count() <= 2] or [
                other for other in others if other.bit_count() == 3 and effect.bit_count() == 1
            ]
            if close:
                table[_names(effect, names)] = [_names(other, names) for other in close]
        return table


def choose_fraction(factors: int, *, runs: int | None, resolution: int | None) -> Fraction:
    """The fraction with the highest resolution in at most so many runs, or the smallest with so high a resolution.

    Raises:
        DesignError: If there is none.
    """
    if factors > len(LETTERS):
        raise DesignError(f"A fractional factorial of {factors} factors is not known: ask for {len(LETTERS)} or fewer.")
    known = [_fraction(factors, base) for base in range(2, min(factors, _MOST_BASE + 1)) if factors < 1 << base]
    fits = [part for part in known if runs is None or part.runs == runs]
    if not fits:
        sizes = ", ".join(str(part.runs) for part in known) or "none"
        raise DesignError(
            f"{factors} factors have no fractional factorial in {runs} runs: ask for one of {sizes} runs, "
            "or for plackett-burman or d-optimal."
        )
    good = [part for part in fits if (part.resolution or 0) >= (resolution or 3)]
    if not good:
        best = max(part.resolution or 0 for part in fits)
        raise DesignError(
            f"{factors} factors{f' in {runs} runs' if runs else ''} have no fraction of resolution {resolution}, but "
            f"of {best}: ask for more runs, for that, or for full-factorial."
        )
    if resolution is None and runs is None:
        good = [part for part in good if (part.resolution or 0) >= 4] or good
    return good[0]


def _fraction(factors: int, base: int) -> Fraction:
    listed = _TABLE.get((factors, 1 << base))
    if listed:
        return Fraction(factors, tuple(_bits(word) for word in listed.split()))
    products = sorted(
        (word for word in range(1 << base) if word.bit_count() > 1),
        key=lambda word: (word.bit_count() % 2 == 0, word.bit_count(), word),
    )
    return Fraction(factors, tuple(products[: factors - base]))


def read_generators(factors: int, generators: Sequence[str]) -> Fraction:
    """A fraction from its generators, such as ``D=ABC``.

    Raises:
        DesignError: If they are none.
    """
    base = factors - len(generators)
    words: list[int] = []
    for number, text in enumerate(generators):
        name, equals, product = text.replace(" ", "").upper().partition("=")
        known, expected = set(LETTERS[: max(base, 0)]), LETTERS[base + number] if base >= 0 else ""
        is_sound = equals and name == expected and len(set(product)) == len(product) > 1 and set(product) <= known
        if not is_sound:
            raise DesignError(
                f"The generator {text!r} is none: with {factors} factors and {len(generators)} generators, "
                f"{LETTERS[: max(base, 0)]} are free and the next is written {expected}=… with two or more of them."
            )
        if _bits(product) in words:
            twin = generators[words.index(_bits(product))]
            raise DesignError(
                f"The generators {twin!r} and {text!r} set two factors alike, which then cannot be told apart: give "
                "each another product."
            )
        words.append(_bits(product))
    return Fraction(factors, tuple(words))


def two_level(fraction: Fraction) -> Points:
    """Its runs, -1 and +1, shape (runs, factors), in standard order."""
    from pyDOE3 import fracfact

    names = [_letters(1 << number) for number in range(fraction.base)]
    text = " ".join([*names, *map(_letters, fraction.words)]).lower()
    return np.asarray(fracfact(text), dtype=np.float64)


def full_factorial(shares: Sequence[Points]) -> Points:
    """Every combination of the factors' shares, the first factor changing fastest."""
    from pyDOE3 import fullfact

    index: Any = fullfact([len(part) for part in shares])
    return np.column_stack([part[index[:, n].astype(int)] for n, part in enumerate(shares)])


def grouped_aliases(table: dict[str, list[str]]) -> list[list[str]]:
    """An alias table as groups of effects that are confounded with each other, each once."""
    groups: dict[frozenset[str], list[str]] = defaultdict(list)
    for effect, others in table.items():
        groups[frozenset([effect, *others])] = [effect, *others]
    return list({tuple(sorted(key)): group for key, group in groups.items()}.values())


def _effects(factors: int, order: int) -> list[int]:
    return [sum(1 << number for number in part) for part in itertools.combinations(range(factors), order)]


def _bits(word: str) -> int:
    return sum(1 << LETTERS.index(letter) for letter in word)


def _letters(word: int) -> str:
    return "".join(letter for number, letter in enumerate(LETTERS) if word >> number & 1)


def _names(effect: int, names: Sequence[str]) -> str:
    return ":".join(name for number, name in enumerate(names) if effect >> number & 1)
