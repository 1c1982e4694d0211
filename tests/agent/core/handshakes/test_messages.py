"""DNS, DHCP, multicast DNS and SSDP: as tshark reads them, and whatever bytes come."""

import subprocess
from pathlib import Path

import pytest
from fwid_agent.core.handshakes.announce import read_mdns, read_ssdp
from fwid_agent.core.handshakes.dhcp import HOST_NAME, PARAMETERS, VENDOR_CLASS, read_request
from fwid_agent.core.handshakes.dns import SRV, TXT, read_message, read_strings
from fwid_agent.core.handshakes.values import MOST_CHARACTERS, Saying
from fwid_agent.types import TokenKind, parse_mac
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRRSRV

from tests.agent.core.handshakes.frames import MAC, dhcp, udp, write_pcap

ANNOUNCEMENT = bytes(
    DNS(
        qr=1,
        an=[
            DNSRR(
                rrname="_services._dns-sd._udp.local", type="PTR", rdata="_esphomelib._tcp.local"
            ),
            DNSRR(rrname="_esphomelib._tcp.local", type="PTR", rdata="plug._esphomelib._tcp.local"),
            DNSRR(
                rrname="plug._esphomelib._tcp.local",
                type="TXT",
                rdata=["Version=2024.6.1", "mac=908d78a8e143", "flag", "", "=odd"],
            ),
            DNSRRSRV(rrname="plug._esphomelib._tcp.local", port=6053, target="plug.local"),
            DNSRR(rrname="plug.local", type="A", rdata="192.168.1.20"),
        ],
    )
)
SSDP = (
    b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\n"
    b"Server: Linux/5.10 UPnP/1.0 MiniDLNA/1.3.0\r\nNT: uuid:1234\r\nUSN: uuid:1234\r\n\r\n"
)


def fields(path: Path, *names: str) -> list[str]:
    command = ["tshark", "-n", "-r", str(path), "-T", "fields"]
    for name in names:
        command += ["-e", name]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return out.rstrip("\n").split("\t")


def mdns(data: bytes) -> list[Saying]:
    message = read_message(data)
    return [] if message is None else list(read_mdns(message))


@pytest.mark.parametrize(
    "names", [["example.org"], ["a.b.c.example.org", "example.org", "x.c.example.org"], ["local"]]
)
def test_names_that_are_asked_for_as_tshark_reads_them(names: list[str], tmp_path: Path) -> None:
    """Several questions in one message too, with pointers to labels that came before."""
    data = bytes(DNS(rd=1, qd=[DNSQR(qname=name) for name in names]))
    message = read_message(data)
    assert message is not None
    read = [b".".join(name).decode() for name, _ in message.questions]
    (asked,) = fields(write_pcap(tmp_path / "dns.pcap", [udp(data, (5000, 53))]), "dns.qry.name")
    assert read == asked.split(",")


def test_records_as_tshark_reads_them(tmp_path: Path) -> None:
    """Compressed names in an answer lead to where they were written before."""
    message = read_message(ANNOUNCEMENT)
    assert message is not None
    path = write_pcap(tmp_path / "mdns.pcap", [udp(ANNOUNCEMENT, (5353, 5353))])
    named, pointed, texts = fields(path, "dns.resp.name", "dns.ptr.domain_name", "dns.txt")
    # Of SRV tshark names the service alone.
    names = [b".".join(each.name).decode() for each in message.records if each.kind != SRV]
    assert names == named.split(",")
    targets = [b".".join(each.target).decode() for each in message.records if each.target]
    assert targets == pointed.split(",")
    strings = [text for each in message.records if each.kind == TXT for text in
               read_strings(each.data)]  # fmt: skip
    assert [text.decode() for text in strings] == texts.split(",")


def test_what_a_request_tells_as_tshark_reads_it(tmp_path: Path) -> None:
    """What the client asks for, in its order, its vendor class and its name."""
    frame = dhcp(
        ["pad", ("message-type", "discover"), ("hostname", b"plug"),
         ("param_req_list", [1, 3, 6, 15, 28]), ("vendor_class_id", b"udhcp 1.30.1")]
    )  # fmt: skip
    options = read_request(frame[42:], parse_mac(MAC))
    asked, vendor, name = fields(
        write_pcap(tmp_path / "dhcp.pcap", [frame]),
        "dhcp.option.request_list_item", "dhcp.option.vendor_class_id", "dhcp.option.hostname",
    )  # fmt: skip
    assert ",".join(str(code) for code in options[PARAMETERS]) == asked
    assert options[VENDOR_CLASS].decode() == vendor
    assert options[HOST_NAME].decode() == name


