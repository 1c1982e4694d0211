"""Tries the service in a Debian guest; see `scripts/try-guest`.

The guest has no way to a package index: it gets the agent and what it needs as wheels.
"""

import hashlib
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cleanroot import CleanRoot
from guest import CABLE, RELEASE, Disk, Guest

_CHECKOUT = Path(__file__).parents[1]
_POWER_CUTS = 5
_WORST_SCORE = 1.5
_WATCHED = "ens4"
_FWID = "/opt/fwid/bin/fwid"
_INSTALL = (
    "python3 -m venv /opt/fwid && /opt/fwid/bin/pip install --quiet --no-index"
    " --find-links /mnt/wheels fwid-agent"
)
# Laboratory time: what is older than a second is stored.
_CONFIGURE = f"""cat >/etc/fwid/fwid.toml <<END
sources = ["{_WATCHED}"]
window_s = 1
unit_s = 10
END
systemctl start fwid
"""
# Two devices in two VLANs of a mirror port; every frame bears its tag and its number.
_DEVICES = {"0a:00:00:00:00:0a": 10, "0a:00:00:00:00:0b": 20}
_INTEGRITY = """/opt/fwid/bin/python - <<END
import sqlite3
print(sqlite3.connect("/var/lib/fwid/fwid.db").execute("PRAGMA integrity_check").fetchone()[0])
END
"""
_LEFT = """(find /etc /var /run -xdev -name "*fwid*" ! -path "/var/log/*"; id fwid; pgrep -u fwid
) 2>/dev/null || true
"""


