"""A home for every test that asks for one."""

import shutil
from collections.abc import Iterator

import pytest

from tests.system.home import Home, can_make_homes
from tests.system.software import OLD, runner


@pytest.fixture
def home() -> Iterator[Home]:
    """An empty home: a bridge and a cloud."""
    if not can_make_homes():
        pytest.skip("needs root and iproute2, to make hosts of its own")
    if shutil.which("apt-get") is None:
        pytest.skip("needs apt-get, which brings the programs that the hosts run")
    with Home([runner(OLD), "ethtool"]) as made:
        yield made
