"""TLS clients by their first message: JA4, as FoxIO specifies it.

The message is RFC 8446, section 4.1.2 (RFC 5246, section 7.4.1.2, before TLS 1.3). The fingerprint
is the one of FoxIO's "JA4: TLS Client Fingerprinting" (github.com/FoxIO-LLC/ja4,
technical_details/JA4.md, BSD 3-Clause), written from that text. QUIC and DTLS are not read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from fwid_agent.core.handshakes.wire import CutShortError, Reader

RECORD_HEAD = 5
MOST_BYTES = 1 << 14  # of a first message; with keys against quantum computers it has some 2000
_MOST_RECORDS = 64
_HANDSHAKE, _CLIENT_HELLO = 22, 1
_SERVER_NAME, _SIGNATURES, _ALPN, _VERSIONS = 0x0000, 0x000D, 0x0010, 0x002B
_VERSION_NAMES = {
    0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2",
}  # fmt: skip
_NOTHING = "0" * 12


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What JA4 is made of, in the order in which it was sent, GREASE (RFC 8701) left out."""

    version: int  # of the message itself
    ciphers: tuple[int, ...]
    extensions: tuple[int, ...]
    versions: tuple[int, ...] = ()  # supported ones
    signatures: tuple[int, ...] = ()
    alpn: bytes | None = None  # the first; None: no extension, or an empty one


def begins_hello(data: bytes) -> bool:
    """Say whether a stream that begins so begins with a ClientHello."""
    return (
        len(data) > RECORD_HEAD
        and data[0] == _HANDSHAKE
        and data[1] == 3
        and data[RECORD_HEAD] == _CLIENT_HELLO
    )


def bytes_lacking(data: bytes) -> int:
    """Say how many bytes the stream lacks at least until its first message is whole.

    Returns:
        0: it is whole; -1: it is none, or longer than is read.

    """
    message, wanted = b"", 4
    reader = Reader(data)
    for _ in range(_MOST_RECORDS):
        if reader.left < RECORD_HEAD:
            return RECORD_HEAD - reader.left
        kind, _, length = reader.number(1), reader.number(2), reader.number(2)
        if kind != _HANDSHAKE or not length:
            return -1
        part = reader.take(min(length, reader.left))
        message += part
        if len(message) >= 4:
            wanted = 4 + int.from_bytes(message[1:4], "big")
        if wanted > MOST_BYTES:
            return -1
        if len(message) >= wanted:
            return 0
        if len(part) < length:
            return length - len(part)
    return -1


def read_client_hello(data: bytes) -> ClientHello | None:
    """Read the ClientHello that a stream begins with; None where there is none, or only a part."""
    if not begins_hello(data) or bytes_lacking(data):
        return None
    try:
        return _read_message(Reader(_join_records(data)))
    except CutShortError:
        return None


def ja4(hello: ClientHello) -> str:
    """Return the fingerprint of a client of TLS over TCP."""
    version = max(hello.versions, default=hello.version)
    begin = "".join(
        (
            "t",
            _VERSION_NAMES.get(version, "00"),
            "d" if _SERVER_NAME in hello.extensions else "i",
            f"{min(len(hello.ciphers), 99):02d}",
            f"{min(len(hello.extensions), 99):02d}",
            _ends_of(hello.alpn),
        )
    )
    told = [each for each in hello.extensions if each not in (_SERVER_NAME, _ALPN)]
    extensions = _list(sorted(told))
    if extensions and hello.signatures:
        extensions += "_" + _list(hello.signatures)
    return "_".join((begin, _digest(_list(sorted(hello.ciphers))), _digest(extensions)))


def _join_records(data: bytes) -> bytes:
    """Return the messages in the records that are whole."""
    reader, message = Reader(data), b""
    for _ in range(_MOST_RECORDS):
        if reader.left < RECORD_HEAD:
            break
        reader.take(3)
        message += reader.take(min(reader.number(2), reader.left))
    return message


def _read_message(message: Reader) -> ClientHello:
    message.take(1)
    body = message.block(3)
    version = body.number(2)
    body.take(32)  # random
    body.block(1)  # session
    ciphers = _numbers(body.block(2))
    body.block(1)  # compression
    extensions: list[int] = []
    found: dict[int, bytes] = {}
    rest = body.block(2) if body.left else Reader(b"")
    while rest.left:
        kind, content = rest.number(2), rest.block(2)
        if not _is_grease(kind):
            extensions.append(kind)
            found.setdefault(kind, content.data)
    return ClientHello(
        version,
        ciphers,
        tuple(extensions),
        _inner(found, _VERSIONS, 1),
        _inner(found, _SIGNATURES, 2),
        _first_alpn(found.get(_ALPN, b"")),
    )


def _inner(found: dict[int, bytes], kind: int, length_bytes: int) -> tuple[int, ...]:
    """Return the list of numbers in an extension; empty where it is missing or broken."""
    try:
        return _numbers(Reader(found[kind]).block(length_bytes))
    except (KeyError, CutShortError):
        return ()


def _first_alpn(content: bytes) -> bytes | None:
    try:
        return Reader(content).block(2).block(1).data or None
    except CutShortError:
        return None


def _numbers(reader: Reader) -> tuple[int, ...]:
    """Read all numbers of two bytes, without GREASE."""
    numbers = (reader.number(2) for _ in range(reader.left // 2))
    return tuple(number for number in numbers if not _is_grease(number))


def _is_grease(number: int) -> bool:
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


def _ends_of(alpn: bytes | None) -> str:
    """Return the first and last character, of the bytes in hex where either is no such."""
    if not alpn:
        return "00"
    ends = bytes((alpn[0], alpn[-1]))
    if ends.isalnum():
        return ends.decode("ascii")
    return alpn.hex()[0] + alpn.hex()[-1]


def _list(numbers: Iterable[int]) -> str:
    return ",".join(f"{number:04x}" for number in numbers)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12] if text else _NOTHING
