"""Which version a device runs on which day, what else happens then, and how it is used.

All from the seed: the same seed gives the same plan. Changes of version come in patterns that real
devices have: one after the other, a rollback, two within a week, one during a holiday.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fwid_agent.lab.corpus.model import DayPlan, Device, Hard, Update

_FIRST = date(2026, 1, 5)
# Where in the run the version changes, as parts of it, and to which of the chosen versions.
_PATTERNS: tuple[tuple[tuple[float, int], ...], ...] = (
    ((0.35, 1), (0.70, 2)),  # one after the other
    ((0.40, 1), (0.70, 0)),  # a rollback
    ((0.45, 1), (0.60, 2)),  # two within a week
    ((0.58, 1),),  # during the holiday
)
_HOLIDAY = (0.53, 0.68)
_LATE = 3  # pattern that must not move by a day
# Parts of the run at which something happens to the whole home.
_HOME_DAYS = ((0.25, Hard.ROUTER_RESTART), (0.78, Hard.DOWNLOAD), (0.87, Hard.ADDED_PHONE))
_DECK = (
    *(Hard.REBOOT, Hard.LOSSY, Hard.DOUBLED, Hard.IDLE),
    *(Hard.SETTINGS, Hard.NEW_IP, Hard.CLOUD_MOVED, Hard.CLOCK_JUMP),
)
_DEALT = 5  # hard days of its own that a device has in a full run
_PLAIN_DAYS = 3  # at the start
_USES = (3, 8)  # a day, at least and at most
# Hours at which people use things, more in the evening.
_HOURS = (7, 8, 8, 12, 13, 17, 18, 18, 19, 19, 20, 20, 21, 21, 22)


@dataclass(frozen=True, slots=True)
class Plan:
    """Every day of every device, by its name."""

    days: dict[str, tuple[DayPlan, ...]]

    def on(self, day: int) -> dict[str, DayPlan]:
        """Return one day, from 0 on."""
        return {name: plans[day] for name, plans in self.days.items()}


def make_plan(devices: Sequence[Device], seed: int, days: int) -> Plan:
    """Plan the days of a whole catalogue; devices that are added to its end change no other's."""
    rng = _random(f"{seed}:home")
    first = rng.randrange(len(_PATTERNS))
    home = _home_days(days)
    decks = _deal([device.name for device in devices], rng)
    planned = {}
    for place, device in enumerate(devices, first):
        own = _random(f"{seed}:{device.name}")
        versions = _versions(device, place % len(_PATTERNS), own, days)
        plans = list(_changes(versions, own, days))
        plans = [replace(plan, hard=home.get(plan.day, Hard.NONE)) for plan in plans]
        plans = _scatter(plans, decks[device.name], own)
        planned[device.name] = tuple(_use(plan, own) for plan in plans)
    return Plan(planned)


def _random(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - to be repeated, no secret


def _home_days(days: int) -> dict[int, Hard]:
    found = {round(part * days): hard for part, hard in _HOME_DAYS if days >= 10}
    if days >= 10:
        begin, end = (round(part * days) for part in _HOLIDAY)
        found |= dict.fromkeys(range(begin, end), Hard.HOLIDAY)
    return found


def _versions(device: Device, pattern: int, rng: random.Random, days: int) -> list[int]:
    """Return the version of each day."""
    count = len(device.versions)
    if count < 3 and pattern in {0, 2}:
        pattern = 1
    wanted = 1 + max(which for _, which in _PATTERNS[pattern])
    chosen = sorted(rng.sample(range(count), min(wanted, count)))
    shift = 0 if pattern == _LATE else rng.choice((-1, 0, 0, 1)) if days >= 10 else 0
    result = [chosen[0]] * days
    for part, which in _PATTERNS[pattern]:
        begin = min(max(round(part * days) + shift, 2), days - 1)
        result[begin:] = [chosen[min(which, len(chosen) - 1)]] * (days - begin)
    return result


def _changes(versions: Sequence[int], rng: random.Random, days: int) -> Iterator[DayPlan]:
    seen: set[int] = set()
    for day in range(days):
        before = versions[max(day - 1, 0)]
        changed = versions[day] != before
        yield DayPlan(
            day=day,
            date=_FIRST + timedelta(days=day),
            version=versions[day],
            before=before,
            rollback=changed and versions[day] in seen,
            update=rng.choice((Update.QUIET, Update.EPISODE)) if changed else Update.NONE,
        )
        seen.add(versions[day])


def _deal(order: Sequence[str], rng: random.Random) -> dict[str, list[Hard]]:
    """Give every device some of the hard days, all kinds equally often in the home."""
    hands: dict[str, list[Hard]] = {}
    deck: list[Hard] = []
    for name in order:
        hand: list[Hard] = []
        while len(hand) < _DEALT:
            if not deck:
                deck = rng.sample(_DECK, len(_DECK))
            card = next((one for one in deck if one not in hand), None)
            if card is None:
                deck += rng.sample(_DECK, len(_DECK))
                continue
            deck.remove(card)
            hand.append(card)
        hands[name] = hand
    return hands


def _scatter(plans: Sequence[DayPlan], hand: Sequence[Hard], rng: random.Random) -> list[DayPlan]:
    """Lay a device's hard days on days of a version that was there for two days before."""
    result = list(plans)
    plain = min(_PLAIN_DAYS, max(len(plans) // 4, 1))
    free = [
        plan.day
        for plan in plans[plain:]
        if not plan.hard and plan.version == plans[plan.day - 1].version
    ]
    count = min(len(hand), max(len(free) * 2 // 3, 1), len(free))
    for day, hard in zip(sorted(rng.sample(free, count)), hand, strict=False):
        result[day] = replace(result[day], hard=hard)
        if hard is Hard.SETTINGS:  # as people leave it
            result[day:] = [replace(plan, settings=1) for plan in result[day:]]
        if hard is Hard.NEW_IP:
            result[day:] = [replace(plan, address=1) for plan in result[day:]]
    return result


def _use(plan: DayPlan, rng: random.Random) -> DayPlan:
    """Spread uses over the day's hours."""
    count = rng.randint(*_USES)
    if plan.hard is Hard.DOUBLED:
        count *= 2
    if plan.hard in {Hard.IDLE, Hard.HOLIDAY}:
        count = 0
    moments = sorted((rng.choice(_HOURS) + rng.random()) / 24 for _ in range(count * 2))
    return replace(plan, use=tuple(moments[::2]), visit=tuple(moments[1::2]))
