"""What holds for all tests of the agent."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

# No test asserts a time: machines differ, and so do their moods.
settings.register_profile("fwid", deadline=None)
settings.load_profile("fwid")


@pytest.fixture(autouse=True)
def _own_logs() -> Iterator[None]:
    """A command that a test runs in this process sets up logs; they end with it."""
    log = logging.getLogger("fwid")
    before = log.handlers[:], log.level, log.propagate
    yield
    log.handlers[:], log.level, log.propagate = before
