"""Names that devices and agents give themselves, in texts that Home Assistant reads as Markdown."""

import re
import string

_PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")


def as_text(name: str) -> str:
    """Return Markdown that shows exactly this: no link, no picture, nothing that is fetched."""
    return _PUNCTUATION.sub(r"\\\g<0>", name)
