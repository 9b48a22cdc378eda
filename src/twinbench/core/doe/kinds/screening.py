"""Screening designs: few runs for many factors, to find those that matter.

Plackett-Burman       two levels, runs a multiple of four: main effects independent of each other, each spread over many
                      interactions of two factors (Plackett & Burman 1946)
definitive screening  three levels, 2m + 1 runs: main effects independent of each other, of interactions and of squares;
                      interactions of two factors are not confounded with each other, and squares can be estimated
                      (Jones & Nachtsheim 2011; from conference matrices: Xiao, Lin & Bai 2012)

A conference matrix C of order m has a zero diagonal, else -1 and +1, and C'C = (m - 1) I. Paley (1933) makes one for
each prime power m - 1.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twinbench.core.errors import DesignError

__all__ = ["conference", "definitive_screening", "plackett_burman"]

Points = NDArray[np.float64]

_MOST_ORDER = 54
_NOT_PRIMES = {9: (3, (2, 0)), 25: (5, (2, 0)), 27: (3, (2, 1, 0))}
"""Prime powers: their prime p, and x^d = c0 + c1 x + … of a polynomial that is irreducible over the numbers mod p."""


def plackett_burman(factors: int) -> Points:
    """-1 and +1, shape (runs, factors): runs is the next multiple of four above the number of factors.

    Raises:
        DesignError: If there are too many factors.
    """
    from pyDOE3 import pbdesign

    runs = 4 * (factors // 4 + 1)
    if runs in (28, 36, 44, 52):  # not in pyDOE3
        return _hadamard(runs)[:, 1 : factors + 1]
    if runs > 48:
        raise DesignError(f"A plackett-burman design of {factors} factors is not known: ask for 51 or fewer.")
    return np.asarray(pbdesign(factors), dtype=np.float64)


def definitive_screening(factors: int) -> Points:
    """-1, 0 and +1, shape (2 m + 1, factors), m the order of the smallest conference matrix that holds the factors.

    Raises:
        DesignError: If there are too many factors, or fewer than three.
    """
    if factors < 3:
        raise DesignError(
            f"A definitive-screening design needs three factors or more and has {factors}: ask for full-factorial."
        )
    order = next((m for m in range(max(factors, 4), _MOST_ORDER + 1) if m % 2 == 0 and _has_conference(m)), None)
    if order is None:
        raise DesignError(f"A definitive-screening design of {factors} factors is not known: ask for plackett-burman.")
    half = conference(order)[:, :factors]
    return np.vstack([np.stack([half, -half], axis=1).reshape(-1, factors), np.zeros((1, factors))])


@lru_cache
def conference(order: int) -> Points:
    """A conference matrix; its first row is 0 and then 1.

    Args:
        order: m, even; one more than a prime power, or 16.

    Raises:
        DesignError: If none of that order is known here.
    """
    if not _has_conference(order):
        raise DesignError(f"A conference matrix of order {order} is not known.")
    if order == 16:  # doubled, from the skew one of order 8 (Seberry 1971)
        half = conference(8)
        eye = np.eye(8)
        return np.block([[half, half + eye], [half - eye, -half]])
    squares = _residues(order - 1)
    sign = 1.0 if order % 4 == 2 else -1.0
    return np.block([[np.zeros((1, 1)), np.ones((1, order - 1))], [sign * np.ones((order - 1, 1)), squares]])


def _hadamard(order: int) -> Points:
    """An orthogonal matrix of -1 and +1 whose first column is +1 (Paley's two constructions)."""
    if _has_conference(order):
        matrix = conference(order) + np.eye(order)
    else:
        half, eye = conference(order // 2), np.eye(order // 2)
        matrix = np.block([[half + eye, half - eye], [half - eye, -half - eye]])
    return np.asarray(matrix * matrix[:, :1])


def _has_conference(order: int) -> bool:
    q = order - 1
    is_prime = q > 2 and all(q % divisor for divisor in range(2, int(q**0.5) + 1))
    return order == 16 or is_prime or q in _NOT_PRIMES


def _residues(q: int) -> Points:
    """Which differences of elements of the field of q are squares: +1, -1, or 0 for none; shape (q, q)."""
    prime, polynomial = _NOT_PRIMES.get(q, (q, (0,)))
    elements = list(np.ndindex(*[prime] * len(polynomial)))
    squares = {_product(a, a, prime, polynomial) for a in elements if any(a)}
    return np.array(
        [
            [_character(tuple((x - y) % prime for x, y in zip(a, b, strict=True)), squares) for b in elements]
            for a in elements
        ]
    )


def _character(element: tuple[int, ...], squares: set[tuple[int, ...]]) -> float:
    return 0.0 if not any(element) else 1.0 if element in squares else -1.0


def _product(a: tuple[int, ...], b: tuple[int, ...], prime: int, polynomial: tuple[int, ...]) -> tuple[int, ...]:
    """Of two elements of a field, as polynomials: lowest power first."""
    degree = len(a)
    full = np.convolve(a, b).tolist()
    for power in range(len(full) - 1, degree - 1, -1):
        carried = full.pop()
        for place, factor in enumerate(polynomial):
            full[power - degree + place] += carried * factor
    return tuple(int(value) % prime for value in full)
