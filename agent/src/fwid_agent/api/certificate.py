"""The agent's certificate: made by itself at its first start, and known by its fingerprint.

No authority vouches for a name in a home. Clients pin the SHA-256 of the certificate instead,
which they are shown when they pair.
"""

import hashlib
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fwid_agent.api.files import read_private, write_private
from fwid_agent.errors import StoreError

# A Pi has no clock of its own and may believe in 1970 when it makes the certificate.
_NOT_BEFORE = datetime(2024, 1, 1, tzinfo=UTC)
_LIFE = timedelta(days=20 * 365 + 5)
# Addresses of documentation (RFC 5737, RFC 3849): nothing is sent, the route to them is asked for.
_FAR = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key, in one file, so that they always fit."""

    path: Path  # PEM: key, then certificate
    fingerprint: str  # SHA-256 of the DER, 64 hexadecimal digits


def load_certificate(path: Path, names: Sequence[str], now: datetime) -> Certificate:
    """Load the certificate, made for these host names and addresses where there is none yet.

    Raises:
        StoreError: the file cannot be read or written, or holds no certificate.

    """
    pem = read_private(path)
    if pem is None:
        pem = _make(names, now)
        write_private(path, pem)
    certificate = Certificate(path, _fingerprint(path, pem))
    make_ssl_context(certificate)  # a key that does not fit shows here, not at the first client
    return certificate


def make_ssl_context(certificate: Certificate) -> ssl.SSLContext:
    """Make what a server needs; TLS 1.2 at least. Raises StoreError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate.path)
    except (OSError, ssl.SSLError) as error:
        raise StoreError(f"{certificate.path}: no usable certificate and key: {error}") from error
    return context


def find_names() -> tuple[str, ...]:
    """Find the names and addresses by which this machine is reached in a home."""
    host = socket.gethostname().partition(".")[0]
    names = [host, f"{host}.local", "localhost", "127.0.0.1", "::1", *find_addresses()]
    return tuple(dict.fromkeys(names))


def find_addresses() -> tuple[str, ...]:
    """Find the addresses from which this machine sends to far ones."""
    found = []
    for family, far in _FAR:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))
            found.append(probe.getsockname()[0])
    return tuple(found)


def _fingerprint(path: Path, pem: bytes) -> str:
    mark = "-----BEGIN CERTIFICATE-----"
    try:
        text = pem.decode("ascii")
        der = ssl.PEM_cert_to_DER_cert(text[text.index(mark) :])
    except ValueError as error:
        raise StoreError(f"{path}: holds no certificate") from error
    return hashlib.sha256(der).hexdigest()


def _make(names: Sequence[str], now: datetime) -> bytes:
    # Needed once in the agent's life, and large: it is not kept in memory for it.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fwid")])
    alternatives: list[x509.GeneralName] = []
    for name in names:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            alternatives.append(x509.DNSName(name.encode("idna").decode("ascii")))
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOT_BEFORE)
        .not_valid_after(max(now, _NOT_BEFORE) + _LIFE)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
