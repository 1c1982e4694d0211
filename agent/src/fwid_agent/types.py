"""The data that travels between stages. Everything here is immutable and does nothing.

Arrays are columns of equal length; their shapes and dtypes stand beside each field. Times are
int64 nanoseconds since the Unix epoch (UTC). Sizes are bytes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint64]
U4 = npt.NDArray[np.uint32]
U2 = npt.NDArray[np.uint16]
U1 = npt.NDArray[np.uint8]
I8 = npt.NDArray[np.int64]
I2 = npt.NDArray[np.int16]
I4 = npt.NDArray[np.int32]
F8 = npt.NDArray[np.float64]
F4 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Table = npt.NDArray[np.void]

# --- frames ------------------------------------------------------------------------------------


class LinkType(IntEnum):
    """Link types that are decoded (LINKTYPE_ values of the pcap registry)."""

    ETHERNET = 1
    RAW_OLD = 12
    RAW = 101
    LINUX_SLL = 113
    IPV4 = 228
    IPV6 = 229
    LINUX_SLL2 = 276


@dataclass(frozen=True, slots=True)
class FrameBlock:
    """Thousands of frames in one buffer, as a source hands them on (never an object a frame)."""

    buffer: U1  # [bytes] the raw bytes that all frames lie in
    offsets: I8  # [n] where each frame starts in buffer
    captured_bytes: U4  # [n] bytes of the frame that are in the buffer
    wire_bytes: U4  # [n] bytes of the frame on the wire
    ts_ns: I8  # [n]
    link_type: U2  # [n] pcap link type; unknown ones are counted as undecoded
    source: U2  # [n] which interface or file the frame came from
    # What a kernel keeps beside live frames; None where frames are as they were on the wire.
    vlan: U2 | None = None  # [n] id of a tag that the network card took off, 0 none
    segment_bytes: U2 | None = None  # [n] payload of each segment merged into the frame, 0 none


# --- packets -----------------------------------------------------------------------------------


class Undecoded(IntEnum):
    """Why a frame's headers could not be read (0: they could)."""

    OK = 0
    LINK_TYPE = 1  # a link type that is not decoded
    TRUNCATED = 2  # the snap length (or the frame itself) ends inside a header
    MALFORMED = 3  # a length or version field that cannot be true


@dataclass(frozen=True, slots=True)
class PacketBatch:
    """Decoded headers, one element a packet in every column, in the order of capture.

    Columns instead of one structured array: a contiguous column is several times faster to
    reduce than a strided field. Undecodable packets stay in the batch, with what is known.
    MAC addresses are 48-bit integers (0: the link has none). IPv4 addresses stand in `*_lo`
    with `*_hi` zero.
    """

    ts_ns: I8
    source: U2
    src_mac: U8
    dst_mac: U8
    ethertype: U2  # innermost after VLAN tags; 0 for 802.3 frames without SNAP
    vlan: U2  # outermost VLAN id, 0 none
    ip_version: U1  # 4, 6, or 0
    src_hi: U8
    src_lo: U8
    dst_hi: U8
    dst_lo: U8
    proto: U1  # IP protocol after IPv6 extension headers; 0 where ip_version is 0
    src_port: U2  # 0 where there is none (also later fragments)
    dst_port: U2
    tcp_flags: U1
    ttl: U1  # IPv4 TTL or IPv6 hop limit
    window: U2  # TCP window as sent (unscaled)
    mss: U2  # TCP MSS option, 0 none
    options: U4  # TCP option pattern: kinds in order, see core.packets; 0 none or not a SYN
    wire_bytes: U4  # frame on the wire
    size_bytes: U4  # network layer: IP total length, else frame less link header
    payload_bytes: U4  # behind the transport header, by the IP length
    undecoded: U1  # Undecoded

    def __len__(self) -> int:
        """Packets in the batch."""
        return len(self.ts_ns)


