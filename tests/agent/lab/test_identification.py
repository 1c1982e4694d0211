"""The study of identification: time order, scores, unknown devices, and what is concluded."""

import csv
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fwid_agent.errors import UnreadableInputError, UsageError
from fwid_agent.identify.open_set import OpenSet, signs_of
from fwid_agent.lab.identification import experiments, open_set
from fwid_agent.lab.identification.claims import judge
from fwid_agent.lab.identification.experiments import Options, horizon, in_days, use
from fwid_agent.lab.identification.open_set import DeviceDays, calibrate
from fwid_agent.lab.identification.samples import (
    FlowTask,
    Home,
    Reading,
    Timeouts,
    load_home,
    read_flow_task,
)
from fwid_agent.lab.identification.scores import score
from fwid_agent.lab.identification.sites import align, join
from fwid_agent.types import parse_mac
from hypothesis import given
from hypothesis import strategies as st

DATA = Path(__file__).parents[2] / "data"
MADE, REAL = DATA / "made-corpus", DATA / "iot-sentinel"


@pytest.fixture(scope="module")
def made() -> Home:
    return load_home(MADE, Reading(), lambda _: None)


def small_home(days: int = 10, devices: int = 3, flows: int = 4) -> Home:
    """Devices whose flows say plainly which one they are of."""
    device = np.tile(np.repeat(np.arange(devices), flows), days)
    day = np.repeat(np.arange(days), devices * flows)
    values = np.random.default_rng(3).normal(0, 0.1, (len(day), 19)) + 100 * device[:, None]
    names = tuple(f"device-{index}" for index in range(devices))
    categories = tuple("Hub" if index % 2 else "Media" for index in range(devices))
    return Home(
        "small", values, device, day, day % 3 == 2, device, names, categories, names
    )  # a version a device


# --- reading --------------------------------------------------------------------------------------


def test_a_folder_with_labels_is_a_home(made: Home) -> None:
    """Devices, categories, days, idle days and versions are those of the labels."""
    with (MADE / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert dict(zip(made.devices, made.categories, strict=True)) == {
        row["device"]: row["category"] for row in rows
    }
    assert made.days == 14
    for row in rows:
        mine = (made.device == made.devices.index(row["device"])) & (made.day == int(row["day"]))
        assert mine.any()
        assert set(made.idle[mine].tolist()) == {row["hard"] in ("idle", "holiday")}
        (version,) = set(made.version[mine].tolist())
        assert made.versions[version] == f"{row['device']} {row['agent_version']}"


def test_laboratory_sessions_can_be_days() -> None:
    """Of captures that lie months apart each is a day, in the order of time."""
    home = load_home(REAL, Reading(per_file=True), lambda _: None)
    with (REAL / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    for index, name in enumerate(home.devices):
        files = sum(row["device"] == name for row in rows)
        days = np.unique(home.day[home.device == index])
        assert days.max() < files
        assert len(days) > files / 2  # in some set-ups the device has no flow at all


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("device,file\na,b.pcap\n", "lacks the column mac"),
        ("device,file,mac\na,b.pcap,02:00:00:00:00:01\n", "is in labels.csv and not there"),
        ("device,file,mac\na,b.pcap,somebody\n", "not a MAC address"),
    ],
)
def test_what_is_wrong_with_labels_is_said(tmp_path: Path, labels: str, said: str) -> None:
    """A person lays out these folders."""
    (tmp_path / "labels.csv").write_text(labels)
    with pytest.raises(UnreadableInputError, match=said):
        load_home(tmp_path, Reading(), lambda _: None)


# --- scores ---------------------------------------------------------------------------------------

ANSWERS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), min_size=1, max_size=60)


