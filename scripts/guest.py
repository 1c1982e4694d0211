"""A Debian guest under QEMU: its disk, its start, its cable, and the cutting of its power.

The disk is made once and kept in the cache folder; a run writes to a layer over it. The guest is
reached by ssh through the host's loopback, and by one more network card, a cable to this machine.
"""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cleanroot import CleanRoot

RELEASE = "bookworm"
CABLE = "fwid-guest0"
_PACKAGES = (
    *("systemd-sysv", "dbus", "udev", "openssh-server", "linux-image-cloud-amd64"),
    *("python3", "python3-venv", "ifupdown", "isc-dhcp-client"),
)
_INTERFACES = """auto lo ens3 ens4
iface lo inet loopback
iface ens3 inet dhcp
iface ens4 inet manual
    up ip link set ens4 up
"""
_DISK_MB = 3000
_BOOT_S = 600
_KERNEL_S = 20  # by then a kernel has said something, unless the machine's KVM is of no use
_ACCELERATED = ("-enable-kvm", "-cpu", "host,-arch-capabilities")
_EMULATED = ("-accel", "tcg,thread=multi", "-cpu", "max")


class Disk:
    """Debian with systemd, ssh and Python, as an image; made where it is missing."""

    def __init__(self, cache: Path) -> None:
        self._folder = cache / "guest"
        self.image = self._folder / f"{RELEASE}.img"
        self.kernel = self._folder / "vmlinuz"
        self.ramdisk = self._folder / "initrd.img"
        self.key = self._folder / "key"
        if not self.image.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make(cache)

    def _make(self, cache: Path) -> None:
        print(f"• making a Debian guest in {self._folder}", flush=True)
        self.key.unlink(missing_ok=True)
        call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        with CleanRoot(cache, RELEASE) as root:
            quiet = {"DEBIAN_FRONTEND": "noninteractive"}
            root.run("apt-get", "update", "-qq")
            install = ("apt-get", "install", "-qq", "-y", "--no-install-recommends", *_PACKAGES)
            root.run(*install, env=quiet)
            root.run("apt-get", "clean")
            self._settle(root.path)
            for kept, name in ((self.kernel, "vmlinuz-*"), (self.ramdisk, "initrd.img-*")):
                shutil.copyfile(next((root.path / "boot").glob(name)), kept)
            with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                call("cp", "-ax", f"{root.path}/.", folder)
                part = self.image.with_suffix(".part")
                call("mke2fs", "-q", "-t", "ext4", "-d", folder, part, f"{_DISK_MB}M")
                part.rename(self.image)

    def _settle(self, root: Path) -> None:
        (root / "etc/hostname").write_text("guest\n")
        (root / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
        (root / "etc/network/interfaces").write_text(_INTERFACES)
        (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
        shutil.copyfile(self.key.with_suffix(".pub"), root / "root/.ssh/authorized_keys")


class Guest:
    """A guest; whatever it writes is gone when it is closed.

    Args:
        disk: what it starts from.
        payload: a folder that it sees, for reading, in /mnt.

    """

    def __init__(self, disk: Disk, payload: Path) -> None:
        self._disk = disk
        self._folder = Path(tempfile.mkdtemp(prefix="fwid-guest-"))
        self._layer = self._folder / "layer.qcow2"
        self._payload = self._folder / "payload.img"
        backing = ("-b", disk.image, "-F", "raw")
        call("qemu-img", "create", "-q", "-f", "qcow2", *backing, self._layer)
        call("mke2fs", "-q", "-t", "ext4", "-d", payload, self._payload, "1000M")
        self._port = _free_port()
        self._console = self._folder / "console.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._processor = _ACCELERATED if Path("/dev/kvm").exists() else _EMULATED
        self._unplug()
        call("ip", "tuntap", "add", CABLE, "mode", "tap")
        call("ip", "link", "set", CABLE, "up")

    def start(self) -> float:
        """Switch it on and wait until it can be talked to; returns seconds."""
        if self._processor == _ACCELERATED:
            self._switch_on()
            time.sleep(_KERNEL_S)
            if "Linux version" in self._said():
                return _KERNEL_S + self._wait()
            print("• KVM does not work here; the guest is emulated", flush=True)
            self.cut_power()
            self._processor = _EMULATED
        self._switch_on()
        return self._wait()

    def _switch_on(self) -> None:
        forward = f"user,id=way,hostfwd=tcp:127.0.0.1:{self._port}-:22"
        cable = f"tap,id=cable,ifname={CABLE},script=no,downscript=no"
        command = [
            *("qemu-system-x86_64", *self._processor),
            *("-m", "1024", "-smp", "2", "-display", "none"),
            *("-kernel", str(self._disk.kernel), "-initrd", str(self._disk.ramdisk)),
            *("-append", "root=/dev/vda rw console=ttyS0"),
            *("-drive", f"file={self._layer},if=virtio,format=qcow2"),
            *("-drive", f"file={self._payload},if=virtio,format=raw,readonly=on"),
            *("-netdev", forward, "-device", "virtio-net-pci,netdev=way,addr=3"),
            *("-netdev", cable, "-device", "virtio-net-pci,netdev=cable,addr=4"),
            *("-serial", f"file:{self._console}"),
        ]
        self._console.unlink(missing_ok=True)
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def _wait(self) -> float:
        began = time.monotonic()
        while self._process is not None:
            done = self._ssh(["mount", "-o", "ro", "/dev/vdb", "/mnt"], timeout_s=20)
            if done is not None and (done.returncode == 0 or "already mounted" in done.stderr):
                return time.monotonic() - began
            if time.monotonic() - began > _BOOT_S or self._process.poll() is not None:
                break
            time.sleep(0.5)
        raise RuntimeError(f"the guest does not start:\n{self._said()[-2000:]}")

    def _said(self) -> str:
        return self._console.read_text("utf-8", "replace") if self._console.exists() else ""

    def cut_power(self) -> None:
        """Switch it off without a word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def run(self, command: str, *, check: bool = True) -> str:
        """Run some shell in it; returns what it prints. Raises RuntimeError."""
        done = self._ssh(["sh", "-es"], timeout_s=1800, given=command)
        if done is None or (check and done.returncode):
            said = "no answer" if done is None else done.stdout + done.stderr
            raise RuntimeError(f"{command}:\n{said}")
        return done.stdout

    def close(self) -> None:
        """Throw it away."""
        self.cut_power()
        self._unplug()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _unplug(self) -> None:
        if Path("/sys/class/net", CABLE).exists():
            call("ip", "link", "del", CABLE)

    def _ssh(
        self, words: Sequence[str], *, timeout_s: float, given: str = ""
    ) -> subprocess.CompletedProcess[str] | None:
        options = (
            *("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"),
            *("ConnectTimeout=5", "BatchMode=yes"),
        )
        command = ["ssh", "-i", str(self._disk.key), "-p", str(self._port)]
        for option in options:
            command += ["-o", option]
        try:
            return subprocess.run(
                [*command, "root@127.0.0.1", *words],
                input=given, capture_output=True, check=False, text=True, timeout=timeout_s,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None


def call(*command: str | Path) -> None:
    """Run a command; raises RuntimeError with what it says."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
