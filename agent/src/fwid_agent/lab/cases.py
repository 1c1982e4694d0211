"""The questions of the bench: a device's earlier dates as baseline, later dates as test.

Time order only. Kinds of case stand apart: changed and stable where the version is known from the
device's own traffic, unverified where it is not, mixed where the baseline has both versions in it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations, groupby

import numpy as np

from fwid_agent.core.periods import Period, make_period, select_units
from fwid_agent.tables import select_periods
from fwid_agent.types import UnitTable

DAY_NS = 86_400 * 1_000_000_000
_LEAST_FILES = 3  # of a date, to be one of list_session_cases
_FAMILY = re.compile(r"^(D-Link|WeMo|Hue|Edimax|Ednet|TP-Link)")
# One vendor, one network module (their MAC addresses share the vendor part): one family.
_SAME_VENDOR = {"HomeMaticPlug": "eQ-3", "MAXGateway": "eQ-3"}


class Kind(StrEnum):
    """What is known of a case."""

    CHANGED = "changed"
    STABLE = "stable"
    UNVERIFIED = "unverified"
    MIXED = "mixed"  # the baseline holds the test's version and another: no answer is right


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of a capture; "" where nothing is, or nothing happened."""

    version: str = ""
    change: str = ""  # major, minor, patch or rollback, on the first day of a version
    update: str = ""  # quiet or episode
    hard: str = ""  # what else happened that looks like a change
    settings: str = ""  # which of its settings the device had
    address: str = ""  # which of its addresses


@dataclass(frozen=True, slots=True)
class LabelledDevice:
    """One device's sessions and what is known of each."""

    name: str
    mac: int
    windows: UnitTable
    labels: Mapping[int, Label]  # by session


@dataclass(frozen=True, slots=True)
class Case:
    """One question to a detector."""

    device: str
    family: str
    kind: Kind
    baseline: Period
    test: Period


def family_of(device: str) -> str:
    """Return the vendor family that is held out together: siblings share their software."""
    match = _FAMILY.match(device)
    return match.group(1) if match else _SAME_VENDOR.get(device, device)


def list_cases(devices: Sequence[LabelledDevice], least_baseline: int = 2) -> list[Case]:
    """List every case: each growing baseline against each later date, and against all of them."""
    return [case for device in devices for case in _cases_of(device, least_baseline)]


def list_session_cases(devices: Sequence[LabelledDevice]) -> list[Case]:
    """List the cases of an earlier prototype: any two dates against a later one, files as units.

    A date with fewer than three files is left out. A baseline may mix versions.
    """
    return [case for device in devices for case in _session_cases_of(device)]


def _session_cases_of(device: LabelledDevice) -> Iterator[Case]:
    files = make_period(device.windows, "file", DAY_NS)
    dates, members = np.unique(files.start_ns // DAY_NS, return_inverse=True)
    units = [np.flatnonzero(members == date).tolist() for date in range(len(dates))]
    units = [each for each in units if len(each) >= _LEAST_FILES]
    versions = [{label_of(device, files, unit).version for unit in each} for each in units]
    for first, second, later in combinations(range(len(units)), 3):
        before, after = versions[first] | versions[second], versions[later]
        yield Case(
            device.name,
            family_of(device.name),
            _kind_of_sets(before, after),
            select_units(files, units[first] + units[second]),
            select_units(files, units[later]),
        )


def _kind_of_sets(before: set[str], after: set[str]) -> Kind:
    if "" in before | after or len(after) > 1:
        return Kind.UNVERIFIED
    if len(before) > 1:
        return Kind.MIXED
    return _kind(min(before), min(after))


def _cases_of(device: LabelledDevice, least_baseline: int) -> Iterator[Case]:
    period = make_period(device.windows, "day", DAY_NS)
    versions = [label_of(device, period, unit).version for unit in range(period.units)]
    for size in range(least_baseline, period.units):
        if len(set(versions[:size])) > 1:
            return  # the baseline would mix versions
        later = range(size, period.units)
        tests = [[unit] for unit in later]
        if len(later) > 1 and len({versions[unit] for unit in later}) == 1:
            tests.append(list(later))
        for test in tests:
            yield Case(
                device.name,
                family_of(device.name),
                _kind(versions[0], versions[test[0]]),
                select_units(period, range(size)),
                select_units(period, test),
            )


def _kind(before: str, after: str) -> Kind:
    if not before or not after:
        return Kind.UNVERIFIED
    return Kind.STABLE if before == after else Kind.CHANGED


def label_of(device: LabelledDevice, period: Period, unit: int) -> Label:
    """Return what is known of a unit; of one in which versions meet, nothing."""
    sessions = np.unique(period.observations.session[period.unit == unit]).tolist()
    labels = [device.labels.get(session, Label()) for session in sessions]
    if len({label.version for label in labels}) > 1:
        return Label()
    plain = [replace(label, change="", update="", hard="") for label in labels]
    return next((each for each, bare in zip(labels, plain, strict=True) if each != bare), labels[0])


def unchanged_runs(device: LabelledDevice) -> list[LabelledDevice]:
    """Part a device, as far as it is known, into runs of one version, settings and address.

    Each is unchanged in itself. A device of which nothing is known is taken for one run.
    """
    setups = {
        session: (label.version, label.settings, label.address)
        for session, label in device.labels.items()
    }
    if not all(version for version, *_ in setups.values()) or len(set(setups.values())) < 2:
        return [device]
    runs = []
    for number, (_, group) in enumerate(groupby(sorted(setups), key=setups.__getitem__), 1):
        sessions = list(group)
        rows = np.flatnonzero(np.isin(device.windows.session, sessions))
        if len(rows):
            labels = {session: device.labels[session] for session in sessions}
            windows = select_periods(device.windows, rows)
            name = f"{device.name}, run {number}"
            runs.append(replace(device, name=name, windows=windows, labels=labels))
    return runs
