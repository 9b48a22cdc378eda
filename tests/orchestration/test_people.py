"""Whoever logs in is the same person to the lab, whichever auth manager Airflow has."""

from types import SimpleNamespace

import pytest

from twinbench.core.access import Person, Role
from twinbench.orchestration.people import person_of


class FabUser(SimpleNamespace):
    """What FAB's user has, as far as it counts here."""

    def get_name(self):
        return self.username


class KeycloakUser(SimpleNamespace):
    """What the Keycloak provider's user has."""

    def get_name(self):
        return self.name


class SimpleUser(SimpleNamespace):
    """What the simple auth manager's user has."""

    def get_name(self):
        return self.username


def fab(*roles, first_name="Rita", last_name="Requester"):
    named = [SimpleNamespace(name=role) for role in roles]
    return FabUser(username="rita", first_name=first_name, last_name=last_name, roles=named)


def keycloak():
    return KeycloakUser(user_id="7d1c", name="rita", access_token="token", refresh_token="")


def saying(claims):
    return lambda token: {"token": claims}[token]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Requester", Role.REQUESTER),
        ("Operator", Role.OPERATOR),
        ("Lab manager", Role.LAB_MANAGER),
        ("Admin", Role.ADMIN),
    ],
)
def test_a_role_of_fab_is_the_lab_s_role_of_that_name(name, role):
    assert person_of(fab(name)) == Person(id="rita", name="Rita Requester", roles=frozenset({role}))


def test_a_partner_has_the_twins_that_the_roles_name():
    person = person_of(fab("Partner of fastest", "Partner of Twin-2"))

    assert person.roles == {Role.PARTNER}
    assert person.twins == {"fastest", "Twin-2"}


@pytest.mark.parametrize("name", ["Op", "Viewer", "Public", "LIMS", "Partner", "Partner of ", ""])
def test_a_role_that_the_lab_does_not_know_counts_for_nothing(name):
    person = person_of(fab(name))

    assert person.roles == frozenset()
    assert person.twins == frozenset()


def test_somebody_without_a_name_is_called_by_the_login():
    assert person_of(fab("Requester", first_name="", last_name=None)).name == "rita"


def test_a_user_of_keycloak_has_the_realm_roles_of_the_access_token():
    roles = ["lab-manager", "partner-of-fastest", "offline_access"]
    claims = {"sub": "7d1c", "name": "Rita Requester", "realm_access": {"roles": roles}}

    person = person_of(keycloak(), claims_of=saying(claims))

    assert (person.id, person.name) == ("rita", "Rita Requester")
    assert person.roles == {Role.LAB_MANAGER, Role.PARTNER}
    assert person.twins == {"fastest"}


@pytest.mark.parametrize("access", [None, {}, {"roles": [None, 3]}])
def test_a_token_without_roles_gives_none(access):
    claims = {"sub": "7d1c", "realm_access": access}

    assert person_of(keycloak(), claims_of=saying(claims)) == Person(id="rita", name="rita", roles=frozenset())


def test_somebody_else_s_token_gives_no_roles():
    claims = {"sub": "other", "name": "Ada Admin", "realm_access": {"roles": ["admin"]}}

    assert person_of(keycloak(), claims_of=saying(claims)) == Person(id="rita", name="rita", roles=frozenset())


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("admin", {Role.ADMIN}),
        ("ADMIN", {Role.ADMIN}),
        ("op", {Role.OPERATOR}),
        ("user", {Role.REQUESTER}),
        ("viewer", set()),
        (None, set()),
    ],
)
def test_airflow_s_own_four_roles_stand_for_the_lab_s(role, expected):
    assert person_of(SimpleUser(username="rita", role=role, teams=[])).roles == expected
