"""Tries the image's recipe without a container engine; see `scripts/try-image`.

Its steps are carried out in clean roots. Then the agent is started there as an engine would start
it: rights, user, read-only root and network as they are asked for, and traffic on a virtual cable.
"""

import json
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cable import FAR, HOST, MAC, talking_host
from cleanroot import CleanRoot
from dockerfile import Build, Stage

_CHECKOUT = Path(__file__).parents[1]
# A client: pairs, and asks until the device is there.
_ASK = """
import http.client, json, ssl, sys, time
code, mac = sys.argv[1:]
context = ssl._create_unverified_context()
def ask(method, path, body=None, **headers):
    connection = http.client.HTTPSConnection("127.0.0.1", 8127, context=context, timeout=10)
    headers["Content-Type"] = "application/json"
    connection.request(method, "/api/v1" + path, body and json.dumps(body), headers)
    return json.loads(connection.getresponse().read())
token = ask("POST", "/pair", {"code": code, "name": "a try"})["token"]
found, until = {}, time.monotonic() + 30
while "device" not in found and time.monotonic() < until:
    time.sleep(1)
    found = ask("GET", "/devices/" + mac, Authorization="Bearer " + token)
capture = ask("GET", "/info", Authorization="Bearer " + token)["capture"]
print(json.dumps({"capture": capture, "device": found.get("device")}))
"""
_ONLY_NET_RAW = "-all,+net_raw"
# What an engine leaves to a container that asks for nothing.
_USUAL = "-all," + ",".join(
    f"+{name}"
    for name in (
        *("chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap"),
        *("net_bind_service", "net_raw", "sys_chroot", "mknod", "audit_write", "setfcap"),
    )
)
# Laboratory time: a window is a second, so that devices are there at once.
_SETTINGS = {"window_s": 1, "unit_s": 60}
_PATIENCE_S = 60


class Container:
    """A container as an engine would start it: its stage, its data folder, and its rights."""

    def __init__(self, stage: Stage, data: Path, rights: str, env: Mapping[str, str]) -> None:
        self._stage = stage
        self._data = data
        self._rights = rights
        self._env = {**stage.env, **env}

    def command(self, *words: str) -> list[str]:
        """Return what runs a command in the container."""
        root = _root(self._stage)
        user = [f"--reuid={self._stage.user}", f"--regid={self._stage.user}", "--clear-groups"]
        rights = [f"--bounding-set={self._rights}", "--inh-caps=-all"]
        inside = root.command(["setpriv", *user, *rights, *words], self._env)
        at = shlex.quote(str(root.path))
        script = (
            f"mount --rbind {at} {at} && mount -o remount,bind,ro {at} && cd /"
            f" && mount -t tmpfs tmpfs {at}/tmp"  # noqa: S108 - the container's own
            f" && mount --bind {self._data} {at}/data"
            f" && exec {shlex.join(inside)}"
        )
        return ["ip", "netns", "exec", HOST, "unshare", "--mount", "sh", "-ec", script]

    @contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Run the entry point until the context is left; the log is shown."""
        command = self.command(*self._stage.entrypoint, *words)
        process = subprocess.Popen(command, text=True, start_new_session=True)
        try:
            yield process
        finally:
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            _note("stopped after SIGTERM", time.monotonic() - began)

    def run(self, *words: str) -> str:
        """Run a command beside the entry point, as `docker exec` does."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def wait_until_healthy(self) -> None:
        """Do the health check until it is content."""
        until = time.monotonic() + _PATIENCE_S
        while subprocess.run(self.command(*self._stage.health), check=False).returncode:
            if time.monotonic() > until:
                raise RuntimeError("never healthy")
            time.sleep(0.5)


def main() -> None:
    """Build, run both ways, and say what was seen."""
    build = Build(Path(sys.argv[1]), _CHECKOUT)
    try:
        build.carry_out(_CHECKOUT / "app" / "Dockerfile")
        for step in build.steps:
            if step.seconds > 0.5:
                _note(f"{step.stage}: {step.words[:60]}", step.seconds)
        size = _root(build.stages["container"]).written_bytes()
        print(f"{'the image, beyond its base':62}{size / 1e6:9.0f} MB")
        with talking_host():
            _try_by_itself(build.stages["container"])
            _try_as_app(build.stages["app"])
    finally:
        build.close()


