"""Folders that tcpdump and dumpcap rotate captures into, on a real interface."""

import json
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fwid_agent.capture.rotating import RotatingFolder

from tests.agent.live.conftest import Lan
from tests.made_captures import frames_of

PROBE = 0x88B5  # an ethertype for local experiments (IEEE 802)
_PATIENCE_S = 10
_SENDER = """
import socket, sys, time
interface, count, size, pause_s = sys.argv[1], *map(float, sys.argv[2:])
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((interface, 0))
for number in range(int(count)):
    head = bytes(6) + b"\\2" * 6 + b"\\x88\\xb5" + number.to_bytes(4, "big")
    out.send(head + bytes(int(size) - len(head)))
    time.sleep(pause_s)
"""
Program = Callable[[str, Path], list[str]]


def every_second(interface: str, folder: Path) -> list[str]:
    name = f"{folder}/%Y%m%d-%H%M%S.pcap"
    return ["tcpdump", "-i", interface, "-U", "-Z", "root", "-G", "1", "-w", name]


def ring_of_megabytes(interface: str, folder: Path) -> list[str]:
    command = ["tcpdump", "-i", interface, "-U", "-Z", "root", "-C", "1", "-W", "3"]
    return [*command, "-w", f"{folder}/ring"]


def ring_of_dumpcap(interface: str, folder: Path) -> list[str]:
    command = ["dumpcap", "-q", "-i", interface, "-b", "filesize:300", "-b", "files:4"]
    return [*command, "-w", f"{folder}/home.pcapng"]


def numbers_in(folder: RotatingFolder) -> list[int]:
    """Numbers of the probes that are there now."""
    numbers = []
    while (block := folder.read(0.1)) is not None:
        for frame in frames_of(block):
            kind, number = struct.unpack(">HI", frame.data[12:18])
            numbers += [number] if kind == PROBE else []
    return numbers


@pytest.mark.slow
@pytest.mark.parametrize("program", [every_second, ring_of_megabytes, ring_of_dumpcap])
def test_every_frame_is_read_once(tmp_path: Path, lan: Lan, program: Program) -> None:
    """While files grow, are rotated and overwritten, and the reader is started anew."""
    command = program(lan.near, tmp_path)
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}")
    count, size, pause_s = (600, 60, 0.005) if program is every_second else (4000, 1400, 0.0005)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as capturing:
        time.sleep(1)  # until it listens
        options = [lan.far, str(count), str(size), str(pause_s)]
        sending = lan.inside(sys.executable, "-c", _SENDER, *options)
        with subprocess.Popen(sending) as sender:
            read: list[int] = []
            position = ""
            while sender.poll() is None:
                with RotatingFolder(tmp_path, position) as folder:
                    for _ in range(3):
                        read += numbers_in(folder)
                    position = folder.position
        time.sleep(2)  # what the kernel has not handed over by then is lost to them, not to us
        capturing.terminate()
    with RotatingFolder(tmp_path, position) as folder:
        until = time.monotonic() + _PATIENCE_S  # it looks into the folder once a second
        while len(read) < count and time.monotonic() < until:
            read += numbers_in(folder)
        assert folder.notes == []
        assert len(json.loads(folder.position)["done"]) > 1
    assert read == list(range(count))