class Mirror:
    """A mirror port that sends tagged frames on the cable, as fast as it is told, until closed."""

    def __init__(self, frames_per_s: float) -> None:
        self.sent = dict.fromkeys(_DEVICES, 0)
        self._pause_s = 1 / frames_per_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        """Send no more."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind((CABLE, 0))
            while not self._ending.wait(self._pause_s):
                for mac, vlan in _DEVICES.items():
                    try:
                        sender.send(_frame(mac, vlan, self.sent[mac]))
                    except OSError:
                        continue  # nobody is at the other end now
                    self.sent[mac] += 1


def main() -> None:
    """Install, watch, cut the power, remove; print what was seen, and how long it took."""
    cache = Path(sys.argv[1])
    disk = Disk(cache)
    with tempfile.TemporaryDirectory(prefix="fwid-payload-") as folder:
        payload = Path(folder)
        shutil.copytree(_make_wheels(cache), payload / "wheels")
        guest = Guest(disk, payload)
        try:
            _tell("the guest starts", f"{guest.start():.0f} s")
            _try_installation(guest)
            _try_mirror_port(guest)
            _try_power_cuts(guest)
            _try_removal(guest)
        except (AssertionError, RuntimeError):
            print(guest.run("journalctl -u fwid -n 40 --no-pager", check=False), file=sys.stderr)
            raise
        finally:
            guest.close()


def _try_installation(guest: Guest) -> None:
    began = time.monotonic()
    guest.run(_INSTALL)
    _tell("pip install into /opt/fwid, wheels at hand", f"{time.monotonic() - began:.0f} s")
    began = time.monotonic()
    print("   ", guest.run(f"{_FWID} install-service {_WATCHED}").strip())
    _tell("fwid install-service, until it is ready", f"{time.monotonic() - began:.1f} s")
    _expect(guest, "systemctl is-active fwid", "active")
    score = guest.run("systemd-analyze security fwid.service --no-pager | tail -n 1").strip()
    _tell("systemd-analyze security", score.partition(": ")[2])
    assert float(re.findall(r"\d+\.\d", score)[0]) <= _WORST_SCORE, score
    for line in guest.run(f"{_FWID} pair").splitlines():
        assert re.match("code:|fingerprint:", line), line
    rights = guest.run("grep -h Cap[EPA] /proc/$(systemctl show -P MainPID fwid)/status")
    assert set(re.findall("[0-9a-f]{16}", rights)) == {"0" * 16}, rights
    _tell("rights of the analysis and the API", "none")
    used = guest.run("systemctl show -P MemoryCurrent fwid").strip()
    _tell("memory of the whole service", f"{int(used) / 1e6:.0f} MB")
    began = time.monotonic()
    guest.run("systemctl stop fwid")
    _tell("systemctl stop", f"{time.monotonic() - began:.1f} s")


def _try_mirror_port(guest: Guest) -> None:
    guest.run(_CONFIGURE)
    with _mirror(100) as mirror:
        time.sleep(10)
    time.sleep(3)
    counted = _counted(guest)
    assert counted == mirror.sent, (counted, mirror.sent)
    total = sum(counted.values())
    _tell("frames of two VLANs from a mirror port, sent and counted", f"{total} and {total}")


def _try_power_cuts(guest: Guest) -> None:
    starts, lost = [], []
    before = sum(_counted(guest).values())
    for number in range(_POWER_CUTS):
        with _mirror(200) as mirror:
            time.sleep(4 + number % 3)
            guest.cut_power()
        guest.start()
        began = time.monotonic()
        while guest.run("systemctl is-active fwid", check=False).strip() != "active":
            assert time.monotonic() - began < 60, guest.run("journalctl -u fwid -n 20")
            time.sleep(0.5)
        starts.append(time.monotonic() - began)
        _expect(guest, _INTEGRITY, "ok")
        counted = sum(_counted(guest).values())
        sent = sum(mirror.sent.values())
        assert before <= counted <= before + sent, (before, counted, sent)
        lost.append((sent - (counted - before)) / 400)
        before = counted
    _tell(f"{_POWER_CUTS} power cuts while it captures: store whole", f"{_POWER_CUTS} times")
    _tell("lost of the traffic, at the most", f"{max(lost):.1f} s of it, windows being 1 s long")
    _tell("counted twice", "never")


def _try_removal(guest: Guest) -> None:
    print("   ", guest.run(f"{_FWID} install-service --remove --everything").strip())
    left = guest.run(_LEFT).strip()
    assert not left, left
    _tell("fwid install-service --remove --everything leaves", "nothing")


def _counted(guest: Guest) -> dict[str, int]:
    devices = [json.loads(line) for line in guest.run(f"{_FWID} devices --json").splitlines()]
    sent = {device["device"]: device["packets_sent"] for device in devices}
    return {mac: sent.get(mac, 0) for mac in _DEVICES}


def _expect(guest: Guest, command: str, answer: str) -> None:
    got = guest.run(command).strip()
    assert got == answer, f"{command}: {got}"


@contextmanager
def _mirror(frames_per_s: float) -> Iterator[Mirror]:
    mirror = Mirror(frames_per_s)
    try:
        yield mirror
    finally:
        mirror.close()


def _frame(mac: str, vlan: int, number: int) -> bytes:
    tag = bytes.fromhex("8100") + vlan.to_bytes(2, "big")
    ends = bytes.fromhex("0a0000000001" + mac.replace(":", ""))
    return ends + tag + bytes.fromhex("88b5") + number.to_bytes(8, "big") + bytes(46)


def _make_wheels(cache: Path) -> Path:
    """Fetch what the agent needs as Debian's Python wants it, and build the agent itself."""
    needs = hashlib.sha256((_CHECKOUT / "agent/pyproject.toml").read_bytes()).hexdigest()[:16]
    folder = cache / "guest" / f"wheels-{needs}"
    shutil.rmtree(folder.with_suffix(".part"), ignore_errors=True)
    with CleanRoot(cache, RELEASE) as root:
        root.run("apt-get", "update", "-qq")
        install = ("apt-get", "install", "-qq", "-y", "--no-install-recommends", "python3-venv")
        root.run(*install, env={"DEBIAN_FRONTEND": "noninteractive"})
        shutil.copytree(_CHECKOUT / "agent", root.path / "agent")
        root.run("python3", "-m", "venv", "/pip")
        wheel = ("/pip/bin/pip", "wheel", "--quiet", "--wheel-dir", "/wheels")
        if folder.exists():
            shutil.copytree(folder, root.path / "wheels")
            root.run(*wheel, "--no-deps", "/agent")
        else:
            root.run(*wheel, "/agent")
            shutil.copytree(root.path / "wheels", folder.with_suffix(".part"))
            folder.with_suffix(".part").rename(folder)
        for old in folder.glob("fwid_agent-*"):
            old.unlink()
        for new in (root.path / "wheels").glob("fwid_agent-*"):
            shutil.copyfile(new, folder / new.name)
    return folder


def _tell(what: str, found: str) -> None:
    print(f"{what:60} {found}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, RuntimeError, subprocess.SubprocessError) as error:
        sys.exit(f"try-guest: {error}")
