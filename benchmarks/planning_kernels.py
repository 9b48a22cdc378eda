"""What it costs that Numba counts who uses an array: the same search compiled with and without it, on the same plans.

    python benchmarks/planning_kernels.py [--instances DIR] [--json out.json]        takes some minutes, for compiling

Each way is compiled in a process and a cache of its own. One effort is spent from the same greedy plan with the same
seed, several times; the time is the least of them, and the plans must be the same. Prints JSON; exit code 1 if they are
not, or if not counting is no faster.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from planning_instances import read_instance
from planning_labs import generated_lab
from targets import say, target, tell

from twinbench.core.planning.problem import Problem

INSTANCES = Path(__file__).parents[2] / "shared" / "instances"
EFFORT = 40_000  # modes tried
TURNS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--instances", type=Path, default=INSTANCES, help="folder of public instances")
    parser.add_argument("--json", type=Path, help="where the account goes as well")
    parser.add_argument("--counting", choices=("yes", "no"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.counting:
        print(json.dumps(measured(options.instances, counting=options.counting == "yes")))
        return
    found = {way: in_a_process(options.instances, way) for way in ("yes", "no")}
    rows, aims = [], []
    for name, counted in found["yes"].items():
        free = found["no"][name]
        ratio = counted["us_per_mode"] / free["us_per_mode"]
        both = f"{counted['us_per_mode']:6.2f} us a mode, {free['us_per_mode']:6.2f} without counting"
        say(f"{name:12} {both}: {ratio:.1f} x")
        rows.append({"problem": name, "counting": counted, "lean": free, "ratio": round(ratio, 2)})
        aims.append(target(f"{name}, times as fast without counting", 1.0, ratio, at_least=True))
        aims.append(target(f"{name}, the same plan", 1, int(counted["value"] == free["value"]), at_least=True))
    tell({"rows": rows, "targets": aims}, options.json)


def in_a_process(instances: Path, counting: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as cache:
        call = [sys.executable, __file__, "--counting", counting, "--instances", str(instances)]
        environment = os.environ | {"NUMBA_CACHE_DIR": cache}
        done = subprocess.run(call, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return dict(json.loads(done.stdout))


def measured(instances: Path, *, counting: bool) -> dict[str, Any]:
    from twinbench.core.planning.insertion import compiling_kernel

    if counting:
        compiling_kernel.lean = compiling_kernel.compiled  # before any kernel is imported
    problems = {name: read_instance(instances / name)[1] for name in ("j6025_8.sm", "mk05.fjs")}
    problems |= {"lab of 300": generated_lab(300, 1)}
    return {name: timed(problem) for name, problem in problems.items()}


def timed(problem: Problem) -> dict[str, Any]:
    """Microseconds for each mode tried, and what the plan is worth afterwards."""
    from twinbench.core.planning.insertion.ruin_recreate import RuinRecreate

    seconds = []
    for _ in range(TURNS + 1):  # the first one compiles
        search = RuinRecreate(problem)
        search.construct()
        begun = time.perf_counter()
        search.improve(EFFORT, heat=0.01, seed=1)
        seconds.append(time.perf_counter() - begun)
    return {"us_per_mode": round(min(seconds[1:]) / EFFORT * 1e6, 3), "value": search.value}


if __name__ == "__main__":
    main()
