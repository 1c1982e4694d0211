"""Makes a corpus day by day; what is there already is left as it is."""

import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock
from types import FrameType

import zstandard

from fwid_agent.lab.corpus.card import write_card
from fwid_agent.lab.corpus.catalogue import DEVICES
from fwid_agent.lab.corpus.cut import Counted, Cut, cut_day
from fwid_agent.lab.corpus.day import Captured, Turns, episode_s, live
from fwid_agent.lab.corpus.fetch import OnNote, Stacks
from fwid_agent.lab.corpus.household import Guests
from fwid_agent.lab.corpus.labels import Label, add_labels, change_of, read_labels
from fwid_agent.lab.corpus.model import CorpusError, DayPlan, Device, Hard
from fwid_agent.lab.corpus.network import check_rights
from fwid_agent.lab.corpus.order import Order, keep_order
from fwid_agent.lab.corpus.place import hand_over, make_folder
from fwid_agent.lab.corpus.schedule import Plan, make_plan
from fwid_agent.lab.corpus.servers import SERVER_LAYER

_LEAST_SENT = 5  # packets that a device sends on a day, or it does not work
_JUMP_S = 37 * 60
_JUMP_AT = 0.5
_BEGINS_S = 6 * 3600  # of the date, UTC: when a capture begins
_LEVEL = 19
# Addresses are the same in every corpus, whichever devices it has.
_NUMBERS = {device.name: number for number, device in enumerate(DEVICES)}
_ABOUT = ("README.md", "labels.csv", "order.json", "software.json")  # beside the devices
OnDay = Callable[[int], None]
_Made = tuple[list[Label], list[str]]  # of a day, and who said nothing


def make_corpus(order: Order, on_day: OnDay, on_note: OnNote) -> int:
    """Make what is missing; returns how many device-days were made.

    Raises:
        CorpusError: it cannot be made here, a stack cannot be fetched, or a device says nothing.

    """
    check_rights()
    signal.signal(signal.SIGTERM, _end)
    stacks = Stacks(order.stacks, on_note)
    try:
        make_folder(order.target)
    except OSError as error:
        raise CorpusError(f"{error.filename}: {error.strerror}; choose another folder") from error
    try:
        return _make(order, stacks, on_day, on_note)
    finally:
        files = (path for name in _NUMBERS for path in (order.target / name).glob("*.pcap.zst"))
        folders = (order.target / name for name in _NUMBERS)
        hand_over([*(order.target / name for name in _ABOUT), *folders, *files])


def _make(order: Order, stacks: Stacks, on_day: OnDay, on_note: OnNote) -> int:
    keep_order(order)
    _fetch(order, stacks)
    write_card(order, stacks)
    maker = _Maker(order, stacks, make_plan(DEVICES, order.seed, order.days))
    missing = find_missing(order)
    made, silent, finished = 0, [], order.days - len(missing)
    on_day(finished)
    for labels, failed in maker.make_days(missing):
        add_labels(order.target, labels)
        made, finished = made + len(labels), finished + 1
        on_day(finished)
        silent += failed
        for what in failed:
            on_note(f"{what} said nothing; its log is in {_work(order)}")
    if silent:
        raise CorpusError(
            f"no traffic of {', '.join(silent)}; run it again to try these days again"
        )
    shutil.rmtree(_work(order), ignore_errors=True)
    return made


def find_missing(order: Order) -> dict[int, list[Device]]:
    """Return who lacks which day: its line in the labels, or the capture that it names."""
    done = {
        key
        for key, row in read_labels(order.target).items()
        if (order.target / row["device"] / row["file"]).is_file()
    }
    return {
        day: lacking
        for day in range(order.days)
        if (lacking := [one for one in order.devices if (one.name, day) not in done])
    }


def _end(number: int, _: FrameType | None) -> None:
    """Leave as after an error: with no namespace and no program left behind."""
    raise SystemExit(128 + number)


