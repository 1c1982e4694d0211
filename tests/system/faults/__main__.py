"""python -m tests.system.faults [NAME…]: inject faults and print the table of docs/faults.md."""

import sys
import tempfile
import traceback
from pathlib import Path

from tests.system.faults.catalogue import FAULTS
from tests.system.faults.lab import Row, lab
from tests.system.software import OLD, runner

_HEAD = "| fault | injected how | survived | lost | recovered in |\n|---|---|---|---|---|"


def main() -> None:
    """Inject one after the other; one that is not survived ends nothing but its own line."""
    names = sys.argv[1:] or list(FAULTS)
    print(_HEAD, flush=True)
    failed = False
    for name in names:
        with tempfile.TemporaryDirectory(prefix="fwid-fault-") as folder:
            try:
                with lab(Path(folder), [runner(OLD), "ethtool"], quick=False) as made:
                    print(_line(FAULTS[name](made)), flush=True)
            except Exception:
                failed = True
                traceback.print_exc()
                print(_line(Row(name, "", "**no**", "", "")), flush=True)
    sys.exit(failed)


def _line(row: Row) -> str:
    return f"| {row.fault} | {row.injected} | {row.survived} | {row.lost} | {row.recovered} |"


if __name__ == "__main__":
    main()
