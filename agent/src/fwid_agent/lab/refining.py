"""What refinement at home brings: devices seen at home against devices that were not.

Three networks are asked about every device's later days: the one that is shipped, one refined on
the other devices' first days (the device was not seen), and one refined on all devices' first days,
its own too (seen). Versions are those of the labels, so what is counted is real.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from fwid_agent.core.comparison import compare_periods
from fwid_agent.core.effect import rank_auc
from fwid_agent.core.evidence import SOFTWARE_LEAST, Judge
from fwid_agent.core.image import row_image
from fwid_agent.core.periods import make_period
from fwid_agent.core.prior import Prior
from fwid_agent.lab.cases import DAY_NS, Label, LabelledDevice
from fwid_agent.lab.counting import Count
from fwid_agent.lab.daily import list_days, run_daily
from fwid_agent.lab.noticed import DAYS_A_YEAR, look_for, summarise
from fwid_agent.lab.visible import LEVEL, tell_apart
from fwid_agent.model.manifest import model_folder
from fwid_agent.model.training import Bounds, peak_bytes
from fwid_agent.pipeline.models import RowTwin, load_prior, read_row_twin
from fwid_agent.pipeline.refined import Base, read_base, refined_twin
from fwid_agent.refine.attempt import Plan, draw_of, fit
from fwid_agent.refine.days import LEAST_DAYS, Stretch
from fwid_agent.refine.pairs import Draw, Pairs, draw_later, join
from fwid_agent.tables import merge_tables
from fwid_agent.types import U1, Bools, UnitTable

FROZEN = (3, 2, 1, 0)  # of the twin's four layers, the logistic function the last
_TEST_DAYS = 2  # of a new version: an alarm takes two
_PAIRS_A_DAY = 4
_NONE = Count(0, 0)
_ALL_MEMORY = 1 << 40  # the whole corpus is in this process, and TensorFlow may be
_ALARMS = 0.1  # aimed at, a device-year
OnStep = Callable[[str, int, int], None]
Days = Sequence[tuple[Label, UnitTable]]


@dataclass(frozen=True, slots=True)
class Cases:
    """One device's later days, drawn as the network sees them."""

    pictures: U1  # [n, rows, columns] real comparisons
    changed: Bools  # [n] by the labels, visible on the wire
    made_up: Pairs  # the unchanged days, half of them with made-up software


@dataclass(frozen=True, slots=True)
class Row:
    """One network on all devices' later days."""

    network: str  # shipped, not seen, seen
    frozen: int | None
    auc_real: float = 0.0  # visible changes of version over days of one version
    auc_made_up: float = 0.0
    passed_alike: Count = _NONE  # days of one version that it would let pass as software
    passed_changed: Count = _NONE  # visible changes that it lets pass
    false_alarms: int = 0  # day by day, as `fwid lab days` counts
    told: Count = _NONE
    seconds: float = 0.0  # of the processor, for one household's refinement
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class _Home:
    """The devices of a household that learnt enough, and what is asked about them."""

    devices: Sequence[LabelledDevice]
    cases: Mapping[str, Cases]
    learning: int


def run_bench(
    devices: Sequence[LabelledDevice], learning: int, frozen: Sequence[int], on_step: OnStep
) -> Iterator[Row]:
    """Measure each network, with each number of frozen layers."""
    prior = load_prior()
    days = {device.name: list(list_days(device)) for device in devices}
    stretches: dict[str, Stretch] = {}
    cases: dict[str, Cases] = {}
    for number, device in enumerate(devices):
        on_step("cases", number, len(devices))
        stretch = _first_days(device, days[device.name], learning)
        if stretch is not None:
            stretches[device.name] = stretch
            cases[device.name] = _draw_cases(device, days[device.name], learning, prior)
    if not cases:
        return
    home = _Home([device for device in devices if device.name in cases], cases, learning)
    shipped, base = read_row_twin(model_folder()), read_base()
    yield _weigh(Row("shipped", None), dict.fromkeys(cases, shipped), home)
    for number, layers in enumerate(frozen):
        on_step("refining", number, len(frozen))
        plan = Plan(prior, DAY_NS, Bounds(frozen=layers, memory_bytes=_ALL_MEMORY))
        begin_s = time.process_time()
        drawn = {name: draw_of(stretch, plan)[0] for name, stretch in stretches.items()}
        seen = _fit(list(drawn.values()), base, shipped, plan)
        seconds, peak_mb = time.process_time() - begin_s, peak_bytes() / 2**20
        unseen = {
            name: _fit([p for other, p in drawn.items() if other != name], base, shipped, plan)
            for name in drawn
        }
        row = Row("not seen", layers, seconds=seconds, peak_mb=peak_mb)
        yield _weigh(row, unseen, home)
        yield _weigh(replace(row, network="seen"), dict.fromkeys(cases, seen), home)


