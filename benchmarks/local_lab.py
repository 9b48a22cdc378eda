"""How long the local lab takes to start, to carry out the demonstration's request and to stop, and the memory it needs.

    python benchmarks/local_lab.py [--times 3]

Starts a lab of its own in a temporary folder; the first start makes the databases, the others find them. Prints JSON.
Memory is the proportional set size of all processes of the lab while the request runs, at its largest.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import tempfile
import threading
import time
from contextlib import suppress

import psutil
from rich.console import Console

from twinbench.stack import lab
from twinbench.stack.demo import run_demo
from twinbench.stack.site import Site


class Silent:
    """An observer of a start who says nothing."""

    def note(self, text: str) -> None:
        """Hear it."""

    def starting(self, service: object) -> None:
        """Hear it."""

    def ready(self, service: object, seconds: float) -> None:
        """Hear it."""


def memory_MB(site: Site) -> float:
    """Memory of the lab's processes: those that are marked as its own, and whatever those have started."""
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("TWINBENCH_LAB_PROCESS") == str(site.root):
                found |= {one.pid: one for one in (process, *process.children(recursive=True))}
    total = 0
    for process in found.values():  # Airflow's titles hide whose its processes are, but not who started them
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total / 1e6


def measure() -> dict[str, float]:
    """One start, request and stop."""
    begin = time.perf_counter()
    site = lab.up(Silent())
    started = time.perf_counter()
    done, peak = threading.Event(), [0.0]

    def watch() -> None:
        while not done.wait(1.0):
            peak[0] = max(peak[0], memory_MB(site))

    watcher = threading.Thread(target=watch)
    watcher.start()
    good = run_demo(site, Console(file=io.StringIO()))
    done.set()
    watcher.join()
    finished = time.perf_counter()
    lab.down()
    if not good:
        raise SystemExit("The request failed.")
    return {
        "start_s": started - begin,
        "request_s": finished - started,
        "stop_s": time.perf_counter() - finished,
        "memory_MB": peak[0],
    }


def main() -> None:
    """Measure several times."""
    parser = argparse.ArgumentParser(description="Start, request and stop of the local lab.")
    parser.add_argument("--times", type=int, default=3)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TWINBENCH_LAB"] = f"{folder}/.lab"
        runs = [measure() for _ in range(times)]
    later = runs[1:] or runs
    medians = {name: round(statistics.median(run[name] for run in later), 1) for name in runs[0]}
    first = {name: round(value, 1) for name, value in runs[0].items()}
    print(json.dumps({"cores": os.cpu_count(), "first": first, "median_of_later": medians, "times": times}, indent=1))


if __name__ == "__main__":
    main()
