"""Retraining of a store: in a process that steps aside, noted, come back from, never half done."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fwid_agent.aside import environment, read_answer
from fwid_agent.errors import StoreError, UsageError
from fwid_agent.identify.kept import Identifiers, in_use
from fwid_agent.retrain.asked import Wish, command
from fwid_agent.retrain.models import can_train
from fwid_agent.retrain.run import retrain_store
from fwid_agent.store import DeviceRow, Progress, Store
from fwid_agent.types import FlowSample, Kind, format_mac

from tests.agent.identify.models import stump
from tests.agent.retrain.home import DAY_NS, FIRST_NS, categories, flow_days, labels

UNIT_S = 86_400
TREE = Wish("tree")
pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not can_train("tree"), reason="needs scikit-learn"),
]


def after(days: int) -> int:
    """When so many days are over."""
    return FIRST_NS + days * DAY_NS


def fill(path: Path, days: int, named: dict[int, str]) -> None:
    """A store with the home's flows, and what its devices are said to be."""
    flows: dict[int, dict[int, FlowSample]] = {}
    for day in flow_days(0, days):
        marks = np.arange(len(day.values), dtype=np.uint64)
        sample = FlowSample(day.seen, marks, day.values)
        flows.setdefault(day.device, {})[day.start_ns] = sample
    with Store.open(path) as store:
        rows = [DeviceRow(mac, FIRST_NS, FIRST_NS, 1, 1, 100) for mac in flows]
        store.commit_progress(Progress(devices=rows, flows=flows))
        for mac, label in named.items():
            store.put_kind(mac, Kind(label, categories()[label], "person"))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Of nine days."""
    path = tmp_path / "home.db"
    fill(path, 9, labels())
    return path


def test_an_accepted_model_is_used_and_noted(store: Path) -> None:
    """And one that is only tried leaves no trace."""
    tried = retrain_store(store, UNIT_S, after(9), Wish("tree", dry_run=True))
    assert (tried["outcome"], tried["model"]) == ("accepted", None)
    assert in_use(store).number is None
    done = retrain_store(store, UNIT_S, after(9), TREE)
    assert (done["outcome"], done["model"], done["type"]) == ("accepted", 1, "tree")
    assert done["all"]["right"] >= 4
    kept = Identifiers(store)
    assert [each["model"] for each in kept.attempts()] == [1]
    used = in_use(store)
    assert used.number == 1
    assert used.identifier.knows == set(labels())
    assert kept.roll_back() is None
    assert in_use(store).model == "shipped"


def test_the_day_that_is_not_over_counts_for_nothing(store: Path) -> None:
    """It would be measured on, and half of its flows are still to come."""
    early = retrain_store(store, UNIT_S, after(8) - 1, Wish("tree", dry_run=True))
    late = retrain_store(store, UNIT_S, after(8), Wish("tree", dry_run=True))
    assert early["days"] < late["days"]


def test_too_little_is_said_and_noted(tmp_path: Path) -> None:
    """Nobody said what the devices are."""
    path = tmp_path / "home.db"
    fill(path, 9, {})
    done = retrain_store(path, UNIT_S, after(9), TREE)
    assert done["outcome"] == "too_little"
    assert "two devices" in done["reason"]
    assert len(Identifiers(path).attempts()) == 1


def test_what_cannot_be_trained_is_said(store: Path) -> None:
    """Trees have no layers; where no network is in use, none has layers that are kept."""
    with pytest.raises(UsageError, match="no layers"):
        retrain_store(store, UNIT_S, after(9), Wish("tree", frozen=1))
    with pytest.raises(UsageError, match="nothing to freeze"):
        retrain_store(store, UNIT_S, after(9), Wish("fc", frozen=1))
    assert Identifiers(store).attempts() == []


def test_one_at_a_time(store: Path) -> None:
    """A second one is refused while another has the lock."""
    kept = Identifiers(store)
    with kept.alone(), pytest.raises(StoreError, match="being retrained"):
        retrain_store(store, UNIT_S, after(9), TREE)


@pytest.mark.parametrize("writes", range(4))
def test_a_power_cut_leaves_the_old_model_or_the_new_one(
    store: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """Between any two files: what is in use is whole, and the next retraining goes on."""
    kept = Identifiers(store)
    with kept.alone():
        kept.keep(stump())
    done = [0]
    replace = Path.replace

    def cut(self: Path, target: Any) -> Path:
        if done[0] >= writes:
            raise OSError(5, "power cut")
        done[0] += 1
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", cut)
        if writes < 3:
            with pytest.raises(StoreError, match="power cut"):
                retrain_store(store, UNIT_S, after(9), TREE)
        else:
            retrain_store(store, UNIT_S, after(9), TREE)
    used = in_use(store)
    assert (used.number, used.note) == ((1, "") if writes < 2 else (2, ""))
    again = retrain_store(store, UNIT_S, after(9), TREE)
    assert again["outcome"] == "accepted"
    assert in_use(store).number == again["model"]


def test_the_process_steps_aside_and_answers(store: Path) -> None:
    """By lines that say where it is, and the record."""
    asked = command(store, UNIT_S, after(9), TREE)
    out = subprocess.run(asked, env=environment(), stdout=subprocess.PIPE, check=True).stdout
    lines = out.splitlines()
    assert [b"stage" in line for line in lines[:-1]] == [True] * 3
    record = read_answer(lines, "retraining")
    assert (record["outcome"], record["doubted"]) == ("accepted", [])
    assert record["peak_mb"] > 0


def test_swapped_names_are_told(store: Path) -> None:
    """Which device, its name, and what it behaves like."""
    retrain_store(store, UNIT_S, after(9), TREE)
    with Store.open(store) as opened:
        opened.put_kind(1, Kind("doorcam", None, "person"))
        opened.put_kind(2, Kind("bulb", None, "person"))
    done = retrain_store(store, UNIT_S, after(9), TREE)
    assert done["doubted"] == [
        {"device": format_mac(1), "label": "doorcam", "behaves_like": "bulb"},
        {"device": format_mac(2), "label": "bulb", "behaves_like": "doorcam"},
    ]
