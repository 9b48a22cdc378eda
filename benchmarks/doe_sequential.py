"""How many tests a sequential design saves: against a one-shot Latin hypercube, on the battery model.

    python benchmarks/doe_sequential.py [--seeds 10] [--models circuit SPMe] [--json out.json]

A full discharge of the LG M50 cell at constant current; its charge (Ah) and energy (Wh) are to be predicted within 1 %.

    discharge rate     0.2 to 2 C (1 C is 5 A)
    ambient            0 to 45 degC, where the cell is in equilibrium at the start
    start of window    60 to 100 % state of charge: the upper edge of the SoC window
    cut-off            2.5 to 3.3 V: it is what ends a discharge on a bench, so it stands for the window's lower edge

The error is the root mean square over 1,024 Sobol' points that no contestant sees, in percent of the response's range
there, the worse of both responses. A design is good enough at the first size with 1 % or less that the next one keeps.
Everyone predicts with the same surrogate and only the choice of points differs:

    one-shot       a Latin hypercube (pyDOE3, maximin, best of 200) of 8, 10, 12, … tests, each a design of its own
    one-shot, own  likewise with the lab's own annealed Latin hypercube, whose levels reach the edges
    sequential     8 tests of the first kind, then batches of 4, or single tests, out of 1,024 Sobol' points

Prints a table, and JSON with the goals and what was reached. What limits a sequential design here: with so few runs
it is not known yet along which factors the response bends; with lengths and warps found from 200 tests it takes 16.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import qmc
from targets import say, target

from twinbench.adapters.fmi.staging import open_bundle
from twinbench.core.battery.stages import Mode, Stage, matrix_text
from twinbench.core.cosim import Experiment, Point, StopCondition
from twinbench.core.doe.learning.sequential import fit_surrogates, judge, next_batch
from twinbench.core.doe.learning.sequential_plan import Aim, SequentialPlan

MODEL = "FMU_Battery_Model"
FMU = Path(__file__).resolve().parents[1] / "include" / "fmus" / f"{MODEL}.fmu"
NOMINAL_Ah = 5.0
FACTORS = ("rate_C", "ambient_degC", "start_soc_pct", "cut_off_V")
LOW, HIGH = np.array([0.2, 0.0, 60.0, 2.5]), np.array([2.0, 45.0, 100.0, 3.3])
RESPONSES = ("discharged_Ah", "discharged_Wh")
SEQUENTIAL = {"sequential, batches of 4": 4, "sequential, one by one": 1}
LIMIT_PCT = 1.0
SIZES = range(8, 66, 2)
INITIAL, MOST_SEQUENTIAL, JUDGED_EVERY = 8, 40, 4
GRID, CANDIDATES = 1024, 1024
GOAL = 0.5
STEP_s = 5.0  # the cut-off ends a discharge within a step; this is for the heat balance

Run = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--models", nargs="+", default=["circuit", "SPMe"], choices=["circuit", "SPMe"])
    parser.add_argument("--json", type=Path, help="where the account goes as well")
    options = parser.parse_args()
    account = sequential(seeds=options.seeds, models=options.models)
    text = json.dumps(account, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


def sequential(*, seeds: int = 10, models: Sequence[str] = ("circuit", "SPMe"), processes: int = 2) -> dict[str, Any]:
    """Tests that each contestant needs, median over the seeds, for each model of the battery."""
    begun_s = time.perf_counter()
    account: dict[str, Any] = {"limit_pct": LIMIT_PCT, "goal": GOAL, "seeds": seeds, "models": {}}
    for model in models:
        grid = qmc.Sobol(len(FACTORS), seed=123).random(GRID)
        with battery(model, workers=processes) as run:
            truth = run(grid)
        found = []
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
            jobs = [pool.submit(one_seed, model, seed, grid, truth) for seed in range(seeds)]
            for done in as_completed(jobs):
                found.append(done.result())
                say(f"{model}: {len(found)}/{seeds} seeds")
        account["models"][model] = summary(sorted(found, key=lambda seed: seed["seed"]), truth)
    account["goals"] = [
        target(f"{model}: tests, {name}, of a one-shot's", GOAL, share)
        for model, report in account["models"].items()
        for name in SEQUENTIAL
        for share in [report[name]["of_one_shot"]]
    ]
    account["wall_s"] = round(time.perf_counter() - begun_s, 1)
    show(account)
    return account


@contextmanager
def battery(model: str, *, workers: int = 1) -> Iterator[Run]:
    """Discharges of one electrical model: points of the unit cube (n, 4) to Ah and Wh (n, 2)."""
    names = [f"{MODEL}.{name}_Out" for name in ("Procedure_Over", "Discharge_Capacity", "Discharge_Energy")]

    def point(number: int, levels: Sequence[float]) -> Point:
        rate_C, ambient_degC, soc_pct, cut_off_V = levels
        stages = [Stage(Mode.CURRENT, -rate_C * NOMINAL_Ah, voltage_below_V=cut_off_V)]
        values = {"Model": model, "Ageing_Factor": 0, "Initial_SoC_In": soc_pct, "Test_Procedure": matrix_text(stages)}
        values |= dict.fromkeys(("Ambient_Temperature_In", "Initial_Temperature_In"), ambient_degC)
        experiment = Experiment(
            stop_time=1.3 * 3600 / rate_C,
            step_size=STEP_s,
            record=tuple(names),
            record_every=1_000_000,  # the last row is all that counts, and is there in any case
            stop_conditions=(StopCondition(names[0], high=0.5),),
        )
        return Point(number, {MODEL: values}, experiment)

    with open_bundle(FMU) as bundle, bundle.crew(workers=workers, deadline_s=60.0) as crew:

        def run(points: np.ndarray) -> np.ndarray:
            levels = (LOW + points * (HIGH - LOW)).tolist()
            last: dict[int, np.ndarray] = {}
            jobs = [point(number, row) for number, row in enumerate(levels)]
            for result in crew.run(jobs, on_block=lambda number, block: last.update({number: block.values[-1]})):
                if result.status != "completed" or last[result.number][0] != 1:
                    raise SystemExit(f"A discharge from {levels[result.number]} went wrong: {result.message}")
            return np.array([last[number][1:] for number in range(len(levels))])

        yield run


# ---- the contestants ----


def one_seed(model: str, seed: int, grid: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """All contestants with one seed: size -> errors."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), battery(model) as run:
        return {
            "seed": seed,
            "one-shot": one_shot(run, grid, truth, lambda size: maximin(size, seed), seed),
            "one-shot, own": one_shot(run, grid, truth, lambda size: own(size, seed), seed),
            **{name: step_by_step(run, grid, truth, batch=batch, seed=seed) for name, batch in SEQUENTIAL.items()},
        }


