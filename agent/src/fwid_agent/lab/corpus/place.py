"""Where stacks and corpora are kept: the user's cache folder, as of the scripts."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of the made corpus; it need not be there."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "fwid" / "corpus"
