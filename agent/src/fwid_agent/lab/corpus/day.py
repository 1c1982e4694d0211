"""One compressed day of the home: everybody starts, the day is lived and captured, all ends."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock

from fwid_agent.lab.corpus.fetch import Stacks
from fwid_agent.lab.corpus.household import Guests, Household
from fwid_agent.lab.corpus.model import DayPlan, Hard, Update

_HOUR = 1 / 24
# Parts of the day at which things happen.
_NIGHT = 1 * _HOUR  # counterparts start anew
_UPDATE, _UPDATED = 3 * _HOUR, 4.5 * _HOUR
_ROUTER, _REBOOT, _GUEST = 10 * _HOUR, 11 * _HOUR, 14 * _HOUR
_DOWNLOADS = (9 * _HOUR, 15 * _HOUR, 16 * _HOUR, 20 * _HOUR)
_OFF = 1 / 60  # how long a device that starts anew is off
_LAST_WORDS_S = 0.8  # until the captures are written

_Action = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Tempo:
    """How long things take."""

    day_s: float
    settle_s: float  # from the start of everybody to the beginning of the day


@dataclass(frozen=True, slots=True)
class Turns:
    """What homes that live at once share."""

    pause: Callable[[float], None]  # waits for so many seconds, or raises where all is to end
    booting: Lock  # starting is the only work: one home after the other


@dataclass(frozen=True, slots=True)
class Captured:
    """What a day left behind."""

    began_s: float
    captures: Mapping[str, Path]
    macs: Mapping[str, str]


def episode_s(plan: DayPlan, tempo: Tempo) -> tuple[float, float] | None:
    """Return when a day's update begins and ends, in seconds, where it is to be seen."""
    if plan.update is not Update.EPISODE:
        return None
    return _UPDATE * tempo.day_s, _UPDATED * tempo.day_s


def live(stacks: Stacks, guests: Guests, work: Path, tempo: Tempo, turns: Turns) -> Captured:
    """Live a day in a folder, which is emptied first."""
    pause = turns.pause
    shutil.rmtree(work, ignore_errors=True)
    with ExitStack() as ending:
        with turns.booting:
            home = Household(stacks, guests, work, ending)
            home.furnish()
            pause(tempo.settle_s)
        home.capture()
        pause(_LAST_WORDS_S)
        began_s = time.time()
        for part, action in sorted(_agenda(home, guests), key=lambda each: each[0]):
            pause(max(began_s + part * tempo.day_s - time.time(), 0))
            action()
        pause(max(began_s + tempo.day_s - time.time(), 0))
        home.end_capture()
        pause(_LAST_WORDS_S)
        home.check()
        macs = {name: home.mac(name) for name in guests.plans}
    captures = {name: home.share / f"{name}.pcap" for name in guests.plans}
    return Captured(began_s, captures, macs)


def _agenda(home: Household, guests: Guests) -> Iterator[tuple[float, _Action]]:
    """List what happens, each with its part of the day."""
    for peer in home.peers:
        if peer.nightly:
            yield _NIGHT, partial(home.renew_peer, peer)
    for name, plan in guests.plans.items():
        for part in plan.use:
            yield part, partial(home.use, name)
        for part in plan.visit:
            yield part, partial(home.visit, name)
        version = plan.version
        if plan.hard is Hard.REBOOT:
            yield _REBOOT, partial(home.switch_off, name)
            yield _REBOOT + _OFF, partial(home.switch_on, name, version)
        if plan.update is Update.EPISODE:
            yield _UPDATE, partial(home.fetch_image, name)
            yield _UPDATED - _OFF, partial(home.switch_off, name)
            yield _UPDATED, partial(home.switch_on, name, version)
        if plan.hard is Hard.ROUTER_RESTART:
            yield _ROUTER, partial(home.lose_network, name)
            yield _ROUTER + 2 * _OFF, partial(home.renew_address, name)
    yield from _home_wide(home, {plan.hard for plan in guests.plans.values()}, list(guests.plans))


def _home_wide(
    home: Household, happening: set[Hard], names: list[str]
) -> Iterator[tuple[float, _Action]]:
    if Hard.ROUTER_RESTART in happening:
        yield _ROUTER, home.restart_router
    if Hard.ADDED_PHONE in happening:
        yield _GUEST, partial(home.add_phone, names)
    if Hard.DOWNLOAD in happening:
        for part in _DOWNLOADS:
            yield part, home.download
