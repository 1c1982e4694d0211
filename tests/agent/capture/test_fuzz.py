"""Damaged captures of every kind, through everything from bytes to unit tables."""

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import zstandard
from fwid_agent.capture.files import find_captures, open_capture
from fwid_agent.config import Config
from fwid_agent.errors import UnreadableInputError
from fwid_agent.pipeline.ingest import Ingest, ReadOptions
from fwid_agent.tables import merge_tables
from fwid_agent.types import SUM_INDEX, FrameBlock

from tests.made_captures import (
    COMPRESSIONS,
    START_NS,
    Frame,
    ng_block,
    ng_enhanced,
    ng_interface,
    ng_old,
    ng_section,
    ng_simple,
    pcap,
    pcapng,
)
from tests.made_packets import make_all

EXCERPT = Path(__file__).parents[2] / "data" / "iot-sentinel"
HOUR_NS = 3_600_000_000_000
# Lengths, counts and times that are wrong in the ways that hurt.
NUMBERS = (0, 1, 11, 0xFFFF, 1 << 18, (1 << 18) + 1, 1 << 24, 1 << 31, 0xFFFF_FFFC, 0xFFFF_FFFF)


@cache
def sources() -> tuple[bytes, ...]:
    """Whole captures: both containers, both byte orders, every kind of packet, real ones."""
    made = make_all(random.Random(1), 1)
    by_link: dict[int, list[Frame]] = {}
    for number, one in enumerate(made):
        frames = by_link.setdefault(one.link_type, [])
        frames.append(Frame(one.data, START_NS + number * HOUR_NS // 7))
    for frames in by_link.values():
        random.Random(2).shuffle(frames)
    ethernet = by_link[1][:40]
    result = [pcap(frames[:25], link_type=link) for link, frames in by_link.items()]
    result += [pcap(ethernet, ">", nanoseconds=True), pcapng(ethernet), pcapng(ethernet, ">")]
    result.append(several_interfaces(by_link))
    result += [unpacked(EXCERPT / "Aria" / f"Setup-A-{n}-STA.pcap.zst") for n in (1, 2)]
    result.append(unpacked(EXCERPT / "WeMoSwitch" / "Setup-A-1-STA.pcap.zst"))
    return tuple(result)


def several_interfaces(by_link: dict[int, list[Frame]]) -> bytes:
    """Sections in both byte orders, with every kind of block and of time."""
    data = b""
    for order in "<>":
        data += ng_section(order)
        links = list(by_link)
        for number, link in enumerate(links):
            resolution, offset_s = (None, 9, 0x94, 12)[number % 4], (None, -5, 1 << 33)[number % 3]
            data += ng_interface(order, link, 0, resolution, offset_s)
        for number, link in enumerate(links):
            for make in (ng_enhanced, ng_old):
                data += b"".join(make(frame, number, order) for frame in by_link[link][:3])
        data += ng_simple(by_link[links[0]][0], order) + ng_block(4, bytes(40), order)
    return data


def unpacked(path: Path) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())


# --- mutations -----------------------------------------------------------------------------------


def flip(rng: np.random.Generator, data: bytearray) -> bytearray:
    """Overwrite a few bytes, anywhere or near the start."""
    end = len(data) if rng.random() < 0.7 else min(len(data), 120)
    for at in rng.integers(0, end, rng.choice([1, 3, 30])):
        data[at] = rng.integers(256)
    return data


def cut(rng: np.random.Generator, data: bytearray) -> bytearray:
    return data[: rng.integers(len(data) + 1)]


def leave_out(rng: np.random.Generator, data: bytearray) -> bytearray:
    at = int(rng.integers(len(data)))
    return data[:at] + data[at + int(rng.integers(1, 200)) :]


def duplicate(rng: np.random.Generator, data: bytearray) -> bytearray:
    begin, end = np.sort(rng.integers(0, len(data) + 1, 2))
    to = rng.integers(len(data))
    return data[:to] + data[begin:end] + data[to:]


def splice(rng: np.random.Generator, data: bytearray) -> bytearray:
    """Go on with a piece of another capture."""
    other = sources()[rng.integers(len(sources()))]
    return data[: rng.integers(len(data) + 1)] + other[rng.integers(len(other)) :]


def lie(rng: np.random.Generator, data: bytearray) -> bytearray:
    """Overwrite words: lengths, times, types, options."""
    for at in rng.integers(0, len(data), rng.choice([1, 2, 8])):
        number = int(rng.choice(NUMBERS)) if rng.random() < 0.7 else int(rng.integers(1 << 32))
        word = struct.pack(rng.choice(["<I", ">I"]), number)
        place = int(at) // 4 * 4 if rng.random() < 0.8 else int(at)
        data[place : place + 4] = word[: len(data) - place]
    return data


Mutation = Callable[[np.random.Generator, bytearray], bytearray]
MUTATIONS: tuple[Mutation, ...] = (flip, cut, leave_out, duplicate, splice, lie)


def mutant(seed: int) -> bytes:
    """A capture with one to three kinds of damage, inside and outside its compression."""
    rng = np.random.default_rng(seed)
    data = bytearray(sources()[seed % len(sources())])
    for number in rng.integers(0, len(MUTATIONS), rng.choice([1, 1, 2, 3])):
        data = MUTATIONS[number](rng, data or bytearray(1))
    compression = rng.choice(list(COMPRESSIONS), p=[0.55, 0.15, 0.15, 0.15])
    packed = bytearray(COMPRESSIONS[compression](bytes(data)))
    if compression != "plain" and rng.random() < 0.5:
        packed = (flip, cut, duplicate)[rng.integers(3)](rng, packed)
    return bytes(packed)


# --- reading -------------------------------------------------------------------------------------


@dataclass
class Read:
    """What came of all mutants."""

    frames: int = 0
    sound: int = 0  # captures without a fault
    faults: int = 0


def check_block(block: FrameBlock) -> None:
    """No frame lies outside what was read."""
    ends = block.offsets + block.captured_bytes
    assert (block.offsets >= 0).all()
    assert (ends <= len(block.buffer)).all()


def ingest(path: Path, seed: int, read: Read) -> None:
    """Read one capture as a replay does."""
    per_file, dedup = bool(seed % 2), bool(seed // 2 % 2)
    ingest = Ingest(ReadOptions(HOUR_NS, per_file, dedup, Config(max_devices=64, max_flows=64)))
    frames, said = 0, ""
    try:
        (capture,) = find_captures([str(path)]).captures
        ingest.begin_session(1, capture.first_ts_ns)
        with open_capture(str(path), (1 << 12, 1 << 22)[seed // 4 % 2]) as reader:
            for block in reader:
                check_block(block)
                frames += len(block.ts_ns)
                ingest.feed(block)
    except UnreadableInputError as error:
        said = str(error)
    ingest.end_session()
    assert not said or said.startswith(f"{path}: ")
    assert "\n" not in said
    assert ingest.packets == frames
    assert sum(ingest.undecoded.values()) <= frames
    packets = 0.0
    for table in ingest.drain().windows.values():
        assert np.isfinite(table.sums).all()
        assert (table.observed >= 0).all()
        packets += float(merge_tables([table]).sums[:, :, SUM_INDEX["packets"]].sum())
    assert packets <= 2 * frames  # once its sender's, once its receiver's
    read.frames += frames
    read.faults += bool(said)
    read.sound += not said


@pytest.mark.parametrize(
    "seeds",
    [range(300), pytest.param(range(300, 5_300), marks=pytest.mark.slow)],
    ids=lambda seeds: f"{len(seeds)} mutants",
)
def test_a_damaged_capture_ends_in_no_other_error(tmp_path: Path, seeds: range) -> None:
    """Whatever the bytes are: frames, or one line that says what is wrong with which file."""
    path = tmp_path / "mutant"
    read = Read()
    for seed in seeds:
        path.write_bytes(mutant(seed))
        try:
            ingest(path, seed, read)
        except Exception as error:
            raise AssertionError(f"mutant({seed}) ends in {error!r}") from error
    # The damage is neither harmless nor fatal at once.
    assert read.faults > len(seeds) // 4
    assert read.sound > len(seeds) // 20
    assert read.frames > 10 * len(seeds)


def test_the_sources_are_whole(tmp_path: Path) -> None:
    """Mutants of what cannot be read to begin with would show nothing."""
    path = tmp_path / "source"
    for number, source in enumerate(sources()):
        path.write_bytes(source)
        read = Read()
        ingest(path, number, read)
        assert read.sound
        assert read.frames >= 9