@dataclass(frozen=True, slots=True)
class FlowMarks:
    """What the flow table knows of each packet of a batch (same order and length)."""

    flow_start: Bools  # [n] the packet opens a flow
    forward: Bools  # [n] sent by the side that opened the flow
    first_flight: Bools  # [n] first packet with payload of its side, connection seen from its start


@dataclass(frozen=True, slots=True)
class PacketValues:
    """Exact values of some packets of a batch that stand in no column; one element a value."""

    packet: I8  # [n] index in the batch, rising
    kind: U8  # [n] TokenKind
    value: U8  # [n] below 2**32


@dataclass(frozen=True, slots=True)
class HandshakeText:
    """What a device said in a handshake, and the value that stands for it in the tables."""

    kind: int  # TokenKind
    value: int
    text: str  # the device's own words: anything printable may stand here
    last_ns: int  # when it was said last


# --- unit tables -------------------------------------------------------------------------------

PROTOCOLS = (
    "arp", "eapol", "l2", "icmp", "icmpv6", "igmp", "dhcp", "dns",
    "mdns", "ssdp", "ntp", "http", "tls", "mqtt", "tcp", "udp",
)  # fmt: skip
DIRECTIONS = ("sent", "received")
SCOPES = ("lan", "cloud")


class Row(NamedTuple):
    """One row of a unit table: a protocol, who sent the packets, and where the peer is."""

    protocol: str
    direction: str
    scope: str


ROWS = tuple(Row(p, d, s) for p in PROTOCOLS for d in DIRECTIONS for s in SCOPES)
SENT: Bools = np.array([row.direction == "sent" for row in ROWS])  # [ROW_COUNT] by the device
ROW_COUNT = len(ROWS)  # row index = protocol * 4 + direction * 2 + scope

# Additive statistics of a row in a period: name -> unit. Order is the order of the array's axis.
SUMS: Mapping[str, str] = {
    "packets": "1",
    "size": "bytes",  # sum of network-layer sizes
    "size_sq": "bytes^2",
    "payload_packets": "1",  # packets with payload
    "payload": "bytes",
    "gaps": "1",  # gaps between consecutive packets of the row in one session
    "log_gap": "log10(s)",  # sum of log10 of the gap, floored at 1 microsecond
    "log_gap_sq": "log10(s)^2",
    "flows": "1",  # flows opened
}
SUM_INDEX: Mapping[str, int] = {name: index for index, name in enumerate(SUMS)}


class TokenKind(IntEnum):
    """What an exact value is; each value of a row has its own count ("vocabulary")."""

    SIZE = 0  # network-layer size of a packet
    FIRST_SIZE = 1  # the same, of a first-flight packet
    TTL = 2  # own packets only
    SYN_WINDOW = 3  # own SYN and SYN-ACK only, as the three below
    SYN_MSS = 4
    SYN_OPTIONS = 5
    PORT = 6  # service port of a flow the device opened (sent rows) or accepted (received rows)
    ROW = 7  # the row had any packet (value 0); made by the comparison, never in a table
    # Handshakes, where they are read (core.handshakes): the value stands for a text.
    TLS_CLIENT = 8  # JA4 of a ClientHello
    DNS_NAME = 9  # that was asked for
    DHCP_OPTIONS = 10  # codes that the client asks for, in its order
    DHCP_VENDOR = 11  # vendor class
    HOST_NAME = 12  # that the device gives itself
    ANNOUNCED_SOFTWARE = 13  # by SSDP or multicast DNS
    ANNOUNCED_SERVICE = 14
    # Own packets again, and only where there is one to tell, as with handshakes.
    PERIOD = 15  # of packets that come regularly, in tenths of a second (core.beats)
    NETWORK = 16  # on the internet that it opened a flow to (core.tokens)


HANDSHAKE_KINDS = tuple(kind for kind in TokenKind if TokenKind.ROW < kind < TokenKind.PERIOD)


