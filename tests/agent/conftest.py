"""What holds for all tests of the agent."""

import logging
import os
from collections.abc import Iterator

import pytest
from fwid_agent.model import training
from hypothesis import settings

# No test asserts a time: machines differ, and so do their moods.
settings.register_profile("fwid", deadline=None)
# What was looked for at length with one set of versions is only tried with another.
settings.register_profile("brief", deadline=None, max_examples=20)
settings.load_profile(os.environ.get("FWID_EXAMPLES", "fwid"))


@pytest.fixture
def own_memory_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count what a test itself takes: the process has what all tests before it took."""
    before = training.peak_bytes()
    measured = training.peak_bytes
    monkeypatch.setattr(training, "peak_bytes", lambda: measured() - before)


@pytest.fixture(autouse=True)
def _own_logs() -> Iterator[None]:
    """A command that a test runs in this process sets up logs; they end with it."""
    log = logging.getLogger("fwid")
    before = log.handlers[:], log.level, log.propagate
    yield
    log.handlers[:], log.level, log.propagate = before