def test_an_announcement_tells_services_software_and_name() -> None:
    """Kinds of services and names of attributes; of values only those that name the software."""
    assert set(mdns(ANNOUNCEMENT)) == {
        (TokenKind.ANNOUNCED_SERVICE, "_esphomelib._tcp"),
        (TokenKind.ANNOUNCED_SERVICE, "_esphomelib._tcp version"),
        (TokenKind.ANNOUNCED_SERVICE, "_esphomelib._tcp mac"),
        (TokenKind.ANNOUNCED_SERVICE, "_esphomelib._tcp flag"),
        (TokenKind.ANNOUNCED_SOFTWARE, "_esphomelib._tcp version=2024.6.1"),
        (TokenKind.HOST_NAME, "plug"),
    }


def test_a_question_to_the_neighbours_names_services_alone() -> None:
    """Whom a device looks for by name says something of the neighbours, not of the device."""
    asked = [DNSQR(qname="_googlecast._tcp.local"), DNSQR(qname="lamp.local")]
    assert mdns(bytes(DNS(qd=asked))) == [(TokenKind.DNS_NAME, "_googlecast._tcp")]


def test_ssdp_tells_software_and_kinds_of_services() -> None:
    """Lines in either case; what is the device's own number is passed over."""
    assert list(read_ssdp(SSDP)) == [
        (TokenKind.ANNOUNCED_SERVICE, "upnp:rootdevice"),
        (TokenKind.ANNOUNCED_SOFTWARE, "Linux/5.10 UPnP/1.0 MiniDLNA/1.3.0"),
    ]
    assert list(read_ssdp(b"GET / HTTP/1.1\r\nServer: x\r\n\r\n")) == []


@pytest.mark.parametrize(
    "pointer",
    [
        b"\xc0\x0c",  # to itself
        b"\x01a\xc0\x0c",  # to before itself, over and over
        b"\xc0\x20",  # ahead
        b"\x80a",  # a kind of label that is none
        b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 4 + b"\0",  # longer than a name may be
    ],
)
def test_a_name_without_an_end_is_none(pointer: bytes) -> None:
    """Pointers could lead round for ever."""
    head = bytes.fromhex("00000000000100000000") + b"\0\0"
    message = read_message(head + pointer + b"\0\x01\0\x01" * 8)
    assert message is not None
    assert message.questions == ()


def test_counts_in_a_head_are_not_believed() -> None:
    """65535 of everything, and nothing behind it."""
    message = read_message(bytes.fromhex("00008400ffffffffffffffff") + bytes(4000))
    assert message is not None
    assert len(message.questions) <= 32
    assert message.records == ()


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(data: bytes) -> None:
    """Never a fault and never without end; what is said is printable and bounded."""
    said = [
        *mdns(data), *mdns(b"\0\0\x84\0\0\0\0\x05\0\0\0\0" + data), *read_ssdp(data),
        *read_ssdp(b"NOTIFY \n" + data),
    ]  # fmt: skip
    read_request(data, 1)
    assert all(text.isprintable() for _, text in said)


@given(st.sampled_from([ANNOUNCEMENT, SSDP]), st.data())
def test_a_broken_message_is_read_as_far_as_it_is_whole(whole: bytes, data: st.DataObject) -> None:
    """Cut anywhere and any byte changed."""
    changed = bytearray(whole)
    changed[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(changed[: data.draw(st.integers(0, len(whole)))])
    for _, text in [*mdns(cut), *read_ssdp(cut)]:
        assert text.isprintable()
        assert 0 < len(text) <= 3 * MOST_CHARACTERS


def test_what_comes_before_a_fault_stays() -> None:
    """A message longer than what was captured of it is read as far as it goes."""
    assert mdns(ANNOUNCEMENT[:-20])[:2] == mdns(ANNOUNCEMENT)[:2]
