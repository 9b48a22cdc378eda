"""How fast wired FMUs are run, beside peers from PyPI and a hand-written loop in C: same FMUs, wiring, step, run.

    make bench                                         installs the peers (extra ``bench``) and runs this with others
    python benchmarks/cosim.py [--rounds 5] [--only light2 two2] [--without points discharges shell]

Prints one JSON object: for each system and engine the median of communication steps per CPU second and per wall second,
and whether the results are the floor's bit for bit; for one point of a design (fresh state, 1,000 steps, read-out) the
milliseconds it takes; 1,000 one-hour discharges of the shipped cell on two processes with their memory; how long the
command line takes; and the targets with what was reached. Ours and the floor record all outputs at each step; the
containers are read out at each step; libcosim and ecos record nothing, which is in their favour.

The systems are built from ``cosim_models.c``: ``bare2`` calls functions that check nothing, as no FMU does; ``light2``
and ``light3`` check as generated code does; ``heavy2`` and ``heavy3`` have FMUs of about 0.3 us a step.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from targets import target, tell

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("fmpy", "numba", "numpy", "fmu-manipulation-toolbox", "libcosimpy", "ecospy")
STEPS = {"twinbench": 400_000, "c_floor": 400_000, "ecos": 40_000, "libcosim": 10_000}
POINTS = 500
DISCHARGES = 1000
TARGETS = (
    ("light FMUs: times FMPy's loop", "fmpy_loop", ("light2", "light3"), 50.0),
    ("light FMUs: times ecos", "ecos", ("light2", "light3"), 4.0),
    ("light FMUs: share of the C floor", "c_floor", ("light2", "light3"), 0.5),
    ("FMUs that check nothing: share of the C floor", "c_floor", ("bare2",), 0.5),
    ("FMUs of 0.3 us: share of the C floor", "c_floor", ("heavy2", "heavy3"), 0.85),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[], help="systems")
    parser.add_argument("--without", nargs="*", default=[], choices=["points", "discharges", "shell"])
    parser.add_argument("--json", type=Path, help="where the account goes as well")
    parser.add_argument("--work", nargs=4, metavar=("KIND", "ENGINE", "BUNDLE", "OUTPUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(*options.work)
        return
    with tempfile.TemporaryDirectory(prefix="twinbench-bench-") as scratch:
        tell(measure(Path(scratch), options), options.json)


def measure(scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    from cosim_models import SYSTEMS, build

    bundles = build(scratch)
    names = options.only or list(SYSTEMS)
    document: dict[str, Any] = {"versions": versions(), "cpus": os.cpu_count()}
    document["systems"] = {name: compare(bundles[name], options.rounds) for name in names}
    if "points" not in options.without:
        document["ms_per_point"] = compare_points(bundles["two2"], options.rounds)
    if "discharges" not in options.without:
        document["discharges"] = {model: discharges(model) for model in ("SPMe", "circuit")}
    if "shell" not in options.without:
        document["shell"] = shell(scratch)
    document["targets"] = targets(document)
    return document


def versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def compare(bundle: Path, rounds: int) -> dict[str, Any]:
    """One system through all engines, one after another in each round."""
    from cosim_engines import ENGINES

    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in ENGINES}
    finals: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for _ in range(rounds):
        for engine in ENGINES:
            if engine in errors:
                continue
            told = run_apart("run", engine, bundle)
            if "error" in told:
                errors[engine] = told["error"]
                continue
            rates[engine].append((told["steps_per_cpu_s"], told["steps_per_wall_s"]))
            finals[engine] = told["at"]
    rows: dict[str, Any] = {}
    for engine in ENGINES:
        if engine in errors:
            rows[engine] = {"error": errors[engine]}
            continue
        cpu, wall = zip(*rates[engine], strict=True)
        rows[engine] = {
            "steps_per_cpu_s": round(statistics.median(cpu)),
            "steps_per_wall_s": round(statistics.median(wall)),
            "largest_difference": difference(finals["c_floor"], finals[engine]),
        }
    return rows


def difference(one: dict[str, list[float]], other: dict[str, list[float]]) -> float:
    """The largest difference between what two engines gave at the same communication points; 0 is bit for bit."""
    return max(float(np.max(np.abs(np.subtract(one[point], other[point])))) for point in other)


def run_apart(kind: str, engine: str, bundle: Path) -> dict[str, Any]:
    """Let an engine work in a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".json") as output:
        command = [sys.executable, __file__, "--work", kind, engine, str(bundle), output.name]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
            return dict(json.loads(Path(output.name).read_text()))
        except subprocess.TimeoutExpired:
            return {"error": "took longer than 300 s"}
        except ValueError:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            return {"error": lines[-1][:300]}


def work(kind: str, engine: str, bundle: str, output: str) -> None:
    """What the process of an engine does."""
    from cosim_engines import ENGINES
    from cosim_engines import POINTS as POINT_ENGINES
    from cosim_models import SYSTEMS

    folder = Path(bundle)
    system = SYSTEMS[folder.name]
    if kind == "point":
        cpu_s, wall_s = POINT_ENGINES[engine](folder, system, POINTS)
        told: dict[str, Any] = {"cpu_ms": 1e3 * cpu_s, "wall_ms": 1e3 * wall_s}
    else:
        steps = STEPS.get(engine, 5_000)
        table, times = ENGINES[engine](folder, system, steps, 3)
        cpu_s, wall_s = (statistics.median(column) for column in zip(*times, strict=True))
        told = {"steps_per_cpu_s": steps / cpu_s, "steps_per_wall_s": steps / wall_s, "at": points_of(table, steps)}
    Path(output).write_text(json.dumps(told))


