"""Root file systems of Debian releases, from the machine's own mirrors; needs no root."""

import getpass
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fwid_agent.lab.corpus.model import CorpusError, Debian, Source

_KEYRINGS = [
    Path(f"/usr/share/keyrings/debian-archive-keyring.{ending}") for ending in ("pgp", "gpg")
]
# What a root has beside its packages: a shell and what shells call.
_BASE = ("dash", "busybox", "coreutils", "grep", "base-passwd")
# Accounts that packages make when they are installed, not when they are unpacked.
_ACCOUNTS = (
    *("avahi", "messagebus", "mosquitto", "mpd", "minidlna", "shairport-sync", "_chrony"),
    *("snapclient", "snapserver", "dnsmasq", "tcpdump", "systemd-timesync"),
    *("ntpd", "dhcpcd", "_dhcpcd"),
)


def fetch_debian(layer: Debian, target: Path) -> dict[str, str]:
    """Unpack packages with all their libraries into a folder; returns their versions."""
    wanted = ("install", "--yes", "--download-only", *_BASE, *layer.packages)
    with _private_apt(layer.suite, "deb", target) as work:
        _try_mirrors(layer.suite, "deb", work, wanted)
        versions = {}
        for archive in sorted((work / "cache/archives").glob("*.deb")):
            call("dpkg", "-x", str(archive), str(target))
            words = ("--show", "--showformat", "${Package} ${Version}")
            package, _, version = call("dpkg-deb", *words, str(archive)).partition(" ")
            versions[package] = version
    _finish(target)
    return versions


def fetch_source(layer: Source, target: Path) -> dict[str, str]:
    """Unpack the publisher's sources of a package into a folder; returns their version."""
    with _private_apt(layer.suite, "deb-src", target) as work:
        _try_mirrors(
            layer.suite, "deb-src", work, ("source", "--download-only", "--tar-only", layer.package)
        )
        archives = [*work.glob("*.orig.tar.*")]
        archives = [path for path in archives if not path.name.endswith(".asc")]
        if not archives:
            raise CorpusError(f"{layer.package} of Debian {layer.suite} has no sources of its own")
        call("tar", "-xf", str(archives[0]), "-C", str(target), "--strip-components=1")
        version = archives[0].name.partition("_")[2].partition(".orig")[0]
    return {layer.package: version}


@contextmanager
def _private_apt(suite: str, kind: str, target: Path) -> Iterator[Path]:
    """Lay out a state for apt, gone in the end."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise CorpusError("needs apt-get and dpkg (Debian, Ubuntu), which bring the software")
    work = target.with_name(f"{target.name}.{kind}-{suite}")
    shutil.rmtree(work, ignore_errors=True)
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    yield work
    shutil.rmtree(work)


def _try_mirrors(suite: str, kind: str, work: Path, wanted: Sequence[str]) -> None:
    """Download from the first of the machine's mirrors that has it."""
    keyring = next((str(path) for path in _KEYRINGS if path.exists()), "")
    signed = f"[signed-by={keyring}] " if keyring else ""
    words = "no mirror is configured"
    for mirror in _mirrors():
        (work / "sources.list").write_text(f"{kind} {signed}{mirror} {suite} main\n")
        try:
            call(*_apt(work), "update", cwd=work)
            call(*_apt(work), *wanted, cwd=work)
        except CorpusError as error:
            words = str(error)
        else:
            return
    raise CorpusError(f"no mirror of this machine has it in Debian {suite}: {words}")


def _mirrors() -> Iterator[str]:
    shown = call("apt-get", "indextargets", "--format", "$(CREATED_BY) $(COMPONENT) $(REPO_URI)")
    rows = (line.split() for line in shown.splitlines())
    uris = (row[2] for row in rows if row[:2] == ["Packages", "main"] and len(row) == 3)
    return iter(dict.fromkeys(uris))


def _apt(work: Path) -> list[str]:
    """Return apt-get with a state of its own, which believes that nothing is installed."""
    options = {
        "Dir::State": work / "state",
        "Dir::State::status": work / "status",
        "Dir::Cache": work / "cache",
        "Dir::Etc::sourcelist": work / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "APT::Sandbox::User": getpass.getuser(),
        "APT::Install-Recommends": "false",
        "Acquire::Languages": "none",
    }
    return ["apt-get", "-qq", *(f"-o{key}={value}" for key, value in options.items())]


def _finish(target: Path) -> None:
    """Do what the packages' own scripts would: a shell's name, accounts, folders."""
    for folder in ("doc", "info", "locale", "man"):  # nobody reads there
        shutil.rmtree(target / "usr/share" / folder, ignore_errors=True)
    for folder in ("bin", "sbin", "lib", "lib64"):  # one tree, as releases have it since 2023
        if not (target / folder).exists():
            (target / folder).symlink_to(f"usr/{folder}")
    for folder in ("dev", "proc", "sys", "run", "tmp", "root", "etc", "fwid", "share"):
        (target / folder).mkdir(exist_ok=True)
    for folder in ("var/run", "var/lock"):
        path = target / folder
        if not path.exists() and not path.is_symlink():
            path.parent.mkdir(exist_ok=True)
            path.symlink_to("/run")
    if not (target / "bin/sh").exists():
        (target / "bin/sh").symlink_to("dash")
    libraries = [*target.glob("lib/*-linux-gnu*"), *target.glob("usr/lib/*-linux-gnu*")]
    call("/sbin/ldconfig", "-n", *map(str, libraries))  # links by the names that programs ask for
    for library in target.glob("usr/lib/*-linux-gnu*/*/*.so.3"):  # one of several, to choose from
        if library.parent.name in {"blas", "lapack"}:
            (library.parents[1] / library.name).symlink_to(f"{library.parent.name}/{library.name}")
    master = target / "usr/share/base-passwd"
    for name in ("passwd", "group"):
        text = (master / f"{name}.master").read_text()
        rows = [
            f"{account}:x:{number}:" + (f"{number}::/:/bin/false" if name == "passwd" else "")
            for number, account in enumerate(_ACCOUNTS, 200)
        ]
        (target / "etc" / name).write_text(text + "\n".join(rows) + "\n")


def call(*command: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a command; returns what it printed. Raises CorpusError with its last words."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise CorpusError(f"{_shorten(command)}: {_last(done.stderr or done.stdout)}")
    return done.stdout


def _shorten(command: Sequence[str]) -> str:
    words = " ".join(command)
    return words if len(words) < 120 else f"{words[:117]}..."


def _last(words: str) -> str:
    lines = words.strip().splitlines()
    return lines[-1] if lines else "failed without a word"
