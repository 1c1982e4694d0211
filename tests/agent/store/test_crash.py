"""A run that is killed at any moment goes on later, and counts nothing twice and nothing never."""

import multiprocessing
import random
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from fwid_agent.config import Config
from fwid_agent.core.events import News, make_event
from fwid_agent.store import DeviceRow, Progress, SessionProgress, Store
from fwid_agent.types import EventType, UnitTable

from tests.made_tables import DAY_NS, HOUR_NS, assert_same, make_table

BLOCKS = 60  # of 10 frames each; every block has traffic of the same hours as its neighbours
MACS = (1, 2, 3)


def block(number: int) -> Progress:
    hours = [(number // 4 + ahead) * HOUR_NS for ahead in range(3)]
    news = News(EventType.VERSION_CHANGED, 1, 2)
    return Progress(
        session=SessionProgress("input", "input.pcap", (number + 1) * 10),
        windows={mac: make_table(mac * 1000 + number, hours) for mac in MACS},
        devices=[DeviceRow(mac, number, number, 1, 2, 3) for mac in MACS],
        states={mac: str(number) for mac in MACS},
        events=[make_event(news, 1, number * HOUR_NS, UUID(int=1), number // 2)],
    )


def go_on(path: Path) -> None:
    """Read the input from its start, as a run that is started again does."""
    with Store.open(path) as store:
        session = store.session("input")
        done = session.frames_done if session else 0
        for number in range(BLOCKS):
            if number * 10 >= done:
                store.commit_progress(block(number))
                if number % 16 == 15:
                    store.compact(20 * DAY_NS, Config(windows_kept_days=20))


def content(path: Path) -> tuple[list[UnitTable], object, object, object]:
    with Store.open(path, create=False) as store:
        units = [store.units(mac, DAY_NS) for mac in MACS]
        events = [replace(each, seq=0) for each in store.events().events]
        numbers = [each.seq for each in store.events().events]
        assert numbers == sorted(set(numbers))
        return units, events, store.devices(), store.states()


def is_done(path: Path) -> bool:
    with Store.open(path) as store:
        session = store.session("input")
        return session is not None and session.frames_done == BLOCKS * 10


def assert_like_uninterrupted(path: Path, uninterrupted: Path) -> None:
    units, *rest = content(path)
    expected_units, *expected_rest = content(uninterrupted)
    for one, other in zip(units, expected_units, strict=True):
        assert_same(one, other)
    assert rest == expected_rest


@pytest.mark.parametrize(
    "kills", [20, pytest.param(100, marks=pytest.mark.slow)], ids=lambda kills: f"{kills} kills"
)
def test_killed_runs_go_on(tmp_path: Path, kills: int) -> None:
    """After every kill the store is sound; in the end it holds what an unharmed run gives."""
    uninterrupted = tmp_path / "uninterrupted.db"
    go_on(uninterrupted)
    rng = random.Random(kills)
    path = tmp_path / "0.db"
    for kill in range(kills):
        child = multiprocessing.get_context("fork").Process(target=go_on, args=(path,))
        child.start()
        time.sleep(rng.uniform(0.0, 0.08))
        child.kill()
        child.join()
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
        if is_done(path):
            assert_like_uninterrupted(path, uninterrupted)
            path = tmp_path / f"{kill + 1}.db"
    go_on(path)
    assert_like_uninterrupted(path, uninterrupted)