def points_of(table: np.ndarray, steps: int) -> dict[str, list[float]]:
    """Rows at the communication points that are compared: the last ones of all engines."""
    points = sorted({steps, *STEPS.values(), 5_000})
    first = steps - (len(table) - 1)
    return {str(point): table[point - first].tolist() for point in points if first <= point <= steps}


def compare_points(bundle: Path, rounds: int) -> dict[str, Any]:
    """One point of a design through the engines that can be measured."""
    from cosim_engines import POINTS as POINT_ENGINES

    found: dict[str, Any] = {}
    for engine in POINT_ENGINES:
        told = [run_apart("point", engine, bundle) for _ in range(min(rounds, 3))]
        wrong = next((one["error"] for one in told if "error" in one), None)
        medians = {key: round(statistics.median(one[key] for one in told), 3) for key in told[0]} if not wrong else {}
        found[engine] = {"error": wrong} if wrong else medians
    return found


def discharges(model: str) -> dict[str, Any]:
    """One-hour discharges of the shipped cell at 1 s steps on two processes, as a test campaign has them."""
    import psutil

    from twinbench.adapters.fmi import open_bundle
    from twinbench.core.cosim import Coupling, Experiment, Point

    bundle = ROOT / "include" / "fmus"
    with tempfile.TemporaryDirectory() as scratch:
        stimuli = Path(scratch) / "input.csv"
        head = "timestamp,Current_Profile,Ambient_Temperature,Initial_SoC,Initial_Temperature"
        stimuli.write_text(f"{head}\n0,-4.5,25,95,25\n3600,-4.5,25,95,25\n")
        outputs = ("Current_Profile", "Cell_Voltage_01", "Cell_Average_Temperature_01", "SoC")
        record = tuple(f"FMU_Output_Handler.{name}" for name in outputs)
        experiment = Experiment(stop_time=3600.0, step_size=1.0, record=record)
        points = [
            Point(
                k,
                {"FMU_Input_Handler": {"Stimuli_File": str(stimuli)}, "FMU_Battery_Model": {"Model": model}},
                experiment,
            )
            for k in range(DISCHARGES)
        ]
        resident: list[float] = []
        rows = 0

        def count(_number: int, block: Any) -> None:
            nonlocal rows
            rows += len(block.time_s)

        me = psutil.Process()
        with open_bundle(bundle) as opened, opened.crew(coupling=Coupling("sorted"), workers=2) as crew:
            begin_s = time.perf_counter()
            first_s = 0.0
            failed = 0
            for number, result in enumerate(crew.run(points, on_block=count)):
                first_s = first_s or time.perf_counter() - begin_s
                failed += result.status != "completed"
                if number % 100 == 99:
                    tree = [me, *me.children(recursive=True)]
                    resident.append(sum(process.memory_info().rss for process in tree) / 1e6)
            wall_s = time.perf_counter() - begin_s
    return {
        "points": DISCHARGES,
        "failed": failed,
        "points_per_s": round((DISCHARGES - 1) / (wall_s - first_s), 1),
        "simulated_hours_per_s": round(rows / 3600 / wall_s, 1),
        "first_result_s": round(first_s, 2),
        "resident_MB_after_each_100": [round(value) for value in resident],
        "ways_back": dict(result.ways_back),
    }


def shell(scratch: Path) -> dict[str, float]:
    """What a person waits for at the command line, with a warm cache."""
    program = [sys.executable, "-m", "twinbench.cli"]
    simulate = ["simulate", str(scratch / "light2"), "--stop-time", "10", "--step-size", "0.01"]
    simulate += ["-o", str(scratch / "out.csv")]
    return {"help_s": clocked([*program, "--help"]), "simulate_s": clocked([*program, *simulate])}


def clocked(command: list[str]) -> float:
    """Median of five after one that warms the caches."""
    times = []
    for _ in range(6):
        begin_s = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - begin_s)
    return round(statistics.median(times[1:]), 3)


def targets(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What issue 3 asks for, and what was reached."""
    found = []
    for what, peer, systems, wanted in TARGETS:
        for system in systems:
            rows = document["systems"].get(system, {})
            rates = [rows.get(engine, {}).get("steps_per_cpu_s") for engine in ("twinbench", peer)]
            if all(rates):
                found.append(target(f"{what} ({system})", wanted, rates[0] / rates[1], at_least=True))
    point = document.get("ms_per_point", {}).get("twinbench", {}).get("wall_ms")
    if point is not None:
        found.append(target("one DoE point of two FMUs, ms", 0.5, point, at_least=False))
    for name, wanted in (("help_s", 0.3), ("simulate_s", 2.0)):
        if "shell" in document:
            found.append(target(f"command line, {name}", wanted, document["shell"][name], at_least=False))
    return found


if __name__ == "__main__":
    main()
