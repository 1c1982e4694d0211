"""Being found: the agent announces itself in the home by multicast DNS (RFC 6762, RFC 6763).

Nothing secret is told: whoever finds the agent has still to be paired with it. What others announce
is of no use here; the library reads it, as every program does that takes part.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import ifaddr
from zeroconf import Error, InterfaceChoice, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from fwid_agent.api.certificate import find_addresses

SERVICE = "_fwid._tcp.local."
API_VERSION = "1"
_MOST_NAME_BYTES = 58  # of the 63 that a DNS label has; a number may have to be added
_log = logging.getLogger("fwid")
# The library names addresses in its warnings; what matters of them is said below.
logging.getLogger("zeroconf").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is told of the agent before anybody asks it."""

    agent: str  # its id
    version: str
    fingerprint: str
    port: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where this machine is in the network."""

    present: tuple[str, ...]  # all its IPv4 addresses: where questions may come from
    reached: tuple[str, ...]  # those that others should use


def find_place() -> Place:
    """Find this machine's addresses.

    A machine has many that nobody else can use, of containers and the like. Those from which it
    sends to the rest of the world are told; where it sends nowhere, all of them.
    """
    present = tuple(
        sorted(
            one.ip
            for adapter in ifaddr.get_adapters()
            for one in adapter.ips
            if isinstance(one.ip, str) and not one.ip.startswith("127.")
        )
    )
    return Place(present, find_addresses() or present)


@asynccontextmanager
async def announced(announcement: Announcement, *, look_s: float = 10.0) -> AsyncIterator[None]:
    """Announce the agent while the context is open, anew where its place is found to be another."""
    task = asyncio.create_task(_follow(announcement, look_s))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _follow(announcement: Announcement, look_s: float) -> None:
    trouble = ""
    while True:
        place = find_place()
        try:
            if place.present:
                async with _registered(announcement, place) as name:
                    _log.info("found in the network as service=%s", name.replace(" ", "_"))
                    trouble = ""
                    while find_place() == place:
                        await asyncio.sleep(look_s)
                continue
        except (OSError, RuntimeError, Error) as error:
            if str(error) != trouble:
                _log.warning("not to be found in the network, which is tried again: %s", error)
            trouble = str(error)
        await asyncio.sleep(look_s)


@asynccontextmanager
async def _registered(announcement: Announcement, place: Place) -> AsyncIterator[str]:
    """Be found while the context is open; gives the name, which nobody else has."""
    network = AsyncZeroconf(interfaces=InterfaceChoice.All, ip_version=IPVersion.V4Only)
    try:
        info = _describe(announcement, place)
        await (await network.async_register_service(info, allow_name_change=True))
        yield info.name.removesuffix(f".{SERVICE}")
    finally:
        await network.async_unregister_all_services()
        await network.async_close()


def _describe(announcement: Announcement, place: Place) -> AsyncServiceInfo:
    host = socket.gethostname().partition(".")[0]
    name = f"fwid agent on {host}".encode()[:_MOST_NAME_BYTES].decode(errors="ignore")
    return AsyncServiceInfo(
        SERVICE,
        f"{name}.{SERVICE}",
        port=announcement.port,
        properties={
            "version": announcement.version,
            "id": announcement.agent,
            "fingerprint": announcement.fingerprint,
            "api": API_VERSION,
        },
        # A host name of its own: the machine's is announced by whoever is in charge of it.
        server=f"fwid-{announcement.agent.partition('-')[0]}.local.",
        parsed_addresses=list(place.reached),
    )
