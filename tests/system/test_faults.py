"""What goes wrong in years, in short: the agent goes on, loses little, and says so.

`scripts/faults` injects the same at length and makes the table of docs/faults.md.
"""

import shutil
from pathlib import Path

import pytest

from tests.system.faults.catalogue import FAULTS
from tests.system.faults.lab import Fault, lab
from tests.system.home import can_make_homes
from tests.system.software import OLD, runner


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_survived(fault: Fault, tmp_path: Path) -> None:
    """Each fault fails by itself where it is not."""
    if not can_make_homes() or shutil.which("apt-get") is None:
        pytest.skip("needs root, iproute2 and apt-get, to make hosts of its own")
    with lab(tmp_path, [runner(OLD), "ethtool"], quick=True) as made:
        row = fault(made)
    assert row.survived
