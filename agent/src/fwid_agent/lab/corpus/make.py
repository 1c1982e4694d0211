"""Makes a corpus day by day; what is there already is left as it is."""

import hashlib
import json
import shutil
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import zstandard

from fwid_agent.lab.corpus.card import write_card
from fwid_agent.lab.corpus.cut import Counted, Cut, cut_day
from fwid_agent.lab.corpus.day import Captured, episode_s, live
from fwid_agent.lab.corpus.fetch import OnNote, Stacks
from fwid_agent.lab.corpus.household import Guests
from fwid_agent.lab.corpus.labels import Label, add_labels, change_of, read_labels
from fwid_agent.lab.corpus.model import CorpusError, DayPlan, Device, Hard
from fwid_agent.lab.corpus.network import check_rights
from fwid_agent.lab.corpus.order import Order
from fwid_agent.lab.corpus.schedule import Plan, make_plan
from fwid_agent.lab.corpus.servers import SERVER_LAYER

_LEAST_SENT = 5  # packets that a device sends on a day, or it does not work
_JUMP_S = 37 * 60
_JUMP_AT = 0.5
_BEGINS_S = 6 * 3600  # of the date, UTC: when a capture begins
_LEVEL = 19
OnDay = Callable[[int], None]


def make_corpus(order: Order, on_day: OnDay, on_note: OnNote) -> int:
    """Make what is missing; returns how many device-days were made.

    Raises:
        CorpusError: it cannot be made here, a stack cannot be fetched, or a device says nothing.

    """
    check_rights()
    signal.signal(signal.SIGTERM, _end)
    stacks = Stacks(order.stacks, on_note)
    order.target.mkdir(parents=True, exist_ok=True)
    _agree(order)
    _fetch(order, stacks)
    write_card(order, stacks)
    plan = make_plan(order.devices, order.seed, order.days)
    made, silent = 0, []
    for day in range(order.days):
        on_day(day)
        done = read_labels(order.target)
        missing = [one for one in order.devices if (one.name, day) not in done]
        if not missing:
            continue
        labels, failed = _make_day(order, stacks, plan, day, missing)
        add_labels(order.target, labels)
        made += len(labels)
        for name in failed:
            on_note(f"day {day + 1}: {name} said nothing; its log is in {_work(order)}")
        silent += [f"{name} on day {day + 1}" for name in failed]
    on_day(order.days)
    if silent:
        raise CorpusError(
            f"no traffic of {', '.join(silent)}; run it again to try these days again"
        )
    shutil.rmtree(_work(order), ignore_errors=True)
    return made


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


def _agree(order: Order) -> None:
    """Keep what a corpus is made of beside it, so that two orders never mix."""
    words = {
        "seed": order.seed,
        "days": order.days,
        "day_s": order.tempo.day_s,
        "handshakes": order.handshakes,
        "devices": [device.name for device in order.devices],
        "catalogue": hashlib.sha256(repr(order.devices).encode()).hexdigest()[:16],
    }
    path = order.target / "order.json"
    text = json.dumps(words, indent=1) + "\n"
    if path.exists() and path.read_text() != text:
        raise CorpusError(
            f"{order.target} holds another corpus; choose another folder, or remove it"
        )
    path.write_text(text)


def _make_day(
    order: Order, stacks: Stacks, plan: Plan, day: int, devices: Sequence[Device]
) -> tuple[list[Label], list[str]]:
    numbers = {device.name: number for number, device in enumerate(order.devices)}
    plans = {device.name: plan.days[device.name][day] for device in devices}
    guests = Guests(devices, plans, numbers, order.seed)
    captured = live(stacks, guests, _work(order) / f"day-{day + 1}", order.tempo)
    labels, failed = [], []
    for device in devices:
        label = _keep(order, stacks, device, plans[device.name], captured)
        if label is None:
            failed.append(device.name)
        else:
            labels.append(label)
    if not failed:
        shutil.rmtree(_work(order) / f"day-{day + 1}")
    return labels, failed


def _keep(
    order: Order, stacks: Stacks, device: Device, plan: DayPlan, captured: Captured
) -> Label | None:
    """Cut and write a device's day; None where the device said nothing."""
    begins_s = int(datetime(*plan.date.timetuple()[:3], tzinfo=UTC).timestamp()) + _BEGINS_S
    cut = Cut(
        begin_us=begins_s * 1_000_000,
        origin_us=int(captured.began_s * 1_000_000),
        length_us=int(order.tempo.day_s * 1_000_000),
        handshakes=order.handshakes,
    )
    if plan.hard is Hard.CLOCK_JUMP:
        cut = replace(cut, jump_at_us=int(cut.length_us * _JUMP_AT), jump_us=_JUMP_S * 1_000_000)
    mac = captured.macs[device.name]
    raw = captured.captures[device.name]
    data, counted = cut_day(raw.read_bytes(), bytes.fromhex(mac.replace(":", "")), cut)
    if counted.sent < _LEAST_SENT:
        return None
    path = order.target / device.name / f"{plan.date.isoformat()}.pcap.zst"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zstandard.ZstdCompressor(level=_LEVEL).compress(data))
    return _label(order, stacks, device, plan, (path.name, mac, counted))


def _label(
    order: Order,
    stacks: Stacks,
    device: Device,
    plan: DayPlan,
    written: tuple[str, str, Counted],
) -> Label:
    file, mac, counted = written
    before = stacks.label(device, device.versions[plan.before])
    version = stacks.label(device, device.versions[plan.version])
    episode = episode_s(plan, order.tempo)
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
