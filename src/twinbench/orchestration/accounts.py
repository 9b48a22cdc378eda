"""The lab's roles and accounts in Airflow's user database (FAB): what each role may do in Airflow itself.

    python -m twinbench.orchestration.accounts accounts.json

brings Airflow's database to this version, then makes the roles and the accounts of the file as they are written; other
roles and accounts are left alone. It is one process, because each start of Airflow takes seconds. The file names each
account with its password, its roles and its title. Where Airflow has another auth manager, people and roles are kept
there. What roles may do on the lab's own pages is decided by :mod:`twinbench.core.access`, not here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinbench.core.errors import ConfigurationError

__all__ = ["PARTNER", "SERVICE", "Account", "keep", "rights_of"]

Right = tuple[str, str]

PARTNER = "Partner of "
SERVICE = "LIMS"
_DAGS = ("carry_out_request", "carry_out_round", "receive_models", "replan_lab", "run_campaign")


def _rights(action: str, *resources: str) -> frozenset[Right]:
    return frozenset((action, resource) for resource in resources)


# Logging in, and the pages that plugins show: the navigation asks for the list of plugins.
_GUEST = _rights("can_read", "Website", "Plugins", "My Profile", "My Password") | _rights(
    "can_edit", "My Profile", "My Password"
)
_VIEWER = (
    _GUEST
    | _rights("can_read", "DAGs", "DAG Code", "DAG Dependencies", "DAG Runs", "DAG Versions", "DAG Warnings")
    | _rights("can_read", "Task Instances", "Task Logs", "XComs", "HITL Detail", "Assets", "Asset Aliases")
    | _rights("can_read", "ImportError", "Jobs", "Pools", "Cluster Activity", "Backfills")
    | _rights("menu_access", "Browse", "DAGs", "DAG Runs", "Task Instances", "Assets", "Jobs", "XComs", "HITL Detail")
    | _rights("menu_access", "Documentation", "Docs", "Cluster Activity", "DAG Dependencies")
)
_OPERATOR = (
    _VIEWER
    | _rights("can_edit", "DAGs", "DAG Runs", "Task Instances", "HITL Detail")
    | _rights("can_create", "DAG Runs", "Task Instances", "Backfills")
    | _rights("can_edit", "Backfills")
)
_ROLES: Mapping[str, frozenset[Right]] = {
    "Requester": _GUEST,
    "Operator": _OPERATOR,
    "Lab manager": _OPERATOR | _rights("can_read", "Audit Logs") | _rights("menu_access", "Audit Logs"),
    # A right on a part of a DAG, such as its runs, counts only for DAGs that may be read or edited themselves.
    SERVICE: _rights("can_read", "Website", "DAG Runs", "Task Instances", "Task Logs", "XComs")
    | _rights("can_edit", "DAG Runs", "Task Instances")
    | _rights("can_create", "DAG Runs")
    | _rights("can_read", *(f"DAG:{dag}" for dag in _DAGS))
    | _rights("can_edit", *(f"DAG:{dag}" for dag in _DAGS)),
}


@dataclass(frozen=True)
class Account:
    """Somebody who can log in.

    Attributes:
        roles: Names of roles, as Airflow shows them.
        title: For people: first and last name, or what the account is for.
    """

    name: str
    password: str
    roles: tuple[str, ...]
    title: str

    @classmethod
    def read(cls, path: Path) -> list[Account]:
        """The accounts of a file."""
        return [
            cls(name, entry["password"], tuple(entry["roles"]), entry["title"])
            for name, entry in json.loads(path.read_text()).items()
        ]


def rights_of(role: str) -> frozenset[Right]:
    """What a role of the lab may do in Airflow: pairs of action and resource.

    Raises:
        ConfigurationError: If there is no such role.
    """
    found = _GUEST if role.startswith(PARTNER) else _ROLES.get(role)
    if found is None:
        known = ", ".join([*_ROLES, f"{PARTNER}<digital twin>", "Admin"])
        raise ConfigurationError(f"There is no role {role!r} in the lab: use one of {known}.")
    return found


def keep(accounts: Iterable[Account]) -> None:
    """Make the lab's roles and the given accounts what they should be; doing it again changes nothing.

    Raises:
        ConfigurationError: If an account has a role that the lab does not know.
    """
    accounts = list(accounts)
    named = {role for account in accounts for role in account.roles} - {"Admin"}
    wanted = {role: rights_of(role) for role in sorted({*_ROLES, *named})}

    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
    from airflow.providers_manager import ProvidersManager

    ProvidersManager().initialize_providers_configuration()
    with get_application_builder() as builder:
        builder.add_permissions(update_perms=True)
        builder.sm.sync_roles()
        for role, rights in wanted.items():
            _keep_role(builder.sm, role, rights)
        for account in accounts:
            _keep_account(builder.sm, account)


def _keep_role(security: Any, name: str, rights: frozenset[Right]) -> None:
    role = security.add_role(name)
    present = {(permission.action.name, permission.resource.name): permission for permission in role.permissions}
    missing = [security.create_permission(*right) for right in sorted(rights - present.keys())]
    role.permissions = [permission for right, permission in present.items() if right in rights] + missing
    security.session.commit()


def _keep_account(security: Any, account: Account) -> None:
    roles = [security.find_role(role) for role in account.roles]
    first, _, last = account.title.partition(" ")
    user = security.find_user(username=account.name)
    if user is None:
        address = f"{account.name}@lab.invalid"  # FAB asks for one; this domain never exists (RFC 2606)
        security.add_user(account.name, first, last, address, roles, password=account.password)
        return
    user.roles, user.active = roles, True
    security.session.commit()
    if not security.check_password(account.name, account.password):
        security.reset_password(user.id, account.password)


def _migrate() -> None:
    from airflow.cli.cli_parser import get_parser

    arguments = get_parser().parse_args(["db", "migrate"])
    arguments.func(arguments)


def _prepare(accounts: Path) -> None:
    from airflow.configuration import conf

    _migrate()
    if conf.get("core", "auth_manager").endswith(".FabAuthManager"):
        keep(Account.read(accounts))


if __name__ == "__main__":
    _prepare(Path(sys.argv[1]))
