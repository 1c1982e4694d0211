"""What the running agent is asked for; apart from what does it, so that it is known at once."""

from dataclasses import dataclass
from pathlib import Path

from fwid_agent.config import Config


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """What is watched, and where it is remembered."""

    sources: tuple[str, ...]
    store: Path
    config: Config
