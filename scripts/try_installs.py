"""Tries each way to install the agent, as a new user would; see `scripts/try-installs`."""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cable import FAR, HOST, talking_host
from cleanroot import CleanRoot

_AGENT = Path(__file__).parents[1] / "agent"
_RELEASES = {"bookworm": "Debian 12", "trixie": "Debian 13"}
_STORE = "/home/somebody/fwid.db"
_NEWER = "9.9.9"
_WATCHED_S = 4
_PATIENCE_S = 120


@dataclass(frozen=True)
class Way:
    """A way to install: what it takes beforehand, the commands, and where the program is then."""

    name: str
    packages: Sequence[str]
    before: Sequence[str]
    install: str
    upgrade: str
    program: str


_WAYS = (
    Way("uv tool", ["pipx"], ["pipx install uv"],
        "~/.local/bin/uv tool install --compile-bytecode ./agent",
        "~/.local/bin/uv tool install --force --compile-bytecode ./agent",
        "/home/somebody/.local/bin/fwid"),
    Way("pip, in an environment", ["python3-venv"], ["python3 -m venv ~/fwid"],
        "~/fwid/bin/pip install ./agent", "~/fwid/bin/pip install ./agent",
        "/home/somebody/fwid/bin/fwid"),
    Way("pipx", ["pipx"], [], "pipx install ./agent", "pipx install --force ./agent",
        "/home/somebody/.local/bin/fwid"),
)  # fmt: skip


def main() -> None:
    """Try every way, in every release or those that are named; prints the table of the document."""
    releases = sys.argv[2:] or list(_RELEASES)
    print("| way | on | time | size |\n|---|---|---|---|", flush=True)
    with talking_host():
        for release in releases:
            for way in _WAYS:
                print(f"\u2022 {release}: {way.name}", file=sys.stderr, flush=True)
                with CleanRoot(Path(sys.argv[1]), release) as root:
                    seconds, size, python = _try(root, way)
                took = f"{seconds:.0f} s | {size / 1e6:.0f} MB"
                print(f"| {way.name} | {_RELEASES[release]}, {python} | {took} |", flush=True)


def _try(root: CleanRoot, way: Way) -> tuple[float, int, str]:
    """Install, run, upgrade, run, downgrade; returns seconds and bytes of the install alone."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "agent"
        ignored = shutil.ignore_patterns("__pycache__", ".venv", "dist")
        shutil.copytree(_AGENT, source, ignore=ignored)
        Path(name).chmod(0o755)
        root.run("apt-get", "update", "-q")
        root.run("apt-get", "install", "-qy", "--no-install-recommends", *way.packages)
        root.run("useradd", "--create-home", "somebody")
        root.show(source, "/home/somebody/agent")
        for command in way.before:
            _as_somebody(root, command)
        before, began = root.written_bytes(), time.monotonic()
        _as_somebody(root, way.install)
        seconds, size = time.monotonic() - began, root.written_bytes() - before
        version = root.run(way.program, "--version")
        agent = _watch(root, way)
        _set_version(source)
        _as_somebody(root, way.upgrade)
        _check(root.run(way.program, "--version") != version, "upgraded")
        _check(_watch(root, way) == agent, "the store was kept")
        _check_downgrade(root, way)
    return seconds, size, root.run("python3", "--version").strip()


def _as_somebody(root: CleanRoot, command: str) -> None:
    root.run("setpriv", "--reuid=somebody", "--regid=somebody", "--init-groups", "sh", "-ec",
             f"cd ~ && {command}", env={"HOME": "/home/somebody"})  # fmt: skip


def _watch(root: CleanRoot, way: Way) -> str:
    """Run the agent as root on the host with the cable; returns the store's agent."""
    command = [
        "ip",
        "netns",
        "exec",
        HOST,
        *root.command([way.program, "run", FAR, "--user", "somebody", "--store", _STORE]),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            lines = iter(process.stderr.readline, "")
            seen = []
            for line in lines:
                seen.append(line)
                if "capturing" in line:
                    break
            time.sleep(_WATCHED_S)
        finally:
            process.send_signal(signal.SIGTERM)
        seen += list(lines)
    (stopped,) = [line for line in seen if "stopped frames=" in line] or ["".join(seen)]
    frames = stopped.partition("frames=")[2].partition(" ")[0]
    _check(frames.isdigit() and int(frames) > 0, f"frames were counted: {stopped.strip()}")
    return _sql(root, "SELECT value FROM meta WHERE key = 'agent'")


def _check_downgrade(root: CleanRoot, way: Way) -> None:
    """A store of a newer version is refused with one line, and left as it is."""
    _sql(root, "PRAGMA user_version = 999")
    command = root.command([way.program, "run", FAR, "--user", "somebody", "--store", _STORE])
    done = subprocess.run(
        ["ip", "netns", "exec", HOST, *command],
        capture_output=True, text=True, check=False, timeout=_PATIENCE_S,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if line.startswith("fwid: ")]
    _check(
        done.returncode == 4 and len(said) == 1, f"a downgrade is refused: {done.stderr.strip()}"
    )


def _sql(root: CleanRoot, statement: str) -> str:
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(*c.execute(sys.argv[2]))"
    return root.run("python3", "-c", f"{code}; c.commit()", _STORE, statement)


def _set_version(source: Path) -> None:
    path = source / "pyproject.toml"
    lines = path.read_text("utf-8").splitlines()
    changed = [f'version = "{_NEWER}"' if line.startswith("version = ") else line for line in lines]
    path.write_text("\n".join(changed) + "\n", "utf-8")


def _check(holds: bool, words: str) -> None:
    print(f"  {'ok' if holds else 'NOT SO'}: {words}", file=sys.stderr, flush=True)
    if not holds:
        raise RuntimeError(words)


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"{Path(__file__).name}: {error}")
