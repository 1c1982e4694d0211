"""What holds for all tests of retraining."""

import pytest


@pytest.fixture(autouse=True)
def _memory(own_memory_only: None) -> None:
    """At home, retraining has a process of its own."""