@pytest.mark.lab
@given(ANSWERS)
def test_scores_are_those_of_scikit_learn(answers: list[tuple[int, int]]) -> None:
    """Micro-F1 of one answer each is accuracy; macro-F1 counts the classes that were there."""
    metrics = pytest.importorskip("sklearn.metrics")
    truth, answer = np.array(answers).T
    found = score(truth, answer, np.zeros(len(truth), np.int64))
    assert found.micro == pytest.approx(metrics.f1_score(truth, answer, average="micro"))
    expected = metrics.f1_score(
        truth, answer, average="macro", labels=np.unique(truth), zero_division=0
    )
    assert found.macro == pytest.approx(expected)


def test_a_device_s_day_is_right_where_most_of_its_flows_are() -> None:
    """A tie is no answer."""
    truth = np.array([0, 0, 0, 1, 1, 1, 1])
    answer = np.array([0, 0, 1, 1, 1, 0, 0])
    day = np.array([0, 0, 0, 1, 1, 1, 1])
    assert score(truth, answer, day).device_days == 0.5


# --- time order -----------------------------------------------------------------------------------


class Spy:
    """A model that remembers which days it has seen."""

    seen: list[tuple[set[int], set[int]]]

    def __init__(self, recipe: object) -> None:
        self.days: set[int] = set()

    def fit(self, home: Home, target: np.ndarray, classes: int) -> "Spy":
        assert len(target) == len(home)
        assert target.max() < classes
        self.days = set(home.day.tolist())
        return self

    def answer(self, home: Home) -> np.ndarray:
        Spy.seen.append((self.days, set(home.day.tolist())))
        return home.device


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "Classifier", Spy)
    Spy.seen = []


@pytest.mark.usefixtures("spy")
def test_a_model_is_asked_about_later_days_only() -> None:
    """Nothing of a day ahead is known when a model is trained; every window is as long as said."""
    rows = horizon(small_home(20), Options(("tree",), starts=4), lambda _: None, ("tree",))
    assert {max(trained) < min(asked) for trained, asked in Spy.seen} == {True}
    assert {len(trained) for trained, _ in Spy.seen} == set(range(1, 8))
    ahead = {min(asked) - max(trained) for trained, asked in Spy.seen}
    assert ahead >= set(range(1, 8))
    assert {row["days_ahead"] for row in rows} == {*range(1, 8), "end", "over 14"}


@pytest.mark.usefixtures("spy")
def test_no_day_is_trained_on_and_asked_about() -> None:
    """Idle and active days are told apart by labels, and as many of each are trained on."""
    home = small_home(20)
    use(home, Options(("tree",)), lambda _: None)
    assert [trained & asked for trained, asked in Spy.seen] == [set()] * 3
    assert len({len(trained) for trained, _ in Spy.seen}) == 1
    idle = set(home.day[home.idle].tolist())
    assert [trained <= idle for trained, _ in Spy.seen] == [True, False, False]


# --- homes together -------------------------------------------------------------------------------


def test_the_same_device_has_the_same_number_in_every_home() -> None:
    """Homes list devices in different orders, and have some that others have not."""
    one = small_home()
    other = replace(one, devices=("device-2", "guest", "device-0"), categories=one.categories)
    aligned = align([one, other])
    assert [home.devices for home in aligned] == [("device-0", "device-2")] * 2
    for home in aligned:
        assert set(home.device.tolist()) == {0, 1}
    assert aligned[1].values[aligned[1].device == 1].mean() == pytest.approx(0, abs=1)  # device-2
    both = join(aligned)
    assert len(both) == len(aligned[0]) + len(aligned[1])
    with pytest.raises(UsageError, match="fewer than two devices"):
        align([one, replace(one, devices=("a", "b", "device-0"))])


# --- unknown devices ------------------------------------------------------------------------------


def device_days(seed: int = 0) -> DeviceDays:
    rng = np.random.default_rng(seed)
    device, fold = np.tile(np.arange(12), 60), np.repeat(np.arange(6), 120)
    known = device % 6 != fold
    signs = np.where(known[:, None], 0.8, 0.4) + rng.normal(0, 0.1, (len(device), 2))
    return DeviceDays(device, fold, known, known, signs)


