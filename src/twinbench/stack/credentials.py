"""Keys and certificates of the local lab, generated at first start and never committed.

One certificate authority signs the broker's certificate; every SFTP party has an Ed25519 key pair.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncssh
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from twinbench.stack.site import HOST, Site, write_private

__all__ = ["broker_certificate", "sftp_host_key", "sftp_key", "sftp_known_hosts"]

_VALID_FOR = timedelta(days=825)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(_key_usage(authority=authority), critical=True)
    )
    if not authority:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def broker_certificate(site: Site) -> tuple[Path, Path, Path]:
    """Authority, certificate and key of the broker, as PEM files."""
    folder = site.folder("secrets", "tls")
    authority_file, certificate_file, key_file = folder / "ca.crt", folder / "broker.crt", folder / "broker.key"
    if not key_file.exists():
        authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        authority_name = "Twinbench local lab"
        authority = _certificate(authority_name, authority_key, authority_name, authority_key, authority=True)
        certificate = _certificate("localhost", key, authority_name, authority_key, authority=False)
        authority_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        write_private(key_file, _pem(key))
    return authority_file, certificate_file, key_file


def sftp_key(site: Site, party: str) -> Path:
    """Private key of an SFTP party; its public half lies beside it as ``.pub``."""
    path = site.folder("secrets", "sftp") / party
    if not path.exists():
        key = asyncssh.generate_private_key("ssh-ed25519", comment=party)
        path.with_suffix(".pub").write_bytes(key.export_public_key())
        write_private(path, key.export_private_key())
    return path


def sftp_host_key(site: Site) -> Path:
    """Private host key of the SFTP server."""
    return sftp_key(site, "host")


def sftp_known_hosts(site: Site) -> Path:
    """A known_hosts file with the SFTP server's key, for its clients."""
    public = sftp_host_key(site).with_suffix(".pub").read_text().strip()
    path = site.folder("secrets", "sftp") / "known_hosts"
    path.write_text(f"[{HOST}]:{site.ports['sftp']} {public}\n")
    return path
