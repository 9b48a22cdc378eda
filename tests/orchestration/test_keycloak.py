"""Roles come from tokens that the realm has signed, and from no others."""

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from twinbench.core.errors import UnreachableError
from twinbench.orchestration.keycloak import verified_claims
from twinbench.stack.site import free_port


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def keys(key, monkeypatch):
    """The realm's keys, without the realm."""
    public = {
        **json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())),
        "kid": "k1",
        "use": "sig",
        "alg": "RS256",
    }
    client = jwt.PyJWKClient("http://realm.invalid/certs")
    monkeypatch.setattr(client, "fetch_data", lambda: {"keys": [public]})
    return client


def token(key, *, lives_s=300, kid="k1"):
    claims = {"sub": "7d1c", "aud": "account", "exp": time.time() + lives_s, "realm_access": {"roles": ["admin"]}}
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid})


def test_a_token_of_the_realm_is_believed(key, keys):
    assert verified_claims(token(key), keys)["realm_access"] == {"roles": ["admin"]}


def test_a_token_signed_by_somebody_else_counts_for_nothing(keys):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    assert verified_claims(token(other), keys) == {}


def test_a_token_that_nobody_signed_counts_for_nothing(keys):
    unsigned = jwt.encode({"sub": "7d1c", "realm_access": {"roles": ["admin"]}}, None, "none", headers={"kid": "k1"})

    assert verified_claims(unsigned, keys) == {}


def test_a_token_that_has_expired_counts_for_nothing(key, keys):
    assert verified_claims(token(key, lives_s=-60), keys) == {}


@pytest.mark.parametrize("text", ["", "no token", "a.b.c"])
def test_what_is_no_token_counts_for_nothing(text, keys):
    assert verified_claims(text, keys) == {}


def test_a_token_of_an_unknown_key_counts_for_nothing(key, keys):
    assert verified_claims(token(key, kid="k2"), keys) == {}


def test_a_realm_that_does_not_answer_is_told(key):
    keys = jwt.PyJWKClient(f"http://127.0.0.1:{free_port(40_000)}/certs", timeout=1)

    with pytest.raises(UnreachableError, match="Keycloak does not tell its keys"):
        verified_claims(token(key), keys)
