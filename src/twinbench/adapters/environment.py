"""The settings of a program, from its environment variables.

Every program of the lab (an Airflow task, the reference twin, a bench agent, the CLI) has the same few variables with
its own values, so each party holds its own rights and nothing else:

    TWINBENCH_MQTT_URL           mqtts://user:password@host:port (mqtt:// without TLS)
    TWINBENCH_MQTT_CA            file with the broker's certificate authority
    TWINBENCH_METRICS_TOPIC      topic of the metrics messages, D6.3's unless said
    TWINBENCH_SFTP_URL           sftp://user@host:port/path/of/the/pool
    TWINBENCH_SFTP_KEY           file with the private key
    TWINBENCH_SFTP_KNOWN_HOSTS   file with the server's host key
    TWINBENCH_DATABASE_URL       postgresql://user:password@host:port/database
    TWINBENCH_STORAGE_URL        file:///path or abfs://container, the root of all results
    TWINBENCH_AIRFLOW_URL        http://host:port of Airflow's API server
    TWINBENCH_AIRFLOW_USER       user name, and
    TWINBENCH_AIRFLOW_PASSWORD   password of the caller of that API
    TWINBENCH_INCLUDE            folder of schemas, catalogue and FMUs; the project's own unless said
    TWINBENCH_TWIN_REGISTRY      folder of the reference twin's model registry
    TWINBENCH_BUNDLE_PATIENCE_S  how long the task await_bundle waits for the models; an hour unless said
    TWINBENCH_WORKERS            processes with which each virtual bench simulates; one unless said
    TWINBENCH_TIME_ZONE          the lab's time zone on the pages, such as Europe/Berlin; UTC unless said
    TWINBENCH_RUN_DEADLINE_S     time one simulated run may take before its process is killed; an hour unless said
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from twinbench.core.errors import ConfigurationError
from twinbench.core.topics import METRICS

__all__ = ["Settings"]

_PROJECT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Settings:
    """The variables of one program; what is not set is named when it is asked for."""

    variables: Mapping[str, str]

    @classmethod
    def from_environment(cls) -> Settings:
        """The settings of this process."""
        return cls({name: value for name, value in os.environ.items() if name.startswith("TWINBENCH_")})

    def require(self, name: str) -> str:
        """The value of a variable.

        Raises:
            ConfigurationError: If it is not set.
        """
        value = self.variables.get(name, "")
        if not value:
            raise ConfigurationError(
                f"{name} is not set: start the lab with `twinbench up`, or set the variable as docs/servers.md shows."
            )
        return value

    @property
    def time_zone(self) -> str:
        """The lab's time zone, in which pages tell times."""
        return self.variables.get("TWINBENCH_TIME_ZONE") or "UTC"

    @property
    def mqtt_url(self) -> str:
        """Broker address with the party's user and password."""
        return self.require("TWINBENCH_MQTT_URL")

    @property
    def mqtt_ca(self) -> str | None:
        """File with the broker's certificate authority; none without TLS."""
        return self.variables.get("TWINBENCH_MQTT_CA") or None

    @property
    def metrics_topic(self) -> str:
        """Topic of the metrics messages."""
        return self.variables.get("TWINBENCH_METRICS_TOPIC") or METRICS

    @property
    def sftp_url(self) -> str:
        """Address of the pool."""
        return self.require("TWINBENCH_SFTP_URL")

    @property
    def sftp_key(self) -> str:
        """File with the private key."""
        return self.require("TWINBENCH_SFTP_KEY")

    @property
    def sftp_known_hosts(self) -> str:
        """File with the server's host key."""
        return self.require("TWINBENCH_SFTP_KNOWN_HOSTS")

    @property
    def database_url(self) -> str:
        """Address of the party's own database."""
        return self.require("TWINBENCH_DATABASE_URL")

    @property
    def storage_url(self) -> str:
        """Root of the object storage."""
        return self.require("TWINBENCH_STORAGE_URL")

    @property
    def bundle_patience_s(self) -> float:
        """How long the task await_bundle waits for the models.

        Raises:
            ConfigurationError: If it is no number above 0.
        """
        return self._number("TWINBENCH_BUNDLE_PATIENCE_S", 3600.0)

    @property
    def workers(self) -> int:
        """Processes with which a virtual bench simulates.

        Raises:
            ConfigurationError: If it is no number above 0.
        """
        return max(1, round(self._number("TWINBENCH_WORKERS", 1.0)))

    @property
    def run_deadline_s(self) -> float:
        """Time one simulated run may take.

        Raises:
            ConfigurationError: If it is no number above 0.
        """
        return self._number("TWINBENCH_RUN_DEADLINE_S", 3600.0)

    def _number(self, name: str, default: float) -> float:
        text = self.variables.get(name) or str(default)
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if not number > 0:
            raise ConfigurationError(f"{name} is {text!r}: give a number above 0.")
        return number

    @property
    def include(self) -> Path:
        """Folder of schemas, catalogue and FMUs."""
        return Path(self.variables.get("TWINBENCH_INCLUDE") or _PROJECT / "include")
