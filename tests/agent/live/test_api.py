"""The API of an agent that really runs: pair, read, steer, and be told what happens."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

from tests.agent.live.conftest import Lan, agent, wait_said

_MAC = "0a:00:00:00:00:02"
_CONFIG = "window_s = 1\nunit_s = 4\nlearning_units = 4\ndiscovery = false\n"
_SAY = """
import socket, sys, time
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind((sys.argv[1], 0))
while True:
    sender.send(bytes.fromhex("020000000001" + "0a0000000002" + "88b5") + bytes(50))
    time.sleep(0.1)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def ask(folder: Path, *words: str) -> dict[str, Any]:
    """Run a command on this machine that reaches the agent."""
    command = [sys.executable, "-m", "fwid_agent.cli.main", *words, "--json"]
    command += ["--store", str(folder / "fwid.db")]
    done = subprocess.run(command, capture_output=True, check=True, timeout=30)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


async def use(folder: Path, port: int) -> dict[str, Any]:
    """Do what Home Assistant does: pair, list, listen, steer."""
    code = await asyncio.to_thread(ask, folder, "pair")
    pinned = aiohttp.Fingerprint(bytes.fromhex(code["fingerprint"]))
    base = f"https://127.0.0.1:{port}/api/v1"
    found: dict[str, Any] = {}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=pinned)) as session:
        async with session.get(f"{base}/devices") as refused:
            found["without"] = refused.status
        async with session.post(
            f"{base}/pair", json={"code": code["code"], "name": "a test"}
        ) as paired:
            token = (await paired.json())["token"]
        session.headers["Authorization"] = f"Bearer {token}"
        until = time.monotonic() + 20
        while time.monotonic() < until and _MAC not in found:
            async with session.get(f"{base}/devices") as answer:
                listed = (await answer.json())["devices"]
            found |= {one["device"]: one for one in listed}
            await asyncio.sleep(0.5)
        async with session.get(f"{base}/info") as answer:
            found["info"] = await answer.json()
        async with session.ws_connect(f"{base}/events/ws") as stream:
            await stream.send_json({"after": 0})
            found["first"] = await stream.receive_json(timeout=10)
            async with session.post(f"{base}/devices/{_MAC}/relearn") as done:
                found["relearn"] = done.status
            tokens = (await asyncio.to_thread(ask, folder, "tokens"))["tokens"]
            await asyncio.to_thread(ask, folder, "tokens", "--revoke", tokens[0]["id"])
            while (message := await stream.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT:
                pass
            found["end"] = message.data
        async with session.get(f"{base}/info") as answer:
            found["revoked"] = answer.status
    return found


def test_a_client_is_paired_told_and_shut_out(lan: Lan, tmp_path: Path) -> None:
    """From the code on the command line to the token that no longer works."""
    port = free_port()
    with agent(tmp_path, [lan.near], "--port", str(port), config=_CONFIG) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        while line and "serving" not in line:
            line = process.stderr.readline()
        device = subprocess.Popen(lan.inside(sys.executable, "-c", _SAY, lan.far))
        try:
            found = asyncio.run(use(tmp_path, port))
        finally:
            device.kill()
            device.wait()
    assert found["without"] == 401
    assert found[_MAC]["state"] == "learning"
    assert found[_MAC]["learning_units"] == 4
    assert found["info"]["capture"]["capturing"] is True
    assert found["first"]["type"] == "new_device"
    assert found["relearn"] < 300
    assert found["end"] == 1008
    assert found["revoked"] == 401
    files = {one.name: one.stat().st_mode & 0o077 for one in tmp_path.iterdir()}
    assert files["tokens.json"] == files["certificate.pem"] == 0


async def _pair(folder: Path, port: int) -> tuple[str, str]:
    """Let a client in; returns the fingerprint that it pins, and its token."""
    code = await asyncio.to_thread(ask, folder, "pair")
    pinned = aiohttp.Fingerprint(bytes.fromhex(code["fingerprint"]))
    url = f"https://127.0.0.1:{port}/api/v1/pair"
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=pinned)) as session,
        session.post(url, json={"code": code["code"], "name": "a test"}) as paired,
    ):
        return code["fingerprint"], (await paired.json())["token"]


async def _knows(port: int, fingerprint: str, token: str) -> int:
    """Ask as a client that was let in before; returns the status."""
    pinned = aiohttp.Fingerprint(bytes.fromhex(fingerprint))
    url, headers = f"https://127.0.0.1:{port}/api/v1/info", {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=pinned)) as session,
        session.get(url, headers=headers) as answer,
    ):
        return answer.status


def test_on_a_new_machine_clients_stay_paired(lan: Lan, tmp_path: Path) -> None:
    """One file brings all of it: who has pinned the certificate and has a token notices nothing."""
    old, new, port = tmp_path / "old", tmp_path / "new", free_port()
    copy = str(tmp_path / "copy.db")
    old.mkdir()
    new.mkdir()
    with agent(old, [lan.near], "--port", str(port), config=_CONFIG) as process:
        wait_said(process, "serving")
        fingerprint, token = asyncio.run(_pair(old, port))
        carried = ask(old, "backup", copy)["with"]
    assert carried == ["certificate.pem", "tokens.json"]
    assert Path(copy).stat().st_mode & 0o077 == 0
    assert ask(new, "restore", copy)["with"] == carried
    with agent(new, [lan.near], "--port", str(port), config=_CONFIG) as process:
        wait_said(process, "serving")
        assert asyncio.run(_knows(port, fingerprint, token)) == 200
