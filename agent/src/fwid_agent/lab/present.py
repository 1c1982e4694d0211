"""The corpora that are on this machine, read and made ready for the bench."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from fwid_agent.core.periods import make_period
from fwid_agent.errors import UsageError
from fwid_agent.lab.cases import DAY_NS, LabelledDevice, family_of, label_of
from fwid_agent.lab.corpora import LABELS, corpus_digest, load_corpus
from fwid_agent.lab.corpus.place import cache_folder
from fwid_agent.lab.evaluate import without_http
from fwid_agent.lab.extract import Reading
from fwid_agent.lab.parts import PARTS, stretch

SHARED = "shared/data/iot-sentinel"
USUALLY_HELD = "D-Link"  # the vendor whose versions are known
_CHECKOUT = Path(__file__).parents[4]
# Devices of the made corpus that run on the same software below are held out together.
_STACKS: Mapping[str, str] = {
    **dict.fromkeys(("doorcam", "thermostat", "clock", "meter", "valve"), "Debian, TLS"),
    **dict.fromkeys(("dlna", "radio", "speaker", "airplay", "renderer"), "Debian, media"),
    **dict.fromkeys(("castbox", "strip", "bulb"), "Node.js, small"),
    **dict.fromkeys(("nodered", "hubbox"), "Node.js, hubs"),
    **dict.fromkeys(("camera", "weather", "heatpump"), "Python"),
    **dict.fromkeys(("plug", "sensor", "switch"), "compiled"),
}


@dataclass(frozen=True, slots=True)
class Member:
    """A device of one of the corpora; no two have a device's name in common."""

    corpus: str
    original: str  # its name within the corpus
    family: str  # what is held out together
    device: LabelledDevice
    fine: LabelledDevice | None  # its days in parts, where the length of a day is known


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus that was read."""

    name: str
    digest: str
    members: tuple[Member, ...]


def versions_of(device: LabelledDevice) -> list[str]:
    """Return the version on each day, "" where it is not known."""
    period = make_period(device.windows, "day", DAY_NS)
    return [label_of(device, period, unit).version for unit in range(period.units)]


def find_corpora() -> list[Path]:
    """Return the corpora on this machine: that beside the checkout, and those that were made."""
    beside = [Path.cwd().parent / SHARED, _CHECKOUT.parent / SHARED]
    made = sorted(cache_folder().glob("*"))
    found = {path.resolve(): None for path in [*beside, *made] if (path / LABELS).is_file()}
    return list(found)


def read_corpora(
    folders: Sequence[Path], reading: Reading, on_device: Callable[[str], None]
) -> list[Corpus]:
    """Read corpora from their folders.

    Raises:
        UnreadableInputError: one has no labels, or a capture is broken.
        UsageError: there is none.

    """
    if not folders:
        raise UsageError(
            "no corpus here: name a folder with labels.csv, or make one by `fwid lab corpus`"
        )
    names = _name(folders)
    return [
        _read_corpus(name, folder, reading, on_device)
        for name, folder in zip(names, folders, strict=True)
    ]


def read_days(
    folders: Sequence[Path], reading: Reading, on_device: Callable[[str], None]
) -> list[Member]:
    """Read corpora without the parts of their days; raises as `read_corpora` does."""
    names = _name(folders)
    return [
        Member(
            name,
            device.name,
            _family(device.name),
            _rename(device, name) if len(folders) > 1 else device,
            None,
        )
        for name, folder in zip(names, folders, strict=True)
        for device in load_corpus(folder, on_device, reading)
    ]


def choose_held(members: Sequence[Member], wanted: str | None) -> str:
    """Choose the family that is held out together: the one wanted, `USUALLY_HELD`, or a small one.

    Raises UsageError where there is no such family, or no other.
    """
    sizes = Counter(member.family for member in members)
    if len(sizes) < 2:
        raise UsageError("devices of one family only: there is nothing to train on without them")
    if wanted is not None:
        if wanted not in sizes:
            there = "; ".join(sorted(sizes))
            raise UsageError(f"{wanted}: no such family here; there are {there}")
        return wanted
    # One device alone cannot be told from its siblings, and the fewer are held out the better.
    small = min(sizes, key=lambda family: (sizes[family] < 2, sizes[family], family))
    return USUALLY_HELD if USUALLY_HELD in sizes else small


def kin_of(member: Member, members: Sequence[Member]) -> list[LabelledDevice]:
    """Return the same device of other corpora."""
    return [
        other.device
        for other in members
        if other.corpus != member.corpus and other.original == member.original
    ]


def _name(folders: Sequence[Path]) -> list[str]:
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [str(folder.resolve()) for folder in folders]
    if len(set(names)) < len(names):
        raise UsageError(f"{max(names, key=names.count)}: is named twice")
    return names


def _read_corpus(
    name: str, folder: Path, reading: Reading, on_device: Callable[[str], None]
) -> Corpus:
    devices = load_corpus(folder, on_device, reading)
    day_ns = _day_ns(folder)
    fine: dict[str, LabelledDevice] = {}
    if day_ns is not None:
        parts = load_corpus(folder, on_device, replace(reading, window_ns=day_ns // PARTS))
        fine = {device.name: stretch(device, day_ns) for device in parts}
    members = [
        Member(
            name,
            device.name,
            _family(device.name),
            _rename(device, name),
            _rename(fine[device.name], name) if device.name in fine else None,
        )
        for device in devices
    ]
    return Corpus(name, corpus_digest(folder), tuple(members))


def leave_out_http(corpus: Corpus) -> Corpus:
    """Leave out the HTTP rows of every device: the download of an update is not the update."""
    members = [
        replace(
            member,
            device=without_http(member.device),
            fine=None if member.fine is None else without_http(member.fine),
        )
        for member in corpus.members
    ]
    return replace(corpus, members=tuple(members))


def _family(device: str) -> str:
    return _STACKS.get(device, family_of(device))


def _rename(device: LabelledDevice, corpus: str) -> LabelledDevice:
    """Tell devices of several corpora apart; the vendor stays in front of the name."""
    return replace(device, name=f"{device.name} ({corpus})")


def _day_ns(folder: Path) -> int | None:
    """Return how long a day of a made corpus lasts, or None where nobody says so."""
    try:
        order = msgspec.json.decode((folder / "order.json").read_bytes(), type=dict[str, object])
    except (OSError, msgspec.DecodeError):
        return None
    day_s = order.get("day_s")
    return int(day_s * 1_000_000_000) if isinstance(day_s, int | float) and day_s > 0 else None