def one_shot(
    run: Run, grid: np.ndarray, truth: np.ndarray, design: Callable[[int], np.ndarray], seed: int
) -> dict[int, dict[str, float]]:
    errors: dict[int, dict[str, float]] = {}
    for size in SIZES:
        points = design(size)
        errors[size] = error(points, run(points), grid, truth, seed)
        if needed(errors):
            break
    return errors


def step_by_step(
    run: Run, grid: np.ndarray, truth: np.ndarray, *, batch: int, seed: int
) -> dict[int, dict[str, float]]:
    plan = SequentialPlan(RESPONSES, Aim.LEARN, INITIAL, batch, MOST_SEQUENTIAL, error_pct=LIMIT_PCT)
    candidates = qmc.Sobol(len(FACTORS), seed=1000 + seed).random(CANDIDATES)
    points = maximin(INITIAL, seed)
    values = run(points)
    errors: dict[int, dict[str, float]] = {}
    is_known = False
    while len(points) <= MOST_SEQUENTIAL:
        surrogates = fit_surrogates(plan, points, as_figures(values), seed=seed)
        verdict = judge(plan, surrogates, len(points), candidates) if len(points) % JUDGED_EVERY == 0 else None
        is_known = is_known or (verdict is not None and verdict.done)
        errors[len(points)] = {**error(points, values, grid, truth, seed), "is_known": is_known}
        chosen = next_batch(plan, surrogates, points, candidates)
        if (needed(errors) and is_known) or not chosen:
            break
        points = np.vstack([points, candidates[list(chosen)]])
        values = np.vstack([values, run(candidates[list(chosen)])])
    return errors


def maximin(size: int, seed: int) -> np.ndarray:
    from pyDOE3 import lhs

    return np.asarray(lhs(len(FACTORS), samples=size, criterion="maximin", iterations=200, seed=seed))