TOKEN_DTYPE = np.dtype(
    [("period", "u4"), ("row", "u1"), ("kind", "u1"), ("value", "u4"), ("count", "u4")]
)


SHORTEST_WATCH = 1e-2  # of a window: a rate is never drawn from less, it would be noise


@dataclass(frozen=True, slots=True)
class UnitTable:
    """One device's traffic, one element a period: windows, or the units that they add up to.

    `tokens` is sorted by (period, row, kind, value) without repeats; `period` indexes the columns.
    Tables add: merging periods adds `sums`, `observed` and token counts.
    """

    start_ns: I8  # [n]
    session: I4  # [n] which capture session the period belongs to (files are sessions)
    observed: F8  # [n] how long was watched, in windows; a short session counts as one window
    sums: F8  # [n, ROW_COUNT, len(SUMS)]
    tokens: Table  # [m] TOKEN_DTYPE

    def __len__(self) -> int:
        """Periods in the table."""
        return len(self.start_ns)


# What is counted of a device's packets besides: what of it is seen, and whether sizes are true.
SEEN = (
    "sent",  # to one receiver
    "received",
    "multicast",  # sent to several, or to all
    "merged",  # larger than any frame, and nothing says of how many packets
)
CONTACT_DTYPE = np.dtype([("period", "u4"), ("network", "u8"), ("flows", "u4")])


@dataclass(frozen=True, slots=True)
class ContactTable:
    """Whom one device was in contact with, one element a period.

    `networks` is sorted by (period, network) without repeats. A network is the first 24 bits of an
    IPv4 address or the first 48 of an IPv6 address, as a number: no more of an address is kept.
    """

    start_ns: I8  # [n]
    seen: I8  # [n, len(SEEN)]
    networks: Table  # [m] CONTACT_DTYPE
    beyond: I8  # [n] flows with further networks

    def __len__(self) -> int:
        """Periods in the table."""
        return len(self.start_ns)


# --- flows that identify a device ------------------------------------------------------------

FLOWS_KEPT = 256  # of one device and unit


@dataclass(frozen=True, slots=True)
class FlowSample:
    """A uniform sample of a device's flows of one unit: those with the lowest marks.

    A mark is drawn once for each flow, so that samples of parts merge into just the sample of the
    whole, in whatever order.
    """

    seen: int  # flows that there were
    marks: U8  # [n] rising; n is FLOWS_KEPT at most
    values: F4  # [n, len(core.flow_features.FLOW_FEATURES)]

    def __len__(self) -> int:
        """Flows in the sample."""
        return len(self.marks)


@dataclass(frozen=True, slots=True)
class FlowDay:
    """The sample of one device's flows of one unit, as models take it."""

    device: int  # MAC
    start_ns: int  # of the unit
    seen: int  # flows that there were
    values: F4  # [n, len(core.flow_features.FLOW_FEATURES)], n is FLOWS_KEPT at most


