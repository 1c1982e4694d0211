"""Firmware images in several ages: Debian's releases, and packages over a root that stays."""

from fwid_agent.lab.corpus.model import Debian, Npm, Pip, Version

SUITES = ("bullseye", "bookworm", "trixie", "forky")
# The roots that stay the same where only packages change; one release of Node.js for all.
PYTHON_ROOT = Debian("bookworm", ("python3", "libstdc++6"))
NODE_ROOT = Debian("trixie", ("nodejs",))


def of_suites(*packages: str, suites: tuple[str, ...] = SUITES) -> tuple[Version, ...]:
    """Return a version for each release."""
    return tuple(Version((Debian(suite, packages),)) for suite in suites)


def of_pip(*versions: tuple[str, ...]) -> tuple[Version, ...]:
    """Return a version for each set of Python packages; the first names it."""
    return tuple(Version((Pip(each), PYTHON_ROOT), each[0].replace("==", " ")) for each in versions)


def of_npm(*versions: str, pinned: tuple[str, ...] = ()) -> tuple[Version, ...]:
    """Return a version for each npm package."""
    return tuple(
        Version((Npm((each,), pinned), NODE_ROOT), " ".join(each.rsplit("@", 1)))
        for each in versions
    )
