"""The bench asks fair questions: order of time, no mixed baselines, families held out as one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.lab.cases import (
    Kind,
    Label,
    LabelledDevice,
    family_of,
    list_cases,
    list_session_cases,
)
from fwid_agent.lab.corpora import load_corpus
from fwid_agent.lab.train import split_devices
from fwid_agent.tables import merge_tables

from tests.agent.core.tables import DAY_NS, TLS_SENT, table

WHOLE = Path(__file__).parents[4] / "shared" / "data" / "iot-sentinel"


def device(name: str, versions: str) -> LabelledDevice:
    """One capture a day; "a" and "b" are versions, "?" is not known."""
    windows = table([(day * DAY_NS, day + 1, {(TLS_SENT, 100): 5}) for day in range(len(versions))])
    known = {day + 1: Label(letter) for day, letter in enumerate(versions) if letter != "?"}
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
    mixed = LabelledDevice(
        "some", 1, both, {**one.labels, 11: Label("a"), 12: Label("a"), 13: Label("b")}
    )
    assert [case.kind for case in list_cases([mixed])] == [Kind.UNVERIFIED]


def on_dates(versions: str, files: int = 3) -> LabelledDevice:
    """So many captures on each day, all of a day of one version."""
    times = [
        (day * DAY_NS + number * 60 * 10**9, day * files + number + 1)
        for day in range(len(versions))
        for number in range(files)
    ]
    windows = table([(start, session, {(TLS_SENT, 100): 5}) for start, session in times])
    known = {session: Label(versions[(session - 1) // files]) for _, session in times}
    return LabelledDevice("some", 1, windows, {s: v for s, v in known.items() if v.version != "?"})


def test_any_two_dates_are_held_against_a_later_one() -> None:
    """Files are the units; what an update in the baseline makes of the answer is told apart."""
    cases = list_session_cases([on_dates("aabb")])
    asked = [
        (sorted({*(case.baseline.start_ns // DAY_NS).tolist()}), case.test.start_ns[0] // DAY_NS)
        for case in cases
    ]

    assert asked == [([0, 1], 2), ([0, 1], 3), ([0, 2], 3), ([1, 2], 3)]
    assert [case.kind for case in cases] == [Kind.CHANGED, Kind.CHANGED, Kind.MIXED, Kind.MIXED]
    assert {(case.baseline.units, case.test.units) for case in cases} == {(6, 3)}


@pytest.mark.parametrize(
    ("versions", "kind"), [("aaa", Kind.STABLE), ("???", Kind.UNVERIFIED), ("aa?", Kind.UNVERIFIED)]
)
def test_sessions_are_verified_only_where_all_versions_are_known(versions: str, kind: Kind) -> None:
    """A date of unknown version proves nothing, in the baseline or in the test."""
    assert [case.kind for case in list_session_cases([on_dates(versions)])] == [kind]


def test_a_date_of_few_files_is_no_session() -> None:
    """Two captures are too few to be a side of a comparison of files."""
    assert list_session_cases([on_dates("aaa", files=2)]) == []


@pytest.mark.skipif(not WHOLE.is_dir(), reason="the whole set of captures is not here")
@pytest.mark.shared_data
def test_the_sessions_are_those_of_the_earlier_prototype() -> None:
    """Its figures are of 22 cases that it took as stable and of 4 with a change."""
    kinds = [case.kind for case in list_session_cases(load_corpus(WHOLE, lambda _: None))]
    assert sum(kind in (Kind.STABLE, Kind.UNVERIFIED) for kind in kinds) == 22
    assert sum(kind in (Kind.CHANGED, Kind.MIXED) for kind in kinds) == 4