def _try_by_itself(stage: Stage) -> None:
    """docker run --network host --cap-drop ALL --cap-add NET_RAW --read-only --tmpfs /tmp ..."""
    print("by itself, as its own user, with CAP_NET_RAW alone:")
    with _data_folder(stage) as data:
        settings = "".join(f"{name} = {value}\n" for name, value in _SETTINGS.items())
        (data / "fwid" / "fwid.toml").write_text(settings)
        container = Container(stage, data, _ONLY_NET_RAW, {})
        began = time.monotonic()
        with container.started("run", FAR):
            container.wait_until_healthy()
            _note("healthy after", time.monotonic() - began)
            _check_running(container)


def _try_as_app(stage: Stage) -> None:
    """As Home Assistant's Supervisor starts an app: as root, with the engine's usual rights."""
    print("as an app, started as root:")
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        data.chmod(0o755)
        (data / "options.json").write_text(json.dumps({"sources": [FAR], **_SETTINGS}))
        container = Container(stage, data, _USUAL, {"SUPERVISOR_TOKEN": "a stand-in's"})
        began = time.monotonic()
        with container.started():
            container.wait_until_healthy()
            _note("healthy after", time.monotonic() - began)
            _check_running(container)
            hook = ["/opt/fwid/bin/python", "-m", "fwid_agent.service.container"]
            container.run(*hook, "before-backup")
            _check((data / "fwid" / "backup.db").stat().st_size > 0, "a copy for the backup")
            container.run(*hook, "after-backup")
            _check(not (data / "fwid" / "backup.db").exists(), "and it is gone after the backup")


def _check_running(container: Container) -> None:
    """What has to be so of every running agent."""
    code = json.loads(container.run("fwid", "pair", "--json"))["code"]
    asked = json.loads(container.run("python", "-c", _ASK, code, MAC))
    _check(asked["capture"]["frames"] > 0, f"{asked['capture']['frames']} frames were counted")
    _check(asked["capture"]["lost"] == 0, "none was lost")
    _check(asked["device"] == MAC, "the device on the cable was seen")
    rights = {_program(process): _rights(process) for process in _processes()}
    print(f"  rights: {rights}")
    _check(rights["fwid_agent.cli.main"] == 0, "the agent has no right")
    _check(rights["fwid_agent.service.capturer"] == 1 << 13, "the capture has CAP_NET_RAW alone")
    _check(all(_user(process) != 0 for process in _processes()), "nobody of it is root")


@contextmanager
def _data_folder(stage: Stage) -> Iterator[Path]:
    """A volume that is new: an engine fills it with what the image has there."""
    with tempfile.TemporaryDirectory() as name:
        source = _root(stage).path / "data"
        subprocess.run(["cp", "-a", f"{source}/.", name], check=True)
        Path(name).chmod(0o755)
        yield Path(name)


def _root(stage: Stage) -> CleanRoot:
    assert stage.root
    return stage.root


def _processes() -> list[int]:
    """All processes on the container's host."""
    command = ["ip", "netns", "pids", HOST]
    out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    found = [int(word) for word in out.split()]
    return [process for process in found if _program(process).startswith("fwid_agent")]


def _program(process: int) -> str:
    words = Path(f"/proc/{process}/cmdline").read_bytes().decode().split("\0")
    return words[2] if words[1:2] == ["-m"] else words[0]


def _status(process: int, name: str) -> Sequence[str]:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(line.split()[1:] for line in lines if line.startswith(f"{name}:"))


def _rights(process: int) -> int:
    """Every right that a process has or could take."""
    return int(_status(process, "CapPrm")[0], 16) | int(_status(process, "CapEff")[0], 16)


def _user(process: int) -> int:
    return int(_status(process, "Uid")[1])


def _check(holds: bool, words: str) -> None:
    print(f"  {'ok' if holds else 'NOT SO'}: {words}", flush=True)
    if not holds:
        raise RuntimeError(words)


def _note(words: str, seconds: float) -> None:
    print(f"{words:62}{seconds:9.1f} s", flush=True)


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"{Path(__file__).name}: {error}")
