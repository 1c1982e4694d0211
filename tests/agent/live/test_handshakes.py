"""Handshakes on a real interface: the same as in a capture, and told as what they are."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from fwid_agent.config import Config
from fwid_agent.core.handshakes.tls import ja4, read_client_hello
from fwid_agent.pipeline import ReplayRequest, replay
from fwid_agent.store import Store
from fwid_agent.types import HANDSHAKE_KINDS, EventType, parse_mac
from scapy.layers.dns import DNS, DNSQR

from tests.agent.core.handshakes.frames import MAC, dhcp, hello, segments, udp
from tests.agent.core.handshakes.test_messages import ANNOUNCEMENT, SSDP
from tests.agent.live.conftest import Lan, agent, stop, wait_said
from tests.made_captures import Frame, pcap

_CONFIG = """
window_s = 1
unit_s = 4
learning_units = 4
settle_units = 3
alarms_per_device_year = 2160
discovery = false
handshakes = true
"""
_SENDER = """
import socket, sys, time
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind((sys.argv[1], 0))
frames = [bytes.fromhex(line) for line in sys.stdin]
while True:
    for frame in frames:
        sender.send(frame)
        time.sleep(0.02)
    time.sleep(0.3)
"""


@contextmanager
def device(lan: Lan, frames: Sequence[bytes]) -> Iterator[None]:
    """A device that says the same over and over."""
    command = lan.inside(sys.executable, "-c", _SENDER, lan.far)
    sender = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    assert sender.stdin is not None
    sender.stdin.write("\n".join(frame.hex() for frame in frames))
    sender.stdin.close()
    try:
        yield
    finally:
        sender.kill()
        sender.wait()


def texts(path: Path) -> set[tuple[int, str]]:
    if not path.exists():
        return set()
    with Store.open(path) as store:
        return {(each.kind, each.text) for each in store.texts().get(parse_mac(MAC), ())}


def test_an_interface_shows_what_a_capture_does(lan: Lan, tmp_path: Path) -> None:
    """From the kernel's filter through the capture process to the store."""
    frames = [
        *segments(hello(alpn=[f"protocol-{n}" for n in range(150)]), (1400,)),  # two of them
        udp(bytes(DNS(rd=1, qd=DNSQR(qname="cloud.example"))), (5000, 53)),
        udp(ANNOUNCEMENT, (5353, 5353)),
        udp(SSDP, (1900, 1900)),
        dhcp([("param_req_list", [1, 3]), ("vendor_class_id", b"udhcp 1"), ("hostname", b"plug")]),
    ]
    capture = tmp_path / "same.pcap"
    capture.write_bytes(pcap([Frame(frame, 10**18 + n) for n, frame in enumerate(frames)]))
    request = ReplayRequest(
        (str(capture),), store=str(tmp_path / "file.db"), config=Config(handshakes=True)
    )
    list(replay(request, on_progress=lambda _: None, on_note=lambda _: None))
    expected = texts(tmp_path / "file.db")
    assert {kind for kind, _ in expected} == set(HANDSHAKE_KINDS)
    with agent(tmp_path, [lan.near], config=_CONFIG) as process:
        wait_said(process, "capturing")
        with device(lan, frames):
            until = time.monotonic() + 30
            while time.monotonic() < until and texts(tmp_path / "fwid.db") != expected:
                time.sleep(0.5)
        stop(process)
    assert texts(tmp_path / "fwid.db") == expected


@pytest.mark.slow
def test_another_library_behind_the_same_sizes_is_told(lan: Lan, tmp_path: Path) -> None:
    """Nothing in the headers changes; the event names both greetings."""
    greetings = [hello("a.example", ["h2"]), hello("a.example", ["http/1.1"])]
    known = [read_client_hello(greeting) for greeting in greetings]
    old, new = (ja4(each) for each in known if each is not None)
    ask = udp(bytes(DNS(rd=1, qd=DNSQR(qname="a.example"))), (5000, 53))
    with agent(tmp_path, [lan.near], config=_CONFIG) as process:
        wait_said(process, "capturing")
        for greeting, seconds in zip(greetings, (30, 20), strict=True):
            with device(lan, [*segments(greeting.ljust(700, b"\0")), ask]):
                time.sleep(seconds)
        stop(process)
    with Store.open(tmp_path / "fwid.db") as store:
        changed = [
            event for event in store.events().events if event.type is EventType.VERSION_CHANGED
        ]
    assert len(changed) == 1
    assert changed[0].reasons[0].key == "value_replaced"
    assert changed[0].reasons[0].params["old"] == old
    assert changed[0].reasons[0].params["new"] == new
