"""Being found: the agent announces itself in the home by multicast DNS (RFC 6762, RFC 6763).

Nothing secret is told: whoever finds the agent has still to be paired with it. Of the devices only
their number is. What others announce is of no use here; the library reads it, as every program does
that takes part.
"""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
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


@dataclass(frozen=True, slots=True)
class Pace:
    """How often it is looked whether something else has to be told, and how often that is told."""

    look_s: float = 10.0
    count_s: float = 60.0  # a home that is new to the agent has another device every second


@asynccontextmanager
async def announced(
    announcement: Announcement, count_devices: Callable[[], int], pace: Pace = Pace()
) -> AsyncIterator[None]:
    """Announce the agent while the context is open, anew where its place is found to be another.

    Args:
        announcement: what stays as it is.
        count_devices: returns how many devices the agent has seen; called in the event loop.
        pace: how often to look.

    """
    task = asyncio.create_task(_follow(announcement, count_devices, pace))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _follow(announcement: Announcement, count_devices: Callable[[], int], pace: Pace) -> None:
    trouble = told = ""
    while True:
        place = find_place()
        try:
            if place.present:
                async with _registered(announcement, place, count_devices()) as service:
                    if service.name != told or trouble:
                        told = service.name
                        _log.info("found in the network as service=%s", told.replace(" ", "_"))
                    trouble = ""
                    while find_place() == place:
                        await asyncio.sleep(pace.look_s)
                        await service.tell(count_devices(), pace.count_s)
                continue
        except (OSError, RuntimeError, Error) as error:
            if str(error) != trouble:
                _log.warning("not to be found in the network, which is tried again: %s", error)
            trouble = str(error)
        await asyncio.sleep(pace.look_s)


class _Service:
    """The agent as others find it."""

    def __init__(
        self, network: AsyncZeroconf, announcement: Announcement, place: Place, devices: int
    ) -> None:
        self._network = network
        self._announcement = announcement
        self._place = place
        self._devices = devices
        self._told_s = time.monotonic()
        host = socket.gethostname().partition(".")[0]
        name = f"fwid agent on {host}".encode()[:_MOST_NAME_BYTES].decode(errors="ignore")
        self._info = self._describe(f"{name}.{SERVICE}")

    @property
    def name(self) -> str:
        """What it is called; nobody else is."""
        return self._info.name.removesuffix(f".{SERVICE}")

    async def register(self) -> None:
        """Be found, by another name where this one is taken."""
        await (await self._network.async_register_service(self._info, allow_name_change=True))

    async def tell(self, devices: int, at_most_every_s: float) -> None:
        """Tell another number of devices, where that was not just done."""
        if devices == self._devices or time.monotonic() - self._told_s < at_most_every_s:
            return
        self._devices, self._told_s = devices, time.monotonic()
        self._info = self._describe(self._info.name)
        await (await self._network.async_update_service(self._info))

    def _describe(self, name: str) -> AsyncServiceInfo:
        announcement = self._announcement
        return AsyncServiceInfo(
            SERVICE,
            name,
            port=announcement.port,
            properties={
                "version": announcement.version,
                "id": announcement.agent,
                "fingerprint": announcement.fingerprint,
                "api": API_VERSION,
                "devices": str(self._devices),
            },
            # A host name of its own: the machine's is announced by whoever is in charge of it.
            server=f"fwid-{announcement.agent.partition('-')[0]}.local.",
            parsed_addresses=list(self._place.reached),
        )


@asynccontextmanager
async def _registered(
    announcement: Announcement, place: Place, devices: int
) -> AsyncIterator[_Service]:
    """Be found while the context is open."""
    network = AsyncZeroconf(interfaces=InterfaceChoice.All, ip_version=IPVersion.V4Only)
    try:
        service = _Service(network, announcement, place, devices)
        await service.register()
        yield service
    finally:
        await network.async_unregister_all_services()
        await network.async_close()
