"""Who can log in at the local lab: one account per role, and one for the lab's own programs.

Every password is generated at the first start and kept below ``secrets/`` of the lab.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from twinbench.stack.site import Site, write_private

__all__ = ["ADMIN", "LIMS", "PEOPLE", "LocalAccount", "accounts_file", "password_of"]

ADMIN = "admin"
LIMS = "lims"


@dataclass(frozen=True)
class LocalAccount:
    """An account of the local lab; *title* is first and last name, *role* a name of Airflow's."""

    name: str
    role: str
    title: str


PEOPLE = (
    LocalAccount(ADMIN, "Admin", "Ada Admin"),
    LocalAccount("requester", "Requester", "Rita Requester"),
    LocalAccount("operator", "Operator", "Otto Operator"),
    LocalAccount("manager", "Lab manager", "Mara Manager"),
    LocalAccount("partner", "Partner of fastest", "Paul Partner"),
)
_PROGRAMS = (LocalAccount(LIMS, "LIMS", "Laboratory pages"),)


def password_of(site: Site, name: str) -> str:
    """The generated password of an account."""
    return site.secret(f"airflow-{name}")


def accounts_file(site: Site) -> Path:
    """A file with all accounts for :mod:`twinbench.orchestration.accounts`; only its owner may read it."""
    path = site.folder("secrets") / "airflow-accounts.json"
    accounts = {
        account.name: {"password": password_of(site, account.name), "roles": [account.role], "title": account.title}
        for account in (*PEOPLE, *_PROGRAMS)
    }
    write_private(path, json.dumps(accounts, indent=1))
    return path
