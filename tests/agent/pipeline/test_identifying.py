"""Ended units are asked about once, with the right flows, and a swapped device is told."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.capture.files import open_capture
from fwid_agent.identify.kept import Identifiers, InUse, read_shipped
from fwid_agent.identify.open_set import OpenSet
from fwid_agent.pipeline.identifying import Answer, EndedUnit, Identifying, agrees
from fwid_agent.store import DeviceRow, IdentificationRow, Progress, Store
from fwid_agent.types import EventType, FlowSample, Identification, Kind, parse_mac

from tests.agent.identify.models import BULB, CAMERA, flows, stump
from tests.agent.pipeline.test_replay import SENSOR, content, in_time, run
from tests.made_captures import Frame, frames_of, pcap
from tests.made_tables import DAY_NS, HOUR_NS

ARIA = parse_mac("20:f8:5e:ca:91:52")
OTHER = 0x020000000009
SURE = replace(stump(), open_set=OpenSet((3.0, 3.0), 0.0, 0.0))
AT_BULB, AT_CAMERA = 443, 5000  # ports by which the made model tells


def put(store: Store, device: int, day: int, port: int) -> EndedUnit:
    values = flows(port, 3)
    sample = FlowSample(3, np.arange(3, dtype=np.uint64), values)
    store.commit_progress(
        Progress(devices=[DeviceRow(device, 1, 2, 3, 4, 5)], flows={device: {day * DAY_NS: sample}})
    )
    return EndedUnit(device, day * DAY_NS, (day + 1) * DAY_NS)


def ask(store: Store, units: Sequence[EndedUnit], in_use: InUse) -> list[Answer]:
    """Ask about units, and store what is answered."""
    answers = list(Identifying(store, in_use, pytest.fail).answer(units, store.flow_sample))
    rows = [answer.row for answer in answers]
    store.commit_progress(Progress(identifications=rows))
    return answers


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "home.db") as opened:
        yield opened


def test_a_change_of_the_answer_is_news(store: Store) -> None:
    """Also a first one; the same again is none. A unit without flows has no answer."""
    home = InUse(SURE, 3)
    told = []
    for day, port in enumerate((AT_BULB, AT_BULB, AT_CAMERA)):
        told += ask(store, [put(store, BULB, day, port), EndedUnit(OTHER, 0, DAY_NS)], home)
    assert [answer.news for answer in told] == [True, False, True]
    assert [answer.row.answer.label for answer in told] == ["bulb", "bulb", "camera"]
    assert {(answer.row.model, answer.row.number) for answer in told} == {("home", 3)}
    assert {answer.row.learnt_as for answer in told} == {"bulb"}


@pytest.mark.parametrize(("number", "days"), [(3, [4]), (None, [])])
def test_two_devices_that_are_swapped_are_suspected_once(
    store: Store, number: int | None, days: list[int]
) -> None:
    """By the home's own model, which has learnt them; what came with the agent has not."""
    swapped = []
    for day in range(7):
        ports = (AT_BULB, AT_CAMERA) if day < 3 else (AT_CAMERA, AT_BULB)
        units = [
            put(store, mac, day, port) for mac, port in zip((BULB, CAMERA), ports, strict=True)
        ]
        answers = ask(store, units, InUse(SURE, number))
        swapped += [(answer.row.device, day) for answer in answers if answer.suspicion]
    assert swapped == [(mac, day) for day in days for mac in (BULB, CAMERA)]


def test_several_units_at_once_are_answered_as_one_by_one(store: Store) -> None:
    """A replay may end many at a time."""
    ports = (AT_BULB, AT_CAMERA, AT_CAMERA, AT_CAMERA)
    units = [put(store, BULB, day, port) for day, port in enumerate(ports)]
    answers = ask(store, units, InUse(SURE, 1))
    assert [answer.suspicion is not None for answer in answers] == [False, False, True, False]


@pytest.mark.parametrize(
    ("label", "said", "learnt", "expected"),
    [
        ("camera", "camera", "camera", True),
        ("camera", "camera", None, True),
        ("camera", "bulb", "bulb", False),
        (None, "bulb", "bulb", False),
        ("camera", "bulb", None, None),  # the model cannot know
        ("camera", "bulb", "lamp", None),  # it was called something else when it was learnt
        ("camera", None, "camera", None),
    ],
)
def test_whether_an_answer_agrees(
    label: str | None, said: str | None, learnt: str | None, expected: bool | None
) -> None:
    """With what the device is said to be, where the model has a say in it."""
    row = IdentificationRow(BULB, 0, Identification(label, None, 0.9, "x"), "home", 1, learnt)
    assert agrees(row, None if said is None else Kind(said, None, "person")) is expected


def moved(capture: Path, target: Path, mac: int, new_mac: int, start_ns: int) -> Path:
    """Write a capture as if another device had been heard at another time."""
    old, new = mac.to_bytes(6, "big"), new_mac.to_bytes(6, "big")
    with open_capture(str(capture)) as reader:
        frames = [frame for block in reader for frame in frames_of(block)]
    begin_ns = frames[0].ts_ns
    target.write_bytes(
        pcap(
            [
                Frame(
                    frame.data[:12].replace(old, new) + frame.data[12:],
                    frame.ts_ns - begin_ns + start_ns,
                )
                for frame in frames
            ]
        )
    )
    return target


def test_a_real_device_in_anothers_place_is_told(tmp_path: Path) -> None:
    """A scale whose address a water sensor has one day: one event, on its second capture."""
    shipped = read_shipped()
    names = {"Fitbit Aria scale": (ARIA,)}
    known = tuple(replace(each, devices=names.get(each.label, ())) for each in shipped.classes)
    path = tmp_path / "home.db"
    Identifiers(path).keep(replace(shipped, classes=known))
    real = in_time("Aria")[:4]
    with open_capture(str(real[-1])) as reader:
        last_ns = int(next(iter(reader)).ts_ns[0])
    swapped = [
        moved(capture, tmp_path / f"{number}.pcap", SENSOR, ARIA, last_ns + number * HOUR_NS)
        for number, capture in enumerate(in_time("D-LinkSensor")[:4], 1)
    ]
    run([*real, *swapped], path, "file")
    with Store.open(path, create=False) as store:
        rows = store.identifications(ARIA)
    labels = [row.answer.label for row in rows]
    assert labels.count("Fitbit Aria scale") >= 3  # an answer that is not sure enough is none
    assert set(labels[:4]) <= {"Fitbit Aria scale", None}
    assert labels[4:] == ["D-Link home sensor or siren"] * 4
    told = [
        (event, reason)
        for event in content(path).events
        for reason in event.reasons
        if reason.key == "unlike_its_kind"
    ]
    ((event, reason),) = told
    assert event.type is EventType.BEHAVES_DIFFERENTLY
    assert reason.params == {"label": "Fitbit Aria scale", "like": "D-Link home sensor or siren"}
    assert event.from_version == event.to_version
