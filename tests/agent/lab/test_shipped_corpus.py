"""The part of a made corpus that is shipped: whole, headers only, and read by the bench."""

import csv
import struct
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from fwid_agent.lab.corpora import load_corpus
from fwid_agent.lab.corpus.model import Change, Hard, Update
from fwid_agent.lab.excerpt import header_length

FOLDER = Path(__file__).parents[2] / "data/made-corpus"
with (FOLDER / "labels.csv").open(newline="") as file:
    ROWS = list(csv.DictReader(file))
DEVICES = sorted({row["device"] for row in ROWS})


def frames(row: dict[str, str]) -> list[bytes]:
    """What a capture holds of each frame."""
    packed = (FOLDER / row["device"] / row["file"]).read_bytes()
    data = zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    found, offset = [], 24
    while offset < len(data):
        (kept,) = struct.unpack_from("<I", data, offset + 8)
        found.append(data[offset + 16 : offset + 16 + kept])
        offset += 16 + kept
    return found


def test_every_capture_is_labelled_and_every_label_has_its_capture() -> None:
    """Nothing was lost on the way here."""
    labelled = {Path(row["device"]) / row["file"] for row in ROWS}
    assert labelled == {path.relative_to(FOLDER) for path in FOLDER.rglob("*.pcap.zst")}
    for row in ROWS:
        found = frames(row)
        mac = bytes.fromhex(row["mac"].replace(":", ""))
        assert len(found) == int(row["packets"])
        assert sum(f[6:12] == mac for f in found) == int(row["packets_sent_by_device"])


def test_nothing_but_headers_is_shipped() -> None:
    """No name, no page, no certificate."""
    for row in ROWS:
        assert all(len(frame) == header_length(frame) for frame in frames(row))


def test_labels_say_what_the_bench_understands() -> None:
    """Words outside these would be lost in its tables."""
    assert {row["change"] for row in ROWS} <= set(Change)
    assert {row["hard"] for row in ROWS} <= set(Hard)
    assert {row["update"] for row in ROWS} <= set(Update)
    for row in ROWS:
        assert bool(row["change"]) == bool(row["update"])


@pytest.mark.parametrize("device", DEVICES)
def test_a_version_lasts_until_the_next_change(device: str) -> None:
    """A change is marked where the version differs from the day before, and nowhere else."""
    days = sorted((row for row in ROWS if row["device"] == device), key=lambda row: int(row["day"]))
    assert [int(row["day"]) for row in days] == list(range(len(days)))
    for before, after in pairwise(days):
        assert bool(after["change"]) == (before["agent_version"] != after["agent_version"])


def test_the_bench_reads_it() -> None:
    """One unit a day, each with its version."""
    devices = load_corpus(FOLDER, lambda _: None)
    assert sorted(device.name for device in devices) == DEVICES
    for device in devices:
        days = [row for row in ROWS if row["device"] == device.name]
        assert len(device.windows.start_ns) == len(days)
        assert len({label.version for label in device.labels.values()}) > 1
