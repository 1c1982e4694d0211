"""What a corpus is made of: layers of published software, versions, devices, and their days."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

from fwid_agent.errors import FwidError


class CorpusError(FwidError):
    """A corpus cannot be made here, or a part of it failed; says what and what to do."""


@dataclass(frozen=True, slots=True)
class Debian:
    """Packages of a Debian release with all their libraries: the root of a file system."""

    suite: str
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """The publisher's sources of a package, as a Debian release has them."""

    suite: str
    package: str


@dataclass(frozen=True, slots=True)
class Pip:
    """Packages of Python's index with all that they need, over a root with that Python."""

    requirements: tuple[str, ...]
    python: str = "3.11"


@dataclass(frozen=True, slots=True)
class Npm:
    """Packages of the npm registry; `pinned` holds what they embed at one version."""

    packages: tuple[str, ...]
    pinned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """A program compiled from published sources; `over` are those that are not its recipe's own."""

    recipe: str
    version: str
    over: tuple[Source, ...] = ()


Layer = Debian | Source | Pip | Npm | Built


@dataclass(frozen=True, slots=True)
class Version:
    """One firmware image: layers, the uppermost first, the last one a Debian root."""

    layers: tuple[Layer, ...]
    label: str = ""  # where it is not that of a Debian package


class Change(StrEnum):
    """What is known of a day's version against the day before."""

    NONE = ""
    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    ROLLBACK = "rollback"


class Update(StrEnum):
    """How a new version comes."""

    NONE = ""
    QUIET = "quiet"  # over night, unseen
    EPISODE = "episode"  # a download, a silence and a start, in the day's capture


class Hard(StrEnum):
    """A day of the same version that looks like another one."""

    NONE = ""
    REBOOT = "reboot"
    LOSSY = "lossy"
    DOUBLED = "doubled"
    IDLE = "idle"
    SETTINGS = "settings"
    NEW_IP = "new-ip"
    CLOUD_MOVED = "cloud-moved"
    CLOCK_JUMP = "clock-jump"
    ROUTER_RESTART = "router-restart"
    DOWNLOAD = "download"
    ADDED_PHONE = "added-phone"
    HOLIDAY = "holiday"


# What happens to the whole home on a day.
HOME_WIDE = (Hard.ROUTER_RESTART, Hard.DOWNLOAD, Hard.ADDED_PHONE, Hard.HOLIDAY)
Where = Literal["hub", "phone", "cloud"]
Dhcp = Literal["udhcpc", "dhcpcd", "dhclient", "none"]


@dataclass(frozen=True, slots=True)
class Peer:
    """A real counterpart of devices, on a host of the home or in the cloud."""

    where: Where
    layers: tuple[Layer, ...]
    start: str
    nightly: bool = True  # starts anew once a day: connections do not live for ever


@dataclass(frozen=True, slots=True)
class Device:
    """A device: what runs on it in which versions, who talks to it, and how it is used.

    `start`, `use` and `visit` are lines for a shell: on the device once it has an address, on the
    device at each use, on the phone at each visit. They see the settings as variables, and NAME,
    CLOUD and HUB.
    """

    name: str
    category: str
    about: str
    main: str  # the package, or what its name begins with, whose version is the device's
    moves: str  # what a change moves: application, library, system or network stack
    pace: str  # how its day is compressed
    versions: tuple[Version, ...]  # the oldest first
    start: str
    settings: tuple[Mapping[str, str], Mapping[str, str]]  # as delivered, and as the user likes it
    use: str = ""
    visit: str = ""
    visitor: tuple[Layer, ...] = ()  # what the phone needs for its visits
    peers: tuple[Peer, ...] = ()
    dhcp: Dhcp = "udhcpc"  # busybox's client; "none" where the program has its own


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A device's day."""

    day: int
    date: date
    version: int
    before: int  # the version of the day before
    rollback: bool = False
    update: Update = Update.NONE
    hard: Hard = Hard.NONE
    settings: int = 0
    address: int = 0  # the first that the router gave, or another one
    use: tuple[float, ...] = field(default=())  # parts of the day at which it is used
    visit: tuple[float, ...] = field(default=())

    @property
    def changed(self) -> bool:
        """Whether the version is another one than the day before."""
        return self.version != self.before
