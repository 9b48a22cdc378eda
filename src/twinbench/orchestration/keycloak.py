"""What Keycloak says of somebody: the claims of an access token, believed only if the realm has signed it.

In a browser's requests the token is a cookie beside Airflow's own, which Airflow's signature does not cover: anybody
who is logged in could write roles into it. Airflow is safe from that, since it asks Keycloak about each right; the lab
reads the roles itself and therefore checks the signature, with the realm's public keys, asked for every few minutes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from twinbench.core.errors import UnreachableError

if TYPE_CHECKING:
    from jwt import PyJWKClient

__all__ = ["verified_claims"]

_log = logging.getLogger(__name__)
_SECTION = "keycloak_auth_manager"
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
_LEEWAY_S = 30


@cache
def _realm_keys() -> PyJWKClient:
    from airflow.configuration import conf
    from jwt import PyJWKClient

    server, realm = conf.get(_SECTION, "server_url").rstrip("/"), conf.get(_SECTION, "realm")
    return PyJWKClient(f"{server}/realms/{realm}/protocol/openid-connect/certs", lifespan=300, timeout=5)


def verified_claims(token: str, keys: PyJWKClient | None = None) -> Mapping[str, Any]:
    """The claims of an access token; none if the realm has not signed it or if it has expired.

    Args:
        token: The access token, as Keycloak writes it.
        keys: The realm's public keys; by default those of the realm in Airflow's settings.

    Raises:
        UnreachableError: If the realm's keys cannot be asked for.
    """
    import jwt

    keys = keys or _realm_keys()
    try:
        key = keys.get_signing_key_from_jwt(token).key
        claims = jwt.decode(token, key, algorithms=_ALGORITHMS, leeway=_LEEWAY_S, options={"verify_aud": False})
    except jwt.exceptions.PyJWKClientConnectionError as error:
        raise UnreachableError(
            f"Keycloak does not tell its keys ({error}): check its address, and that it is up."
        ) from error
    except jwt.exceptions.PyJWTError as error:
        _log.warning("An access token of Keycloak counts for nothing: %s", error)
        return {}
    return claims
