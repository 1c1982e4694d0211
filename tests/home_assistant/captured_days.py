"""Real captures, laid on the days before now: an agent that replays them shows a recent past.

Each device was set up again and again on a few dates in 2016. Here every set-up is a day of its
own; the dates of one firmware version take turns, so that what differs between dates is part of
what is usual for the device.
"""

import csv
import struct
from collections.abc import Iterator, Sequence
from compression import zstd
from datetime import UTC, datetime, timedelta
from itertools import chain, zip_longest
from pathlib import Path

CAPTURES = Path(__file__).parents[1] / "data/iot-sentinel"
DAYS = 20

_HEADER_BYTES, _RECORD = 24, struct.Struct("<IIII")
_DAY_S = 86400


def lay_out(folder: Path, now: datetime) -> list[Path]:
    """Write one capture a device and day, the last day of them today; return them by day."""
    first_day = (now.astimezone(UTC) - timedelta(days=DAYS - 1)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    written = []
    rows = _rows()
    for device in sorted({row["device"] for row in rows}):
        mine = [row for row in rows if row["device"] == device]
        for number, row in enumerate(_in_turn(mine)):
            source = CAPTURES / device / row["file"]
            path = folder / f"{number:02d}-{device}.pcap"
            path.write_bytes(_moved(_read(source), first_day + timedelta(days=number)))
            written.append(path)
    return sorted(written)


def captured_devices() -> set[str]:
    """Return the addresses of all devices that were captured."""
    return {row["mac"] for row in _rows()}


def _rows() -> list[dict[str, str]]:
    with (CAPTURES / "labels.csv").open() as file:
        return list(csv.DictReader(file))


def _in_turn(rows: Sequence[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Give one version after the other; within each, its dates take turns."""
    for version in sorted({row["agent_version"] for row in rows}):
        same = [row for row in rows if row["agent_version"] == version]
        dates = sorted({row["start_utc"][:10] for row in same})
        piles = [[row for row in same if row["start_utc"][:10] == date] for date in dates]
        yield from filter(None, chain.from_iterable(zip_longest(*piles)))


def _read(path: Path) -> bytearray:
    with zstd.open(path) as file:
        return bytearray(file.read())


def _moved(capture: bytearray, day: datetime) -> bytearray:
    """Set the date of all packets of a little-endian pcap; the time of day stays."""
    begin_s, *_ = _RECORD.unpack_from(capture, _HEADER_BYTES)
    shift_s = int(day.timestamp()) + begin_s % _DAY_S - begin_s
    at = _HEADER_BYTES
    while at < len(capture):
        seconds, fraction, length, wire = _RECORD.unpack_from(capture, at)
        _RECORD.pack_into(capture, at, seconds + shift_s, fraction, length, wire)
        at += _RECORD.size + length
    return capture
