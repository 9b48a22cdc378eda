"""Opens the lab: gives each port its adapter, as the environment's settings say. Nothing is connected to yet."""

from __future__ import annotations

import csv
import json
import logging
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinbench.core.catalogue import Catalogue
from twinbench.workflow.lab import Lab

if TYPE_CHECKING:
    from twinbench.adapters.airflow_api import AirflowApi
    from twinbench.adapters.environment import Settings

__all__ = ["open_airflow", "open_lab", "read_catalogue", "read_schemas"]

_COMPUTING = ("twinbench", "apache-airflow", "fmpy", "numba", "numpy", "ortools", "pyDOE3", "great-expectations")


def open_lab(settings: Settings | None = None) -> Lab:
    """The lab behind the settings of this process.

    Raises:
        ConfigurationError: If a setting is missing or wrong.
    """
    from twinbench.adapters import fmi
    from twinbench.adapters.environment import Settings
    from twinbench.adapters.mqtt import LabWire
    from twinbench.adapters.objects import Objects
    from twinbench.adapters.postgres import Bookings, Database, PostgresOutbox, Requests, Telemetry
    from twinbench.adapters.sftp import SftpDrops, SftpPool

    known = settings or Settings.from_environment()
    database = Database(known.database_url)
    keys = {"key": known.sftp_key, "known_hosts": known.sftp_known_hosts}
    return Lab(
        requests=Requests(database),
        store=Objects(known.storage_url),
        pool=SftpPool(known.sftp_url, **keys),
        drops=SftpDrops(known.sftp_url, **keys),
        wire=LabWire(
            known.mqtt_url, ca=known.mqtt_ca, metrics_topic=known.metrics_topic, outbox=PostgresOutbox(database)
        ),
        telemetry=Telemetry(database),
        bookings=Bookings(database),
        models=fmi,
        catalogue=read_catalogue(known.include),
        schemas=read_schemas(known.include),
        now=lambda: datetime.now(UTC),
        say=logging.getLogger("twinbench.lab").info,
        workers=known.workers,
        run_deadline_s=known.run_deadline_s,
        versions={**{name: version(name) for name in _COMPUTING}, "python": platform.python_version()},
    )


def open_airflow(settings: Settings | None = None) -> AirflowApi:
    """Airflow's REST API as the lab's own account.

    Raises:
        ConfigurationError: If a setting is missing.
    """
    from twinbench.adapters.airflow_api import AirflowApi
    from twinbench.adapters.environment import Settings

    known = settings or Settings.from_environment()
    names = ("TWINBENCH_AIRFLOW_URL", "TWINBENCH_AIRFLOW_USER", "TWINBENCH_AIRFLOW_PASSWORD")
    url, user, password = map(known.require, names)
    return AirflowApi(url, user=user, password=password)


def read_catalogue(include: Path) -> Catalogue:
    """The catalogue in ``include/catalogue``."""
    folder = include / "catalogue"
    lists: dict[str, Any] = {
        name: json.loads((folder / f"{name}.json").read_text())
        for name in ("uuts", "use_cases", "standards", "benches", "bench_choice", "resources")
    }
    with (folder / "tests.csv").open(encoding="utf-8", newline="") as file:
        return Catalogue.from_documents(tests=list(csv.DictReader(file)), **lists)


def read_schemas(include: Path) -> dict[str, Any]:
    """The JSON Schemas in ``include/schemas``, by name."""
    files = sorted((include / "schemas").glob("*.schema.json"))
    return {file.name.removesuffix(".schema.json"): json.loads(file.read_text()) for file in files}
