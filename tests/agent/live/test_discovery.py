"""Being found in a home: the agent in one host, who looks for it in another, multicast between."""

import asyncio
import hashlib
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fwid_agent.service.discovery import SERVICE
from fwid_agent.store import Store
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from tests.agent.live.conftest import Lan, run

_ANNOUNCE = """
import asyncio, itertools, signal, sys
from fwid_agent.service.discovery import Announcement, Pace, announced
async def main():
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    told = Announcement(sys.argv[1], "1.2.3", "ab" * 32, 8127)
    counted = itertools.count(1)
    async with announced(told, lambda: next(counted), Pace(0.2, float(sys.argv[2]))):
        await stopping.wait()
asyncio.run(main())
"""


@dataclass
class Found:
    """What a browser knows, and how often it was told of each name."""

    infos: dict[str, AsyncServiceInfo] = field(default_factory=dict)
    changes: list[tuple[str, ServiceStateChange]] = field(default_factory=list)

    async def until(self, what: Callable[[], bool]) -> None:
        """Wait until it is so."""
        async with asyncio.timeout(60):
            while not what():
                await asyncio.sleep(0.05)


@asynccontextmanager
async def browsing(address: str) -> AsyncIterator[Found]:
    """Look for agents as Home Assistant does, from the host with this address."""
    found = Found()
    network = AsyncZeroconf(interfaces=[address], ip_version=IPVersion.V4Only)
    tasks: set[asyncio.Task[None]] = set()

    async def learn(name: str) -> None:
        info = AsyncServiceInfo(SERVICE, name)
        if await info.async_request(network.zeroconf, 3000):
            found.infos[name] = info

    def on_change(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        found.changes.append((name, state_change))
        if state_change is ServiceStateChange.Removed:
            found.infos.pop(name, None)
        else:
            task = asyncio.create_task(learn(name))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    browser = AsyncServiceBrowser(network.zeroconf, SERVICE, handlers=[on_change])
    try:
        yield found
    finally:
        await browser.async_cancel()
        await network.async_close()


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program on another host, stopped as systemd stops it."""
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def properties(info: AsyncServiceInfo) -> dict[str, str | None]:
    return dict(info.decoded_properties)


def test_a_running_agent_is_found_and_can_be_pinned(lan: Lan, tmp_path: Path) -> None:
    """What is announced leads to the API, and to the certificate that it shows."""
    store = tmp_path / "fwid.db"
    program = [sys.executable, "-m", "fwid_agent.cli.main", "run", lan.far, "--store", str(store)]

    async def look() -> tuple[AsyncServiceInfo, bytes]:
        async with browsing(lan.near_ip) as found:
            await found.until(lambda: bool(found.infos))
            (info,) = found.infos.values()
            address = (info.parsed_addresses()[0], info.port or 0)
            pem = await asyncio.to_thread(ssl.get_server_certificate, address)
            process.send_signal(signal.SIGTERM)
            await found.until(lambda: not found.infos)
            return info, ssl.PEM_cert_to_DER_cert(pem)

    with started(*lan.inside(*program)) as process:
        info, certificate = asyncio.run(look())
    with Store.open(store, create=False) as opened:
        agent = str(opened.agent)
    assert info.name.startswith(f"fwid agent on {socket.gethostname().partition('.')[0]}.")
    assert info.parsed_addresses() == [lan.far_ip]
    told = properties(info)
    assert told["id"] == agent
    assert told["fingerprint"] == hashlib.sha256(certificate).hexdigest()
    assert told["api"] == "1"
    assert int(told["devices"] or "") >= 0
    assert set(told) == {"id", "fingerprint", "api", "version", "devices"}


def test_two_agents_have_two_names(lan: Lan) -> None:
    """Two machines may have one host name; each agent stays to be found."""
    agents = [f"{digit * 8}-0000-4000-8000-000000000000" for digit in "ab"]

    async def look() -> set[str | None]:
        async with browsing(lan.near_ip) as found:
            await found.until(lambda: len(found.infos) == 2)
            assert {info.server for info in found.infos.values()} == {
                "fwid-aaaaaaaa.local.",
                "fwid-bbbbbbbb.local.",
            }
            return {properties(info)["id"] for info in found.infos.values()}

    command = lan.inside(sys.executable, "-c", _ANNOUNCE)
    with started(*command, agents[0], "60"), started(*command, agents[1], "60"):
        assert asyncio.run(look()) == set(agents)


def test_a_new_address_is_announced(lan: Lan) -> None:
    """A router may give the agent another address any day; its clients follow."""

    async def look() -> None:
        async with browsing(lan.near_ip) as found:
            await found.until(lambda: bool(found.infos))
            address = ["ip", "-n", lan.namespace, "addr"]
            new = lan.far_ip.removesuffix("2") + "7"
            run(*address, "del", f"{lan.far_ip}/24", "dev", lan.far)
            run(*address, "add", f"{new}/24", "dev", lan.far)
            await found.until(
                lambda: any(info.parsed_addresses()[0] == new for info in found.infos.values())
            )

    with started(*lan.inside(sys.executable, "-c", _ANNOUNCE, "c" * 8, "60")):
        asyncio.run(look())


def test_the_number_of_devices_follows(lan: Lan) -> None:
    """Whoever looks for agents sees how many devices each has seen, also those that came later."""

    async def look() -> None:
        async with browsing(lan.near_ip) as found:
            await found.until(
                lambda: any(
                    int(properties(info)["devices"] or "") > 2 for info in found.infos.values()
                )
            )
            assert len(found.infos) == 1

    with started(*lan.inside(sys.executable, "-c", _ANNOUNCE, "d" * 8, "0")):
        asyncio.run(look())


def test_the_number_of_devices_is_told_now_and_then(lan: Lan) -> None:
    """A home that is new to the agent does not make it shout: one number until it is time."""

    async def look() -> None:
        async with browsing(lan.near_ip) as found:
            await found.until(lambda: bool(found.infos))
            await asyncio.sleep(2)  # ten times as long as the number takes to be another one
            assert [properties(info)["devices"] for info in found.infos.values()] == ["1"]
            assert ServiceStateChange.Updated not in [change for _, change in found.changes]

    with started(*lan.inside(sys.executable, "-c", _ANNOUNCE, "e" * 8, "3600")):
        asyncio.run(look())
