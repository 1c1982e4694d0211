"""An export: the features that research reads, and nothing of who and where."""

import csv
import stat
import subprocess
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

import dpkt
import numpy as np
import pytest
from fwid_agent.capture.files import open_capture
from fwid_agent.core.flow_features import FlowBook, FlowSamples, samples_of
from fwid_agent.core.flows import FlowTable
from fwid_agent.core.packets import decode_packets
from fwid_agent.types import parse_mac

from tests.agent.cli.conftest import CAPTURES, SENSOR, Fwid

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "data" / "iot-sentinel"
MADE = ROOT / "tests" / "data" / "made-corpus"
# What every network has, and so tells nothing: groups, broadcast, the address of who has none.
COMMON = [ip_network(each) for each in ("224.0.0.0/24", "239.255.255.250/32", "ff02::/112")]
COMMON += [ip_network(each) for each in ("255.255.255.255/32", "0.0.0.0/32", "::/128")]


def features(paths: list[Path], mac: int) -> FlowSamples:
    table, book = FlowTable(), FlowBook()
    for path in paths:
        with open_capture(str(path)) as reader:
            for block in reader:
                batch = decode_packets(block)
                marks, number = table.trace(batch)
                book.update(batch, marks.forward, number)
    return samples_of(book.take_ended(), np.array([mac], np.uint64))


def read_frames(path: Path) -> Iterator[bytes]:
    with open_capture(str(path)) as reader:
        for block in reader:
            ends = block.offsets + block.captured_bytes
            for begin, end in zip(block.offsets.tolist(), ends.tolist(), strict=True):
                yield block.buffer[begin:end].tobytes()


def secrets_of(path: Path) -> set[bytes]:
    """Every address of a capture that could tell who or where, packed, and in text."""
    found: set[bytes] = set()
    for frame in read_frames(path):
        for mac in (frame[:6], frame[6:12]):
            if not mac[0] & 1:
                found |= {mac, mac.hex(":").encode(), mac[::-1]}
        packet = dpkt.ethernet.Ethernet(frame).data
        if isinstance(packet, dpkt.ip.IP | dpkt.ip6.IP6):
            for raw in (packet.src, packet.dst):
                address = ip_address(raw)
                if not any(address in net for net in COMMON if net.version == address.version):
                    found |= {raw, str(address).encode()}
                    found |= {raw[::-1]} if len(raw) == 16 else set()
    return found


def payloads_of(path: Path) -> set[bytes]:
    """Bytes of payloads, and the names that are in them."""
    found: set[bytes] = set()
    for frame in read_frames(path):
        packet = dpkt.ethernet.Ethernet(frame).data
        upper = getattr(packet, "data", None)
        body = getattr(upper, "data", b"") if not isinstance(upper, bytes) else upper
        if isinstance(body, bytes) and len(body) >= 8:  # padding and the like is in any file
            found |= {part for part in (body[:8], body[-8:]) if len(set(part)) > 4}
        if isinstance(upper, dpkt.udp.UDP) and 53 in (upper.sport, upper.dport):
            labels = bytes(body)[12:].split(b"\0")[0]
            found |= {label for label in _labels(labels) if len(label) > 3}
    return found


