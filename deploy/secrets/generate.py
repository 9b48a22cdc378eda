"""Keys, certificates and passwords of the lab on servers: chosen at the first start, kept ever after.

    LAB_HOST=lab.example.org LAB_BENCHES="cycler-1" python generate.py /secrets

Every folder below that one belongs to one party and is a volume of its own, so a service sees its own secrets only:

    authority            what was once chosen, and the key that signs certificates; only this program mounts it
    postgres             the password of each role
    redis                the queue's password
    mosquitto            certificate, users, rights
    sftp                 host key, the parties' public keys
    airflow lims twin bench-<name>    <party>.env, the variables of its programs, and its keys

Another start changes nothing, but renews a certificate that ends soon or lacks a host name, and knows new benches.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.fernet import Fernet
from vault import Tls, Vault, hand_over, put

from twinbench.core.topics import METRICS

__all__ = ["generate"]

Files = dict[str, bytes | str]

_ACL = Path(__file__).parents[1] / "mosquitto" / "acl.template"
_OWNERS = {"postgres": 999, "redis": 999, "mosquitto": 1883, "sftp": 0}
_PROGRAMS = 10001  # the user of our own image
_BENCH = "user bench-@bench@"
_MOUNT = "/run/lab-secrets"
_ITERATIONS = 1000  # the passwords have 192 bits: nobody guesses them, so the hash need not be slow


def _broker_user(vault: Vault, user: str) -> str:
    """A line of Mosquitto's password file: PBKDF2 with SHA-512."""
    salt = vault.kept(f"salt-{user}", lambda: secrets.token_bytes(12))
    digest = hashlib.pbkdf2_hmac("sha512", vault.password(f"mqtt-{user}").encode(), salt, _ITERATIONS)
    encoded = [base64.b64encode(part).decode() for part in (salt, digest)]
    return f"{user}:$7${_ITERATIONS}${encoded[0]}${encoded[1]}\n"


def _rights(benches: Sequence[str], metrics_topic: str) -> str:
    shared, _, section = _ACL.read_text().replace(METRICS, metrics_topic).partition(_BENCH)
    return shared + "\n".join((_BENCH + section).replace("@bench@", bench) for bench in benches)


def _env(variables: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def _servers(vault: Vault, benches: Sequence[str], metrics_topic: str, tls: Tls) -> dict[str, Files]:
    users = ["lims", "twin", "health", *(f"bench-{bench}" for bench in benches)]
    queue = vault.password("redis")
    return {
        "postgres": {role: vault.password(f"postgres-{role}") for role in ("superuser", "airflow", "lims", "twin")},
        "redis": {"password": queue, "password.conf": f"requirepass {queue}\n"},
        "mosquitto": {
            "ca.crt": tls.authority,
            "broker.crt": tls.certificate,
            "broker.key": tls.key,
            "passwords": "".join(_broker_user(vault, user) for user in users),
            "acl": _rights(benches, metrics_topic),
            "health": vault.password("mqtt-health"),
        },
        "sftp": {
            "ssh_host_ed25519_key": vault.ssh_key("host")[0],
            "authorized_keys/twin": f"restrict {vault.ssh_key('twin')[1]} twin\n",
            "authorized_keys/lims": f"restrict {vault.ssh_key('lims')[1]} lims\n",
        },
    }


def _airflow(vault: Vault) -> Files:
    database = f"airflow:{vault.password('postgres-airflow')}@postgres:5432/airflow"
    variables = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql://{database}",
        "AIRFLOW__CELERY__BROKER_URL": f"redis://:{vault.password('redis')}@redis:6379/0",
        "AIRFLOW__CORE__FERNET_KEY": vault.kept("fernet", Fernet.generate_key).decode(),
        "AIRFLOW__API__SECRET_KEY": vault.password("airflow-api"),
        "AIRFLOW__API_AUTH__JWT_SECRET": vault.kept("airflow-jwt", lambda: secrets.token_hex(48).encode()).decode(),
    }
    return {"airflow.env": _env(variables), "accounts.json": json.dumps(_accounts(vault), indent=1)}


def _accounts(vault: Vault) -> dict[str, dict[str, object]]:
    """Who can log in at first: somebody who gives people their accounts, and the lab's own programs."""
    first = {"admin": ("Admin", "Lab Administrator"), "lims": ("LIMS", "Laboratory pages")}
    return {
        name: {"password": vault.password(f"airflow-{name}"), "roles": [role], "title": title}
        for name, (role, title) in first.items()
    }


