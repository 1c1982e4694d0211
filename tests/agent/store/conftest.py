"""A fresh store for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fwid_agent.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fwid.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as opened:
        yield opened
