"""python -m tests.system.days [DAYS [DEVICES [CAPTURES]]]: a home's days through the running agent.

Captures of real devices are played again and again at random times, each under its own address,
into one capture file in a temporary folder; `fwid run --replay` takes it as fast as it goes, with
windows of an hour and units of a day, and stores as it would live. Prints memory (PSS) and what was
written to the disk.
"""

import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fwid_agent.capture.files import open_capture

from tests.system.faults.lab import pss_mb

_ROOT = Path(__file__).parents[2]
_FOLDERS = (_ROOT.parent / "shared/data/iot-sentinel", _ROOT / "tests/data/iot-sentinel")
_BEGIN_S = 1_700_006_400  # midnight
_HOUR_S, _SNAP_BYTES, _SEED = 3600, 128, 4
_Frame = tuple[float, int, bytes]  # seconds since the capture began, bytes on the wire, data


@dataclass(frozen=True)
class Device:
    """A device of the made home: a real one's captures, under another address."""

    captures: Sequence[Sequence[_Frame]]
    mac: bytes
    new_mac: bytes

    def play(self, rng: random.Random, begin_s: float) -> Iterator[_Frame]:
        """Give the frames of one capture from a moment of the hour on."""
        begin_s += rng.uniform(0, _HOUR_S - 300)
        for at_s, wire_bytes, data in rng.choice(self.captures):
            yield begin_s + at_s, wire_bytes, data.replace(self.mac, self.new_mac)


def main() -> None:
    """Make the capture, run the agent on it, and print what it took."""
    words = sys.argv[1:]
    days, count = int(words[0]) if words else 1, int(words[1]) if words[1:] else 40
    folder = Path(words[2]) if words[2:] else next(one for one in _FOLDERS if one.is_dir())
    with tempfile.TemporaryDirectory(prefix="fwid-days-") as place:
        capture = Path(place) / "home.pcap"
        packets = _write(capture, _devices(folder, count), days)
        megabytes = capture.stat().st_size / 1e6
        print(f"{days} days, {count} devices, {packets} packets, {megabytes:.0f} MB", flush=True)
        _run(capture, Path(place) / "fwid.db", days)


def _devices(folder: Path, count: int) -> list[Device]:
    known = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        captures = [_read(path) for path in sorted(place.glob("*.pcap*"))[:5]]
        senders = [data[6:12] for frames in captures for _, _, data in frames]
        known.append((captures, max(set(senders), key=senders.count)))
    return [
        Device(*known[number % len(known)], bytes.fromhex("00005e0053") + bytes([number]))
        for number in range(count)
    ]


def _read(path: Path) -> list[_Frame]:
    with open_capture(str(path)) as reader:
        blocks = list(reader)
    first_ns = int(blocks[0].ts_ns[0])
    return [
        (
            (int(block.ts_ns[n]) - first_ns) / 1e9,
            int(block.wire_bytes[n]),
            block.buffer[at : at + min(int(block.captured_bytes[n]), _SNAP_BYTES)].tobytes(),
        )
        for block in blocks
        for n, at in enumerate(block.offsets.tolist())
    ]


def _write(path: Path, devices: Sequence[Device], days: int) -> int:
    """Write hour by hour; gives how many packets."""
    rng, count = random.Random(_SEED), 0
    with path.open("wb") as file:
        file.write(struct.pack("=IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, _SNAP_BYTES, 1))
        for hour in range(24 * days):
            begin_s = _BEGIN_S + hour * _HOUR_S
            frames = sorted(frame for device in devices for frame in device.play(rng, begin_s))
            for at_s, wire_bytes, data in frames:
                whole_s = int(at_s)
                nanoseconds = int((at_s - whole_s) * 1e9)
                file.write(struct.pack("=IIII", whole_s, nanoseconds, len(data), wire_bytes))
                file.write(data)
            count += len(frames)
    return count


def _run(capture: Path, store: Path, days: int) -> None:
    command = [sys.executable, "-m", "fwid_agent.cli.main", "run", "--replay", str(capture)]
    log = store.with_name("log")
    began = time.monotonic()
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, "--store", str(store), "--port", "0"], stderr=file, env=os.environ
        )
    memory: list[tuple[float, float]] = []
    while "the replay is finished" not in log.read_text():
        assert process.poll() is None, log.read_text()
        memory.append((time.monotonic() - began, pss_mb(process.pid)))
        time.sleep(0.5)
    took_s = time.monotonic() - began
    io = dict(line.split(": ") for line in Path(f"/proc/{process.pid}/io").read_text().splitlines())
    process.terminate()
    process.wait(60)
    print("| seconds | memory (PSS) |\n|---|---|")
    for at_s, megabytes in memory[:: max(len(memory) // 10, 1)]:
        print(f"| {at_s:.0f} | {megabytes:.0f} MB |")
    written_mb = int(io["write_bytes"]) / 1e6
    print(f"took {took_s:.0f} s, at most {max(one for _, one in memory):.0f} MB")
    size_mb = store.stat().st_size / 1e6
    print(f"written {written_mb / days:.1f} MB a day, the store has {size_mb:.1f} MB")


if __name__ == "__main__":
    main()