def test_the_limit_refuses_one_known_day_in_twenty() -> None:
    """That is what it costs to say "none that I know"."""
    days = device_days()
    rule = calibrate(days, np.ones(len(days.fold), bool))
    flows = [np.array([[sign, 0.0]]) for sign in days.signs[:, 0]]
    assert signs_of(flows[0]).tolist() == [days.signs[0, 0]] * 2
    certain = 1 / (1 + np.exp(-(days.signs @ np.array(rule.weights) + rule.offset)))
    refused = (certain < rule.limit)[days.known].mean()
    assert refused == pytest.approx(0.05, abs=0.005)
    assert (certain < rule.limit)[~days.known].mean() > 0.9


def test_a_limit_is_tried_on_other_devices_than_it_was_set_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise the unknown devices would be known ones."""
    days = device_days()
    used: list[np.ndarray] = []

    def remember(all_days: DeviceDays, which: np.ndarray) -> OpenSet:
        used.append(which)
        return calibrate(all_days, which)

    monkeypatch.setattr(open_set, "calibrate", remember)
    _, accepted = open_set._try(days)
    for fold, which in enumerate(used):
        tried = days.fold == fold
        assert not (which & tried).any()
        unknown = set(days.device[tried & ~days.known].tolist())
        assert unknown.isdisjoint(days.device[which].tolist())
    assert accepted[days.known].mean() > 0.9 > 0.1 > accepted[~days.known].mean()


def test_an_answer_of_no_flow_is_none() -> None:
    """Silence is not an unknown device."""
    with pytest.raises(ValueError, match="no flow"):
        OpenSet((1.0, 1.0), 0.0, 0.5).answer(np.zeros((0, 3)))


# --- conclusions ----------------------------------------------------------------------------------


def horizon_rows(f1: dict[tuple[int, Any], float]) -> list[dict[str, Any]]:
    fixed = {"home": "a", "task": "device", "model": "forest", "versions": "all"}
    return [
        {**fixed, "train_days": days, "days_ahead": ahead, "micro_f1": value}
        for (days, ahead), value in f1.items()
    ]


def test_a_finding_is_judged_by_its_numbers() -> None:
    """Falling is told from rising, and what no table tells is not testable."""
    falling = {(1, 1): 0.9, (1, 7): 0.7, (7, 1): 0.95, (7, 7): 0.9, (7, "over 14"): 0.8}
    rising = {(1, 1): 0.7, (1, 7): 0.8, (7, 1): 0.7, (7, 7): 0.8, (7, "over 14"): 0.68}

    def verdicts(table: dict[tuple[int, Any], float]) -> list[str]:
        return [claim.verdict for claim in judge({"horizon": horizon_rows(table)})]

    assert verdicts(falling)[:3] == ["confirmed"] * 3
    assert verdicts(rising)[:3] == ["not confirmed"] * 3
    assert set(verdicts(falling)[3:]) == {"not testable"}
    (first, *_) = judge({"horizon": horizon_rows(falling)})
    assert "0.950" in first.numbers
    assert "0.900" in first.numbers


def test_days_are_cut_where_they_are_said_to_be(made: Home) -> None:
    """From the first up to before the end."""
    assert set(in_days(made, 3, 5).day.tolist()) == {3, 4}


def test_a_task_and_its_answer_travel_between_processes(tmp_path: Path) -> None:
    """On a cluster flows are those that are read here, and errors are told as here."""
    capture = str(MADE / "bulb" / "2026-01-05.pcap.zst")
    task = FlowTask("bulb", (capture,), (parse_mac("00:00:5e:00:53:1a"),), Timeouts())
    (here,) = read_flow_task(task).parts
    (there,) = pickle.loads(pickle.dumps(read_flow_task(pickle.loads(pickle.dumps(task))))).parts
    assert there.values.tolist() == here.values.tolist()
    assert len(here) > 10
    (tmp_path / "broken.pcap").write_bytes(b"no capture")
    broken = read_flow_task(replace(task, paths=(str(tmp_path / "broken.pcap"),)))
    assert broken.fault is not None
    assert "broken.pcap" in broken.fault[0]