def _mqtt(vault: Vault, party: str) -> dict[str, str]:
    url = f"mqtts://{party}:{vault.password(f'mqtt-{party}')}@mosquitto:8883"
    return {"TWINBENCH_MQTT_URL": url, "TWINBENCH_MQTT_CA": f"{_MOUNT}/{party}/ca.crt"}


def _partner(vault: Vault, party: str, pool: str, host: str, authority: bytes, more: Mapping[str, str]) -> Files:
    """Files of a party that meets the others on MQTT and SFTP and has a database."""
    private, _ = vault.ssh_key(party)
    host_key = vault.ssh_key("host")[1]
    variables = {
        **_mqtt(vault, party),
        "TWINBENCH_SFTP_URL": f"sftp://{party}@sftp:2222{pool}",
        "TWINBENCH_SFTP_KEY": f"{_MOUNT}/{party}/sftp_key",
        "TWINBENCH_SFTP_KNOWN_HOSTS": f"{_MOUNT}/{party}/known_hosts",
        "TWINBENCH_DATABASE_URL": f"postgresql://{party}:{vault.password(f'postgres-{party}')}@postgres:5432/{party}",
        **more,
    }
    known = "".join(f"[{name}]:2222 {host_key}\n" for name in ("sftp", host))
    return {f"{party}.env": _env(variables), "ca.crt": authority, "sftp_key": private, "known_hosts": known}


def _lims(vault: Vault) -> dict[str, str]:
    extra = {"key_file": f"{_MOUNT}/lims/sftp_key", "host_key": vault.ssh_key("host")[1]}
    connection = {"conn_type": "sftp", "host": "sftp", "port": 2222, "login": "lims", "extra": extra}
    return {
        "TWINBENCH_AIRFLOW_URL": "http://api-server:8080",
        "TWINBENCH_AIRFLOW_USER": "lims",
        "TWINBENCH_AIRFLOW_PASSWORD": vault.password("airflow-lims"),
        "AIRFLOW_CONN_POOL": json.dumps(connection),
    }


def generate(root: Path, *, host: str, benches: Sequence[str], metrics_topic: str = METRICS) -> None:
    """Make what is missing below *root*, where each party's folder must be mounted already.

    Raises:
        SystemExit: If a bench has no proper name, or a party no folder.
    """
    for bench in benches:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", bench):
            sys.exit(f"LAB_BENCHES names {bench!r}, which is no name of a bench: use letters, digits, - and _.")
    vault = Vault(root / "authority")
    vault.folder.chmod(0o700)
    tls = vault.tls(sorted({"mosquitto", "localhost", host}))
    agents = [f"bench-{bench}" for bench in benches]
    folders: dict[str, Files] = {
        **_servers(vault, benches, metrics_topic, tls),
        "airflow": _airflow(vault),
        "lims": _partner(vault, "lims", "/twin/pool", host, tls.authority, _lims(vault)),
        "twin": _partner(vault, "twin", "/pool", host, tls.authority, {}),
        **{name: {f"{name}.env": _env(_mqtt(vault, name)), "ca.crt": tls.authority} for name in agents},
    }
    missing = [name for name in folders if not (root / name).is_dir()]
    if missing:
        sys.exit(f"{', '.join(missing)} must be mounted below {root}: add a volume for each to the service `secrets`.")
    for name, files in folders.items():
        _fill(root / name, files, owner=_OWNERS.get(name, _PROGRAMS))


def _fill(folder: Path, files: Files, *, owner: int) -> None:
    is_sftp = folder.name == "sftp"  # sshd reads the public keys as the party itself
    folder.chmod(0o755 if is_sftp else 0o700)
    hand_over(folder, owner)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True, mode=0o755)
        put(path, content, owner=owner, mode=0o444 if path.parent != folder else 0o400)


if __name__ == "__main__":
    generate(
        Path(sys.argv[1]),
        host=os.environ.get("LAB_HOST") or "localhost",
        benches=os.environ.get("LAB_BENCHES", "").split(),
        metrics_topic=os.environ.get("TWINBENCH_METRICS_TOPIC") or METRICS,
    )
    print("secrets ready")
