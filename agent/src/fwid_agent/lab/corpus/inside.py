"""A shell on a host: in its network namespace and in a root of its own layers, as process 1."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

# Arguments: place, layers, host name, folder of programs of ours, folder shared with the outside.
# Clocks, modules and disks are out of reach: the machine's own are everybody's.
_ENTER = r"""
set -e
place=$1 layers=$2 name=$3 programs=$4 share=$5
mount --make-rprivate /
options=lowerdir=$layers,upperdir=$place/upper,workdir=$place/work
mount -t overlay overlay -o "$options" "$place/root"
cd "$place/root"
mount -t tmpfs -o mode=755 tmpfs dev
mkdir -p dev/shm dev/net dev/pts
for node in null zero full random urandom net/tun; do
    [ -e "/dev/$node" ] && touch "dev/$node" && mount --bind "/dev/$node" "dev/$node"
done
ln -s /proc/self/fd dev/fd
mount -t proc proc proc
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount --bind "$programs" fwid
mount --bind "$share" share
hostname "$name"
exec setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio,-sys_boot \
    --inh-caps=-sys_time,-sys_module,-sys_rawio,-sys_boot chroot . /bin/sh
"""


@dataclass(frozen=True, slots=True)
class Root:
    """What a shell finds: layers (the uppermost first), and where it writes."""

    layers: Sequence[Path]
    place: Path  # of its own
    programs: Path  # shown as /fwid
    share: Path  # shown as /share


class Shell:
    """A shell that takes lines; all that was started by it ends with it."""

    def __init__(self, namespace: str, name: str, root: Root, env: Mapping[str, str]) -> None:
        for folder in ("upper/etc", "work", "root"):
            (root.place / folder).mkdir(parents=True, exist_ok=True)
        (root.place / "upper/etc/resolv.conf").write_text("nameserver 10.77.0.1\nsearch home\n")
        (root.place / "upper/etc/hosts").write_text(f"127.0.0.1 localhost {name}\n::1 localhost\n")
        layers = ":".join(str(path) for path in root.layers)
        self.log = root.place / "log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("ip", "netns", "exec", namespace, "unshare", "--mount", "--uts", "--ipc"),
                    *("--pid", "--fork", "--kill-child=KILL", "sh", "-c", _ENTER, "sh"),
                    *(str(root.place), layers, name, str(root.programs), str(root.share)),
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={
                    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    "HOME": "/root",
                    "LANG": "C.UTF-8",
                    **env,
                },
            )
        self.do(". /fwid/host.sh")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        """Whether the shell still runs."""
        return self._process.poll() is None

    def do(self, line: str) -> None:
        """Hand a line to the shell; a shell that has ended takes none."""
        stream = self._process.stdin
        if stream is None or not self.alive:
            return
        try:
            stream.write(f"{line}\n".encode())
            stream.flush()
        except BrokenPipeError:
            return

    def stop(self) -> None:
        """End the shell with all that runs in it."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                return
