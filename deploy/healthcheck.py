"""Does this part of the lab do its work? Exit code 0 if so; for Docker's health checks.

healthcheck.py airflow PART   Airflow's API server vouches for metadatabase, scheduler, dag_processor or triggerer
healthcheck.py worker         the Celery worker of this container answers over the broker
healthcheck.py connected PORT this container holds a connection to that port: 8883 is the MQTT broker's
"""

from __future__ import annotations

import json
import os
import socket
import sys
import urllib.request
from pathlib import Path

_ESTABLISHED = "01"


def airflow_vouches_for(part: str) -> bool:
    """Whether Airflow's API server calls its part healthy."""
    url = os.environ.get("LAB_HEALTH_URL", "http://api-server:8080/api/v2/monitor/health")
    with urllib.request.urlopen(url, timeout=8) as answer:
        return bool(json.load(answer)[part]["status"] == "healthy")


def worker_answers() -> bool:
    """Whether the worker of this container answers a ping. Airflow itself is not imported: that would take seconds."""
    from celery import Celery

    name = f"celery@{socket.gethostname()}"
    control = Celery(broker=os.environ["AIRFLOW__CELERY__BROKER_URL"]).control
    return bool(control.ping(destination=[name], timeout=8))


def is_connected(port: int, tables: tuple[str, ...] = ("/proc/net/tcp", "/proc/net/tcp6")) -> bool:
    """Whether this network namespace has an established connection to a port somewhere."""
    rows = [line.split() for table in tables if Path(table).exists() for line in Path(table).read_text().splitlines()]
    return any(row[2].endswith(f":{port:04X}") and row[3] == _ESTABLISHED for row in rows if len(row) > 3)


def main(arguments: list[str]) -> int:
    """Exit code of the question asked."""
    match arguments:
        case ["airflow", part]:
            well = airflow_vouches_for(part)
        case ["worker"]:
            well = worker_answers()
        case ["connected", port]:
            well = is_connected(int(port))
        case _:
            sys.exit(__doc__)
    return 0 if well else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, KeyError, ValueError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
