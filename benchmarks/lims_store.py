"""How quickly 100,000 test requests are counted, listed, filtered, searched and sorted, on whatever page. Prints JSON.

    python benchmarks/lims_store.py [--requests 100000] [--times 15] [--output account.json]

Starts the PostgreSQL of the local lab in a temporary folder, with the lab's settings and the shipped catalogue, and
asks the same register that pages and REST ask. Times are medians of whole calls, from Python to rows in Python.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2
from targets import say, target, tell

from twinbench.adapters.postgres import CatalogueTables, Database, Requests, migrate
from twinbench.core.access import RequestScope
from twinbench.core.catalogue import Catalogue
from twinbench.core.request_query import SORTS, RequestQuery, words_of
from twinbench.orchestration.opening import read_catalogue
from twinbench.stack import database
from twinbench.stack.site import PROJECT, USUAL_PORTS, Site, free_port

LIMIT_MS = 15.0
LATEST = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PEOPLE = 200
FIRST = ("Ada", "Émile", "Grace", "Konrad", "Lise", "Max", "Nikola", "Peter", "Rosa", "Wilhelm")
LAST = ("Lovelace", "Müller", "Hopper", "Zuse", "Meitner", "Planck", "Tesla", "Cellini", "Powers", "Conway")
STATES = ["completed"] * 85 + ["failed"] * 8 + ["cancelled"] * 4 + ["running", "planned", "submitted"]
ALL = RequestScope(everything=True)
COLUMNS = ("uuid", "requester_id", "requester_name", "preferred_date", "document", "status", "simulation_folder",
           "simulation_progress", "created_at", "updated_at", "title", "submitted_by", "workflow_id",
           "completed_at", "test_metrics_json", "subject_id", "person_id")  # fmt: skip


@contextmanager
def server() -> Iterator[str]:
    """Address of a LIMS database of its own, which is thrown away in the end."""
    with tempfile.TemporaryDirectory(prefix="twinbench-lims-store-") as folder:
        site = Site(Path(folder), {"postgres": free_port(USUAL_PORTS["postgres"])})
        service = database.service(site)
        service.prepare()
        with (Path(folder) / "postgres.log").open("wb") as log:
            environment = {**os.environ, **service.environment}
            running = subprocess.Popen(service.command, stdout=log, stderr=log, env=environment, start_new_session=True)
        try:
            while not service.is_ready():
                time.sleep(0.1)
            service.settle()
            yield database.database_url(site, "lims")
        finally:
            os.killpg(running.pid, signal.SIGINT)
            running.wait(30)


def subjects(cursor: Any, catalogue: Catalogue) -> list[tuple[int, dict[str, str]]]:
    """Everything that may be asked for, as subjects in the table."""
    made = []
    for test in catalogue.tests:
        for uut in (uut for uut in catalogue.uuts if uut.level in test.levels):
            for use_case in test.use_cases:
                for bench in ("Virtual", "Physical", "Any") if test.virtual_capable else ("Physical",):
                    asked = {"uut": uut.code, "use_case": use_case, "standard": test.standard, "test_name": test.name}
                    words = list(words_of(test.standard, f"{test.name} on {uut.code}"))
                    cursor.execute(
                        """INSERT INTO request_subjects (twin, uut, use_case, standard, test_name, test_bench, words)
                           VALUES (%s, %s, %s, %s, %s, %s, array_to_tsvector(%s)) RETURNING id""",
                        ("fastest" if uut.generation == "3b" else "other", *asked.values(), bench, words),
                    )
                    made.append((cursor.fetchone()[0], {**asked, "test_bench": bench}))
    return made


def who(person: int) -> tuple[str, str]:
    """Id and name."""
    return f"lab-{person}", f"{FIRST[person % 10]} {LAST[person // 10 % 10]}"


def people(cursor: Any) -> None:
    """Everybody who asks, numbered from 1."""
    for person in range(PEOPLE):
        identity, name = who(person)
        cursor.execute(
            """INSERT INTO request_people (requester_id, requester_name, submitted_by, words)
               VALUES (%s, %s, %s, array_to_tsvector(%s))""",
            (identity, name, identity, list(words_of(name, identity))),
        )


def request(number: int, latest: int, chance: random.Random, subject: int, asked: dict[str, str]) -> list[Any]:
    """A row of the table."""
    person = int(PEOPLE * chance.random() ** 2)  # some ask often
    identity, name = who(person)
    created = LATEST - timedelta(minutes=11 * (latest - number))
    ended = created + timedelta(hours=chance.expovariate(1 / 60))
    preferred = created + timedelta(days=chance.randrange(30))
    status = chance.choice(STATES)
    document = {
        "requester_name": name, "requester_id": identity, "preferred_date": preferred.isoformat(), **asked,
        "runs": chance.randrange(2, 40), "seed": number, "custom_profile": None,
        "design": {"aim": "screening", "factors": [{"name": "temperature_degC", "low": 10, "high": 40}] * 4},
    }  # fmt: skip
    uuid = str(UUID(int=chance.getrandbits(128)))
    figures = {"runs": 6, "figures": [{"run": run, "energy_Wh": chance.random()} for run in range(6)]}
    title = f"{asked['test_name']} on {asked['uut']}"
    over = status == "completed"
    folder = f"fastest_simulation_{created:%Y%m%d}_{uuid}"
    return [uuid, identity, name, preferred, json.dumps(document), status, folder, 100 if over else number % 100,
            created, ended, title, identity, uuid, ended if over else None,
            json.dumps(figures) if over else None, subject, person + 1]  # fmt: skip


def copied(value: object) -> str:
    """A value as COPY reads it; here there are no tabs and ends of lines."""
    return "\\N" if value is None else str(value).replace("\\", "\\\\")


def seed(url: str, catalogue: Catalogue, number: int) -> None:
    """Fill the table by COPY, with its triggers but for the news of each row."""
    chance = random.Random(7)
    with closing(psycopg2.connect(url)) as connection:
        with connection, connection.cursor() as cursor:
            people(cursor)
            known = subjects(cursor, catalogue)
            say(f"{len(known)} subjects")
            lines = io.StringIO()
            for each in range(number):
                row = request(each, number, chance, *chance.choice(known))
                lines.write("\t".join(map(copied, row)) + "\n")
            lines.seek(0)
            cursor.execute("ALTER TABLE test_requests DISABLE TRIGGER test_requests_told")
            cursor.copy_expert(f"COPY test_requests ({', '.join(COLUMNS)}) FROM STDIN", lines)
            cursor.execute("ALTER TABLE test_requests ENABLE TRIGGER test_requests_told")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum does after so many rows


def questions() -> dict[str, RequestQuery]:
    """What people look for; each is asked on its first page, in its middle and on its last page."""
    plain = RequestQuery(ALL)
    year = LATEST - timedelta(days=365)
    sorts = {f"sorted by {sort}": replace(plain, sort=sort) for sort in SORTS}
    return {
        "all": plain,
        **sorts,
        "oldest first": replace(plain, descending=False),
        "failed": replace(plain, states=("failed",)),
        "running or planned": replace(plain, states=("running", "planned")),
        "completed or failed, by preferred date": replace(plain, states=("completed", "failed"), sort="preferred"),
        "of a unit": replace(plain, uut="Gen3b - Cell"),
        "of a unit, by update": replace(plain, uut="Gen3b - Cell", sort="updated"),
        "of a unit, completed, by progress": replace(plain, uut="Gen3b - Cell", states=("completed",), sort="progress"),
        "of a standard and bench": replace(plain, standard="UN38.3", test_bench="Physical"),
        "of a use case": replace(plain, use_case="Automotive"),
        "of a test name": replace(plain, test_name="Performance - Capacity"),
        "of who asked most": replace(plain, requester="lab-0"),
        "of the last year": replace(plain, created_from=year),
        "before the last year": replace(plain, created_to=year),
        "of a year and a unit, by update": replace(plain, created_from=year, uut="Gen3b - Cell", sort="updated"),
        "text: a number": replace(plain, text="TR-000042"),
        "text: a name": replace(plain, text="muller"),
        "text: a name and a test": replace(plain, text="lovelace overcharge"),
        "text: a test": replace(plain, text="overcharge"),
        "text: half of all": replace(plain, text="gen3b"),
        "text: half of all, by update": replace(plain, text="gen3b", sort="updated"),
        "text: tests and people": replace(plain, text="power"),
        "text: three words": replace(plain, text="gen3b cell mechanical"),
        "text: nothing": replace(plain, text="nowhere"),
        "own": RequestQuery(RequestScope(person="lab-0")),
        "own, text": RequestQuery(RequestScope(person="lab-0"), text="gen4"),
        "a twin's": RequestQuery(RequestScope(twins=("fastest",))),
        "a twin's and own": RequestQuery(RequestScope(person="lab-0", twins=("fastest",))),
    }


def median_ms(ask: Callable[[], object], times: int) -> float:
    ask()
    durations = []
    for _ in range(times):
        begin = time.perf_counter()
        ask()
        durations.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(durations)


def measure(register: Requests, times: int) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Lines of the account, and how many requests each question finds."""
    lines, found = [], {}
    for scope, whose in (
        (ALL, "all"),
        (RequestScope(person="lab-0"), "own"),
        (RequestScope(twins=("fastest",)), "twin"),
    ):
        lines.append(
            target(f"counts, {whose} [ms]", LIMIT_MS, median_ms(lambda scope=scope: register.counts(scope), times))
        )
        lines.append(
            target(f"facets, {whose} [ms]", LIMIT_MS, median_ms(lambda scope=scope: register.facets(scope), times))
        )
    for name, query in questions().items():
        pages = register.page(query).pages
        found[name] = register.page(query).total
        for page in sorted({1, (pages + 1) // 2, pages}):
            asked = replace(query, page=page)
            reached = median_ms(lambda asked=asked: register.page(asked), times)
            lines.append(target(f"{name}, page {page} of {pages} [ms]", LIMIT_MS, reached))
            say(f"{reached:7.2f} ms  {name}, page {page} of {pages}")
    return lines, found


def main() -> None:
    """Seed, ask, tell."""
    parser = argparse.ArgumentParser(description="Speed of the register of requests.")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    catalogue = read_catalogue(PROJECT / "include")
    with server() as url:
        migrate(url)
        with closing(Database(url)) as opened:
            CatalogueTables(opened).load(catalogue)
            loading = median_ms(lambda: CatalogueTables(opened).load(catalogue), options.times)
            begin = time.perf_counter()
            seed(url, catalogue, options.requests)
            say(f"{options.requests} requests in {time.perf_counter() - begin:.1f} s")
            lines, found = measure(Requests(opened), options.times)
            uuid = str(Requests(opened).newest(1)[0]["uuid"])
            changing = iter(["running", "planned"] * options.times)
            change = median_ms(lambda: Requests(opened).set_status(uuid, next(changing), at=LATEST), options.times)
    lines.append(target("catalogue that is loaded [ms]", LIMIT_MS, loading))
    lines.append(target("change of a state [ms]", LIMIT_MS, change))
    tell({"requests": options.requests, "finds": found, "targets": lines}, options.output)


if __name__ == "__main__":
    main()
