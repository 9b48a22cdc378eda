"""Designs of experiment against their peers and against what is published, in one run on the same work.

    make bench                                        runs this with others
    python benchmarks/doe.py [--only space ...] [--json out.json]

    space       minimum distance and centred L2 discrepancy of Latin hypercubes against pyDOE3's and SciPy's, medians of
                seeds, and the time of each; SciPy's lloyd works on a Voronoi diagram, which takes for ever in many
                dimensions: it is given up after a while, and said so
    published   run counts, generators and resolutions of classical designs, minimum aberration by trying all fractions
    optimal     D-efficiency against the best known, and the time of large designs (benchmarks/doe_optimal.py)
    sequential  tests needed to know a battery's capacity and energy (benchmarks/doe_sequential.py)

Prints tables for people, then JSON with the targets and what was reached; exit code 1 if one is missed. What a
sequential design saves is a goal and not a target: it is printed as it is.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from doe_optimal import optimal
from doe_sequential import sequential
from targets import say, target, tell

from twinbench.core.doe.factors import Factor
from twinbench.core.doe.kinds.factorial import choose_fraction
from twinbench.core.doe.kinds.response_surface import BOX_BEHNKEN_CENTRES, box_behnken, central_composite
from twinbench.core.doe.kinds.screening import definitive_screening, plackett_burman
from twinbench.core.doe.kinds.space_filling import compile_all, latin_hypercube
from twinbench.core.doe.region import Region

SIZES = tuple((runs, factors) for runs in (20, 50, 100, 200) for factors in (3, 5, 6, 10))
SEEDS = 5
GIVEN_UP_s = 20.0
MOST_s = 5.0

Points = Any


def main() -> None:
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "space": space,
        "published": published,
        "optimal": optimal,
        "sequential": sequential,
    }
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--json", type=Path, help="where the account goes as well")
    options = parser.parse_args()
    account = {name: part() for name, part in parts.items() if name in options.only}
    account["targets"] = [line for part in account.values() for line in part.pop("targets", [])]
    tell(account, options.json)


# ---- space filling ----


def space() -> dict[str, Any]:
    compile_all()
    rows = [compare(runs, factors) for runs, factors in SIZES]
    aims = []
    for row in rows:
        size = f"({row['runs']}, {row['factors']})"
        wanted = 1.6 if row["factors"] <= 6 else 1.4
        aims.append(target(f"minimum distance at {size}, times the best peer's", wanted, row["ratio"], at_least=True))
        aims.append(target(f"discrepancy at {size}, times the best peer's", 1.0, row["cd_ratio"], at_least=False))
        aims.append(target(f"seconds at {size}", MOST_s, row["wall_s"], at_least=False))
    return {"rows": rows, "targets": aims}


def compare(runs: int, factors: int) -> dict[str, Any]:
    """Medians over seeds, a peer's too."""
    cube = Region(tuple(Factor(f"f{n}", "1", 0.0, 1.0) for n in range(factors)))
    ours = timed(lambda seed: latin_hypercube(cube, runs, seed=seed), distance)
    even = timed(lambda seed: latin_hypercube(cube, runs, seed=seed, criterion="discrepancy"), discrepancy)
    peers = {name: peer(name, runs, factors) for name in ("maximin", "random-cd", "lloyd")}
    known = {name: found for name, found in peers.items() if found}
    best = max(found["distance"] for found in known.values())
    least = min(found["discrepancy"] for found in known.values())
    row = {
        "runs": runs,
        "factors": factors,
        "distance": ours["figure"],
        "ratio": ours["figure"] / best,
        "discrepancy": even["figure"],
        "cd_ratio": even["figure"] / least,
        "wall_s": max(ours["wall_s"], even["wall_s"]),
        "peers": peers,
    }
    theirs = "  ".join(f"{name} {found['distance']:.3f}" if found else f"{name} -" for name, found in peers.items())
    say(
        f"n = {runs:3d}, k = {factors:2d}: distance {row['distance']:.3f} ({theirs}), {row['ratio']:.2f} times the "
        f"best; discrepancy {row['cd_ratio']:.2f} times the best; {row['wall_s']:.1f} s"
    )
    return row


def timed(make: Callable[[int], Points], figure: Callable[[Points], float]) -> dict[str, float]:
    figures, seconds = [], []
    for seed in range(1, SEEDS + 1):
        begun = time.perf_counter()
        points = make(seed)
        seconds.append(time.perf_counter() - begun)
        figures.append(figure(points))
    return {"figure": statistics.median(figures), "wall_s": max(seconds)}


