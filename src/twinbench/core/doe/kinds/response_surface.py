"""Response-surface designs: three levels or five, so that squares can be estimated.

central-composite  corners, two axial points per factor, and the centre (Box & Wilson 1951). *faced*: the axial points
                   lie on the faces of the region; *circumscribed*: so far out that prediction is as good in every
                   direction (rotatable); *inscribed*: the same, shrunk into the ranges
box-behnken        no corners: factors are varied in small factorials, a few at a time (Box & Behnken 1960)
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from twinbench.core.errors import DesignError

__all__ = ["axial_distance", "box_behnken", "central_composite"]

Points = NDArray[np.float64]

_TRIPLES = {
    6: ((0, 1, 3), (1, 2, 4), (2, 3, 5), (0, 3, 4), (1, 4, 5), (0, 2, 5)),
    7: ((3, 4, 5), (0, 5, 6), (1, 4, 6), (0, 1, 3), (2, 3, 6), (0, 2, 4), (1, 2, 5)),
}
"""Factors that are varied together; pyDOE3 varies pairs for any number of factors, the authors only up to five."""

BOX_BEHNKEN_CENTRES = {3: 3, 4: 3, 5: 6, 6: 6, 7: 6}
"""Centre points of the published designs."""


def central_composite(factors: int, face: str) -> Points:
    """Without its centre: corners at -1 and +1 (axial points at most there if inscribed), shape (2^k + 2k, k)."""
    from pyDOE3 import ccdesign

    made = ccdesign(factors, center=(0, 0), alpha="rotatable", face="faced" if face == "faced" else "circumscribed")
    points = np.asarray(made, dtype=np.float64)
    return points / axial_distance(factors) if face == "inscribed" else points


def axial_distance(factors: int) -> float:
    """How far the axial points of a rotatable design lie from its centre: the fourth root of the corners' number."""
    return float((1 << factors) ** 0.25)


def box_behnken(factors: int) -> Points:
    """Without its centre: -1, 0 and +1.

    Raises:
        DesignError: If there is none for so many factors.
    """
    if factors not in BOX_BEHNKEN_CENTRES:
        instead = "i-optimal" if factors > max(BOX_BEHNKEN_CENTRES) else "central-composite or i-optimal"
        raise DesignError(f"A box-behnken design is known for 3 to 7 factors, not {factors}: ask for {instead}.")
    if factors not in _TRIPLES:
        from pyDOE3 import bbdesign

        made = np.asarray(bbdesign(factors, center=1), dtype=np.float64)
        return made[np.abs(made).any(axis=1)]
    corners = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    points = np.zeros((len(_TRIPLES[factors]) * len(corners), factors))
    for number, triple in enumerate(_TRIPLES[factors]):
        points[number * len(corners) : (number + 1) * len(corners), triple] = corners
    return points
