"""Everybody of the local lab has an account with a password of its own, which nobody else can read."""

import json
import stat

import pytest

from twinbench.core.access import Role
from twinbench.orchestration.accounts import SERVICE, Account, rights_of
from twinbench.stack.people import ADMIN, LIMS, PEOPLE, accounts_file, password_of
from twinbench.stack.site import Site


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path / ".lab")


def test_there_is_somebody_for_each_role_of_the_lab():
    roles = {person.role.lower().removesuffix(" of fastest") for person in PEOPLE}

    assert roles == {str(role) for role in Role}


def test_each_account_has_a_password_of_its_own_that_stays(site):
    first = json.loads(accounts_file(site).read_text())

    assert first.keys() == {person.name for person in PEOPLE} | {LIMS}
    assert len({entry["password"] for entry in first.values()}) == len(first)
    assert first[ADMIN]["password"] == password_of(site, ADMIN) == site.secret("airflow-admin")
    assert json.loads(accounts_file(site).read_text()) == first


def test_only_its_owner_can_read_the_file(site):
    assert stat.S_IMODE(accounts_file(site).stat().st_mode) == 0o600


def test_airflow_knows_the_role_of_every_account(site):
    accounts = Account.read(accounts_file(site))

    assert all(rights_of(role) for account in accounts for role in account.roles if role != "Admin")
    assert next(account for account in accounts if account.name == LIMS).roles == (SERVICE,)
