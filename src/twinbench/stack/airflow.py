"""Airflow of the local lab: api-server, scheduler, dag-processor and triggerer, with LocalExecutor and real logins.

All settings are environment variables, so no ``airflow.cfg`` of an earlier run can contradict them.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from twinbench.core.errors import ConfigurationError
from twinbench.stack import people, pool
from twinbench.stack.credentials import sftp_host_key, sftp_key
from twinbench.stack.database import database_url
from twinbench.stack.service import Service
from twinbench.stack.site import HOST, PROJECT, USUAL_PORTS, Site, write_private

__all__ = ["environment", "migrate", "services"]

_FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
_ACCOUNTS = "twinbench.orchestration.accounts"
_COMPONENTS = {
    "scheduler": ("Airflow scheduler (LocalExecutor)", "scheduler"),
    "dag-processor": ("Airflow DAG processor", "dag_processor"),
    "triggerer": ("Airflow triggerer", "triggerer"),
}


def _fernet_key(site: Site) -> str:
    path = site.folder("secrets") / "fernet"
    if not path.exists():
        write_private(path, Fernet.generate_key())
    return path.read_text()


def _pool_connection(site: Site) -> str:
    host_key = sftp_host_key(site).with_suffix(".pub").read_text()
    return json.dumps(
        {
            "conn_type": "sftp",
            "host": HOST,
            "port": site.ports["sftp"],
            "login": "lims",
            "extra": {"key_file": str(sftp_key(site, "lims")), "host_key": " ".join(host_key.split()[:2])},
        }
    )


def environment(site: Site) -> dict[str, str]:
    """Airflow's own variables."""
    home = site.folder("airflow")
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        # What a scheduler or a worker that died had in hand is handed out again within a minute or so, not in five.
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__FERNET_KEY": _fernet_key(site),
        "AIRFLOW__CORE__AUTH_MANAGER": _FAB,
        # Rights are written once, with the accounts, not whenever the API server starts.
        "AIRFLOW__FAB__UPDATE_FAB_PERMS": "False",
        # Everybody here comes from one address; the generated passwords cannot be guessed.
        "AIRFLOW__FAB__AUTH_RATE_LIMIT": "60 per minute",
        # A session ends with its token: a session that outlives it would lead to Airflow's home, not back to the page.
        "AIRFLOW__FAB__SESSION_LIFETIME_MINUTES": "1440",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{site.airflow_url}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database_url(site, "airflow").replace("://", "+psycopg2://", 1),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(site.ports["airflow"]),
        "AIRFLOW__API__BASE_URL": site.airflow_url,
        "AIRFLOW__API__SECRET_KEY": site.secret("airflow-api"),
        "AIRFLOW__API_AUTH__JWT_SECRET": site.secret("airflow-jwt"),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(site.ports.get("task-logs", USUAL_PORTS["task-logs"])),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(site.ports.get("trigger-logs", USUAL_PORTS["trigger-logs"])),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(site.folder("log", "airflow")),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__TRIGGERER__DEFAULT_CAPACITY": "100",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW_CONN_POOL": _pool_connection(site),
    }


def _command(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "airflow", *arguments)


def _wanted_state(accounts: Path) -> str:
    """What decides whether the database must be prepared again: versions, roles and accounts."""
    versions = [version(name) for name in ("apache-airflow", "apache-airflow-providers-fab")]
    roles = PROJECT.joinpath("src", *_ACCOUNTS.split(".")).with_suffix(".py")
    return " ".join([*versions, hashlib.sha256(roles.read_bytes() + accounts.read_bytes()).hexdigest()])


def migrate(site: Site) -> None:
    """Bring Airflow's metadata database to this version, with the lab's roles and accounts; once per version.

    Raises:
        ConfigurationError: If that fails; names its log.
    """
    import os

    accounts, stamp = people.accounts_file(site), site.folder("airflow") / "migrated"
    wanted = _wanted_state(accounts)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    log = site.log("airflow-migrate")
    with log.open("w") as output:
        done = subprocess.run(
            (sys.executable, "-m", _ACCOUNTS, str(accounts)),
            env={**os.environ, **environment(site)},
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise ConfigurationError(f"Airflow could not migrate its database (exit {done.returncode}); its log: {log}")
    stamp.write_text(wanted)


def _health(site: Site) -> dict[str, dict[str, str | None]]:
    try:
        answer = httpx.get(f"{site.airflow_url}/api/v2/monitor/health", timeout=5)
        return answer.json() if answer.status_code == 200 else {}
    except (httpx.HTTPError, ValueError):
        return {}


def _component(site: Site, name: str, variables: Mapping[str, str]) -> Service:
    title, health_key = _COMPONENTS[name]
    return Service(
        name=name,
        title=title,
        command=_command(name),
        environment=variables,
        is_ready=lambda: _health(site).get(health_key, {}).get("status") == "healthy",
        patience_s=120,
    )


def services(site: Site, lims: Mapping[str, str]) -> list[Service]:
    """Airflow's four parts; *lims* are the variables with which tasks reach the rest of the lab."""
    variables = {**environment(site), **lims}
    api_server = Service(
        name="api-server",
        title="Airflow pages and REST API",
        command=_command("api-server"),
        environment=variables,
        prepare=lambda: pool.service(site).prepare(),
        is_ready=lambda: _health(site).get("metadatabase", {}).get("status") == "healthy",
        patience_s=120,
    )
    return [api_server, *(_component(site, name, variables) for name in _COMPONENTS)]
