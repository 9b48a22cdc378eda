"""The lab on servers is put together right, as far as that can be told without Docker.

The compose file means what it says, no secret is written down, each service is shown the secrets of its own parties
only, the broker keeps the settings that were measured, and the image's two locks agree. What the secrets are and which
rights they give: test_server_secrets.py.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinbench.adapters import environment
from twinbench.core import topics

PROJECT = Path(__file__).resolve().parents[2]
DEPLOY = PROJECT / "deploy"
COMPOSE = PROJECT / "docker-compose.yaml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
KNOWN = set(re.findall(r"TWINBENCH_\w+", environment.__doc__ or ""))


def _mounts(service: dict[str, Any]) -> list[list[str]]:
    return [mount.split(":") for mount in service.get("volumes", [])]


@pytest.mark.thorough
def test_the_compose_file_keeps_to_the_specification():
    tool = Path(sys.executable).parent / "check-jsonschema"
    command = [tool, "--builtin-schema", "vendor.compose-spec", COMPOSE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_mounts_and_waits_for_exists(name):
    volumes = yaml.safe_load(COMPOSE.read_text())["volumes"]
    for source, target, *_ in _mounts(SERVICES[name]):
        assert (PROJECT / source).exists() if source.startswith(".") else source in volumes, target

    for other, condition in SERVICES[name].get("depends_on", {}).items():
        if condition["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert condition["condition"] == "service_completed_successfully"
            assert SERVICES[other]["restart"] == "no"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_do_little_harm(name):
    service = SERVICES[name]

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert re.search(r":\d+\.\d+", service["image"].replace("-", ":")), "the tag is not pinned"
    runs_as = service.get("user") or ("lab" if service["build"] == "." else "root")
    assert (runs_as in ("root", "0:0")) == (name in ("secrets", "sftp"))
    for source, _, *mode in _mounts(service):
        assert mode == ["ro"] or name == "secrets" or not source.startswith((".", "secrets-"))


def test_our_own_image_runs_as_the_user_that_the_secrets_are_given_to():
    dockerfile = (PROJECT / "Dockerfile").read_text()

    assert re.findall(r"^USER (\w+)", dockerfile, re.M)[-1] == "lab"
    assert re.search(r"useradd --uid (\d+).* lab\b", dockerfile)[1] == "10001"
    assert "_PROGRAMS = 10001" in (DEPLOY / "secrets" / "generate.py").read_text()


def test_three_ports_are_published_and_the_one_without_encryption_on_this_machine_only():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {
        "api-server": ["${LAB_AIRFLOW_ADDRESS:-127.0.0.1}:8080:8080"],
        "mosquitto": ["8883:8883"],
        "sftp": ["2222:2222"],
    }


def test_each_service_is_given_the_secrets_of_its_own_parties_only():
    shown = {
        name: {source.removeprefix("secrets-") for source, *_ in _mounts(service) if source.startswith("secrets-")}
        for name, service in SERVICES.items()
        if name != "secrets"
    }

    with_tasks = {name: {"airflow", "lims"} for name in ("airflow-init", "api-server", "triggerer", "worker")}
    without = {name: {"airflow"} for name in ("scheduler", "dag-processor")}
    own = {name: {name} for name in ("postgres", "redis", "mosquitto", "sftp", "twin", "bench-cycler-1")}
    assert shown == {**with_tasks, **without, **own, "twin-registry": set()}


def test_every_variable_of_ours_is_known_to_the_programs():
    used = {name for service in SERVICES.values() for name in service.get("environment", {})}
    used |= set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))

    assert {name for name in used if name.startswith("TWINBENCH_")} <= KNOWN


def test_no_secret_is_written_down():
    texts = [
        COMPOSE,
        PROJECT / "Dockerfile",
        *(path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".txt"),
    ]
    for path in texts:
        assert not re.search(r"-----BEGIN|://[\w.-]+:[\w.-]+@", path.read_text(errors="replace")), path

    settings = [item for service in SERVICES.values() for item in service.get("environment", {}).items()]
    named = {name: value for name, value in settings if re.search(r"PASSWORD|SECRET|TOKEN|KEY|CONNECTION_STRING", name)}
    assert named
    assert all(value is None or value.startswith("/") for value in named.values()), named


def test_the_entrypoint_hands_over_variables_as_they_stand_but_not_those_that_are_set(tmp_path):
    (tmp_path / "lims").mkdir()
    (tmp_path / "lims" / "lims.env").write_text('A={"b": "$HOME `id` \\\\ x=y"}\nKEPT=inside\nEMPTY=filled\n')
    variables = {**os.environ, "LAB_SECRETS": str(tmp_path), "KEPT": "outside", "EMPTY": ""}

    command = [DEPLOY / "entrypoint.sh", "printenv", "A", "KEPT", "EMPTY"]
    shown = subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout

    assert shown == '{"b": "$HOME `id` \\\\ x=y"}\noutside\nfilled\n'


def test_a_part_is_healthy_while_it_is_connected():
    command = [sys.executable, DEPLOY / "healthcheck.py", "connected"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        alone = subprocess.run([*command, str(port)], check=False).returncode
        with socket.create_connection(("127.0.0.1", port)):
            connected = subprocess.run([*command, str(port)], check=False).returncode

    assert (alone, connected) == (1, 0)


def test_the_bridge_lets_pass_what_concerns_the_twin_and_at_no_more_than_qos_1():
    lines = (DEPLOY / "mosquitto" / "bridge.conf.example").read_text()

    assert set(re.findall(r"^topic (.+)$", lines, re.M)) == {
        f"{topics.request()} out 1",
        f"{topics.METRICS} out 1",
        f"{topics.request_ack()} in 1",
        f"{topics.metrics_ack()} in 1",
    }


@pytest.mark.parametrize("name", ["mosquitto.conf", "bridge.conf.example"])
def test_no_comment_follows_a_value_of_the_broker(name):
    lines = (DEPLOY / "mosquitto" / name).read_text().splitlines()

    assert not [line for line in lines if re.search(r"\S\s+#", line) and not line.startswith("#")]


def test_the_measured_settings_of_the_broker_are_kept():
    lines = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text().splitlines()
    settings = dict(line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))

    assert settings["allow_anonymous"] == "false"
    assert (settings["max_inflight_messages"], settings["set_tcp_nodelay"]) == ("0", "true")
    assert int(settings["max_queued_messages"]) >= 1_000_000
    assert settings["listener"] == "8883"


def test_both_locks_name_the_same_versions_with_hashes():
    pattern = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)[^\n]*\n((?:    --hash=\S+[^\n]*\n)*)", re.M)
    locks = [PROJECT / "requirements.txt", DEPLOY / "requirements-servers.txt"]
    ours, servers = (
        {name: (version, hashes) for name, version, hashes in pattern.findall(lock.read_text())} for lock in locks
    )

    assert {"apache-airflow-providers-celery", "redis", "hatchling", "editables"} <= servers.keys()
    assert all(hashes for _, hashes in servers.values())
    assert {name for name in ours.keys() & servers.keys() if ours[name][0] != servers[name][0]} == set()
