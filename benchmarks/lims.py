"""How quickly people and programs are answered by the LIMS inside Airflow, and what viewers cost. Prints JSON.

    python benchmarks/lims.py [--requests 100000] [--clients 20] [--seconds 20] [--viewers 50] [--json account.json]

Starts a whole local lab in a temporary folder, fills its table of requests, then

    load      some clients, each asking again as soon as it is answered
    viewers   a request is carried out with nobody looking and with many live viewers, in turns
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from lims_store import seed
from local_lab import Silent
from rich.console import Console
from targets import say, target, tell

from twinbench.orchestration.opening import read_catalogue
from twinbench.stack import lab
from twinbench.stack.database import database_url
from twinbench.stack.demo import run_demo
from twinbench.stack.people import password_of
from twinbench.stack.site import PROJECT, Site

P95_ms = 100.0
VIEWERS_COST = 1.1  # times as long
PEOPLE = ("operator", "manager", "admin")
FILTERS = ("?text=power", "?state=failed", "?standard=IEC62660&sort=progress", "?page=1000", "?sort=status&page=20")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0, help="of load, for each kind of answer")
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--turns", type=int, default=3, help="requests with and without viewers")
    parser.add_argument("--json", type=Path, help="where the account goes as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="twinbench-bench-") as folder:
        os.environ["TWINBENCH_LAB"] = f"{folder}/.lab"
        site = lab.up(Silent())
        try:
            account = measure(site, options)
        finally:
            lab.down()
    tell(account, options.json)


def measure(site: Site, options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    seed(database_url(site, "lims"), read_catalogue(PROJECT / "include"), options.requests)
    say(f"{options.requests} requests are in the table")
    people = [caller(site, name) for name in PEOPLE]
    rows, aims = [], []
    for what, paths in (
        ("dashboard", ["/lims/"]),
        ("list", ["/lims/requests"]),
        ("list, with filters", [f"/lims/requests{query}" for query in FILTERS]),
        ("list by REST", ["/lims/api/v1/requests", "/lims/api/v1/requests?state=failed"]),
    ):
        row = {"what": what, **load(site, people, paths, options)}
        say(f"{what:20} {row['p50_ms']:6.1f} ms median, {row['p95_ms']:6.1f} at p95, {row['per_s']:.0f}/s")
        rows.append(row)
        if what in ("dashboard", "list", "list by REST"):
            told = f"{what} with {options.clients} clients and {options.requests} requests, ms at p95"
            aims.append(target(told, P95_ms, row["p95_ms"]))
    watched = viewers(site, people, options)
    told = f"a request with {options.viewers} live viewers, times as long as with none"
    aims.append(target(told, VIEWERS_COST, watched["times_as_long"]))
    return {"cpus": os.cpu_count(), "load": rows, "viewers": watched, "targets": aims}


def caller(site: Site, name: str) -> dict[str, str]:
    """Headers of somebody who is logged in."""
    login = {"username": name, "password": password_of(site, name)}
    token = httpx.post(f"{site.airflow_url}/auth/token", json=login, timeout=30).json()["access_token"]
    return {"authorization": f"Bearer {token}", "accept": "text/html,application/json"}


def load(
    site: Site, people: Sequence[dict[str, str]], paths: Sequence[str], options: argparse.Namespace
) -> dict[str, Any]:
    """Clients that ask again as soon as they are answered."""
    until, times, lock = time.perf_counter() + options.seconds, [], threading.Lock()

    def client(number: int) -> None:
        own: list[float] = []
        with httpx.Client(base_url=site.airflow_url, headers=people[number % len(people)], timeout=60) as http:
            for path in itertools.islice(itertools.cycle(paths), number % len(paths), None):
                begun = time.perf_counter()
                if begun > until:
                    break
                answer = http.get(path)
                own.append(1e3 * (time.perf_counter() - begun))
                answer.raise_for_status()
        with lock:
            times.extend(own[1:])  # the first one connects

    threads = [threading.Thread(target=client, args=(number,)) for number in range(options.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cuts = statistics.quantiles(times, n=100)
    return {
        "answers": len(times),
        "per_s": round(len(times) / options.seconds, 1),
        "p50_ms": round(cuts[49], 1),
        "p95_ms": round(cuts[94], 1),
        "p99_ms": round(cuts[98], 1),
    }


# ---- those who look on ----


def viewers(site: Site, people: Sequence[dict[str, str]], options: argparse.Namespace) -> dict[str, Any]:
    """How long a request takes with nobody looking and with many live viewers."""
    alone, watched, heard = [], [], 0
    for _ in range(options.turns):
        alone.append(request_s(site))
        with looking(site, people, options.viewers) as count:
            watched.append(request_s(site))
        heard += count[0]
    row = {"alone_s": statistics.median(alone), "watched_s": statistics.median(watched), "events_heard": heard}
    row["times_as_long"] = row["watched_s"] / row["alone_s"]
    say(f"a request alone {row['alone_s']:.1f} s, with {options.viewers} viewers {row['watched_s']:.1f} s")
    return {key: round(value, 3) for key, value in row.items()}


def request_s(site: Site) -> float:
    """One request from its submission to its report."""
    begun = time.perf_counter()
    if not run_demo(site, Console(file=io.StringIO())):
        raise SystemExit("The request failed.")
    return time.perf_counter() - begun


@contextmanager
def looking(site: Site, people: Sequence[dict[str, str]], number: int) -> Iterator[list[int]]:
    """Viewers who hear what changes and fetch the dashboard's part anew, as a browser does, once a second at most."""
    heard, done = [0], threading.Event()

    def look(headers: dict[str, str]) -> None:
        fetched = 0.0
        with (
            httpx.Client(base_url=site.airflow_url, headers=headers, timeout=30) as http,
            http.stream("GET", "/lims/events") as stream,
        ):
            for line in stream.iter_lines():
                if done.is_set():
                    return
                heard[0] += line.startswith("data: request")
                if line.startswith("event: change") and time.monotonic() - fetched > 1.0:
                    fetched = time.monotonic()
                    http.get("/lims/part/dashboard")

    with ExitStack() as stack:
        threads = [threading.Thread(target=look, args=(people[n % len(people)],), daemon=True) for n in range(number)]
        for thread in threads:
            thread.start()
        stack.callback(lambda: [thread.join(timeout=20) for thread in threads])
        stack.callback(done.set)
        yield heard


if __name__ == "__main__":
    main()