def _labels(raw: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(raw):
        yield raw[at + 1 : at + 1 + raw[at]]
        at += 1 + raw[at]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key that is the same in every run: what is found by chance is found always or never."""
    path = tmp_path / "key"
    path.write_bytes(bytes(range(7, 39)))
    return path


Excerpt = tuple[str, list[Path]]


def excerpts() -> Iterator[Excerpt]:
    yield SENSOR, sorted((CAPTURES / "D-LinkSensor").glob("Setup-A-*"))
    for folder in sorted(path for path in MADE.iterdir() if path.is_dir()):
        with (MADE / "labels.csv").open() as file:
            mac = next(row["mac"] for row in csv.DictReader(file) if row["device"] == folder.name)
        yield mac, sorted(folder.glob("*.zst"))


@pytest.mark.parametrize(("mac", "paths"), excerpts(), ids=lambda value: str(value)[:17])
def test_an_export_has_the_19_features_and_no_address(
    fwid: Fwid, tmp_path: Path, key: Path, mac: str, paths: list[Path]
) -> None:
    """Read back it is, for research, what the captures are; searched, it holds nobody's address."""
    target = tmp_path / "given.pcapng"
    ended = fwid(
        "export", *paths, "--device", mac, "--out", target, "--key", key, "--yes", "--json"
    )
    assert ended.code == 0, ended.err
    (record,) = ended.records()
    original = features(paths, parse_mac(mac))
    given = features([target], parse_mac(record["devices"][0]["given_as"]))
    assert len(given) == len(original) > 0
    assert given.start_ns.tolist() == original.start_ns.tolist()
    assert given.values.tolist() == original.values.tolist()
    raw = target.read_bytes()
    assert record["bytes"] == len(raw)
    secrets = set.union(*(secrets_of(path) for path in paths))
    assert len(secrets) > 3
    assert [secret for secret in secrets if secret in raw] == []


@pytest.mark.shared_data
@pytest.mark.parametrize("device", ["D-LinkSensor", "HueBridge", "Withings"])
def test_no_payload_and_no_name_is_in_an_export(
    fwid: Fwid, tmp_path: Path, key: Path, device: str
) -> None:
    """Of whole captures with payload; tshark reads what is given, and finds nothing damaged."""
    paths = sorted((SHARED / device).glob("*.pcap"))[:4]
    with (SHARED / "labels.csv").open() as file:
        mac = next(row["mac"] for row in csv.DictReader(file) if row["device"] == device)
    target = tmp_path / "given.pcapng"
    assert fwid("export", *paths, "--device", mac, "--out", target, "--key", key, "--yes").code == 0
    raw = target.read_bytes()
    payloads = set.union(*(payloads_of(path) for path in paths))
    assert len(payloads) > 20
    assert [each for each in payloads if each in raw] == []
    text = subprocess.run(
        ["tshark", "-n", "-r", target, "-o", "ip.check_checksum:TRUE", "-T", "fields",
         "-e", "frame.len", "-e", "ip.checksum.status", "-e", "_ws.malformed"],
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    rows = [line.split("\t") for line in text.splitlines()]
    assert len(rows) == sum(1 for _ in read_frames(target)) > 0
    assert {row[1] for row in rows} <= {"", "1"}  # good
    assert {row[2] for row in rows} == {""}


@pytest.fixture
def call(sensor_captures: list[Path], tmp_path: Path) -> Callable[..., list[object]]:
    """Arguments of an export of the sensor."""

    def arguments(*more: object) -> list[object]:
        return ["export", *sensor_captures, "--out", tmp_path / "out.pcapng", *more]

    return arguments


def test_nothing_is_written_without_consent(
    fwid: Fwid, tmp_path: Path, call: Callable[..., list[object]]
) -> None:
    """Neither for a look, nor where nobody is there to say yes."""
    look = fwid(*call("--device", SENSOR, "--preview"))
    assert look.code == 0
    assert SENSOR in look.out
    assert "payload" in look.out
    silent = fwid(*call("--device", SENSOR))
    assert silent.code == 2
    assert silent.err.startswith("fwid: nobody was there to consent")
    assert not (tmp_path / "out.pcapng").exists()


@pytest.mark.parametrize(("answer", "written"), [("yes", True), ("no", False), ("", False)])
def test_a_person_is_asked(
    fwid: Fwid,
    tmp_path: Path,
    call: Callable[..., list[object]],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    written: bool,
) -> None:
    """Only a plain yes is one."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: answer)
    ended = fwid(*call("--device", SENSOR))
    assert ended.code == (0 if written else 2)
    assert (tmp_path / "out.pcapng").exists() == written


def test_only_the_chosen_days_and_labels_are_given(
    fwid: Fwid, tmp_path: Path, call: Callable[..., list[object]]
) -> None:
    """One day of the two that there are, under the name that was chosen."""
    named = f"{SENSOR}=motion sensor:Appliance"
    everything, one_day = (
        fwid(*call("--device", named, "--yes", "--json", *more)).records()[0]
        for more in ([], ["--days", "2016-04-21"])
    )
    (packets,) = one_day["devices"][0]["packets"].items()
    assert packets == ("2016-04-21", everything["devices"][0]["packets"]["2016-04-21"])
    with (tmp_path / "labels.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row == {
        "device": "motion sensor",
        "file": "out.pcapng",
        "mac": one_day["devices"][0]["given_as"],
        "start_utc": "2016-04-21T00:00:00Z",
        "category": "Appliance",
    }


def test_nothing_that_is_there_is_lost(
    fwid: Fwid, tmp_path: Path, call: Callable[..., list[object]]
) -> None:
    """Labels of another export stay, those of somebody else too, and no capture is written over."""
    labels = tmp_path / "labels.csv"
    named = ("--device", f"{SENSOR}=sensor", "--days", "2016-04-21", "--yes")
    assert fwid(*call(*named)).code == 0
    (tmp_path / "out.pcapng").rename(tmp_path / "before.pcapng")
    labels.write_text(labels.read_text().replace("out.pcapng", "before.pcapng"))
    for _ in range(2):  # the same export again takes the place of its own lines alone
        assert fwid(*call(*named)).code == 0
        with labels.open() as file:
            assert [row["file"] for row in csv.DictReader(file)] == ["before.pcapng", "out.pcapng"]
    labels.write_text("file,what\nx,y\n")
    refused = fwid(*call(*named))
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert labels.read_text() == "file,what\nx,y\n"
    again = tmp_path / "before.pcapng"
    content = again.read_bytes()
    device = ("--device", SENSOR, "--yes", "--out", again)
    for captures in (again, tmp_path):
        refused = fwid("export", captures, *device)
        assert (refused.code, "is one of the captures" in refused.err) == (2, True)
    assert again.read_bytes() == content


def test_the_key_is_made_once_and_stays_at_home(
    fwid: Fwid, tmp_path: Path, call: Callable[..., list[object]]
) -> None:
    """Nobody else may read it, and by it two exports of one home belong together."""
    first, second = (
        fwid(*call("--device", SENSOR, "--yes", "--json")).records()[0] for _ in range(2)
    )
    assert first == second
    key = tmp_path / "state" / "fwid" / "export.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_bytes() not in (tmp_path / "out.pcapng").read_bytes()
    key.write_bytes(b"short")
    broken = fwid(*call("--device", SENSOR, "--yes"))
    assert (broken.code, broken.err.count("\n")) == (2, 1)
    assert "no key of 32 bytes" in broken.err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--device", "somebody"], "not a MAC address"),
        (["--device", f"{SENSOR}=a\nb"], "a name is of letters"),
        (["--device", SENSOR, "--days", "yesterday"], "write days as"),
        (["--device", SENSOR, "--days", "2016-04-21..2016-04-20"], "ends before it begins"),
        (["--device", SENSOR, "--days", "1999-01-01", "--yes"], "no packet of the chosen"),
        (["--device", "02:00:00:00:00:01", "--yes"], "no packet of the chosen"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_line(
    fwid: Fwid, call: Callable[..., list[object]], more: list[object], said: str
) -> None:
    """And nothing is written."""
    ended = fwid(*call(*more))
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert said in ended.err
