"""The programs around Airflow: the reference digital twin, the bench agents, and what the LIMS itself is given."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from twinbench.stack import people, pool
from twinbench.stack.broker import bench_user, mqtt_url
from twinbench.stack.credentials import broker_certificate, sftp_key, sftp_known_hosts
from twinbench.stack.database import database_url
from twinbench.stack.service import Service
from twinbench.stack.site import PROJECT, Site

__all__ = ["bench_agent", "lims_environment", "physical_benches", "reference_twin"]


def physical_benches() -> list[str]:
    """The physical benches of the catalogue."""
    benches = json.loads((PROJECT / "include" / "catalogue" / "benches.json").read_text())
    return [bench["name"] for bench in benches if bench["kind"] == "physical"]


def _mqtt(site: Site, user: str) -> dict[str, str]:
    return {"TWINBENCH_MQTT_URL": mqtt_url(site, user), "TWINBENCH_MQTT_CA": str(broker_certificate(site)[0])}


def _sftp(site: Site, party: str) -> dict[str, str]:
    return {
        "TWINBENCH_SFTP_URL": pool.sftp_url(site, party),
        "TWINBENCH_SFTP_KEY": str(sftp_key(site, party)),
        "TWINBENCH_SFTP_KNOWN_HOSTS": str(sftp_known_hosts(site)),
    }


def lims_environment(site: Site) -> dict[str, str]:
    """What Airflow's tasks and the command line need to reach the rest of the lab."""
    return {
        **_mqtt(site, "lims"),
        **_sftp(site, "lims"),
        "TWINBENCH_DATABASE_URL": database_url(site, "lims"),
        "TWINBENCH_STORAGE_URL": site.folder("storage").as_uri(),
        "TWINBENCH_AIRFLOW_URL": site.airflow_url,
        "TWINBENCH_AIRFLOW_USER": people.LIMS,
        "TWINBENCH_AIRFLOW_PASSWORD": people.password_of(site, people.LIMS),
    }


def _said(log: Path, words: str) -> Callable[[], bool]:
    return lambda: log.exists() and words in log.read_text(errors="replace")


def reference_twin(site: Site) -> Service:
    """The reference digital twin: model registry and collector, over the wire only."""
    from twinbench.twin.registry import seed_registry

    registry = site.folder("twin", "registry")
    return Service(
        name="twin",
        title="Reference digital twin",
        command=(sys.executable, "-m", "twinbench.twin"),
        environment={
            **_mqtt(site, "twin"),
            **_sftp(site, "twin"),
            "TWINBENCH_DATABASE_URL": database_url(site, "twin"),
            "TWINBENCH_TWIN_REGISTRY": str(registry),
        },
        prepare=lambda: seed_registry(PROJECT / "include" / "fmus", registry),
        is_ready=_said(site.log("twin"), "twin ready"),
    )


def bench_agent(site: Site, bench: str, *, speed: float) -> Service:
    """A physical bench with the simulated driver, its time running *speed* times faster than the wall's."""
    state = site.folder("bench", bench)
    return Service(
        name=f"bench-{bench}",
        title=f"Bench agent {bench} (simulated driver, {speed:g}x time)",
        command=(
            *(sys.executable, "-m", "twinbench.cli", "bench-agent", "--bench", bench, "--driver", "simulated"),
            *("--speed", str(speed), "--state-dir", str(state)),
        ),
        environment=_mqtt(site, bench_user(bench)),
        is_ready=_said(site.log(f"bench-{bench}"), "bench ready"),
    )
