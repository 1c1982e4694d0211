"""The agent as an app of Home Assistant, beside a stand-in for its Supervisor, in real networks.

The host of the app is one network namespace, the Supervisor another, with the addresses that Home
Assistant gives them.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import pytest
import yaml
from fwid_agent.store import Store

from tests.agent.live.conftest import Lan, run

_APP = yaml.safe_load((Path(__file__).parents[3] / "app" / "config.yaml").read_text())
_TOKEN = "the token of the Supervisor"
_CONTAINER = [sys.executable, "-m", "fwid_agent.service.container"]
_OPTIONS = {"window_s": 1, "unit_s": 60, "discovery": False}
# A client of its own host, such as Home Assistant: asks with a token, and pins the certificate.
_ASK = """
import http.client, hashlib, json, ssl, sys
host, port, token, fingerprint, path = sys.argv[1:]
connection = http.client.HTTPSConnection(
    host, int(port), context=ssl._create_unverified_context(), timeout=10)
connection.connect()
shown = hashlib.sha256(connection.sock.getpeercert(binary_form=True)).hexdigest()
assert shown == fingerprint, "another certificate"
connection.request("GET", path, headers={"Authorization": "Bearer " + token})
answer = connection.getresponse()
print(json.dumps([answer.status, json.loads(answer.read())]))
"""
# Asks without TLS, from an address of its own host; prints the status, or why there is none.
_KNOCK = """
import http.client, sys
host, port, source, path = sys.argv[1:]
connection = http.client.HTTPConnection(
    host, int(port), timeout=5, source_address=(source, 0) if source else None)
try:
    connection.request("GET", path, headers={"X-Ingress-Path": "/x"})
    print(connection.getresponse().status)
except (OSError, http.client.HTTPException) as error:
    print(type(error).__name__)
"""


@dataclass
class AppHost:
    """A host with the app's data folder, and its Supervisor."""

    lan: Lan  # the home; the host is at its far end
    supervisor: str  # namespace
    data: Path
    log: Path

    def on_host(self, *command: str) -> str:
        """Run a command on the app's host; returns what it prints."""
        return _output(self.lan.inside(*command))

    def at_supervisor(self, *command: str) -> str:
        """Run a command where the Supervisor is."""
        return _output(["ip", "netns", "exec", self.supervisor, *command])

    def hook(self, what: str) -> None:
        """Run a hook in the app's container, as the Supervisor does around a backup."""
        command = [*_CONTAINER, what, "--user", "root"]
        subprocess.run(command, env=self.environment(), check=True, timeout=60)

    def messages(self) -> list[dict[str, Any]]:
        """What the Supervisor was told."""
        if not self.log.exists():
            return []
        return [json.loads(line)["config"] for line in self.log.read_text().splitlines()]

    @contextmanager
    def app(self) -> Iterator[dict[str, Any]]:
        """Run the app; gives what it tells the Supervisor."""
        told = len(self.messages())
        command = self.lan.inside(*_CONTAINER, "app", "--user", "root")
        process = subprocess.Popen(command, env=self.environment(), start_new_session=True)
        try:
            until = time.monotonic() + 60
            while len(self.messages()) == told:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.2)
            yield self.messages()[-1]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    def ask(self, config: dict[str, Any], path: str) -> tuple[int, dict[str, Any]]:
        """Ask the API as Home Assistant does, with what the Supervisor handed over."""
        known = [str(config[key]) for key in ("host", "port", "token", "fingerprint")]
        status, answer = json.loads(self.on_host(sys.executable, "-c", _ASK, *known, path))
        return status, answer

    def tokens(self) -> list[dict[str, Any]]:
        """The agent's tokens, by its own command."""
        listed: list[dict[str, Any]] = json.loads(self.fwid("tokens", "--json"))["tokens"]
        return listed

    def fwid(self, *words: str) -> str:
        """Run a command of the agent's in its container."""
        command = [sys.executable, "-m", "fwid_agent.cli.main", *words]
        return _output(command, self.environment())

    def environment(self) -> dict[str, str]:
        """What the Supervisor gives an app, and where its data lies."""
        given = {"SUPERVISOR_TOKEN": _TOKEN, "XDG_STATE_HOME": str(self.data)}
        return {**os.environ, **given}


