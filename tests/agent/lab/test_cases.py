"""The bench asks fair questions: order of time, no mixed baselines, families held out as one."""

from dataclasses import replace

import numpy as np
import pytest
from fwid_agent.lab.cases import Kind, LabelledDevice, family_of, list_cases
from fwid_agent.lab.train import split_devices
from fwid_agent.tables import merge_tables

from tests.agent.core.tables import DAY_NS, TLS_SENT, table


def device(name: str, versions: str) -> LabelledDevice:
    """One capture a day; "a" and "b" are versions, "?" is not known."""
    windows = table([(day * DAY_NS, day + 1, {(TLS_SENT, 100): 5}) for day in range(len(versions))])
    known = {day + 1: letter for day, letter in enumerate(versions) if letter != "?"}
    return LabelledDevice(name, 1, windows, known)


def asked(versions: str) -> list[tuple[int, list[int], Kind]]:
    """How many days of baseline, which days of test, and what is known."""
    return [
        (case.baseline.units, (case.test.start_ns // DAY_NS).tolist(), case.kind)
        for case in list_cases([device("some", versions)])
    ]


def test_each_start_is_asked_about_what_follows() -> None:
    """Each later day, and all of them together where they are one version."""
    assert asked("aabb") == [
        (2, [2], Kind.CHANGED),
        (2, [3], Kind.CHANGED),
        (2, [2, 3], Kind.CHANGED),
    ]
    assert asked("aaa") == [(2, [2], Kind.STABLE)]
    assert asked("???") == [(2, [2], Kind.UNVERIFIED)]


def test_a_test_that_mixes_versions_is_not_asked_as_a_whole() -> None:
    """Half a change has no right answer."""
    assert asked("aaab") == [
        (2, [2], Kind.STABLE),
        (2, [3], Kind.CHANGED),
        (3, [3], Kind.CHANGED),
    ]


@pytest.mark.parametrize("versions", ["a", "aa", "ab"])
def test_one_day_of_baseline_is_no_case(versions: str) -> None:
    """Every method is near chance there."""
    assert asked(versions) == []


def test_siblings_are_held_out_together() -> None:
    """Devices of one vendor share software: one of them in training would give the other away."""
    assert family_of("WeMoSwitch2") == family_of("WeMoInsightSwitch") == "WeMo"
    assert family_of("HomeMaticPlug") == family_of("MAXGateway")
    assert family_of("Aria") == "Aria"
    devices = [device(name, "aa") for name in ("D-LinkCam", "D-LinkSiren", "Aria")]
    rest, held = split_devices(devices, "D-Link")
    assert [one.name for one in rest] == ["Aria"]
    assert [one.name for one in held] == ["D-LinkCam", "D-LinkSiren"]


def test_a_day_of_two_versions_is_of_none() -> None:
    """A capture each of the old and of the new version on one day proves nothing."""
    one = device("some", "aaa")
    more = replace(one.windows, session=np.array([11, 12, 13], np.int32))
    both = merge_tables([one.windows, more])
    mixed = LabelledDevice("some", 1, both, {**one.versions, 11: "a", 12: "a", 13: "b"})
    assert [case.kind for case in list_cases([mixed])] == [Kind.UNVERIFIED]
