"""The secrets of the lab on servers: chosen once, private, and what they let a party do on the broker."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from twinbench.adapters import environment
from twinbench.core import topics

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
BENCHES = ("cycler-1", "b2")
USERS = ("lims", "twin", "health", *(f"bench-{bench}" for bench in BENCHES))
FOLDERS = ("authority", "postgres", "redis", "mosquitto", "sftp", "airflow", "lims", "twin", *USERS[3:])


def _generate(root: Path, **variables: str) -> subprocess.CompletedProcess:
    settings = {"LAB_HOST": "lab.example.org", "LAB_BENCHES": " ".join(BENCHES), **variables}
    command = [sys.executable, DEPLOY / "secrets" / "generate.py", root]
    return subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parties' folders after the first start."""
    root = tmp_path_factory.mktemp("secrets")
    for name in FOLDERS:
        (root / name).mkdir()
    done = _generate(root)
    assert done.returncode == 0, done.stderr
    return root


def _files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def _variables(secrets: Path, party: str) -> dict[str, str]:
    lines = (secrets / party / f"{party}.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_another_start_keeps_every_secret(secrets):
    before = _files(secrets)

    done = _generate(secrets)

    assert done.returncode == 0, done.stderr
    assert _files(secrets) == before


def test_a_new_host_name_renews_the_certificate_and_nothing_else(secrets, tmp_path):
    for name, content in _files(secrets).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)

    assert _generate(tmp_path, LAB_HOST="192.0.2.7").returncode == 0

    before, after = _files(secrets), _files(tmp_path)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"authority/tls-broker.crt", "mosquitto/broker.crt", "lims/known_hosts", "twin/known_hosts"}


def test_a_bench_without_a_folder_is_named(secrets):
    done = _generate(secrets, LAB_BENCHES="cycler-9")

    assert done.returncode == 1
    assert "bench-cycler-9 must be mounted" in done.stderr


def test_secrets_are_readable_by_their_owner_only(secrets):
    modes = {str(path.relative_to(secrets)): stat.S_IMODE(path.stat().st_mode) for path in secrets.rglob("*")}

    readable = {name for name, mode in modes.items() if mode & 0o077}
    assert readable == {"sftp", "sftp/authorized_keys", "sftp/authorized_keys/lims", "sftp/authorized_keys/twin"}


def test_the_brokers_certificate_and_users_are_what_the_parties_hold(secrets):
    folder = secrets / "mosquitto"
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(folder / "broker.crt", folder / "broker.key")
    hashed = dict(line.split(":", 1) for line in (folder / "passwords").read_text().splitlines())

    assert hashed.keys() == set(USERS)
    for party in set(USERS) - {"health"}:
        url = _variables(secrets, party)["TWINBENCH_MQTT_URL"]
        user, password = re.fullmatch(r"mqtts://(.+):(.+)@mosquitto:8883", url).groups()
        _, kind, iterations, salt, digest = hashed[user].split("$")
        expected = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), int(iterations))
        assert (user, kind, digest) == (party, "7", base64.b64encode(expected).decode())
        assert (secrets / party / "ca.crt").read_bytes() == (folder / "ca.crt").read_bytes()


def _matches(pattern: str, topic: str) -> bool:
    """Whether an MQTT topic filter takes in a topic."""
    wanted, found = pattern.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted, found = wanted[:-1], found[: len(wanted) - 1]
    return len(wanted) == len(found) and all(w in ("+", f) for w, f in zip(wanted, found, strict=True))


def _who_may(acl: str, verb: str, topic: str) -> set[str]:
    sections = re.findall(r"^user (\S+)\n((?:topic .*\n|#.*\n|\n)*)", acl, re.M)
    rights = [(user, *right) for user, lines in sections for right in re.findall(r"^topic (\w+) (\S+)$", lines, re.M)]
    assert len(rights) == len(re.findall(r"^(?!#|user )\S", acl, re.M)), "a line of the ACL is not understood"
    return {user for user, may, pattern in rights if may in (verb, "readwrite") and _matches(pattern, topic)}


def test_each_topic_may_be_said_and_heard_by_the_right_parties_and_no_other(secrets):
    acl = (secrets / "mosquitto" / "acl").read_text()
    meant = {  # topic: who says it, who hears it; the LIMS hears everything
        "request": (topics.request("r"), "lims", {"twin"}),
        "request_ack": (topics.request_ack("r"), "twin", set()),
        "METRICS": (topics.METRICS, "lims", {"twin"}),
        "metrics_ack": (topics.metrics_ack("run"), "twin", set()),
        "bench_commands": (topics.bench_commands("b2"), "lims", {"bench-b2"}),
        "bench_status": (topics.bench_status("b2"), "bench-b2", set()),
        "bench_events": (topics.bench_events("b2"), "bench-b2", set()),
        "bench_telemetry": (topics.bench_telemetry("b2"), "bench-b2", set()),
    }

    assert meant.keys() == set(topics.__all__)
    for topic, says, hear in meant.values():
        assert _who_may(acl, "write", topic) == {says}, topic
        assert _who_may(acl, "read", topic) == {"lims", *hear}, topic
    for topic in ("lab/v1/requests", "lab/v1/benches/b2/other", "lab/v1/benches/b9/status", "$SYS/broker/uptime", "x"):
        assert not _who_may(acl, "write", topic), topic


def test_the_rights_follow_a_metrics_topic_of_ones_own(secrets, tmp_path):
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    assert _generate(tmp_path, TWINBENCH_METRICS_TOPIC="dt/metrics").returncode == 0

    acl = (tmp_path / "mosquitto" / "acl").read_text()
    assert _who_may(acl, "write", "dt/metrics") == {"lims"}
    assert _who_may(acl, "write", topics.metrics_ack("run", metrics="dt/metrics")) == {"twin"}
    assert not _who_may(acl, "write", topics.METRICS)


def test_every_variable_of_ours_is_known_to_the_programs(secrets):
    used = {name for party in ("airflow", "lims", "twin", *USERS[3:]) for name in _variables(secrets, party)}

    assert {name for name in used if name.startswith("TWINBENCH_")} <= set(
        re.findall(r"TWINBENCH_\w+", environment.__doc__ or "")
    )
