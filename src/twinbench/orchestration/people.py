"""Who is logged in: the lab's :class:`~twinbench.core.access.Person`, from what Airflow's auth manager has of a user.

    FAB         the names of the user's roles, "Lab manager" or "Partner of fastest"
    Keycloak    the realm roles in the user's access token, also written "lab-manager" or "partner-of-fastest";
                the token must be the realm's own (:mod:`twinbench.orchestration.keycloak`)
    simple      Airflow's own four roles: admin is admin, op is operator, user is requester, viewer is nobody

Roles that the lab does not know count for nothing. What a user has tells which auth manager it comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twinbench.core.access import Person, Role
from twinbench.orchestration.keycloak import verified_claims

__all__ = ["person_of"]

_SIMPLE = {"admin": Role.ADMIN, "op": Role.OPERATOR, "user": Role.REQUESTER}
_PARTNER = "partner of "


def person_of(user: Any, *, claims_of: Callable[[str], Mapping[str, Any]] = verified_claims) -> Person:
    """The person behind a user of FAB, of Keycloak or of Airflow's simple auth manager.

    Args:
        user: What Airflow's ``get_user`` gives.
        claims_of: What Keycloak says in an access token.
    """
    login = str(user.get_name())
    if hasattr(user, "access_token"):
        claims = claims_of(user.access_token)
        own = claims if claims.get("sub") == user.user_id else {}
        return _person(login, own.get("name"), _realm_roles(own))
    if hasattr(user, "roles"):
        full_name = f"{getattr(user, 'first_name', '') or ''} {getattr(user, 'last_name', '') or ''}"
        return _person(login, full_name, (role.name for role in user.roles))
    role = _SIMPLE.get(str(getattr(user, "role", "") or "").lower())
    return Person(id=login, name=login, roles=frozenset({role} if role else ()))


def _person(login: str, name: object, role_names: Iterable[str]) -> Person:
    roles, twins = set(), set()
    for role_name in role_names:
        told = role_name.strip()
        words = told.lower().replace("-", " ").replace("_", " ")
        if words.startswith(_PARTNER):
            roles.add(Role.PARTNER)
            twins.add(told[len(_PARTNER) :].strip())
        elif words in set(Role) - {Role.PARTNER}:
            roles.add(Role(words))
    return Person(id=login, name=str(name or "").strip() or login, roles=frozenset(roles), twins=frozenset(twins))


def _realm_roles(claims: Mapping[str, Any]) -> list[str]:
    access = claims.get("realm_access")
    roles = access.get("roles", ()) if isinstance(access, dict) else ()
    return [role for role in roles if isinstance(role, str)]
