"""JA4 of ClientHellos: as published, as tshark reads them, and whatever bytes come."""

import ssl
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from fwid_agent.core.handshakes.streams import MOST_OPEN, HelloStreams
from fwid_agent.core.handshakes.tls import (
    MOST_BYTES,
    ClientHello,
    begins_hello,
    bytes_lacking,
    ja4,
    read_client_hello,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.core.handshakes.frames import hello, long_hello, segments, write_pcap

# The example of FoxIO's specification, in the order in which it was sent.
CIPHERS = "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"
EXTENSIONS = "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015"
SIGNATURES = "0403,0804,0401,0503,0805,0501,0806,0601"
HELLOS = {
    "as Python's": hello(),
    "to an address": hello(None),
    "of the web": hello("a.example", ["h2", "http/1.1"]),
    "one letter": hello(alpn=["x"]),
    "old": hello(newest=ssl.TLSVersion.TLSv1_2),
    "few": hello(ciphers="ECDHE-ECDSA-AES128-GCM-SHA256:AES256-SHA"),
    "long": long_hello(),
}


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(each, 16) for each in text.split(","))


def published(**changed: object) -> ClientHello:
    values: dict[str, object] = {
        "version": 0x0303, "ciphers": numbers(CIPHERS), "extensions": numbers(EXTENSIONS),
        "versions": (0x0304, 0x0303), "signatures": numbers(SIGNATURES), "alpn": b"h2",
    }  # fmt: skip
    return ClientHello(**(values | changed))  # type: ignore[arg-type]


def test_the_example_of_the_specification() -> None:
    """Its fingerprint, and that of the same client without signature algorithms."""
    assert ja4(published()) == "t13d1516h2_8daaf6152771_e5627efa2ab1"
    assert ja4(published(signatures=())).endswith("_6d807ffa2a79")


@pytest.mark.parametrize(
    ("alpn", "ends"),
    [
        (None, "00"), (b"h2", "h2"), (b"http/1.1", "h1"), (b"x", "xx"), (b"\xab", "ab"),
        (b"\xab\xcd", "ad"), (b"0\xab", "3b"), (b"01\xab\xcd", "3d"), (b"0\xab\xcd1", "01"),
    ],
)  # fmt: skip
def test_ends_of_the_alpn(alpn: bytes | None, ends: str) -> None:
    """The specification's examples."""
    assert ja4(published(alpn=alpn)).partition("_")[0] == f"t13d1516{ends}"


def test_versions_and_what_is_empty() -> None:
    """The highest supported version counts, else the message's; nothing is digested as nothing."""
    assert ja4(published(versions=(), version=0x0301)).startswith("t10d")
    assert ja4(published(versions=(0x7777,))).startswith("t00d")
    bare = ClientHello(0x0303, (), ())
    assert ja4(bare) == "t12i000000_000000000000_000000000000"
    assert ja4(ClientHello(0x0303, tuple(range(1, 150)), (0,))).startswith("t12d990100_")


def by_tshark(path: Path) -> str:
    """JA4 from what tshark reads: its own where this version has one, else from its fields."""
    known = subprocess.run(
        ["tshark", "-G", "fields"], capture_output=True, text=True, check=True
    ).stdout
    if "\ttls.handshake.ja4\t" in known:
        return fields(path, "tls.handshake.ja4")[0]
    version, sni, ciphers, extensions, versions, alpn, signatures = fields(
        path,
        "tls.handshake.version",
        "tls.handshake.extensions_server_name",
        "tls.handshake.ciphersuite",
        "tls.handshake.extension.type",
        "tls.handshake.extensions.supported_version",
        "tls.handshake.extensions_alpn_str",
        "tls.handshake.sig_hash_alg",
    )
    offered = [f"{int(each, 0):04x}" for each in ciphers.split(",")]
    told = [f"{int(each):04x}" for each in extensions.split(",")]
    signed = [f"{int(each, 0):04x}" for each in signatures.split(",")]
    newest = max(int(each, 0) for each in (versions or version).split(","))
    first = alpn.split(",")[0]
    rest = ",".join(sorted(set(told) - {"0000", "0010"})) + "_" + ",".join(signed)
    return "_".join(
        [
            f"t{ {0x304: 13, 0x303: 12}[newest] }{'d' if sni else 'i'}{len(offered):02d}"
            f"{len(told):02d}{first[0] + first[-1] if first else '00'}",
            sha256(",".join(sorted(offered)).encode()).hexdigest()[:12],
            sha256(rest.encode()).hexdigest()[:12],
        ]
    )


def fields(path: Path, *names: str) -> list[str]:
    command = ["tshark", "-n", "-r", str(path), "-Y", "tls.handshake.type == 1", "-T", "fields"]
    for name in names:
        command += ["-e", name]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (line,) = out.splitlines()
    return line.split("\t")


