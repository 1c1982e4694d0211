"""`fwid backup` and `fwid restore`: a copy of a store, and the way back or to another machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fwid_agent.cli.options import Json, Store, store_path
from fwid_agent.cli.output import print_json, say
from fwid_agent.errors import UsageError
from fwid_agent.service.identity import IDENTITY
from fwid_agent.service.local import is_running
from fwid_agent.store import backup as copies

Copy = Annotated[str, typer.Argument(metavar="FILE", help="The copy.")]


def backup(copy: Copy, store: Store = None, json: Json = False) -> None:
    """Copy a store into one file, with certificate and tokens, also while an agent runs on it.

    Examples:

      fwid backup fwid-backup.db

    """
    carried = copies.back_up(store_path(store), Path(copy), IDENTITY)
    size = Path(copy).stat().st_size
    if json:
        print_json({"copy": copy, "bytes": size, "with": list(carried)})
    else:
        say(f"{copy}: {size:,} bytes{_with(carried)}")


def restore(copy: Copy, store: Store = None, json: Json = False) -> None:
    """Put a copy, with what it is known by, in the place of a store; what was there is kept.

    Examples:

      fwid restore fwid-backup.db

    """
    path = store_path(store)
    if is_running(path):
        raise UsageError(f"{path}: an agent is running on this store; stop it first")
    carried = copies.restore(Path(copy), path, IDENTITY)
    if json:
        print_json({"store": str(path), "with": list(carried)})
    else:
        say(f"{path}: restored from {copy}{_with(carried)}")


def _with(carried: Sequence[str]) -> str:
    return f", with {' and '.join(carried)}" if carried else ""
