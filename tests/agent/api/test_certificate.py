"""A client that pinned the fingerprint finds the same agent for twenty years."""

import hashlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from fwid_agent.api.certificate import find_names, load_certificate, make_ssl_context
from fwid_agent.errors import StoreError

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NAMES = ("pi", "pi.local", "192.168.1.5", "fe80::1")


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_the_first_start_makes_it_and_later_ones_keep_it(tmp_path: Path) -> None:
    """Otherwise every restart would look like an attack."""
    path = tmp_path / "certificate.pem"
    made = load_certificate(path, NAMES, NOW)
    again = load_certificate(path, ("other",), NOW + timedelta(days=9000))

    assert again == made
    assert path.stat().st_mode & 0o777 == 0o600
    der = ssl.PEM_cert_to_DER_cert(path.read_text()[path.read_text().index("-----BEGIN CERT") :])
    assert made.fingerprint == hashlib.sha256(der).hexdigest()


def test_it_says_what_it_is_for(tmp_path: Path) -> None:
    """Browsers look at the names; nobody can sign others with it."""
    path = tmp_path / "certificate.pem"
    load_certificate(path, NAMES, NOW)
    made = read(path)

    assert made.subject.rfc4514_string() == "CN=fwid"
    assert isinstance(made.public_key(), ec.EllipticCurvePublicKey)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["pi", "pi.local"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == list(NAMES[2:])
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.parametrize("now", [NOW, datetime(1970, 1, 1, tzinfo=UTC)])
def test_a_clock_that_stands_at_1970_does_no_harm(tmp_path: Path, now: datetime) -> None:
    """A Pi has no clock of its own at its first start."""
    path = tmp_path / "certificate.pem"
    load_certificate(path, NAMES, now)
    made = read(path)
    assert made.not_valid_before_utc < NOW < made.not_valid_after_utc
    assert made.not_valid_after_utc - NOW > timedelta(days=17 * 365)


def test_old_tls_is_not_spoken(tmp_path: Path) -> None:
    """TLS 1.2 at least."""
    made = load_certificate(tmp_path / "certificate.pem", NAMES, NOW)
    assert make_ssl_context(made).minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_broken_file_is_said_to_be_so_and_kept(tmp_path: Path) -> None:
    """A new certificate in its place would cut off every client without a word."""
    path = tmp_path / "certificate.pem"
    load_certificate(path, NAMES, NOW)
    whole = path.read_bytes()
    for broken in (b"", b"\xff", whole[:100], whole[: whole.index(b"-----BEGIN CERT") + 60]):
        path.write_bytes(broken)
        with pytest.raises(StoreError, match=str(path)):
            load_certificate(path, NAMES, NOW)
        assert path.read_bytes() == broken


def test_this_machine_has_names() -> None:
    """By name and by address, in a home without a name server too."""
    assert {"localhost", "127.0.0.1"} < set(find_names())