@pytest.mark.parametrize("name", sorted(HELLOS))
def test_real_clients_as_tshark_reads_them(name: str, tmp_path: Path) -> None:
    """Messages of a real TLS library, the longest one over three segments."""
    frames = segments(HELLOS[name], (1460, 1460))
    read = read_client_hello(HELLOS[name])
    assert read is not None
    assert ja4(read) == by_tshark(write_pcap(tmp_path / "hello.pcap", frames))


def test_grease_is_left_out() -> None:
    """Browsers put values that mean nothing everywhere; they change with each connection."""
    whole = with_grease(hello("a.example", ["h2"]))
    plain, greased = (read_client_hello(data) for data in (hello("a.example", ["h2"]), whole))
    assert greased is not None
    assert plain == greased


def with_grease(data: bytes) -> bytes:
    """The same message with GREASE among the ciphers and as an extension."""
    body = data[9:]
    session = 35 + body[34]
    length = int.from_bytes(body[session : session + 2], "big")
    ciphers = body[session + 2 : session + 2 + length]
    after = body[session + 2 + length :]
    more = (0x3A3A).to_bytes(2, "big") + b"\x00\x01\x00"
    extensions = after[4:] + more
    compression = after[:2]
    body = (
        body[:session]
        + (length + 2).to_bytes(2, "big")
        + (0x0A0A).to_bytes(2, "big")
        + ciphers
        + compression
        + len(extensions).to_bytes(2, "big")
        + extensions
    )
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return data[:3] + len(message).to_bytes(2, "big") + message


@given(st.sampled_from(sorted(HELLOS)), st.lists(st.integers(1, 900), max_size=12))
def test_segments_are_joined_wherever_they_are_cut(name: str, sizes: list[int]) -> None:
    """A client's library cuts as it likes, and what comes twice changes nothing."""
    data, streams, flow = HELLOS[name], HelloStreams(), (1, 40_000, 443)
    at, seq, found = 0, 2**32 - 100, None
    for size in (*sizes, len(data)):
        # Of the first few bytes nobody can tell what they begin.
        part = data[at : at + max(size, 6)]
        for _ in range(2):
            found = streams.feed(flow, seq, part, whole=True) or found
        at, seq = at + len(part), (seq + len(part)) % 2**32
        if at >= len(data):
            break
    assert found == data
    assert not streams.source_ports


def test_nothing_is_joined_behind_a_gap() -> None:
    """Neither where a segment was not seen, nor where only its beginning was captured."""
    data, flow = long_hello(), (1, 40_000, 443)
    lost, cut = HelloStreams(), HelloStreams()
    assert lost.feed(flow, 0, data[:1000], whole=True) is None
    assert lost.feed(flow, 1500, data[1500:], whole=True) is None
    assert cut.feed(flow, 0, data[:1000], whole=False) is None
    assert cut.feed(flow, 1000, data[1000:], whole=True) is None


def test_what_is_waited_for_is_bounded() -> None:
    """Neither many connections that never go on nor one that never ends grows the memory."""
    streams, data = HelloStreams(), long_hello()
    for port in range(2 * MOST_OPEN):
        streams.feed((1, port, 443), 0, data[:600], whole=True)
    assert len(streams.source_ports) == MOST_OPEN
    endless = b"\x16\x03\x01\xff\xff\x01\x00\xff\xff"
    assert bytes_lacking(endless) == -1
    most = b"\x16\x03\x01\x3f\xff\x01" + (MOST_BYTES - 4).to_bytes(3, "big")
    alone = HelloStreams()
    alone.feed((2, 1, 443), 0, most, whole=True)
    for _ in range(40):
        alone.feed((2, 1, 443), len(most), bytes(1460), whole=True)
    assert len(alone.source_ports) == 1


@given(st.binary(max_size=200))
def test_any_bytes_are_a_hello_or_none(data: bytes) -> None:
    """Never a fault, whoever sends what."""
    for begin in (b"", b"\x16\x03\x01", b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03"):
        read_client_hello(begin + data)
        assert bytes_lacking(begin + data) >= -1


@given(st.sampled_from(sorted(HELLOS)), st.data())
def test_a_broken_hello_is_read_as_far_as_it_makes_sense(name: str, data: st.DataObject) -> None:
    """Any byte changed and cut anywhere: a fingerprint of the usual form, or none."""
    whole = bytearray(HELLOS[name])
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    read = read_client_hello(cut)
    if read is not None:
        first, second, third = ja4(read).split("_")
        assert begins_hello(cut)
        assert (len(first), len(second), len(third)) == (10, 12, 12)
        assert first.isascii()
