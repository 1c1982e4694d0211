"""Debian as a new user has it: clean roots to try things in, for root alone.

A release is fetched once (debootstrap) and kept in the cache folder. What is done in a root lies in
a layer over it and is thrown away. Mounts are made in a mount namespace of its own: whoever imports
this is to be started by `unshare --mount`.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_RESOLVER = Path("/etc/resolv.conf")
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# Trust what the machine trusts: a company's proxy may sign for the package index. Not in its usual
# place, where the Debian package of that name writes.
_SHOWN_AUTHORITIES = "/run/authorities.crt"
_TRUST = dict.fromkeys(("SSL_CERT_FILE", "PIP_CERT"), _SHOWN_AUTHORITIES)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class CleanRoot:
    """A Debian of some release; everything that is written to it is gone when it is closed."""

    def __init__(self, cache: Path, release: str) -> None:
        base = _fetch(cache / "roots", release)
        self._work = Path(tempfile.mkdtemp(prefix="layer-", dir=cache / "roots"))
        self.path = self._work / "root"
        self._layer = self._work / "layer"
        for folder in (self.path, self._layer, self._work / "work"):
            folder.mkdir()
        options = f"lowerdir={base},upperdir={self._layer},workdir={self._work / 'work'}"
        _call("mount", "-t", "overlay", "overlay", "-o", options, self.path)
        _call("mount", "--rbind", "/dev", self.path / "dev")
        _call("mount", "-t", "proc", "proc", self.path / "proc")
        self.show(_RESOLVER, str(_RESOLVER))
        self.show(_AUTHORITIES, _SHOWN_AUTHORITIES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _call("umount", "--recursive", "--lazy", self.path)
        shutil.rmtree(self._work, ignore_errors=True)

    def show(self, outside: Path, inside: str) -> None:
        """Show a file or folder of this machine in the root."""
        target = self.path / inside.lstrip("/")
        if outside.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        _call("mount", "--rbind", outside, target)

    def command(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> list[str]:
        """Return what runs a command in the root, with none of this machine's environment."""
        given = {"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8", **_TRUST, **(env or {})}
        pairs = [f"{name}={value}" for name, value in given.items()]
        return ["chroot", str(self.path), "env", "-i", *pairs, *command]

    def run(self, *command: str, env: Mapping[str, str] | None = None) -> str:
        """Run a command in the root; returns what it prints, both ways. Raises RuntimeError."""
        done = subprocess.run(
            self.command(command, env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def written_bytes(self) -> int:
        """How much is in the layer, as `du` counts it."""
        done = subprocess.run(
            ["du", "-sx", "--block-size=1", self._layer], capture_output=True, check=True, text=True
        )
        return int(done.stdout.split()[0])


def _fetch(folder: Path, release: str) -> Path:
    root = folder / release
    if not root.is_dir():
        print(f"• fetching Debian's {release} into {root}", flush=True)
        part = folder / f"{release}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.parent.mkdir(parents=True, exist_ok=True)
        _call("debootstrap", "--variant=minbase", release, part)
        shutil.rmtree(part / "var/cache/apt", ignore_errors=True)
        part.rename(root)
    return root


def _call(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = " ".join(os.fspath(word) for word in command)
        raise RuntimeError(f"{words}: {done.stderr.strip() or done.returncode}")