# Those of Kolcun et al., TMA 2021.
CATEGORIES = ("Surveillance", "Media", "Audio", "Hub", "Appliance", "Home Automation")
KindSource = Literal["person", "home_assistant"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a device is said to be."""

    label: str  # "Philips Hue bridge"
    category: str | None  # one of CATEGORIES; None: nobody said
    source: KindSource  # a person's word stands above Home Assistant's


@dataclass(frozen=True, slots=True)
class Identification:
    """What a device behaves like, by its flows of one unit."""

    label: str | None  # None: none that the model knows
    category: str | None  # of the label
    certainty: float  # 0 to 1: how likely that is (the device is known; with no label: it is not)
    candidate: str  # the label that is likeliest, were the device a known one


# --- decision ----------------------------------------------------------------------------------


class Verdict(StrEnum):
    """The answer to "has this device's firmware changed?" for two periods."""

    STABLE = "stable"
    CHANGED = "changed"
    DIFFERENT = "different"
    INSUFFICIENT = "insufficient"


class Cause(StrEnum):
    """What kind of change the signs are of."""

    NONE = "none"
    SOFTWARE = "software"
    SETTINGS = "settings"  # settings, use or surroundings


@dataclass(frozen=True, slots=True)
class Effect:
    """Hedges' g of two groups of scores, with its interval; n counts units."""

    g: float  # positive: the test units are less alike than the baseline is to itself
    low: float
    high: float
    n_baseline: int
    n_test: int


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence: a key that is translated, and its parameters (JSON scalars)."""

    key: str
    params: Mapping[str, Any]
    surprise: float  # in units of the device's own spread; larger is stronger


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything that `fwid compare` answers for one device."""

    device: str  # MAC, lower case with colons
    verdict: Verdict
    cause: Cause
    effect: Effect | None  # None where a group has too few units for a spread
    similarity_baseline: float
    similarity_test: float
    score: float  # evidence that anything differs, on the calibrated scale (see core.evidence)
    software: float  # evidence of software against settings, in [0, 1]
    reasons: tuple[Reason, ...]
    missing: str  # what is missing when the verdict is `insufficient`, else ""
    units_baseline: int = 0
    units_test: int = 0
    g_bootstrap: tuple[float, float] | None = None  # interval of g by drawing whole units anew


# --- states and events -------------------------------------------------------------------------

JsonScalar = str | int | float | bool | None


class State(StrEnum):
    """Where a device stands; see core.stability for the ways between states."""

    LEARNING = "learning"
    STABLE = "stable"
    SUSPECTED = "suspected"
    CHANGED = "changed"
    QUIET = "quiet"


class EventType(StrEnum):
    """What an event tells."""

    NEW_DEVICE = "new_device"
    VERSION_CHANGED = "version_changed"
    UPDATE_IN_PROGRESS = "update_in_progress"
    BEHAVES_DIFFERENTLY = "behaves_differently"
    RETURNED_TO_KNOWN_VERSION = "returned_to_known_version"
    ACCEPTED = "accepted"


class Vantage(StrEnum):
    """What of a device's traffic passes where the agent stands; see core.vantage."""

    ALL = "all"
    SENT = "sent"  # only what it sends: a mirror port of one direction
    RECEIVED = "received"  # only what is sent to it
    MULTICAST = "multicast"  # only what it sends to everybody
    UNKNOWN = "unknown"  # too little was seen of it to say


@dataclass(frozen=True, slots=True)
class EventReason:
    """One piece of evidence as it travels: a key that is translated, and its parameters."""

    key: str
    params: Mapping[str, JsonScalar]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a device, in the form in which it is stored, sent and kept."""

    seq: int  # strictly rising per agent, given by the store; 0 until then
    id: str  # UUID, the same for the same event of a repeated run
    time: str  # RFC 3339, UTC with Z
    device: str  # MAC, lower case with colons
    type: EventType
    from_version: int | None
    to_version: int | None
    cause: Cause
    expected: bool  # an update was known to have been started
    reasons: tuple[EventReason, ...]


def format_time(time_ns: int) -> str:
    """Write nanoseconds since the epoch as RFC 3339 in UTC, cut to milliseconds."""
    seconds, rest_ns = divmod(time_ns, 1_000_000_000)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{rest_ns // 1_000_000:03d}Z"


def parse_time(text: str) -> int:
    """Read RFC 3339 with an offset into nanoseconds since the epoch; raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"not a time with an offset: {text!r}")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def format_mac(mac: int) -> str:
    """Write a 48-bit integer as lower-case MAC with colons."""
    return ":".join(f"{(mac >> shift) & 0xFF:02x}" for shift in range(40, -8, -8))


def parse_mac(text: str) -> int:
    """Read a MAC in any usual notation; raises ValueError for anything else."""
    digits = text.strip().lower().replace(":", "").replace("-", "").replace(".", "")
    if not re.fullmatch("[0-9a-f]{12}", digits):
        raise ValueError(f"not a MAC address: {text!r}")
    return int(digits, 16)