def own(size: int, seed: int) -> np.ndarray:
    from twinbench.core.doe.factors import Factor
    from twinbench.core.doe.kinds.space_filling import latin_hypercube
    from twinbench.core.doe.region import Region

    factors = tuple(Factor(name, "1", 0.0, 1.0) for name in FACTORS)
    return latin_hypercube(Region(factors), size, seed=seed)


def as_figures(values: np.ndarray) -> list[dict[str, float | None]]:
    return [dict(zip(RESPONSES, row, strict=True)) for row in values.tolist()]


# ---- what is measured ----


def error(points: np.ndarray, values: np.ndarray, grid: np.ndarray, truth: np.ndarray, seed: int) -> dict[str, float]:
    """What the surrogate of some runs is wrong by, in percent of the range and of the mean."""
    plan = SequentialPlan(RESPONSES, Aim.LEARN, INITIAL, 4, MOST_SEQUENTIAL)
    surrogates = fit_surrogates(plan, points, as_figures(values), seed=seed)
    predicted = np.column_stack([surrogates[name].predict(grid)[0] for name in RESPONSES])
    rms = 100 * np.sqrt(np.mean((predicted - truth) ** 2, axis=0))
    return {
        "range_pct": round(float((rms / np.ptp(truth, axis=0)).max()), 3),
        "mean_pct": round(float((rms / truth.mean(axis=0)).max()), 3),
    }


def needed(errors: dict[int, dict[str, float]], figure: str = "range_pct") -> int | None:
    """The first size that is good enough, and the next one as well."""
    sizes = sorted(errors)
    for size, following in itertools.pairwise(sizes):
        if errors[size][figure] <= LIMIT_PCT and errors[following][figure] <= LIMIT_PCT:
            return size
    return None


def summary(found: list[dict[str, Any]], truth: np.ndarray) -> dict[str, Any]:
    """Medians over the seeds; who does not get there counts as one size more than was tried."""
    report: dict[str, Any] = {
        name: {"least": float(low), "mean": float(mean), "most": float(high)}
        for name, low, mean, high in zip(
            RESPONSES, truth.min(axis=0), truth.mean(axis=0), truth.max(axis=0), strict=True
        )
    }
    for name in (key for key in found[0] if key != "seed"):
        each = [needed(seed[name]) or max(seed[name]) + 2 for seed in found]
        by_mean = [needed(seed[name], "mean_pct") or max(seed[name]) + 2 for seed in found]
        report[name] = {
            "tests": statistics.median(each),
            "each": each,
            "tests_1pct_of_mean": statistics.median(by_mean),
        }
        sizes = sorted(set.intersection(*(set(seed[name]) for seed in found)))
        report[name]["error_pct"] = {
            size: round(statistics.median(seed[name][size]["range_pct"] for seed in found), 2) for size in sizes
        }
        if name in SEQUENTIAL:
            report[name] |= stopping(found, name)
            report[name]["of_one_shot"] = round(report[name]["tests"] / report["one-shot"]["tests"], 2)
            report[name]["of_one_shot_own"] = round(report[name]["tests"] / report["one-shot, own"]["tests"], 2)
    return report


def stopping(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """When the design would have ended by itself, and what the error then was."""
    stops = []
    for seed in found:
        size = min(size for size, figures in seed[name].items() if figures["is_known"] or size == max(seed[name]))
        stops.append((size, seed[name][size]["range_pct"]))
    return {
        "stops_after": statistics.median(size for size, _ in stops),
        "error_pct_when_it_stops": [share for _, share in stops],
    }


def show(account: dict[str, Any]) -> None:
    for model, report in account["models"].items():
        say(f"\n{model}: tests until the prediction is within {LIMIT_PCT:g} % of the range, {account['seeds']} seeds")
        for name, row in report.items():
            if "tests" not in row:
                continue
            line = f"  {name:26s} {row['tests']:5g}  ({min(row['each'])} to {max(row['each'])})"
            if name in SEQUENTIAL:
                worst = max(row["error_pct_when_it_stops"])
                line += f"  {row['of_one_shot']:.2f} of one-shot, {row['of_one_shot_own']:.2f} of own; "
                line += f"stops by itself after {row['stops_after']:g}, error then at most {worst:.2f} %"
            say(line)
    say(f"\ngoal: {account['goal']:g} of one-shot; took {account['wall_s']:g} s")


if __name__ == "__main__":
    main()
