"""A paho client made ready, its first connection, and what can be wrong with it, in words."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from twinbench.adapters.mqtt.address import Address
from twinbench.core.errors import ConfigurationError, LabError, UnreachableError

__all__ = ["Will", "dial", "not_allowed", "paho_client", "refused", "unreachable"]

KEEPALIVE_S = 10
"""A silent client is given up after one and a half times this; then its will is sent."""

_CREDENTIALS = {"Not authorized", "Bad user name or password"}


@dataclass(frozen=True)
class Will:
    """What the broker says in a client's name when it loses it; QoS 1, since some brokers know no more."""

    topic: str
    payload: Mapping[str, Any]
    retain: bool = True


def paho_client(address: Address, *, ca: str | None, client_id: str, clean_session: bool, will: Will | None) -> Any:
    """A paho client with its credentials. It is ``Any`` because the stubs of paho 1 may be installed beside paho 2.

    Raises:
        ConfigurationError: If the file of the certificate authority cannot be read.
    """
    options: dict[str, Any] = {
        "callback_api_version": CallbackAPIVersion.VERSION2,
        "client_id": client_id,
        "clean_session": clean_session,
        "protocol": paho.MQTTv311,
    }
    client: Any = paho.Client(**options)
    client.suppress_exceptions = True  # they would end its thread
    client.reconnect_delay_set(min_delay=1, max_delay=10)
    client.connect_timeout = 5.0
    if address.user:
        client.username_pw_set(address.user, address.password)
    if will:
        client.will_set(will.topic, json.dumps(will.payload), qos=1, retain=will.retain)
    try:
        if address.tls:
            client.tls_set(ca_certs=ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"TWINBENCH_MQTT_CA names {ca}, which holds no certificate: {error}.") from error
    return client


def dial(client: Any, address: Address) -> None:
    """Open the connection; the broker has not answered yet when this returns.

    Raises:
        UnreachableError: If nobody listens there.
        ConfigurationError: If the broker's certificate is not to be trusted.
    """
    try:
        client.connect(address.host, address.port, KEEPALIVE_S)
    except ssl.SSLCertVerificationError as error:
        raise ConfigurationError(
            f"MQTT broker {address} shows a certificate that is not vouched for: {error.verify_message}. "
            "Set TWINBENCH_MQTT_CA to the file of the broker's authority."
        ) from error
    except OSError as error:
        raise unreachable(address, str(error)) from error


def refused(address: Address, reason: str) -> LabError:
    """The error for a broker that answered, but with a refusal."""
    if reason not in _CREDENTIALS:
        return unreachable(address, reason)
    return ConfigurationError(
        f"MQTT broker {address} refuses user {address.user!r}: {reason}. Check user and password in TWINBENCH_MQTT_URL."
    )


def not_allowed(address: Address, topic: str) -> ConfigurationError:
    """The error for a subscription that the broker refuses."""
    return ConfigurationError(
        f"MQTT broker {address} does not let user {address.user!r} subscribe to {topic}: "
        "check the user's rights there, and the broker's log."
    )


def unreachable(address: Address, reason: str) -> UnreachableError:
    """The error for a broker that does not answer now."""
    return UnreachableError(
        f"MQTT broker {address} does not answer: {reason}. Is the broker running? See `twinbench status`."
    )