def distance(points: Points) -> float:
    from scipy.spatial.distance import pdist

    return float(pdist(points).min())


def discrepancy(points: Points) -> float:
    from scipy.stats import qmc

    return float(qmc.discrepancy(points))


def peer(name: str, runs: int, factors: int) -> dict[str, Any] | None:
    """A peer's medians; None if it gives no answer in time."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_peer, args=(queue, name, runs, factors))
    process.start()
    process.join(GIVEN_UP_s)
    if process.is_alive():
        process.kill()
        process.join()
        return None
    return queue.get(timeout=5)


def _peer(queue: Any, name: str, runs: int, factors: int) -> None:
    from pyDOE3 import lhs
    from scipy.stats import qmc

    def make(seed: int) -> Points:
        if name == "maximin":
            return lhs(factors, samples=runs, criterion="maximin", iterations=200, seed=seed)
        return qmc.LatinHypercube(factors, optimization=name, rng=np.random.default_rng(seed)).random(runs)

    begun = time.perf_counter()
    made = [make(seed) for seed in range(1, SEEDS + 1)]
    wall_s = (time.perf_counter() - begun) / SEEDS
    queue.put(
        {
            "distance": statistics.median(map(distance, made)),
            "discrepancy": statistics.median(map(discrepancy, made)),
            "wall_s": wall_s,
        }
    )


# ---- published designs ----

FRACTIONS = {  # NIST/SEMATECH e-Handbook of Statistical Methods, 5.3.3.4.7: factors, runs -> resolution
    **{(3, 4): 3, (4, 8): 4, (5, 8): 3, (5, 16): 5, (6, 8): 3, (6, 16): 4, (6, 32): 6, (7, 8): 3, (7, 16): 4},
    **{(7, 32): 4, (7, 64): 7, (8, 16): 4, (8, 32): 4, (8, 64): 5, (9, 16): 3, (9, 32): 4, (9, 64): 4, (9, 128): 6},
    **{(10, 16): 3, (10, 32): 4, (10, 64): 4, (10, 128): 5, (11, 16): 3, (11, 32): 4, (11, 64): 4},
}
BOX_BEHNKEN = {3: 15, 4: 27, 5: 46, 6: 54, 7: 62}  # Box & Behnken (1960), table 2
DEFINITIVE = {4: 9, 5: 13, 6: 13, 7: 17, 8: 17, 10: 21, 12: 25}  # Jones & Nachtsheim (2011), from conference matrices
PLACKETT_BURMAN = {7: 8, 11: 12, 15: 16, 19: 20, 23: 24, 27: 28, 31: 32, 35: 36, 47: 48}  # Plackett & Burman (1946)
COMPOSITE = {2: 8, 3: 14, 4: 24, 5: 42}  # Box & Wilson (1951), without the centre


def published() -> dict[str, Any]:
    """How many designs are as published."""
    same = {
        "fractional-factorial": sum(
            choose_fraction(factors, runs=runs, resolution=None).resolution == resolution
            for (factors, runs), resolution in FRACTIONS.items()
        ),
        "box-behnken": sum(len(box_behnken(k)) + BOX_BEHNKEN_CENTRES[k] == runs for k, runs in BOX_BEHNKEN.items()),
        "definitive-screening": sum(len(definitive_screening(k)) == runs for k, runs in DEFINITIVE.items()),
        "plackett-burman": sum(is_orthogonal(plackett_burman(k), runs) for k, runs in PLACKETT_BURMAN.items()),
        "central-composite": sum(len(central_composite(k, "faced")) == runs for k, runs in COMPOSITE.items()),
    }
    wanted = {
        **{"fractional-factorial": len(FRACTIONS), "box-behnken": len(BOX_BEHNKEN)},
        **{"definitive-screening": len(DEFINITIVE), "plackett-burman": len(PLACKETT_BURMAN)},
        "central-composite": len(COMPOSITE),
    }
    for name, count in same.items():
        say(f"{name}: {count} of {wanted[name]} as published")
    aims = [target(f"{name} designs as published", wanted[name], count, at_least=True) for name, count in same.items()]
    return {"as_published": same, "targets": aims}


def is_orthogonal(points: Points, runs: int) -> bool:
    return len(points) == runs and np.array_equal(points.T @ points, runs * np.eye(points.shape[1]))


if __name__ == "__main__":
    main()