def _fetch(order: Order, stacks: Stacks) -> None:
    """Get everything before the first day: no day waits for a mirror."""
    stacks.paths([SERVER_LAYER])
    for device in order.devices:
        stacks.paths(device.visitor)
        for version in device.versions:
            stacks.paths(version.layers)
        for peer in device.peers:
            stacks.paths(peer.layers)


def _work(order: Order) -> Path:
    return order.target / ".work"


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes days, some at once."""

    order: Order
    stacks: Stacks
    plan: Plan

    def make_days(self, missing: Mapping[int, Sequence[Device]]) -> Iterator[_Made]:
        """Make days for the devices that lack them, as they come."""
        stopping = Event()

        def pause(seconds: float) -> None:
            if stopping.wait(seconds):
                raise CorpusError("ended before its time")

        turns = Turns(pause, Lock())
        with ThreadPoolExecutor(self.order.homes) as pool:
            days = [pool.submit(self._make_day, *each, turns) for each in missing.items()]
            try:
                for day in as_completed(days):
                    yield day.result()
            finally:
                stopping.set()
                for day in days:
                    day.cancel()

    def _make_day(self, day: int, devices: Sequence[Device], turns: Turns) -> _Made:
        plans = {device.name: self.plan.days[device.name][day] for device in devices}
        guests = Guests(devices, plans, _NUMBERS, self.order.seed)
        work = _work(self.order) / f"day-{day + 1}"
        captured = live(self.stacks, guests, work, self.order.tempo, turns)
        labels, failed = [], []
        for device in devices:
            label = self._keep(device, plans[device.name], captured)
            if label is None:
                failed.append(f"{device.name} on day {day + 1}")
            else:
                labels.append(label)
        if not failed:
            shutil.rmtree(work)
        return labels, failed

    def _keep(self, device: Device, plan: DayPlan, captured: Captured) -> Label | None:
        """Cut and write a device's day; None where the device said nothing."""
        begins_s = int(datetime(*plan.date.timetuple()[:3], tzinfo=UTC).timestamp()) + _BEGINS_S
        cut = Cut(
            begin_us=begins_s * 1_000_000,
            origin_us=int(captured.began_s * 1_000_000),
            length_us=int(self.order.tempo.day_s * 1_000_000),
            handshakes=self.order.handshakes,
        )
        if plan.hard is Hard.CLOCK_JUMP:
            jump_at_us = int(cut.length_us * _JUMP_AT)
            cut = replace(cut, jump_at_us=jump_at_us, jump_us=_JUMP_S * 1_000_000)
        mac = captured.macs[device.name]
        raw = captured.captures[device.name].read_bytes()
        data, counted = cut_day(raw, bytes.fromhex(mac.replace(":", "")), cut)
        if counted.sent < _LEAST_SENT:
            return None
        path = self.order.target / device.name / f"{plan.date.isoformat()}.pcap.zst"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zstandard.ZstdCompressor(level=_LEVEL).compress(data))
        return self._label(device, plan, (path.name, mac, counted))

    def _label(self, device: Device, plan: DayPlan, written: tuple[str, str, Counted]) -> Label:
        file, mac, counted = written
        before = self.stacks.label(device, device.versions[plan.before])
        version = self.stacks.label(device, device.versions[plan.version])
        episode = episode_s(plan, self.order.tempo)
        return Label(
            device=device.name,
            file=file,
            mac=mac,
            start_utc=f"{plan.date.isoformat()}T{_BEGINS_S // 3600:02}:00:00Z",
            duration_s=round(counted.duration_s, 1),
            packets=counted.packets,
            packets_sent_by_device=counted.sent,
            agent_version=version,
            category=device.category,
            moves=device.moves,
            day=plan.day,
            change=change_of(plan, before, version),
            update=plan.update,
            episode_s=f"{episode[0]:.1f}-{episode[1]:.1f}" if episode else "",
            hard=plan.hard,
            settings=plan.settings,
            address=plan.address,
            uses=len(plan.use) + len(plan.visit),
        )
