"""The addresses of the machine that watches."""

from contextlib import suppress
from pathlib import Path

from fwid_agent.types import parse_mac

_INTERFACES = Path("/sys/class/net")


def own_addresses(interfaces: Path = _INTERFACES) -> frozenset[int]:
    """Find the MACs of this machine's network interfaces; what cannot be read is left out."""
    found = set()
    with suppress(OSError):
        for interface in interfaces.iterdir():
            with suppress(OSError, ValueError):
                found.add(parse_mac((interface / "address").read_text("ascii")))
    return frozenset(found - {0})
