"""The kinds of sources: which one a SOURCE of the command line names, and how it is opened.

To add a kind:

1. Write a class with the methods of `Source` in a module of its own. It yields frames, says what is
   wrong and counts what was lost; it does not retry for ever by itself: a source that raises
   CaptureError is closed and opened anew after a while, one that raises CaptureEndedError is over.
2. Add a line to `KINDS`, and import the class where it is opened, not at the top: each source is
   read by a process of its own, which loads no more than it needs.
3. Name it in docs/cli.md, and what it takes from `fwid.toml` in docs/configuration.md.
"""

import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import SplitResult, urlsplit

from fwid_agent.capture.tzsp import PORT
from fwid_agent.config import Config
from fwid_agent.errors import CaptureEndedError, UsageError
from fwid_agent.types import FrameBlock

STDIN = "-"
_INTERFACE = re.compile(r"[^\s/:]{1,15}")  # as the kernel has it (dev_valid_name)
_TZSP, _FRITZBOX = "tzsp://", "fritzbox://"
_HTTP_PORT, _HTTPS_PORT = 80, 443
_BOX_INTERFACE = re.compile(r"[0-9A-Za-z._-]{0,40}")  # such as 1-lan or 4-131


class Source(Protocol):
    """One source of frames; used as a context manager by the one process that reads it."""

    notes: list[str]  # what is to be said once; whoever reads the source takes them out

    @property
    def trouble(self) -> str:
        """Why nothing (more) comes for now, in words that name the source; "" where all is well."""

    @property
    def lost(self) -> int:
        """Frames that were lost on the way here, so far."""

    @property
    def position(self) -> str:
        """Where another run goes on after the frames given last; "" where it cannot."""

    def finish(self) -> bool:
        """Take in nothing from now on; False where it comes nevertheless. The rest is read."""

    def read(self, wait_s: float) -> FrameBlock | None:
        """Return the frames that come, waiting for them as long as this at the most.

        Raises:
            CaptureError: it does not go on like this; it is to be opened anew after a while.
            CaptureEndedError: nothing will ever come any more; all before was returned.

        """


@dataclass(frozen=True, slots=True)
class Opening:
    """What a source is opened with."""

    source: str  # as it was asked for
    config: Config
    position: str = ""  # where an earlier run has come to
    own_port: int = 0  # where this machine's API listens; 0: nowhere


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of source."""

    name: str
    form: str  # of its SOURCE, for people
    matches: Callable[[str], bool]
    open: Callable[[Opening], AbstractContextManager[Source]]  # raises CaptureError
    raw: bool = False  # needs CAP_NET_RAW; every other kind is read without any right
    resumes: bool = False  # waits to be told the position of an earlier run


def _open_interface(opening: Opening) -> AbstractContextManager[Source]:
    from fwid_agent.capture.interface import Interface  # noqa: PLC0415

    return Interface(opening.source, opening.own_port, handshakes=opening.config.handshakes)


def _open_pipe(opening: Opening) -> AbstractContextManager[Source]:
    from fwid_agent.capture.pipe import PipeCapture  # noqa: PLC0415

    if sys.stdin.isatty():
        raise CaptureEndedError(f"{STDIN}: nobody sends a capture; pipe one in, or name a source")
    return PipeCapture(sys.stdin.fileno(), STDIN)


def _open_folder(opening: Opening) -> AbstractContextManager[Source]:
    from fwid_agent.capture.rotating import RotatingFolder  # noqa: PLC0415

    return RotatingFolder(Path(opening.source), opening.position)


def _open_tzsp(opening: Opening) -> AbstractContextManager[Source]:
    from fwid_agent.capture.tzsp_socket import TzspSocket  # noqa: PLC0415

    return TzspSocket(*read_tzsp(opening.source))


def _open_fritzbox(opening: Opening) -> AbstractContextManager[Source]:
    from fwid_agent.capture.fritzbox import LAN, FritzBox, Login, read_password  # noqa: PLC0415
    from fwid_agent.capture.fritzbox_client import BoxAddress, FritzBoxClient  # noqa: PLC0415

    config, named = opening.config, read_fritzbox(opening.source)
    port = named.port or (_HTTPS_PORT if config.fritzbox_tls else _HTTP_PORT)
    fingerprint = (config.fritzbox_certificate or opening.position).replace(":", "").lower()
    file = Path(config.fritzbox_password_file) if config.fritzbox_password_file else None
    return FritzBox(
        FritzBoxClient(BoxAddress(named.host, port, config.fritzbox_tls, fingerprint)),
        Login(config.fritzbox_user or "", lambda: read_password(file)),
        named.interface or LAN,
    )


KINDS = (
    Kind(
        "interface",
        "an interface such as eth0",
        lambda source: _INTERFACE.fullmatch(source) is not None and source not in ("-", ".", ".."),
        _open_interface,
        raw=True,
    ),
    Kind("pipe", "- for a capture on standard input", lambda source: source == STDIN, _open_pipe),
    Kind(
        "folder",
        "a folder of captures such as /var/lib/captures/",
        lambda source: "/" in source and "://" not in source,
        _open_folder,
        resumes=True,
    ),
    Kind(
        "tzsp",
        f"{_TZSP}ADDRESS",
        lambda source: source.startswith(_TZSP) and bool(read_tzsp(source)),
        _open_tzsp,
    ),
    Kind(
        "fritzbox",
        f"{_FRITZBOX}HOST",
        lambda source: source.startswith(_FRITZBOX) and bool(read_fritzbox(source)),
        _open_fritzbox,
        resumes=True,
    ),
)


class Router(NamedTuple):
    """Who sends by TZSP, and which port to."""

    sender: IPv4Address | IPv6Address
    port: int


class Box(NamedTuple):
    """A FRITZ!Box, and what of it."""

    host: str
    port: int | None
    interface: str  # "" for its LAN


def read_tzsp(source: str) -> Router:
    """Read tzsp://ADDRESS[:PORT]; raises UsageError."""
    parts = _split(source)
    try:
        sender = ip_address(parts.hostname or "")
    except ValueError as error:
        raise UsageError(f"{source!r}: name the router by its IP address") from error
    if parts.path.strip("/"):
        raise UsageError(f"{source!r}: nothing stands behind the address but a port")
    return Router(sender, parts.port or PORT)


def read_fritzbox(source: str) -> Box:
    """Read fritzbox://HOST[:PORT][/INTERFACE]; raises UsageError."""
    parts = _split(source)
    if not parts.hostname:
        raise UsageError(f"{source!r}: names no host; {_FRITZBOX}fritz.box is the usual one")
    interface = parts.path.removeprefix("/")
    if not _BOX_INTERFACE.fullmatch(interface):
        raise UsageError(f"{source!r}: {interface!r} is no interface of a FRITZ!Box")
    return Box(parts.hostname, parts.port, interface)


def _split(source: str) -> SplitResult:
    """Take a source apart; a password is not to be in one."""
    try:
        parts = urlsplit(source)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{source!r}: {error}") from error
    if port == 0:
        raise UsageError(f"{source!r}: there is no port 0")
    if parts.username is not None or parts.query or parts.fragment:
        shown = f"{parts.scheme}://{parts.hostname}"
        raise UsageError(f"{shown!r}: user and password go into fwid.toml")
    return parts


def find_kind(source: str) -> Kind:
    """Say of which kind a source is; raises UsageError where it is of none."""
    for kind in KINDS:
        if kind.matches(source):
            return kind
    forms = ", ".join(kind.form for kind in KINDS)
    raise UsageError(f"{source!r} is no source; a source is {forms}")
