"""How good optimal designs are and how long they take, beside the best that is known and beside pyDOE3.

    python benchmarks/doe_optimal.py [--seed 1]

Prints one JSON object: for each standard case the best known D-efficiency (``100 |X'X|^(1/p) / n``, in per cent) with
its source, ours and the ratio; for larger designs, of which no best one is known, ours with seconds. Some cases have
pyDOE3's ``optimal_design`` too, on two or three levels of each factor in a random order; 0 is a singular design.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
import time
from typing import Any

import numpy as np
from targets import target

from twinbench.core.doe.factors import Factor
from twinbench.core.doe.kinds.optimal import compile_all, optimal_design
from twinbench.core.doe.terms import Terms

SEED = 1
LARGEST_01 = (
    1,
    1,
    1,
    2,
    3,
    5,
    9,
    32,
    56,
    144,
    320,
    1458,
    3645,
    9477,
    25515,
    131072,
    327680,
    1114112,
    3411968,
    19531250,
)
"""OEIS A003432 from n = 0: largest determinant of 0 and 1; 2^(n-1) times the one before n is that of -1 and 1."""

_A = (4 - math.sqrt(13)) / 3
_SMALLEST_TWO = ((-1, -1), (1, -1), (-1, 1), (-_A, -_A), (1, 3 * _A), (3 * _A, 1))
_B, _C = 0.1925, -0.2912
_SMALLEST_THREE = (
    *((-1, -1, -1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)),
    *((-1, _B, _B), (_B, -1, _B), (_B, _B, -1), (_C, 1, 1), (1, _C, 1), (1, 1, _C)),
)
TIMED = (  # factors, runs, model, whether pyDOE3 takes part
    (20, 100, "linear", False),
    (20, 100, "squares", False),
    (8, 60, "quadratic", False),
    (5, 30, "quadratic", True),
    (20, 236, "quadratic", False),
)
PEERS = ("fedorov", "detmax")
PEER_CASES = {(7, 8, "linear"), (11, 12, "linear"), (3, 14, "quadratic"), (3, 15, "quadratic"), (2, 9, "quadratic")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=SEED)
    print(json.dumps(optimal(parser.parse_args().seed), indent=1))


def optimal(seed: int = SEED) -> dict[str, Any]:
    """Standard cases, larger designs and peers."""
    compile_all()
    cases = [case(*entry, seed=seed) for entry in standard_cases()]
    timed = [case(factors, runs, model, None, "", seed=seed, peer=peer) for factors, runs, model, peer in TIMED]
    large_s = max(entry["seconds"] for entry in timed if "20 factors" in entry["case"] and "100 runs" in entry["case"])
    least = min(entry["ratio"] for entry in cases)
    return {
        "targets": [
            target("D-efficiency of the best known", 0.99, least, at_least=True),
            target("seconds, 20 factors x 100 runs", 30.0, large_s),
        ],
        "standard": cases,
        "least_ratio_to_best_known": least,
        "larger": timed,
        "constrained": constrained(seed),
    }


def standard_cases() -> list[tuple[int, int, str, float, str]]:
    """Factors, runs, model, best known D-efficiency, source."""
    saturated = [
        (
            n - 1,
            n,
            "linear",
            100 * (2.0 ** (n - 1) * LARGEST_01[n - 1]) ** (2 / n) / n,
            "largest determinant, OEIS A003433",
        )
        for n in (5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)
    ]
    two, three = terms_of(2, "quadratic"), terms_of(3, "quadratic")
    return [
        (3, 4, "linear", 100.0, "half fraction"),
        (11, 24, "linear", 100.0, "Hadamard matrix of order 24"),
        (15, 32, "linear", 100.0, "fraction of 2^15"),
        (5, 16, "interactions", 100.0, "2^(5-1)"),
        *saturated,
        (2, 6, "quadratic", d_efficiency(two, (np.array(_SMALLEST_TWO) + 1) / 2), "Box & Draper 1971"),
        (2, 9, "quadratic", d_efficiency(two, candidates(2, "quadratic")), "3^2"),
        (3, 10, "quadratic", d_efficiency(three, (np.array(_SMALLEST_THREE) + 1) / 2), "Box & Draper 1974"),
        (3, 14, "quadratic", 46.30447, "AlgDesign (Wheeler)"),
        (3, 15, "quadratic", 100 * 3.675919 / 8, "AlgDesign (Wheeler)"),
        (7, 34, "interactions", 92.23281, "AlgDesign (Wheeler)"),
        (7, 32, "interactions", 88.68, "AlgDesign (Wheeler)"),
    ]


def case(
    factors: int, runs: int, model: str, best: float | None, source: str, *, seed: int, peer: bool | None = None
) -> dict[str, Any]:
    terms = terms_of(factors, model)
    began = time.perf_counter()
    points = optimal_design(terms, runs, criterion="D", seed=seed, allowed=[None] * factors)
    entry: dict[str, Any] = {
        "case": f"{model}, {factors} factors, {len(terms.columns)} coefficients, {runs} runs",
        "d_efficiency_pct": round(d_efficiency(terms, points), 4),
        "seconds": round(time.perf_counter() - began, 2),
    }
    if best is not None:
        entry |= {
            "best_known_pct": round(best, 4),
            "ratio": round(d_efficiency(terms, points) / best, 5),
            "source": source,
        }
    if peer or (factors, runs, model) in PEER_CASES:
        entry["pyDOE3"] = {method: peer_design(terms, factors, runs, model, method, seed) for method in PEERS}
    ratio = f", {entry['ratio']:.4f} of the best known" if best is not None else ""
    print(
        f"{entry['case']}: {entry['d_efficiency_pct']:.2f} %{ratio}, {entry['seconds']} s", file=sys.stderr, flush=True
    )
    return entry


def constrained(seed: int) -> dict[str, Any]:
    """A cube less its far corner, against 2,000 and more candidates of a dense grid."""
    terms = terms_of(3, "quadratic")

    def feasible(points: np.ndarray) -> np.ndarray:
        return points.sum(axis=1) <= 1.2 + 1e-9

    grid = np.array(list(itertools.product(np.linspace(0, 1, 21), repeat=3)))
    grid = grid[feasible(grid)]
    began = time.perf_counter()
    points = optimal_design(terms, 15, criterion="D", seed=seed, allowed=[None] * 3, feasible=feasible)
    seconds = time.perf_counter() - began
    return {
        "case": "quadratic, 3 factors, 15 runs, shares sum to 1.2 at most",
        "d_efficiency_pct": round(d_efficiency(terms, points), 4),
        "seconds": round(seconds, 2),
        "pyDOE3 on a grid of 21 levels": peer_on(terms, grid, 15, 2, "fedorov", seed),
    }


def terms_of(factors: int, model: str) -> Terms:
    varying = tuple(Factor(f"x{n}", "1", -1.0, 1.0) for n in range(factors))
    if model == "squares":
        return Terms.read([name for f in varying for name in (f.name, f"{f.name}^2")], varying)
    return Terms.read(model, varying)


def candidates(factors: int, model: str) -> np.ndarray:
    levels = (0.0, 0.5, 1.0) if model == "quadratic" else (0.0, 1.0)
    return np.array(list(itertools.product(levels, repeat=factors)))


def peer_design(terms: Terms, factors: int, runs: int, model: str, method: str, seed: int) -> dict[str, Any]:
    return peer_on(terms, candidates(factors, model), runs, 2 if model == "quadratic" else 1, method, seed)


def peer_on(terms: Terms, chosen: np.ndarray, runs: int, degree: int, method: str, seed: int) -> dict[str, Any]:
    """pyDOE3 on candidates."""
    from pyDOE3.doe_optimal import optimal_design as peer

    chosen = np.random.default_rng(seed).permutation(chosen)  # it begins with the first ones
    began = time.perf_counter()
    try:
        points, _ = peer(2 * chosen - 1, n_points=runs, degree=degree, criterion="D", method=method)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:120]}
    seconds = time.perf_counter() - began
    return {"d_efficiency_pct": round(d_efficiency(terms, (points + 1) / 2), 4), "seconds": round(seconds, 2)}


def d_efficiency(terms: Terms, points: np.ndarray) -> float:
    matrix = terms.matrix(np.asarray(points, dtype=float))
    sign, logarithm = np.linalg.slogdet(matrix.T @ matrix)
    return 100 * math.exp(logarithm / matrix.shape[1]) / len(matrix) if sign > 0 else 0.0


if __name__ == "__main__":
    main()