def to_record(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return everything as plain values for a JSON file."""
    return [asdict(row) for row in rows]


def _fit(drawn: Sequence[Pairs], base: Base, shipped: RowTwin, plan: Plan) -> RowTwin:
    return refined_twin(fit(join(drawn), base, shipped, plan)[0], base)


def _first_days(device: LabelledDevice, days: Days, learning: int) -> Stretch | None:
    """Return the days that a home has learnt: the first ones, as long as the version lasts."""
    first = [day for label, day in days[:learning] if label.version == days[0][0].version]
    enough = len(first) >= LEAST_DAYS and len(days) > learning
    return Stretch(device.mac, tuple(first)) if enough else None


def _draw_cases(device: LabelledDevice, days: Days, learning: int, prior: Prior) -> Cases:
    pictures: list[U1] = []
    changed: list[bool] = []
    made_up: list[Pairs] = []
    draw = Draw(prior, DAY_NS, np.random.default_rng([7, device.mac]))
    before: list[UnitTable] = []  # of the running version
    for number, (label, day) in enumerate(days):
        new = bool(number) and label.version != days[number - 1][0].version
        enough = number >= learning and len(before) > 1
        if new and enough:
            later = days[number : number + _TEST_DAYS]
            test = [table for other, table in later if other.version == label.version]
            chance = tell_apart(device, days[number - 1][0].version, label.version)
            if chance <= LEVEL:
                pictures.append(_draw_picture(before, test, prior))
                changed.append(True)
        elif enough:
            pictures.append(_draw_picture(before, [day], prior))
            changed.append(False)
            made_up.append(draw_later(before, day, _PAIRS_A_DAY, draw))
        before = [day] if new else [*before, day]
    return Cases(np.stack(pictures), np.array(changed, bool), join(made_up))


def _draw_picture(before: Sequence[UnitTable], test: Sequence[UnitTable], prior: Prior) -> U1:
    periods = [make_period(merge_tables(list(each)), "day", DAY_NS) for each in (before, test)]
    return row_image(compare_periods(periods[0], periods[1], prior))


def _weigh(row: Row, twins: Mapping[str, RowTwin], home: _Home) -> Row:
    """Ask each device's network about its cases, and let it judge the device day by day."""
    real, made_up, passed = [], [], []
    outcomes = []
    for device in home.devices:
        twin, case = twins[device.name], home.cases[device.name]
        distances = twin.distances(case.pictures)
        real.append(distances)
        passed.append(twin.software(distances) >= SOFTWARE_LEAST)
        made_up.append(twin.distances(case.made_up.pictures))
        judge = Judge(load_prior(), twin, _ALARMS / DAYS_A_YEAR)
        outcomes += list(run_daily([device], judge, home.learning))
    cases = [home.cases[device.name] for device in home.devices]
    changed = np.concatenate([case.changed for case in cases])
    software = np.concatenate([case.made_up.software for case in cases])
    distances, invented = np.concatenate(real), np.concatenate(made_up)
    said = np.concatenate(passed)
    noticed = summarise(outcomes, look_for(outcomes, home.devices, {}))
    return replace(
        row,
        auc_real=rank_auc(distances[~changed], distances[changed]),
        auc_made_up=rank_auc(invented[~software], invented[software]),
        passed_alike=Count(int((said & ~changed).sum()), int((~changed).sum())),
        passed_changed=Count(int((said & changed).sum()), int(changed.sum())),
        false_alarms=noticed.alarms.events,
        told=noticed.told,
    )
