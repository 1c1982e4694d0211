"""A host on a virtual cable, with a device that talks at its other end; for root alone."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

NEAR, FAR, HOST = "fwid-try0", "eth0", "fwid-try-host"  # the far end is the host's
MAC = "0a:00:00:00:00:02"
_SAY = f"""
import socket, time
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind(("{NEAR}", 0))
while True:
    sender.send(bytes.fromhex("ffffffffffff{MAC.replace(":", "")}88b5") + bytes(50))
    time.sleep(0.02)
"""


@contextmanager
def talking_host() -> Iterator[None]:
    """Have the host there while the context is open: `ip netns exec HOST`, interface FAR."""
    subprocess.run(["ip", "netns", "add", HOST], check=True)
    device = None
    try:
        _ip("link", "add", NEAR, "type", "veth", "peer", "name", FAR, "netns", HOST)
        _ip("link", "set", NEAR, "up")
        for words in (
            "link set lo up",
            f"link set {FAR} up",
            f"addr add 10.79.0.2/24 dev {FAR}",
            "addr add 172.30.32.1/23 dev lo",  # where Home Assistant's Supervisor would come in
        ):
            _ip("-n", HOST, *words.split())
        device = subprocess.Popen([sys.executable, "-c", _SAY])
        yield
    finally:
        if device is not None:
            device.kill()
            device.wait()
        subprocess.run(["ip", "netns", "del", HOST], check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