def _output(command: list[str], env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def host(lan: Lan, tmp_path: Path) -> Iterator[AppHost]:
    """A host as Home Assistant's: its own network for apps, and `supervisor` as a name there."""
    made = AppHost(lan, f"{lan.namespace}-s", tmp_path / "data", tmp_path / "messages")
    made.data.mkdir()
    options = {"sources": [lan.far], **_OPTIONS}
    (made.data / "options.json").write_text(json.dumps(options))
    names = Path("/etc/netns") / lan.namespace
    run("ip", "netns", "add", made.supervisor)
    try:
        ours, theirs = f"fh{lan.near[2:]}", f"fs{lan.near[2:]}"
        run("ip", "-n", lan.namespace, "link", "add", ours, "type", "veth", "peer", "name", theirs,
            "netns", made.supervisor)  # fmt: skip
        for namespace, link, addresses in (
            (lan.namespace, ours, ["172.30.32.1/23"]),
            (made.supervisor, theirs, ["172.30.32.2/23", "172.30.33.7/23"]),
        ):
            run("ip", "-n", namespace, "link", "set", link, "up")
            for address in addresses:
                run("ip", "-n", namespace, "addr", "add", address, "dev", link)
        names.mkdir(parents=True)
        (names / "hosts").write_text("127.0.0.1 localhost\n172.30.32.2 supervisor\n")
        command = ["ip", "netns", "exec", made.supervisor, sys.executable]
        program = [str(Path(__file__).with_name("supervisor.py")), _TOKEN]
        services = ",".join(_APP["discovery"])
        supervisor = subprocess.Popen([*command, *program, services, str(made.log)])
        try:
            yield made
        finally:
            supervisor.kill()
            supervisor.wait()
    finally:
        shutil.rmtree(names, ignore_errors=True)
        subprocess.run(["ip", "netns", "del", made.supervisor], check=False, capture_output=True)


@pytest.mark.slow
def test_home_assistant_is_let_in_by_what_the_supervisor_was_told(host: AppHost) -> None:
    """No address, no code, no question: the token works, also after each restart, and is one."""
    with host.app() as first:
        assert first["host"] == "127.0.0.1"
        assert host.ask(first, "/api/v1/devices")[0] == 200
    with host.app() as second:
        assert second == first
        assert host.ask(second, "/api/v1/devices")[0] == 200
        (token,) = host.tokens()
        host.fwid("tokens", "--revoke", token["id"])
        assert host.ask(second, "/api/v1/devices")[0] == 401
    with host.app() as third:
        assert third["token"] != first["token"]
        assert {**third, "token": ""} == {**first, "token": ""}
        assert host.ask(third, "/api/v1/devices")[0] == 200
        assert len(host.tokens()) == 1
    kept = host.data / "fwid" / "home-assistant.token"
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_only_the_supervisor_is_heard_at_the_ingress(host: AppHost) -> None:
    """Not another app, not the home, not the host itself, whatever they say of themselves."""
    knock = [sys.executable, "-c", _KNOCK]
    app, port = "172.30.32.1", str(_APP["ingress_port"])
    with host.app():
        page = host.at_supervisor(*knock, app, port, "172.30.32.2", "/")
        devices = host.at_supervisor(*knock, app, port, "172.30.32.2", "/api/v1/devices")
        assert (page, devices) == ("200", "200")
        other_app = host.at_supervisor(*knock, app, port, "172.30.33.7", "/")
        itself = host.on_host(*knock, app, port, "", "/")
        home = _output([*knock, host.lan.far_ip, port, "", "/"])
        run("ip", "route", "add", f"{app}/32", "via", host.lan.far_ip)
        try:
            routed = _output([*knock, app, port, "", "/"])
        finally:
            run("ip", "route", "del", f"{app}/32")
        refused = {"RemoteDisconnected", "ConnectionResetError", "ConnectionRefusedError"}
        assert {other_app, itself, home, routed} <= refused
        through = host.on_host(*knock, "supervisor", "80", "", "/ingress/api/v1/devices")
        assert through == "200"


def devices_within(host: AppHost, config: dict[str, Any], seconds: float) -> set[str]:
    """The devices that the agent has stored, once there are any."""
    until = time.monotonic() + seconds
    while True:
        listed = host.ask(config, "/api/v1/devices")[1]["devices"]
        if listed or time.monotonic() >= until:
            return {one["device"] for one in listed}
        time.sleep(0.5)


@pytest.mark.slow
def test_a_backup_brings_everything_to_another_machine(host: AppHost, tmp_path: Path) -> None:
    """What the Supervisor copies while the app runs is whole, and becomes the store again."""
    archive = tmp_path / "backup.tar"
    with host.app() as before:
        known = devices_within(host, before, 30)
        assert known
        host.hook("before-backup")
        with tarfile.open(archive, "w") as tar:
            for path in sorted(host.data.rglob("*")):
                # Matched from the right, against the whole path, as the Supervisor does.
                if not any(PurePath(path).match(one) for one in _APP["backup_exclude"]):
                    tar.add(path, path.relative_to(host.data), recursive=False)
        host.hook("after-backup")
        assert not (host.data / "fwid" / "backup.db").exists()
    with Store.open(host.data / "fwid" / "fwid.db") as store:
        agent = store.agent
    shutil.rmtree(host.data)
    host.data.mkdir()
    with tarfile.open(archive) as tar:
        assert "fwid/fwid.db" not in tar.getnames()
        tar.extractall(host.data, filter="data")
    with host.app() as after:
        assert after == before
        assert known <= devices_within(host, after, 0)
    with Store.open(host.data / "fwid" / "fwid.db") as store:
        assert store.agent == agent


@pytest.mark.slow
def test_without_a_supervisor_that_answers_it_watches_all_the_same(host: AppHost) -> None:
    """It says so once and goes on; the API serves those who were let in before."""
    with host.app() as config:
        pass
    (Path("/etc/netns") / host.lan.namespace / "hosts").write_text("127.0.0.1 localhost\n")
    command = host.lan.inside(*_CONTAINER, "app", "--user", "root")
    process = subprocess.Popen(
        command, env=host.environment(), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        while "not introduced to Home Assistant" not in line:
            assert line
            line = process.stderr.readline()
        assert config["token"] not in line
        assert host.ask(config, "/api/v1/health")[0] == 200
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        if process.stderr:
            process.stderr.close()
