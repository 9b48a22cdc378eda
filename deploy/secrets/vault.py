"""What the lab's secrets are made of, and where they are kept: chosen once, the same answer at every start."""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

__all__ = ["Tls", "Vault", "hand_over", "put"]

ROOT = 0
_RENEW_BEFORE = timedelta(days=30)
_NEVER = (
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class Tls:
    """The authority's certificate, the broker's, and the broker's key, as PEM."""

    authority: bytes
    certificate: bytes
    key: bytes


@dataclass(frozen=True)
class Vault:
    """What was once chosen: the same answer at every start."""

    folder: Path

    def kept(self, name: str, choose: Callable[[], bytes]) -> bytes:
        """The secret of that name, chosen now if there is none."""
        path = self.folder / name
        if not path.exists():
            put(path, choose(), owner=ROOT)
        return path.read_bytes()

    def password(self, name: str) -> str:
        """A password of hexadecimal digits, which mean themselves in a URL and in every file format."""
        return self.kept(f"password-{name}", lambda: secrets.token_hex(24).encode()).decode()

    def ssh_key(self, name: str) -> tuple[bytes, str]:
        """An SSH key pair: the private key, and the public one as a line."""
        private = self.kept(f"ssh-{name}", _new_ssh_key)
        public = serialization.load_ssh_private_key(private, password=None).public_key()
        return private, public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()

    def tls(self, hosts: Sequence[str]) -> Tls:
        """The broker's certificate for these hosts; another one if it lacks a host or ends soon."""
        key_pem = self.kept("tls-broker.key", _new_tls_key)
        key, signer = _loaded(key_pem), _loaded(self.kept("tls-authority.key", _new_tls_key))
        authority = self.kept("tls-authority.crt", lambda: _signed(signer, signer, []))
        path = self.folder / "tls-broker.crt"
        if path.exists() and not _still_good(path.read_bytes(), hosts):
            path.unlink()
        return Tls(authority, self.kept(path.name, lambda: _signed(key, signer, hosts)), key_pem)


def _new_ssh_key() -> bytes:
    return ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )


def _new_tls_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _signed(key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, hosts: Sequence[str]) -> bytes:
    """A certificate for hosts; the authority's own one without any."""
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Twinbench lab")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])]) if hosts else authority
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(issuer_name=authority, subject_name=subject, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=825 if hosts else 3650))
        .add_extension(x509.BasicConstraints(ca=not hosts, path_length=None if hosts else 0), critical=True)
        .add_extension(_usage(authority=not hosts), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(_names(hosts), critical=False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _usage(*, authority: bool) -> x509.KeyUsage:
    never = dict.fromkeys(_NEVER, False)
    return x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **never)


def _loaded(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SystemExit(
            "A TLS key in the authority's folder is of another kind: remove it, and the next start makes one."
        )
    return key


def _names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    def name(host: str) -> x509.GeneralName:
        try:
            return x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            return x509.DNSName(host)

    return x509.SubjectAlternativeName([name(host) for host in hosts])


def _still_good(certificate_pem: bytes, hosts: Sequence[str]) -> bool:
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    ends_soon = certificate.not_valid_after_utc - datetime.now(UTC) < _RENEW_BEFORE
    return names == _names(hosts) and not ends_soon


def put(path: Path, content: bytes | str, *, owner: int, mode: int = 0o400) -> None:
    """Make a file that its owner alone may read, complete at once; one that is right already is not written again."""
    data = content.encode() if isinstance(content, str) else content
    if not path.exists() or path.read_bytes() != data:
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        fresh.replace(path)
    path.chmod(mode)
    hand_over(path, owner)


def hand_over(path: Path, owner: int) -> None:
    """Make a user the owner; only root can, and only a container needs it."""
    if os.geteuid() == 0:
        os.chown(path, owner, owner)
